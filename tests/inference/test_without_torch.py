"""Answers need nothing that only training needs: each case in a process without PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import Bundle, save_bundle
from sentir.inference.predictor import Predictor

WHOLE = {"num_layers": 2, "pooling": "attention", "embedding_skip": True, "bigram_buckets": 50,
         "ngram_buckets": 70}  # fmt: skip
TEXTS = random_texts(40)
#: `import torch` and its like fail as where they are not installed.
BLOCK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "sklearn", "scipy", "matplotlib", "jinja2"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return toy(classes=3, **WHOLE)


@pytest.fixture(scope="module")
def folder(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("without_torch") / "model"
    save_bundle(bundle, folder)
    return folder


def run(program: str, *arguments: object) -> str:
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCK + program, *map(str, arguments)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize(
    ("engine", "precision"),
    [("auto", "float32"), ("onnx", "float32"), ("numba", "float32"), ("onnx", "int8"),
     ("numba", "int8")],
)  # fmt: skip
def test_answers_are_those_of_pytorch(
    bundle: Bundle, folder: Path, engine: str, precision: str
) -> None:
    output = run(
        "import json, sentir\n"
        "_, folder, engine, precision, texts = sys.argv\n"
        "predictor = sentir.load(folder, engine, precision)\n"
        "print(json.dumps(predictor.predict_proba(json.loads(texts)).tolist()))\n"
        "assert not any(name.partition('.')[0] == 'torch' for name in sys.modules)\n",
        folder, engine, precision, json.dumps(TEXTS),
    )  # fmt: skip
    expected_NC = Predictor(bundle, "torch").predict_proba(TEXTS)
    tolerance = 1e-5 if precision == "float32" else 0.05
    np.testing.assert_allclose(json.loads(output), expected_NC, rtol=0, atol=tolerance)
    assert expected_NC.std(axis=0).min() > 0.01


def test_the_engine_torch_is_refused(folder: Path) -> None:
    output = run(
        "import sentir\n"
        "try:\n    sentir.load(sys.argv[1], 'torch')\n"
        "except sentir.SentirError as error:\n    print(error)\n",
        folder,
    )
    assert output == (
        "the engine torch needs PyTorch, which is not installed; pip install torch, or take the "
        "engine onnx\n"
    )


def test_evaluate_and_export(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "test.csv"
    file.write_text("label,text\nnegative,the film was bad\npositive,a wonderful hotel\n")
    output = run(
        "import sentir\n"
        "_, folder, file, onnx = sys.argv\n"
        "print(sentir.evaluate(folder, file).metrics.examples, sentir.export(folder, onnx))\n",
        folder, file, tmp_path / "model.onnx",
    )  # fmt: skip
    assert output == f"2 {(tmp_path / 'model.onnx').stat().st_size}\n"


def test_the_command_line_predicts(bundle: Bundle, folder: Path) -> None:
    output = run(
        "from sentir.cli import main\n"
        "sys.argv = ['sentir', 'predict', sys.argv[1], '--json', 'the film was bad']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n",
        folder,
    )
    answer: dict[str, Any] = json.loads(output)
    expected = Predictor(bundle, "torch").predict_one("the film was bad")
    assert answer["prediction"] == expected.label
    assert answer["probability"] == pytest.approx(expected.probability, abs=1e-5)
