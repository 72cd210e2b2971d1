"""The folder is whole, and takes no other's place."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import onnx
import pytest

from fixtures.toy_bundle import toy
from sentir.config import TextConfig
from sentir.errors import DataError, UsageError
from sentir.inference.web.folder import RUNTIME, STATIC, write_web_folder
from sentir.inference.web.runtime import FILES
from sentir.text.tokenizer import SubwordTokenizer


def test_the_folder_is_whole_and_replaces_an_older_one(
    tmp_path: Path, stand_in_runtime: Path
) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    for _ in range(2):
        sizes = write_web_folder(toy(), folder, runtime=stand_in_runtime)
        files = {path.relative_to(folder).as_posix(): path.stat().st_size
                 for path in folder.rglob("*") if path.is_file()}  # fmt: skip
        assert files == sizes
    assert set(RUNTIME) == set(FILES)
    assert {*STATIC, *RUNTIME.values()} < set(sizes)
    onnx.checker.check_model(folder / "model.onnx", full_check=True)
    model = json.loads((folder / "model.json").read_text("utf-8"))
    assert (model["measured"], model["accuracy"]) == ("validation", 0.75)
    assert model["words"][0] == "the"


def test_the_pages_languages_have_the_same_texts() -> None:
    source = Path(__file__).parents[3] / "src/sentir/inference/web/static/texts.json"
    english, spanish = json.loads(source.read_text("utf-8")).values()
    assert english.keys() == spanish.keys()
    assert english["labels"].keys() == spanish["labels"].keys()


def test_a_model_without_measurements(tmp_path: Path, stand_in_runtime: Path) -> None:
    # int8 was not measured.
    for bundle, precision in (
        (dataclasses.replace(toy(), metrics={}), "float32"),
        (toy(), "int8"),
    ):
        page = tmp_path / "page"
        write_web_folder(bundle, page, precision=precision, runtime=stand_in_runtime)
        model = json.loads((page / "model.json").read_text("utf-8"))
        assert model["measured"] is model["accuracy"] is None


def test_what_is_not_ours_stays(tmp_path: Path, stand_in_runtime: Path) -> None:
    folder = tmp_path / "page"
    write_web_folder(toy(), folder, runtime=stand_in_runtime)
    (folder / "CNAME").write_text("mine")
    with pytest.raises(DataError, match="page: it holds CNAME, which sentir export did not write"):
        write_web_folder(toy(), folder, runtime=stand_in_runtime)
    assert (folder / "CNAME").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("mine")
    with pytest.raises(DataError, match=r"it holds index\.html"):
        write_web_folder(toy(), other, runtime=stand_in_runtime)
    (folder / "CNAME").unlink()
    (folder / "onnxruntime" / "notes").mkdir()
    with pytest.raises(DataError, match="it holds onnxruntime/notes"):
        write_web_folder(toy(), folder, runtime=stand_in_runtime)
    with pytest.raises(DataError, match="a file is here"):
        write_web_folder(toy(), other / "index.html", runtime=stand_in_runtime)


def test_subwords_are_refused(tmp_path: Path) -> None:
    config = TextConfig(tokenizer="bpe", max_vocab_size=40, min_count=1)
    tokenizer = SubwordTokenizer.train(["the film was not good"] * 9, config)
    bundle = dataclasses.replace(toy(tokenizer="bpe"), tokenizer=tokenizer)
    with pytest.raises(UsageError, match="this model reads bpe subwords; export --to onnx, or"):
        write_web_folder(bundle, tmp_path / "page")
    assert list(tmp_path.iterdir()) == []
