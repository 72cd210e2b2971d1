"""Answers and explanations need no extra: each case in a process without their packages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.toy_bundle import random_texts, toy
from fixtures.toy_language_model import toy_language_model
from fixtures.without_extras import command, run
from sentir.bundle import Bundle, save_bundle
from sentir.explanation.explain import explain
from sentir.inference.predictor import Predictor
from sentir.text.tokenizer import SubwordTokenizer

WHOLE = {"num_layers": 2, "pooling": "attention", "embedding_skip": True, "bigram_buckets": 50,
         "ngram_buckets": 70}  # fmt: skip
TEXTS = random_texts(40)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return toy(classes=3, **WHOLE)


@pytest.fixture(scope="module")
def folder(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("without_torch") / "model"
    save_bundle(bundle, folder)
    return folder


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
        "print(json.dumps(predictor.predict_proba(json.loads(texts)).tolist()))\n",
        folder, engine, precision, json.dumps(TEXTS), present=["numba"],
    )  # fmt: skip
    expected_NC = Predictor(bundle, "torch").predict_proba(TEXTS)
    tolerance = 1e-5 if precision == "float32" else 0.05
    np.testing.assert_allclose(json.loads(output), expected_NC, rtol=0, atol=tolerance)
    assert expected_NC.std(axis=0).min() > 0.01


def test_evaluate_and_export(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "test.csv"
    file.write_text(
        "label,text\nnegative,the film was bad\npositive,a wonderful hotel\nneutral,ok\n"
    )
    output = run(
        "import sentir\n"
        "_, folder, file, onnx = sys.argv\n"
        "print(sentir.evaluate(folder, file).metrics.examples, sentir.export(folder, onnx))\n",
        folder, file, tmp_path / "model.onnx",
    )  # fmt: skip
    assert output == f"3 {(tmp_path / 'model.onnx').stat().st_size}\n"


@pytest.mark.parametrize("name", ["new.csv", "new.tsv", "new.jsonl", "new.txt", "new.csv.gz"])
def test_a_file_is_predicted_in_its_format(folder: Path, tmp_path: Path, name: str) -> None:
    rows = {"csv": "text,stars\nthe film was bad,1\n", "tsv": "text\tstars\nthe film was bad\t1\n",
            "jsonl": '{"text": "the film was bad"}\n', "txt": "the film was bad\n"}  # fmt: skip
    kind = name.split(".")[1]
    (tmp_path / name.removesuffix(".gz")).write_text(rows[kind])
    source, target = tmp_path / name.removesuffix(".gz"), tmp_path / f"out.{name[4:]}"
    _, messages, code = command("predict", folder, source, "--output", target)
    assert code == 0, messages
    assert target.stat().st_size > len("the film was bad")


def test_the_command_line_predicts(bundle: Bundle, folder: Path) -> None:
    output, _, code = command("predict", folder, "--json", "the film was bad")
    assert code == 0
    answer = json.loads(output)
    expected = Predictor(bundle, "torch").predict_one("the film was bad")
    assert answer["prediction"] == expected.label
    assert answer["probability"] == pytest.approx(expected.probability, abs=1e-5)


def test_the_command_line_evaluates_and_explains(
    bundle: Bundle, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "test.csv"
    file.write_text("label,text\nnegative,the film was bad\npositive,a wonderful hotel\n")
    output, _, code = command("evaluate", folder, file, "--json")
    assert code == 0
    assert json.loads(output)["examples"] == 2
    output, _, code = command("explain", folder, "the film was bad", "--json")
    assert code == 0
    explanation = json.loads(output)
    expected = explain(bundle, "the film was bad").to_dict()
    assert explanation["tokens"] == expected["tokens"]
    np.testing.assert_allclose(explanation["answer"], expected["answer"], rtol=0, atol=1e-6)
    assert "forget" in command("explain", folder, "the film was bad")[0]


def test_a_model_with_subwords_answers(tmp_path: Path) -> None:
    bundle = toy(max_length=40)
    config = bundle.config.override({"tokenizer": "bpe", "max_vocab_size": 40})
    tokenizer = SubwordTokenizer.train(["la habitación estaba sucia", "good"] * 9, config.text)
    rows = len(tokenizer.vocabulary)
    vectors = np.random.default_rng(0).normal(size=(rows, 6)).astype(np.float32)
    weights = {**bundle.weights, "embedding.weight": vectors}
    bundle = replace(bundle, config=config, tokenizer=tokenizer, weights=weights)
    save_bundle(bundle, tmp_path / "model")
    output, messages, code = command("predict", tmp_path / "model", "--json", "la habitación")
    assert code == 0, messages
    expected = Predictor(bundle, "torch").predict_one("la habitación")
    assert json.loads(output)["probability"] == pytest.approx(expected.probability, abs=1e-5)


def test_a_language_model_continues_a_text(tmp_path: Path) -> None:
    save_bundle(toy_language_model(), tmp_path / "lm")
    output, _, code = command("complete", tmp_path / "lm", "las nubes", "--words", 3, "--json")
    assert code == 0
    assert len(json.loads(output)["continuations"][0]["words"]) == 3


def test_doctor_says_what_is_not_installed() -> None:
    output, _, code = command("doctor")
    assert code == 0
    assert "torch engine not installed: pip install 'sentir[train]'" in output
    assert "numba engine not installed: pip install 'sentir[numba]'" in output
