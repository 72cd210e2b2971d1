"""``sentir drift``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.command import sentir
from fixtures.tiny_runs import write_fasttext
from fixtures.without_extras import command
from sentir.training.run import Run


def test_reviews_like_those_of_training(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reviews = write_fasttext(tmp_path / "a.ft.txt", 80, seed=3)
    code, out, err = sentir("drift", tiny_run.folder, reviews, capfd=capfd)
    assert code == 0
    assert "accuracy (estimated)" in out
    assert "where it was measured, the estimate was off by" in out
    assert "warning" not in err
    code, out, _ = sentir("drift", tiny_run.folder, reviews, "--json", capfd=capfd)
    answer = json.loads(out)
    texts = tiny_run.bundle.metrics["validation_texts"]
    assert answer["reference"]["unknown_share"] == texts["unknown_share"]
    assert answer["examples"] == 80


def test_another_language_is_warned_of_and_no_failure(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reviews = write_fasttext(tmp_path / "a.ft.txt", 80, language="es")
    code, _, err = sentir("drift", tiny_run.folder, reviews, capfd=capfd)
    assert code == 0
    assert "of the words are unknown to the model" in err


def test_it_needs_no_pytorch(tiny_run: Run, tmp_path: Path) -> None:
    reviews = write_fasttext(tmp_path / "a.ft.txt", 30, seed=3)
    output, messages, code = command("drift", tiny_run.folder, reviews, "--json")
    assert code == 0, messages
    assert json.loads(output)["examples"] == 30
