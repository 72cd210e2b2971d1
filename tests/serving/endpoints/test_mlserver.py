"""The Open Inference Protocol by MLServer's types, codecs and ``mlserver infer``.

Last run with mlserver 1.7.1 in an environment of its own (``SENTIR_MLSERVER_PYTHON``).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np

from fixtures.other_python import python_with
from fixtures.served import Served
from sentir.inference.predictor import load

TEXTS = ["the film was not bad", "dull", "¡la habitación estaba sucia! 😀"]
#: Another process, in an environment that has MLServer.
CLIENT = """
import json, subprocess, sys, urllib.request, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
address, folder, texts = sys.argv[1], Path(sys.argv[2]), json.load(sys.stdin)
asked = InferenceRequest(id="7", inputs=[StringCodec.encode_input("text", texts)])
body = asked.model_dump_json(exclude_none=True)
request = urllib.request.Request(f"http://{address}/v2/models/hotels/infer", body.encode(),
                                 {"content-type": "application/json"})
with urllib.request.urlopen(request, timeout=60) as reply:
    answers = [InferenceResponse.model_validate_json(reply.read())]
(folder / "asked.jsonl").write_text(body + "\\n")
command = [str(Path(sys.executable).with_name("mlserver")), "infer", "-u", address, "-m", "hotels",
           "-i", str(folder / "asked.jsonl"), "-o", str(folder / "answers.jsonl")]
done = subprocess.run(command, capture_output=True, text=True, timeout=120)
assert done.returncode == 0, done.stderr
lines = (folder / "answers.jsonl").read_text().splitlines()
answers += map(InferenceResponse.model_validate_json, lines)
for answer in answers:
    outputs = {output.name: output for output in answer.outputs}
    print(json.dumps([StringCodec.decode_output(outputs["label"]),
                      NumpyCodec.decode_output(outputs["probabilities"]).tolist()]))
"""


def test_the_client_of_mlserver(served: Served, folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [python_with("mlserver"), "-c", CLIENT, f"127.0.0.1:{served.port}", str(tmp_path)],
        input=json.dumps(TEXTS), capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    predictor = load(folder / "hotels")
    answers = list(map(json.loads, done.stdout.splitlines()))
    assert len(answers) == 2
    for labels, probabilities in answers:
        assert labels == [one.label for one in predictor.predict(TEXTS)]
        np.testing.assert_allclose(probabilities, predictor.predict_proba(TEXTS), atol=1e-5)
