from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.toy_bundle import WORDS, toy
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
    assert told["format"] == 1
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


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"format": 1}', '{"a": 1}'])
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
    rewrite(saved, format=2)
    with pytest.raises(BundleError, match="bundle format 2, this version reads 1; upgrade sentir"):
        load_bundle(saved)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": {"model": {"hiden": 5}}}, "no setting 'model.hiden'; did you mean"),
        ({"config": {"model": {"hidden_size": 6, "embedding_dim": 6}}}, "size mismatch"),
        ({"config": {"model": {"hidden_size": -1}}}, "model.hidden"),
        ({"labels": {"names": ["a", "b", "c"], "of_raw": {}}}, "size mismatch"),
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
