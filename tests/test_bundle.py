from __future__ import annotations

import hashlib
import json
import os
import pickle
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.toy_bundle import WORDS, toy
from sentir import bundle as bundle_module
from sentir.bundle import FOLDER, Bundle, _own_checksum, find_bundle, load_bundle, save_bundle
from sentir.errors import BundleError
from sentir.inference.predictor import Predictor
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import WordTokenizer

FILES = ["config.json", "metrics.json", "model.safetensors", "tokenizer.json"]
TEXTS = ["The film was wonderful.", "la habitación estaba sucia", "", "not good, not bad " * 30]


def answers(bundle: Bundle) -> np.ndarray:
    return Predictor(bundle).predict_proba(TEXTS)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    make=st.fixed_dictionaries(
        {
            "cell": st.sampled_from(["lstm", "gru", "rnn"]),
            "pooling": st.sampled_from(["last", "max", "mean", "attention"]),
            "bidirectional": st.booleans(),
            "num_layers": st.integers(1, 2),
            "hidden_size": st.integers(1, 9),
            "freeze_embedding": st.booleans(),
            "max_length": st.integers(1, 50),
        }
    ),
    classes=st.integers(2, 3),
    synthetic=st.booleans(),
)
def test_a_bundle_that_is_saved_and_loaded_answers_the_same(
    make: dict[str, Any], classes: int, synthetic: bool
) -> None:
    bundle = replace(toy(classes=classes, **make), synthetic=synthetic)
    with TemporaryDirectory() as folder:
        save_bundle(bundle, Path(folder, "model"))
        loaded = load_bundle(Path(folder, "model"))
        assert np.array_equal(answers(loaded), answers(bundle))  # bit for bit
        assert loaded.config == bundle.config
        assert loaded.labels == bundle.labels
        assert loaded.metrics == bundle.metrics
        assert loaded.synthetic == synthetic
        assert loaded.tokenizer.vocabulary == bundle.tokenizer.vocabulary


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_bundle(toy(), tmp_path / "model")
    return tmp_path / "model"


def test_a_bundle_is_four_files_and_no_pickle(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(path.name for path in saved.iterdir()) == FILES

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("a pickle was read")

    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    load_bundle(saved)


def test_what_config_json_says(saved: Path) -> None:
    told = json.loads((saved / "config.json").read_text())
    assert told["format"] == 2
    assert told["labels"]["names"] == ["negative", "positive"]
    assert told["config"]["model"]["hidden_size"] == 5
    assert sorted(told["checksums"]) == FILES


@pytest.mark.parametrize("name", FILES[1:])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(BundleError, match="no such file; copy the whole folder again") as caught:
        load_bundle(saved)
    assert caught.value.where == str(saved / name)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.95])
def test_a_damaged_byte_is_named(saved: Path, name: str, place: float) -> None:
    content = bytearray((saved / name).read_bytes())
    at = int(len(content) * place)
    while chr(content[at]).isspace():  # blanks between JSON's parts mean nothing
        at += 1
    content[at] ^= 1
    (saved / name).write_bytes(content)
    with pytest.raises(BundleError, match=r"damaged|bundle format") as caught:
        load_bundle(saved)
    assert caught.value.where == str(saved / name)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"format": 2}', '{"a": 1}'])
def test_a_config_json_of_something_else_is_named(saved: Path, content: str) -> None:
    (saved / "config.json").write_text(content)
    with pytest.raises(BundleError, match=r"config\.json: damaged \("):
        load_bundle(saved)


def rewrite(saved: Path, **changes: Any) -> None:
    """Change ``config.json`` as its owner could: with the right checksum."""
    told = json.loads((saved / "config.json").read_text())
    told.update(changes)
    told["checksums"].pop("config.json", None)
    told["checksums"]["config.json"] = _own_checksum(told)
    (saved / "config.json").write_text(json.dumps(told))


