"""``sentir explain``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.command import sentir
from sentir.training.run import Run


def test_explain(tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = "Although the plot was dull, I loved it."
    picture = tmp_path / "gates.svg"
    code, out, _ = sentir("explain", tiny_run.folder, text, "--picture", picture, capfd=capfd)
    assert code == 0
    assert "although" in out
    assert "forget" in out
    assert picture.read_text().lstrip().startswith("<?xml")
    code, out, _ = sentir("explain", tiny_run.folder, text, "--json", capfd=capfd)
    plain = json.loads(out)
    assert plain["tokens"][-1] == "."
    assert [word["text"] for word in plain["words"]] == plain["tokens"]
    code, out, _ = sentir("explain", tiny_run.folder, text, "--top", 2, capfd=capfd)
    assert (code, "forget" in out) == (0, False)
    assert out.count("│") == 2
