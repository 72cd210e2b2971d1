"""The example of Ray Serve, on a Ray of its own.

Last run with ray 2.60.0 in an environment of its own (``SENTIR_RAY_PYTHON``).
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fixtures.other_python import python_with
from fixtures.served import save_models
from fixtures.toy_bundle import toy
from sentir.inference.predictor import load

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"
TEXTS = ["the film was not bad", "dull", "¡la habitación estaba sucia! 😀"]
#: A Ray on this machine alone, with no telemetry and no page, that ends with the process.
PROGRAM = """
import sys
import ray
from ray import serve
from ray_serve import app
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2])})
serve.run(app({"model": sys.argv[1]}))
print("serving", flush=True)
sys.stdin.read()
serve.shutdown()
"""


def asked(port: int, body: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/", json.dumps(body), {"content-type": "application/json"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="no groups of processes")
def test_ray_serve_answers_as_python_does(tmp_path: Path) -> None:
    python = python_with("ray")
    model = save_models(tmp_path, shop=toy())["shop"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [python, "-c", PROGRAM, str(model), str(port)]
    environment = {**os.environ, "PYTHONPATH": str(DEPLOY), "RAY_USAGE_STATS_ENABLED": "0"}
    log = tmp_path / "log"
    with log.open("wb") as errors, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        env=environment, start_new_session=True,
    ) as ray:  # fmt: skip
        assert ray.stdin is not None
        assert ray.stdout is not None
        try:
            assert ray.stdout.readline() == "serving\n", log.read_text()
            expected = [
                {"label": one.label, "probability": pytest.approx(one.probability, abs=1e-5)}
                for one in load(model).predict(TEXTS)
            ]
            assert asked(port, {"texts": TEXTS}) == (200, {"predictions": expected})
            assert asked(port, {"text": TEXTS[0]}) == (200, {"predictions": expected[:1]})
            many = [TEXTS[: 1 + number % 3] for number in range(60)]  # they share batches
            with ThreadPoolExecutor(20) as threads:
                answers = list(threads.map(lambda texts: asked(port, {"texts": texts}), many))
            assert answers == [(200, {"predictions": expected[: len(texts)]}) for texts in many]
            for bad in ({"txet": "a"}, {"texts": "a"}, {"texts": []}, {"text": 1}, []):
                status, answer = asked(port, bad)
                assert (status, list(answer)) == (422, ["error"])
            ray.stdin.close()
            assert ray.wait(timeout=60) == 0
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):  # Ray's own processes too
                try:
                    os.killpg(ray.pid, number)
                except ProcessLookupError:
                    break
                time.sleep(1)
