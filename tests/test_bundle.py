"""A bundle answers as the model that was saved, and a damaged one is refused by name."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
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

from fixtures.forged_bundle import as_format_2, as_format_3, write_settings
from fixtures.toy_bundle import WORDS, toy
from sentir.bundle import (
    FOLDER,
    Bundle,
    LanguageBundle,
    as_bundle,
    find_bundle,
    load_bundle,
    load_language_model,
    load_scheme,
    save_bundle,
)
from sentir.config import PretrainConfig, TextConfig
from sentir.errors import BundleError, UsageError
from sentir.inference.predictor import Predictor
from sentir.io.columns import Columns
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import to_arrays
from sentir.text.tokenizer import SubwordTokenizer, WordTokenizer
from sentir.weights import DISPLACEMENTS

FILES = ["config.json", "metrics.json", "model.safetensors", "sentir_tokenizer.json"]
TEXTS = ["The film was wonderful.", "la habitación estaba sucia", "", "not good, not bad " * 30]


def answers(bundle: Bundle) -> np.ndarray:
    return Predictor(bundle).predict_proba(TEXTS)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    make=st.fixed_dictionaries(
        {
            "cell": st.sampled_from(["lstm", "gru", "rnn", "qrnn"]),
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
    content = json.loads((saved / "config.json").read_text())
    assert content["format"] == 4
    assert content["labels"]["names"] == ["negative", "positive"]
    assert content["config"]["model"]["hidden_size"] == 5
    assert sorted(content["checksums"]) == FILES


def test_a_bundle_is_loaded_without_pytorch(saved: Path) -> None:
    script = (
        "import sys; sys.modules['torch'] = None; from sentir.bundle import load_bundle; "
        f"print(load_bundle({str(saved)!r}).labels.names)"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout == "('negative', 'positive')\n"


@pytest.mark.parametrize("name", FILES[1:])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(BundleError, match="no such file; copy the whole folder again") as caught:
        load_bundle(saved)
    assert caught.value.where == str(saved / name)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.005, 0.02, 0.1, 0.3, 0.6, 0.95])
def test_a_damaged_byte_is_named(saved: Path, name: str, place: float) -> None:
    content = bytearray((saved / name).read_bytes())
    index = int(len(content) * place)
    while chr(content[index]).isspace():  # blanks between JSON's parts mean nothing
        index += 1
    content[index] ^= 1
    (saved / name).write_bytes(content)
    with pytest.raises(BundleError, match=r"damaged|bundle format|do not fit") as caught:
        load_bundle(saved)
    assert caught.value.where == str(saved / name)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"format": 2}', '{"a": 1}'])
def test_a_config_json_of_something_else_is_named(saved: Path, content: str) -> None:
    (saved / "config.json").write_text(content)
    with pytest.raises(BundleError, match=r"config\.json: damaged \("):
        load_bundle(saved)


@pytest.mark.parametrize("as_format", [as_format_2, as_format_3])
def test_a_bundle_of_an_earlier_format_answers_the_same(
    as_format: Callable[[Path], None], tmp_path: Path
) -> None:
    bundle, saved = toy(ngram_buckets=70), tmp_path / "model"
    weights = {**bundle.weights, DISPLACEMENTS: np.zeros(1, np.int32)}
    save_bundle(replace(bundle, weights=weights), saved)
    expected = answers(load_bundle(saved))
    as_format(saved)
    old = load_bundle(saved)
    assert old.weights[DISPLACEMENTS].tolist() == [0]
    assert np.array_equal(answers(old), expected)
    save_bundle(old, saved)  # in the present form, and nothing is left of the other
    assert sorted(file.name for file in saved.iterdir()) == FILES
    assert np.array_equal(answers(load_bundle(saved)), expected)


def test_arrays_that_lose_nothing_are_saved_in_16_bits(tmp_path: Path) -> None:
    weights = dict(toy().weights)
    exact, inexact = weights["embedding.weight"], weights["head.weight"]
    exact[:] = exact.astype(np.float16)
    inexact[0, 0] = 1e6  # more than 16 bits hold
    save_bundle(replace(toy(), weights=weights), tmp_path / "model")
    saved = safetensors.numpy.load_file(tmp_path / "model" / "model.safetensors")
    assert saved["embedding.weight"].dtype == np.float16
    assert saved["head.weight"].dtype == np.float32
    loaded = load_bundle(tmp_path / "model").weights
    for name, weight in weights.items():
        assert loaded[name].dtype == weight.dtype
        assert np.array_equal(loaded[name], weight)


@pytest.mark.parametrize("kind", ["word", "bpe", "unigram"])
def test_no_file_poses_as_one_of_hugging_face(kind: str, tmp_path: Path) -> None:
    """Whatever reads `tokenizer.json` would give other ids, or an error that names nothing."""
    tokenizer = (
        WordTokenizer(WORDS, [])
        if kind == "word"
        else SubwordTokenizer.train(TEXTS, TextConfig(tokenizer=kind, max_vocab_size=60))  # type: ignore[arg-type]
    )
    save_bundle(replace(toy(), tokenizer=tokenizer), tmp_path / "model")
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == FILES
    content = json.loads((tmp_path / "model" / "sentir_tokenizer.json").read_text("utf-8"))
    assert content["form"] == "sentir tokenizer"


@pytest.mark.parametrize(
    ("version", "todo"),
    [
        (1, "train again with this version"),
        (5, "upgrade sentir, or train again"),
        (None, "upgrade sentir"),
        ([3], "upgrade sentir"),
    ],
)
def test_another_format_is_refused(saved: Path, version: object, todo: str) -> None:
    write_settings(saved, format=version)
    with pytest.raises(
        BundleError,
        match=f"bundle format {re.escape(str(version))}, this version reads 2, 3 and 4; {todo}",
    ) as caught:
        load_bundle(saved)
    assert caught.value.where == str(saved / "config.json")


def test_parts_that_do_not_fit_are_refused_with_what_to_do(saved: Path) -> None:
    write_settings(saved, labels={"names": ["a", "b", "c"], "of_raw": {}})
    with pytest.raises(BundleError, match="its parts do not fit") as caught:
        load_bundle(saved)
    assert "and the settings ask for F32 [3, 10]" in str(caught.value)
    assert "which wrote it, or train again" in str(caught.value)


def test_a_file_without_checksum_is_refused(saved: Path) -> None:
    write_settings(saved, checksums={})
    with pytest.raises(BundleError, match=r"damaged \(its checksum differs\)"):
        load_bundle(saved)


def test_a_runs_folder_stands_for_its_model(tmp_path: Path) -> None:
    save_bundle(toy(), tmp_path / "run" / FOLDER)
    assert find_bundle(tmp_path / "run") == tmp_path / "run" / FOLDER
    assert find_bundle(str(tmp_path / "run" / FOLDER)) == tmp_path / "run" / FOLDER
    assert load_bundle(tmp_path / "run").labels.names == ("negative", "positive")


def test_an_unfinished_run_and_no_run_have_their_own_messages(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model here; give the folder that 'sentir train"):
        find_bundle(tmp_path)
    with pytest.raises(BundleError, match="no model here"):
        find_bundle(tmp_path / "absent")
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(BundleError, match="training has not finished; repeat it with --resume"):
        find_bundle(tmp_path)


def test_saving_replaces_the_bundle_that_was_there(saved: Path) -> None:
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


def test_a_failed_save_leaves_the_old_bundle_and_nothing_else(saved: Path) -> None:
    bundle = toy(seed=1)
    failing = replace(bundle, tokenizer=Unsaveable(WORDS, bundle.tokenizer.steps))
    for folder in (saved, saved.parent / "new"):
        with pytest.raises(OSError, match="no space"):
            save_bundle(failing, folder)
    assert [path.name for path in saved.parent.iterdir()] == ["model"]
    assert np.array_equal(answers(load_bundle(saved)), answers(toy()))


@pytest.mark.parametrize("name", FILES)
def test_an_unreadable_file_is_named(
    saved: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    open_file = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return open_file(path, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)  # as root, chmod would change nothing
    with pytest.raises(BundleError) as caught:
        load_bundle(saved)
    message = "cannot be read (Permission denied); check its permissions"
    assert str(caught.value) == f"{saved / name}: {message}"


def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"cannot be read \(File name too long\)"):
        load_bundle(tmp_path / ("x" * 5000))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_files_have_the_permissions_that_the_umask_gives(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        save_bundle(toy(), tmp_path / "model")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()}
    assert modes == {0o666 & ~umask}
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o777 & ~umask


@pytest.mark.parametrize("kind", ["word", "bpe", "unigram"])
def test_a_bundle_pickles(kind: str) -> None:
    bundle = toy()
    if kind != "word":
        settings = TextConfig(tokenizer=kind, max_vocab_size=40)  # type: ignore[arg-type]
        bundle = replace(bundle, tokenizer=SubwordTokenizer.train(TEXTS * 9, settings))
    copied = pickle.loads(pickle.dumps(bundle))
    assert copied.tokenizer.encode(TEXTS) == bundle.tokenizer.encode(TEXTS)
    assert copied.tokenizer.vocabulary == bundle.tokenizer.vocabulary
    assert copied.labels == bundle.labels
    assert copied.config == bundle.config
    assert all(
        np.array_equal(weight, bundle.weights[name]) for name, weight in copied.weights.items()
    )
    if kind == "word":
        assert np.array_equal(answers(copied), answers(bundle))


def test_a_language_model_is_no_classifier_and_a_classifier_no_language_model(
    saved: Path, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="not a language model; make one with sentir pretrain"):
        load_language_model(saved)
    config = PretrainConfig().override({"embedding_dim": 6, "hidden_size": 5})
    network = LanguageModel(config.model, vocabulary=len(toy().tokenizer.vocabulary))
    bundle = LanguageBundle(
        weights=to_arrays(network), tokenizer=toy().tokenizer, config=config, metrics={"loss": 3.5}
    )
    save_bundle(bundle, tmp_path / "lm")
    loaded = load_language_model(tmp_path / "lm")
    assert loaded.config == config
    assert loaded.metrics == bundle.metrics
    assert all(
        np.array_equal(weight, bundle.weights[name]) for name, weight in loaded.weights.items()
    )
    with pytest.raises(BundleError, match="a language model, which has learnt no labels"):
        load_bundle(tmp_path / "lm")


def test_a_model_is_a_folder_a_bundle_or_loaded(tmp_path: Path) -> None:
    bundle = toy()
    save_bundle(bundle, tmp_path / "run" / "model")
    assert as_bundle(bundle) is as_bundle(Predictor(bundle)) is bundle
    for path in (tmp_path / "run", str(tmp_path / "run" / "model")):
        assert np.array_equal(answers(as_bundle(path)), answers(bundle))
    with pytest.raises(BundleError, match="no model here"):
        as_bundle(tmp_path)
    for other in (None, 3, np):
        with pytest.raises(UsageError, match=r"model is .*; pass the folder of a model or a run"):
            as_bundle(other)  # type: ignore[arg-type]


def test_the_columns_that_were_read_are_kept(tmp_path: Path) -> None:
    columns = (Columns(text=("title", "body"), label="stars"), Columns(text=("texto",), label=None))
    save_bundle(replace(toy(), columns=columns), tmp_path / "model")
    assert load_bundle(tmp_path).columns == columns
    assert load_scheme(tmp_path) == (toy().labels, columns)
    saved = json.loads((tmp_path / "model" / "config.json").read_text())["columns"]
    assert saved[0] == {"text": ["title", "body"], "join": ": ", "label": "stars"}


def test_a_bundle_that_does_not_say_its_columns(tmp_path: Path) -> None:
    save_bundle(toy(), tmp_path / "model")
    settings = json.loads((tmp_path / "model" / "config.json").read_text())
    del settings["columns"]
    (tmp_path / "model" / "config.json").write_text(json.dumps(settings))
    write_settings(tmp_path / "model")
    assert load_bundle(tmp_path).columns == ()


@pytest.mark.parametrize(
    "columns", [3, "text", [3], [{"text": []}], [{"text": ["\ud83d"], "join": ": ", "label": "a"}]]
)
@pytest.mark.parametrize("load", [load_bundle, load_scheme])
def test_forged_columns_are_refused(tmp_path: Path, columns: object, load) -> None:
    save_bundle(toy(), tmp_path / "model")
    write_settings(tmp_path / "model", columns=columns)
    with pytest.raises(BundleError, match="its parts do not fit"):
        load(tmp_path)
