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
    assert "no format 'coreml' to export to; take onnx or web" in err


def test_export_to_web(
    tiny_run: Run, tmp_path: Path, stand_in_runtime: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "page"
    command = ["export", tiny_run.folder, "--to", "web", "--runtime", stand_in_runtime]
    code, out, _ = sentir(*command, "-o", folder, "--precision", "float16", capfd=capfd)
    assert code == 0
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    first, second = out.splitlines()
    assert first == f"web  {folder} ({size:,} bytes)"
    assert second.endswith(f"python3 -m http.server --bind 127.0.0.1 --directory {folder}")
    code, _, err = sentir(*command, capfd=capfd)
    assert code == 2
    assert "no folder for the page; add --output FOLDER" in err
