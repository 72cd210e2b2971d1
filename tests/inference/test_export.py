"""An exported model is one whole file."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from fixtures.toy_bundle import toy
from sentir.bundle import save_bundle
from sentir.errors import BundleError, DataError, UsageError
from sentir.inference.export import export
from sentir.inference.predictor import load


def test_the_file_is_complete_and_replaces_an_existing_one(tmp_path: Path) -> None:
    file = tmp_path / "new" / "model.onnx"
    size = export(toy(hidden_size=64), file)
    assert size == file.stat().st_size
    onnx.checker.check_model(file, full_check=True)
    assert export(toy(hidden_size=64), file, precision="int8") == file.stat().st_size < size
    assert list(file.parent.iterdir()) == [file]


def test_the_model_may_be_a_folder_or_loaded(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    export(toy(), file)
    expected = file.read_bytes()
    save_bundle(toy(), tmp_path / "run" / "model")
    for model in (tmp_path / "run", str(tmp_path / "run" / "model"), load(tmp_path / "run")):
        file.unlink()
        export(model, str(file))
        assert file.read_bytes() == expected
    with pytest.raises(BundleError, match="no model here"):
        export(tmp_path, file)


def test_smaller_exports(tmp_path: Path) -> None:
    bundle = toy(ngram_buckets=4096, bigram_buckets=512)
    whole = export(bundle, tmp_path / "whole.onnx")
    half = export(bundle, tmp_path / "half.onnx", precision="float16")
    folded = export(bundle, tmp_path / "folded.onnx", ngram_buckets=64)
    # Of a row of the table 12 bytes, of which 4 are its owner's fingerprint; a bigram's has 24.
    assert whole - half == pytest.approx(4096 * 4 + 512 * 12, rel=0.05)
    assert whole - folded == pytest.approx((4096 - 64) * 12, rel=0.05)


def test_a_folder_for_browsers(tmp_path: Path, stand_in_runtime: Path) -> None:
    folder = tmp_path / "page"
    size = export(toy(), folder, to="web", runtime=str(stand_in_runtime))
    assert size == sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    (tmp_path / "plain").touch()
    with pytest.raises(DataError, match="cannot be written"):
        export(toy(), tmp_path / "plain" / "page", to="web", runtime=stand_in_runtime)


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    with pytest.raises(UsageError, match="no format 'tflite' to export to; take onnx or web"):
        export(toy(), file, to="tflite")
    with pytest.raises(UsageError, match="no precision 'int4'; take float32 or int8 or float16"):
        export(toy(), file, precision="int4")
    with pytest.raises(UsageError, match="int8 is for the cell lstm"):
        export(toy(cell="gru"), file, precision="int8")
    with pytest.raises(UsageError, match="a runtime is for web, not for onnx"):
        export(toy(), file, runtime=tmp_path)
    assert not file.exists()
    file.mkdir()
    with pytest.raises(DataError, match=r"model\.onnx: cannot be written \(it is a folder\)"):
        export(toy(), file)
    (tmp_path / "plain").touch()
    with pytest.raises(DataError, match="cannot be written"):
        export(toy(), tmp_path / "plain" / "model.onnx")
