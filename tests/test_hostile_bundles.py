"""A bundle that a stranger forged is refused by name, in 2 s and 500 MB."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.forged_bundle import forge, refusal, safetensors_file, write_settings
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import (
    MAX_JSON_BYTES,
    MAX_TOKENIZER_BYTES,
    LanguageBundle,
    load_bundle,
    load_language_model,
    save_bundle,
)
from sentir.config import PretrainConfig
from sentir.inference.predictor import Predictor
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import to_arrays
from sentir.text.tokenizer import WordTokenizer
from sentir.weights import DISPLACEMENTS, NGRAM_FINGERPRINTS

SUBWORD = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
           "normalizer": None, "post_processor": None, "decoder": None,
           "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
               {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"},
               {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}]},
           "model": {"type": "BPE", "unk_token": "_UNK", "merges": [],
                     "vocab": {"_PAD": 0, "_UNK": 1, "a": 10**9}}}  # fmt: skip


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_bundle(toy(), tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def saved_language_model(tmp_path: Path) -> Path:
    config = PretrainConfig().override({"embedding_dim": 6, "hidden_size": 5})
    tokenizer = WordTokenizer(["the", "film"], ())
    weights = to_arrays(LanguageModel(config.model, vocabulary=4))
    bundle = LanguageBundle(weights=weights, tokenizer=tokenizer, config=config, metrics={})
    save_bundle(bundle, tmp_path / "lm")
    return tmp_path / "lm"


def model(**changes: Any) -> dict[str, Any]:
    """All settings, those of the network changed."""
    settings = toy().config.to_dict()
    return {**settings, "model": {**settings["model"], **changes}}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"config": model(num_layers=10**9)}, r"layers\.1\.forward_rnn\.weight_ih_l0 is absent"),
        ({"config": model(hidden_size=10**30)}, "weight_ih_l0 is F32"),
        ({"config": model(hidden_size=int("9" * 4000))}, "weight_ih_l0 is F32"),
        ({"config": model(embedding_dim=10**18)}, r"embedding\.weight is F32 \[18, 6\]"),
        ({"config": model(ngram_buckets=10**12)}, r"ngram_linear\.word_weights is absent"),
        ({"config": model(bigram_buckets=10**12)}, r"bigrams\.vectors\.weight is absent"),
        ({"config": model(hidden_size=-1)}, r"model\.hidden_size"),
        ({"config": model(hidden_size=5.5)}, r"model\.hidden_size"),
        ({"config": model(hidden_size=float("inf"))}, r"model\.hidden_size"),
        ({"config": model(hidden_size=float("nan"))}, r"model\.hidden_size"),
        ({"config": model(hidden_size="x" * 10**6)}, r"model\.hidden_size"),
        ({"config": model(hidden_size=[[[]]])}, r"model\.hidden_size"),
        ({"config": model(cell="transformer")}, r"model\.cell"),
        ({"config": model(unknown=1)}, r"no setting 'model\.unknown'"),
        ({"config": None}, "config is no table"),
        ({"config": []}, "config is no table"),
        ({"config": {"model": None}}, "make it a table"),
        ({"labels": None}, "not a label scheme"),
        ({"labels": {"names": ["a", "a"], "of_raw": {}}}, "not a label scheme"),
        ({"labels": {"names": ["a"], "of_raw": {}}}, "not a label scheme"),
        ({"labels": {"names": [], "of_raw": {}}}, "not a label scheme"),
        ({"labels": {"names": [1, 2], "of_raw": {}}}, "not a label scheme"),
        ({"labels": {"names": ["a", "b"], "of_raw": {"x": 7}}}, "not a label scheme"),
        ({"labels": {"names": ["a", "\ud83d"], "of_raw": {}}}, "no Unicode text"),
        ({"labels": {"names": ["a", "b", "c"], "of_raw": {}}}, r"head\.weight is F32 \[1, 10\]"),
        ({"kind": "something else"}, "neither a classifier nor a language model"),
        ({"checksums": {}}, r"\.json: damaged \(its checksum differs\)"),
        ({"checksums": []}, r"config\.json: damaged"),
        ({"synthetic": None, "config": 7}, "config is no table"),
    ],
    ids=lambda value: str(value)[-50:],
)  # fmt: skip
def test_settings(saved: Path, settings: dict[str, Any], message: str) -> None:
    if "checksums" in settings and not isinstance(settings["checksums"], dict):
        path = saved / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    else:
        forge(saved, **settings)
    assert_matches(refusal(saved), message)


def assert_matches(message: str, pattern: str) -> None:
    with pytest.raises(ValueError, match=pattern):  # pytest shows both where they differ
        raise ValueError(message)


def test_a_million_class_names(saved: Path) -> None:
    names = [f"class {number}" for number in range(10**6)]
    forge(saved, labels={"names": names, "of_raw": {}})
    assert re.search(
        r"config\.json: 15,\d+,\d+ bytes, more than the 2,097,152 that it may have", refusal(saved)
    )
    forge(saved, labels={"names": names[: 10**4], "of_raw": {}})
    assert "not a label scheme" in refusal(saved)


@pytest.mark.parametrize("name", ["config.json", "metrics.json", "sentir_tokenizer.json"])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_json(saved: Path, name: str, opening: str) -> None:
    (saved / name).write_text(opening * 10**6)
    if name != "config.json":
        forge(saved)
    assert name in refusal(saved) or "its parts do not fit" in refusal(saved)


@pytest.mark.parametrize(
    ("name", "size_bytes"),
    [
        ("config.json", MAX_JSON_BYTES),
        ("metrics.json", MAX_JSON_BYTES),
        ("sentir_tokenizer.json", MAX_JSON_BYTES),
        ("sentir_tokenizer.json", MAX_TOKENIZER_BYTES),
    ],
)
@pytest.mark.parametrize("entry", ["{},", "[],", '"",', "1.5,"])
def test_json_that_takes_much_memory(saved: Path, name: str, size_bytes: int, entry: str) -> None:
    (saved / name).write_text("[" + entry * (size_bytes // len(entry) - 2) + "0]")
    if name != "config.json":
        forge(saved)
    assert name in refusal(saved)


def test_one_long_word(saved: Path) -> None:
    word = "😡" + "x" * (MAX_TOKENIZER_BYTES - 200)  # four bytes per character in memory
    vocabulary = ["_PAD", "_UNK", word]
    forge(saved, tokenizer={"format": 1, "clean": [], "kind": "word", "vocabulary": vocabulary})
    assert "embedding.weight is F32 [18, 6]" in refusal(saved)


@pytest.mark.parametrize("name", ["config.json", "metrics.json", "sentir_tokenizer.json"])
def test_json_of_a_terabyte(saved: Path, name: str) -> None:
    with (saved / name).open("r+b") as file:
        file.truncate(2**40)  # sparse: it takes no room
    assert f"{name}: 1,099,511,627,776 bytes, more than" in refusal(saved)


def test_weights_of_a_terabyte(saved: Path) -> None:
    with (saved / "model.safetensors").open("r+b") as file:
        file.truncate(2**40)
    assert_matches(refusal(saved), r"holds 1,099,511,62.,... bytes of weights, and its header says")


@pytest.mark.parametrize(
    "name", ["model.safetensors", "sentir_tokenizer.json", "metrics.json", "config.json"]
)
@pytest.mark.parametrize("kind", ["fifo", "/dev/zero", "/dev/stdin", "folder", "nothing", "loop"])
def test_what_is_no_file(saved: Path, name: str, kind: str) -> None:
    path = saved / name
    path.unlink()
    if kind == "fifo":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes with names here")
        os.mkfifo(path)  # opening it would wait for a writer
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind != "nothing":
        path.symlink_to(kind)
    if name == "config.json" and kind in ("nothing", "loop"):
        assert "no model here" in refusal(saved)
    elif kind == "nothing":
        assert f"{name}: no such file" in refusal(saved)
    elif kind == "loop":
        assert f"{name}: cannot be read (" in refusal(saved)
    elif kind == "/dev/stdin":
        refusal(saved)  # what it is depends on who runs the tests
    else:
        assert f"{name}: not a file" in refusal(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(saved: Path, value: float) -> None:
    weights = dict(toy().weights)
    weights["head.bias"] = np.full_like(weights["head.bias"], value)
    forge(saved, weights=weights)
    assert "head.bias holds numbers that are not finite" in refusal(saved)


def test_weights_that_are_missing_superfluous_or_in_another_format(saved: Path) -> None:
    weights = dict(toy().weights)
    del weights["head.bias"]
    forge(saved, weights=weights)
    assert "head.bias is absent, and the settings ask for F32 [1]" in refusal(saved)
    forge(saved, weights={**toy().weights, "extra\x1b[2J" * 1000: np.zeros(3, np.float32)})
    assert r"'extra\x1b[2J" in refusal(saved)
    doubles = {name: weight.astype(np.float64) for name, weight in toy().weights.items()}
    forge(saved, weights=doubles)
    assert "embedding.weight is F64 [18, 6], and the settings ask for F32" in refusal(saved)


def test_tables_of_ngrams_of_no_rows_or_of_different_sizes(saved: Path) -> None:
    bundle = toy(ngram_buckets=20)
    save_bundle(bundle, saved)
    forge(saved, weights={**bundle.weights, DISPLACEMENTS: np.zeros(0, np.int32)})
    assert "displacements is I32 [0], and the settings ask for I32 [1]" in refusal(saved)
    for rows in (0, 7):
        forge(saved, weights={**bundle.weights, NGRAM_FINGERPRINTS: np.zeros(rows, np.int32)})
        wanted = f"settings ask for F32 [{max(rows, 1)}, 1]"
        assert f"ngram_weights is F32 [20, 1], and the {wanted}" in refusal(saved)


def test_displacements_that_no_training_gives_only_find_other_rows(saved: Path) -> None:
    """Whatever they are, no engine reads outside of the table."""
    bundle, limits = toy(ngram_buckets=20), np.iinfo(np.int32)
    wild = np.array([limits.min, -1, limits.max, -7, 19], np.int32)
    save_bundle(replace(bundle, weights={**bundle.weights, DISPLACEMENTS: wild}), saved)
    torch_, onnx, numba = (
        Predictor(load_bundle(saved), engine=engine).predict_proba(random_texts(20))
        for engine in ("torch", "onnx", "numba")
    )
    np.testing.assert_allclose(onnx, torch_, atol=1e-5)
    np.testing.assert_allclose(numba, torch_, atol=1e-5)


def true_header() -> tuple[dict[str, Any], bytes]:
    """The header of the toy's weights, and their bytes."""
    header, data = {}, b""
    for name, array in toy().weights.items():
        content = array.tobytes()
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": offsets}
        data += content
    return header, data


