"""The Open Inference Protocol: by hand, and by Triton's own client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.served import Served
from sentir.inference.predictor import Predictor, load
from sentir.version import __version__

TOLERANCE = 1e-5
TEXTS = ["the film was not bad", "dull", "¡la habitación estaba sucia! 😀"]
INFER = "/v2/models/hotels/infer"
#: Another process, as the client loads gevent.
CLIENT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import tritonclient.http as triton
texts = json.load(sys.stdin)
client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("hotels")
metadata = client.get_model_metadata("hotels")
given = triton.InferInput("text", [len(texts), 1], "BYTES")
given.set_data_from_numpy(np.array([[text.encode()] for text in texts], dtype=object),
                          binary_data=False)
wanted = [triton.InferRequestedOutput(name, binary_data=False)
          for name in ("label", "probabilities")]
answers = []
for outputs in (wanted, None):
    result = client.infer("hotels", [given], request_id="7", outputs=outputs)
    answers.append({name: result.as_numpy(name).tolist() for name in ("label", "probabilities")})
assert result.get_response()["id"] == "7"
print(json.dumps([metadata, answers]))
"""


@pytest.fixture(scope="module")
def predictor(folder: Path, served: Served) -> Predictor:
    return load(folder / "hotels", "torch")


def tensor(texts: list[Any], **changes: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts,
                        **changes}]}  # fmt: skip


def test_all_outputs(served: Served, predictor: Predictor) -> None:
    answer = served.post(INFER, {"id": "a", **tensor(TEXTS)})
    expected = predictor.predict_proba(TEXTS)
    assert (answer["id"], answer["model_name"]) == ("a", "hotels")
    label, probability, probabilities = answer["outputs"]
    assert label == {"name": "label", "datatype": "BYTES", "shape": [3],
                     "data": [one.label for one in predictor.predict(TEXTS)]}  # fmt: skip
    assert (probability["datatype"], probability["shape"]) == ("FP64", [3])
    assert probability["data"] == pytest.approx(expected.max(axis=1).tolist(), abs=TOLERANCE)
    assert probabilities["shape"] == [3, 3]
    assert probabilities["data"] == pytest.approx(expected.ravel().tolist(), abs=TOLERANCE)


def test_one_output(served: Served) -> None:
    answer = served.post(INFER, {**tensor(TEXTS), "outputs": [{"name": "label"}]})
    assert [output["name"] for output in answer["outputs"]] == ["label"]
    assert "id" not in answer


def test_texts_in_rows(served: Served) -> None:
    rows = tensor([[text] for text in TEXTS], shape=[3, 1])
    assert served.post(INFER, rows)["outputs"] == served.post(INFER, tensor(TEXTS))["outputs"]


def test_the_client_of_triton(served: Served, predictor: Predictor) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, f"127.0.0.1:{served.port}"],
        input=json.dumps(TEXTS), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    metadata, answers = json.loads(done.stdout)
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert metadata["outputs"][2]["parameters"] == {"labels": list(predictor.labels)}
    for answer in answers:
        np.testing.assert_allclose(
            answer["probabilities"], predictor.predict_proba(TEXTS), atol=TOLERANCE
        )
        assert answer["label"] == [one.label for one in predictor.predict(TEXTS)]


def test_metadata(served: Served, predictor: Predictor) -> None:
    assert served.ask("GET", "/v2").json == {
        "name": "sentir", "version": __version__, "extensions": [],
    }  # fmt: skip
    version = predictor.bundle.checksum.removeprefix("sha256:")[:12]
    metadata = served.ask("GET", "/v2/models/hotels").json
    assert metadata["versions"] == [version]
    assert served.ask("GET", f"/v2/models/hotels/versions/{version}").json == metadata
    assert served.ask("GET", "/v2/models/shop/ready").json == {"name": "shop", "ready": True}
    assert served.post(f"/v2/models/hotels/versions/{version}/infer", tensor(TEXTS))["outputs"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"inputs": []}, "inputs: 0 inputs; send one, text"),
        ({"inputs": tensor(TEXTS)["inputs"] * 2}, "inputs: 2 inputs; send one, text"),
        (tensor(TEXTS, name="review"), "inputs[0]: the input 'review' of type 'BYTES'; send"),
        (tensor(TEXTS, datatype="FP32"), "inputs[0]: the input 'text' of type 'FP32'; send"),
        (tensor(TEXTS, shape=[4]), "inputs[0]: the shape [4] and 3 texts; send the shape [N]"),
        (tensor(TEXTS, shape=[]), "inputs[0]: the shape [] and 3 texts; send the shape [N]"),
        (tensor(TEXTS, shape=[-3]), "inputs[0]: the shape [-3] and 3 texts; send the shape [N]"),
        ({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES"}]},
         "inputs[0]: no data; binary data is not read; send the texts"),
        (tensor([3]), "Expected `str | array`, got `int` - at `$.inputs[0].data[0]`"),
        (tensor([""]), "inputs[0].data[0]: a text with nothing in it; leave it out"),
        (tensor(["a"] * 1025), "inputs[0].data: 1,025 texts, at most 1,024"),
        ({**tensor(TEXTS), "outputs": [{"name": "lable"}]},
         "no output 'lable'; known are label, probability, probabilities"),
        ({**tensor(TEXTS), "model": "x"}, "Object contains unknown field `model`"),
    ],
)  # fmt: skip
def test_bad_requests(served: Served, body: Any, message: str) -> None:
    status, got = served.refusal("POST", INFER, body)
    assert (status, got[: len(message)]) == (422, message)


def test_an_unknown_model_or_version(served: Served) -> None:
    assert served.refusal("GET", "/v2/models/shpo")[0] == 404
    status, message = served.refusal("POST", "/v2/models/shop/versions/1/infer", tensor(TEXTS))
    assert status == 404
    assert message.startswith("no version '1' of shop; it has ")
