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


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    with pytest.raises(UsageError, match="no format 'tflite' to export to; take onnx"):
        export(toy(), file, to="tflite")
    with pytest.raises(UsageError, match="no precision 'int4'; take float32 or int8"):
        export(toy(), file, precision="int4")
    with pytest.raises(UsageError, match="int8 is for the cell lstm"):
        export(toy(cell="gru"), file, precision="int8")
    assert not file.exists()
    file.mkdir()
    with pytest.raises(DataError, match=r"model\.onnx: cannot be written \(it is a folder\)"):
        export(toy(), file)
    (tmp_path / "plain").touch()
    with pytest.raises(DataError, match="cannot be written"):
        export(toy(), tmp_path / "plain" / "model.onnx")