def test_an_unknown_version_is_refused(saved: Path) -> None:
    rewrite(saved, format=3)
    with pytest.raises(BundleError, match="bundle format 3, this version reads 2; upgrade sentir"):
        load_bundle(saved)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": {"model": {"hiden": 5}}}, "no setting 'model.hiden'; did you mean"),
        ({"config": {"model": {"hidden_size": 6, "embedding_dim": 6}}}, "and the settings ask for"),
        ({"config": {"model": {"hidden_size": -1}}}, "model.hidden_size"),
        ({"labels": {"names": ["a", "b", "c"], "of_raw": {}}}, "and the settings ask for"),
        ({"labels": None}, "not a label scheme"),
    ],
    ids=["unknown-key", "other-size", "bad-value", "other-classes", "no-labels"],
)
def test_parts_that_do_not_fit_are_refused(saved: Path, changes: dict[str, Any], said: str) -> None:
    rewrite(saved, **changes)
    with pytest.raises(BundleError, match="its parts do not fit") as caught:
        load_bundle(saved)
    assert said in str(caught.value)
    assert "which wrote it, or train again" in str(caught.value)


def test_a_file_without_checksum_is_refused(saved: Path) -> None:
    rewrite(saved, checksums={})
    with pytest.raises(BundleError, match="damaged: its checksum is another"):
        load_bundle(saved)


def test_a_runs_folder_stands_for_its_model(tmp_path: Path) -> None:
    save_bundle(toy(), tmp_path / "run" / FOLDER)
    assert find_bundle(tmp_path / "run") == tmp_path / "run" / FOLDER
    assert find_bundle(str(tmp_path / "run" / FOLDER)) == tmp_path / "run" / FOLDER
    assert load_bundle(tmp_path / "run").labels.names == ("negative", "positive")


def test_an_unfinished_run_is_told_from_no_run(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model here; give the folder that 'sentir train"):
        find_bundle(tmp_path)
    with pytest.raises(BundleError, match="no model here"):
        find_bundle(tmp_path / "absent")
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(BundleError, match="training has not finished; repeat it with --resume"):
        find_bundle(tmp_path)


def test_saving_takes_the_place_of_what_stood_there(saved: Path) -> None:
    (saved / "stale.txt").touch()
    other = toy(seed=1)
    save_bundle(other, saved)
    assert sorted(path.name for path in saved.iterdir()) == FILES
    assert np.array_equal(answers(load_bundle(saved)), answers(other))
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


class Unsaveable(WordTokenizer):
    def save(self, path: Path) -> None:
        path.write_text("half")
        raise OSError("no space left on device")


def test_a_failed_save_leaves_what_stood_there_and_nothing_else(saved: Path) -> None:
    bundle = toy(seed=1)
    failing = replace(bundle, tokenizer=Unsaveable(WORDS, bundle.tokenizer.steps))
    for folder in (saved, saved.parent / "new"):
        with pytest.raises(OSError, match="no space"):
            save_bundle(failing, folder)
    assert [path.name for path in saved.parent.iterdir()] == ["model"]
    assert np.array_equal(answers(load_bundle(saved)), answers(toy()))


def test_a_restored_network_answers_without_dropout() -> None:
    assert not restore_classifier(toy(head_dropout=0.5)).training


# Hostile bundles: what a stranger may put into a folder, with the right checksums.


def forge(
    saved: Path,
    *,
    weights: dict[str, np.ndarray] | None = None,
    tokenizer: Any = None,
    **settings: Any,
) -> None:
    """Change a bundle as its owner could, so that all checksums are right."""
    if weights is not None:
        (saved / "model.safetensors").write_bytes(safetensors.numpy.save(weights))
    if tokenizer is not None:
        (saved / "tokenizer.json").write_text(json.dumps(tokenizer))
    sums = {
        name: "sha256:" + hashlib.sha256((saved / name).read_bytes()).hexdigest()
        for name in FILES
        if name != "config.json"
    }
    rewrite(saved, checksums=sums, **settings)


def with_model(**changes: Any) -> dict[str, Any]:
    return {
        "config": {
            **toy().config.to_dict(),
            "model": {**toy().config.to_dict()["model"], **changes},
        }
    }


@pytest.mark.parametrize(
    "settings",
    [
        with_model(num_layers=10**9),
        with_model(hidden_size=10**30),
        with_model(embedding_dim=10**18),
        with_model(ngram_buckets=10**12),
        with_model(bigram_buckets=10**12),
        {"config": None},
        {"config": []},
        {"config": {"model": None}},
        {"labels": {"names": [f"class {number}" for number in range(10**6)], "of_raw": {}}},
        {"labels": {"names": ["a", "a"], "of_raw": {}}},
        {"labels": {"names": ["a"], "of_raw": {}}},
        {"labels": {"names": [1, 2], "of_raw": {}}},
        {"labels": {"names": ["a", "b"], "of_raw": {"x": 7}}},
        {"kind": "something else", "labels": None},
    ],
    ids=lambda settings: str(settings)[-60:],
)
def test_settings_that_cannot_be_are_refused_at_once(saved: Path, settings: dict[str, Any]) -> None:
    forge(saved, **settings)
    started = time.perf_counter()
    with pytest.raises(BundleError):
        load_bundle(saved)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(saved: Path, value: float) -> None:
    weights = dict(toy().weights)
    weights["head.bias"] = np.full_like(weights["head.bias"], value)
    forge(saved, weights=weights)
    with pytest.raises(BundleError, match=r"head\.bias holds numbers that are not finite"):
        load_bundle(saved)


def test_weights_that_are_missing_or_too_many_are_refused(saved: Path) -> None:
    weights = dict(toy().weights)
    del weights["head.bias"]
    forge(saved, weights=weights)
    with pytest.raises(BundleError, match=r"head\.bias is absent, and the settings ask for F32"):
        load_bundle(saved)
    forge(saved, weights={**toy().weights, "extra": np.zeros(3, np.float32)})
    with pytest.raises(BundleError, match="extra is no weight of this network"):
        load_bundle(saved)
    halves = {name: weight.astype(np.float16) for name, weight in toy().weights.items()}
    forge(saved, weights=halves)
    with pytest.raises(BundleError, match="is F16"):
        load_bundle(saved)


@pytest.mark.parametrize(
    "tokenizer",
    [
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK", "a", "a"]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["a", "b"]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK", 3]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": ["_PAD", "_UNK", None]},
        {"format": 1, "clean": [], "kind": "word", "vocabulary": {}},
        {"format": 1, "clean": [], "kind": "subword", "subword": {}},
        {"format": 1, "clean": [], "kind": "subword", "subword": {"version": "1.0", "model": {
            "type": "WordLevel", "vocab": {"a": 10**9}, "unk_token": "a"}}},
        {"format": 1, "clean": ["rm -rf"], "kind": "word", "vocabulary": ["_PAD", "_UNK"]},
        [],
    ],
    ids=lambda tokenizer: str(tokenizer)[-50:],
)  # fmt: skip
def test_tokenizers_that_cannot_be_are_refused(saved: Path, tokenizer: Any) -> None:
    forge(saved, tokenizer=tokenizer)
    with pytest.raises(BundleError):
        load_bundle(saved)


