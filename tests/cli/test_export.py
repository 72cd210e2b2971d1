"""``sentir export``."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.command import sentir
from sentir.training.run import Run


def test_export(tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for more in ([], ["--precision", "int8"]):
        file = tmp_path / "out.onnx"
        code, out, _ = sentir(
            "export", tiny_run.folder, "--to", "onnx", "-o", file, *more, capfd=capfd
        )
        assert code == 0
        assert out == f"onnx  {file} ({file.stat().st_size:,} bytes)\n"
    code, _, err = sentir("export", tiny_run.folder, "--to", "coreml", "-o", file, capfd=capfd)
    assert code == 2
    assert "no format 'coreml' to export to; take onnx" in err