def test_a_header_is_as_the_tests_below_change_it(saved: Path) -> None:
    forge(saved, weights=safetensors_file(*true_header()))
    load_bundle(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": [18, 10**12]}, "embedding.weight is F32 [18, 1000000000000]"),
        ({"shape": [10**12, 6]}, "its header says 1,000,000,000,000 rows for"),
        ({"shape": "x" * 10**6}, "embedding.weight is F32 xxx"),
        ({"shape": None}, "embedding.weight is F32 None"),
        ({"shape": [[18], 6]}, "embedding.weight is F32 [[18], 6]"),
        ({"dtype": "F64"}, "embedding.weight is F64"),
        ({"dtype": ["F32"]}, "embedding.weight is ['F32']"),
        ({"data_offsets": [0, 10**15]}, "its parts do not fit"),
        ({"data_offsets": [-4, 428]}, "its parts do not fit"),
        ({"data_offsets": [432, 0]}, "its parts do not fit"),
        ({"data_offsets": [4, 436]}, "its parts do not fit"),
        ({"data_offsets": None}, "its parts do not fit"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_header_that_lies(saved: Path, changes: dict[str, Any], message: str) -> None:
    header, data = true_header()
    header["embedding.weight"].update(changes)
    forge(saved, weights=safetensors_file(header, data))
    answer = refusal(saved)
    assert "model.safetensors" in answer
    assert message in answer


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a header of 0 bytes|no safetensors file"),
        (b"\xff" * 8, "a header of 18,446,744,073,709,551,615 bytes"),
        ((10**12).to_bytes(8, "little") + b"{}", "a header of 1,000,000,000,000 bytes"),
        ((9).to_bytes(8, "little") + b"{}", "a header of 9 bytes"),
        (safetensors_file([]), "its header is no object"),
        (safetensors_file(None), "its header is no object"),
        (safetensors_file({}), r"embedding\.weight is absent"),
        (safetensors_file({"embedding.weight": 7}), r"embedding\.weight is absent"),
        ((10**6).to_bytes(8, "little") + b"[" * 10**6, "no safetensors file"),
        ((2).to_bytes(8, "little") + b"\xff\xfe", "no safetensors file"),
        (safetensors_file(true_header()[0], true_header()[1][:-4]), "bytes of weights"),
        (safetensors_file(true_header()[0], true_header()[1] + b"more"), "bytes of weights"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_weights_that_are_no_safetensors_file(saved: Path, content: bytes, message: str) -> None:
    forge(saved, weights=content)
    answer = refusal(saved)
    assert "model.safetensors" in answer
    assert_matches(answer, message)


@pytest.mark.parametrize(
    "tokenizer",
    [
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK", "a", "a"]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["a", "b"]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK", 3]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK", None]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK", "\ud83d"]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": {}},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": None},
        {"format": 1, "clean": None, "kind": "word", "vocabulary": ["_PAD", "_UNK"]},
        {"format": 1, "clean": ["rm -rf"], "kind": "word", "vocabulary": ["_PAD", "_UNK"]},
        {"format": 9, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK"]},
        {"format": 1, "clean": [], "kind": "subword", "subword": {}},
        {"format": 1, "clean": [], "kind": "subword", "subword": []},
        {"format": 1, "clean": [], "kind": "subword", "subword": SUBWORD},
        {"format": 1, "clean": [], "kind": "other", "subword": None},
        [],
    ],
    ids=lambda tokenizer: str(tokenizer)[-50:],
)
def test_tokenizers(saved: Path, tokenizer: Any) -> None:
    forge(saved, tokenizer=tokenizer)
    assert "sentir_tokenizer.json" in refusal(saved)


def test_ids_beyond_the_embedding(saved: Path) -> None:
    words = [f"word{number}" for number in range(20)]
    vocabulary = ["_PAD", "_UNK", *words]
    forge(saved, tokenizer={"format": 1, "clean": [], "kind": "word", "vocabulary": vocabulary})
    assert "embedding.weight is F32 [18, 6], and the settings ask for F32 [22, 6]" in refusal(saved)


@pytest.mark.parametrize("metrics", ["null", "[]", "7", "{", '"a"'])
def test_metrics(saved: Path, metrics: str) -> None:
    forge(saved, metrics=metrics)
    assert "its parts do not fit" in refusal(saved)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 10**30}, "weight_ih_l0 is F32"),
        ({"embedding_dim": 10**18}, "embedding.weight is F32 [4, 6]"),
        ({"num_sampled": 0}, "num_sampled"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_language_model(
    saved_language_model: Path, settings: dict[str, Any], message: str
) -> None:
    config = json.loads((saved_language_model / "config.json").read_text())["config"]
    config["model"].update(settings)
    write_settings(saved_language_model, config=config)
    assert message in refusal(saved_language_model, load_language_model)


def test_a_language_model_with_settings_of_nothing(saved_language_model: Path) -> None:
    write_settings(saved_language_model, config=None)
    assert "config is no table" in refusal(saved_language_model, load_language_model)


@pytest.mark.parametrize("rule", [{}, "", 0, [], False, {"optimise": "accuracy"}])
def test_what_is_no_decision_rule_is_refused(saved: Path, rule: object) -> None:
    forge(saved, decision=rule)
    assert "its parts do not fit" in refusal(saved)