def test_json_that_is_too_deep_is_refused(saved: Path) -> None:
    (saved / "config.json").write_text("[" * 10**5)
    with pytest.raises(BundleError, match=r"config\.json: damaged"):
        load_bundle(saved)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "metrics.json", "config.json"]
)
def test_what_is_no_regular_file_is_not_read(saved: Path, tmp_path: Path, name: str) -> None:
    file = saved / name
    file.unlink()
    os.mkfifo(file)  # would wait for a writer for ever
    with pytest.raises(BundleError, match=f"{name}: not a file"):
        load_bundle(saved)
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(BundleError, match=f"{name}: not a file"):
        load_bundle(saved)
    file.unlink()
    file.mkdir()
    with pytest.raises(BundleError, match=f"{name}: not a file"):
        load_bundle(saved)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_an_unreadable_file_is_one_line(saved: Path) -> None:
    (saved / "model.safetensors").chmod(0)
    with pytest.raises(BundleError, match=r"cannot be read \(Permission denied\)"):
        load_bundle(saved)


def test_files_have_the_rights_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        save_bundle(toy(), tmp_path / "model")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()} == {0o644}
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755


def test_a_file_that_grows_too_large_is_refused(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_module, "LARGEST_JSON_BYTES", 100)
    with pytest.raises(BundleError, match="more than the 100 that it may have"):
        load_bundle(saved)


def test_a_bundle_pickles(saved: Path) -> None:
    bundle = load_bundle(saved)
    again = pickle.loads(pickle.dumps(bundle))
    assert np.array_equal(answers(again), answers(bundle))
    assert again.labels == bundle.labels
