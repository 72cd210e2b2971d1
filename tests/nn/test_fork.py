"""After a fork every engine answers, in the child's main thread too, where PyTorch would wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.toy_bundle import toy
from sentir.bundle import save_bundle

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
WIDE: dict[str, Any] = {"hidden_size": 256, "embedding_dim": 128, "max_length": 200}
TIMEOUT_S = 120
#: The parent answers first, so that pools of threads exist; then its children do.
SCRIPT = """
import json, multiprocessing, os, signal, sys
import sentir

engine, precision, folder, is_used = sys.argv[1:]
texts = ["not a good film " * count for count in range(1, 60)]
predictor = sentir.load(folder, engine, precision)
if is_used == "used":
    predictor.predict(texts)

def answers(_=None):
    return [predictor.predict_one(texts[-1]), *predictor.predict(texts)]

def forked():
    read, write = os.pipe()
    if not os.fork():
        signal.alarm(60)
        try:
            os.write(write, json.dumps(answers()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read) as pipe:
        return pipe.read()

children = [json.loads(forked() or "null") for _ in range(2)]
with multiprocessing.get_context("fork").Pool(2) as pool:
    children += pool.map_async(answers, range(2)).get(60)
print(json.dumps([answers(), *children]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fork") / "model"
    save_bundle(toy(**WIDE), path)
    return path


@pytest.mark.parametrize(
    ("engine", "precision", "parent", "tolerance"),
    [
        ("torch", "float32", "used", 1e-5),
        ("torch", "float32", "fresh", 1e-5),  # PyTorch computes while a model is loaded
        ("onnx", "float32", "used", 1e-5),
        ("onnx", "int8", "used", 0.05),  # its answers depend on the batch
        ("numba", "float32", "used", 1e-5),
        ("numba", "int8", "used", 1e-5),
    ],
)
def test_forked_children_answer_as_their_parent(
    folder: Path, engine: str, precision: str, parent: str, tolerance: float
) -> None:
    command = [sys.executable, "-c", SCRIPT, engine, precision, str(folder), parent]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    expected, *children = json.loads(done.stdout)
    assert len(children) == 4
    for child in children:
        assert [label for label, _ in child] == [label for label, _ in expected]
        assert [share for _, share in child] == pytest.approx(
            [share for _, share in expected], abs=tolerance
        )
