"""``sentir evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.command import sentir
from fixtures.tiny_runs import write_fasttext
from sentir.training.run import Run


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return write_fasttext(tmp_path / "a.ft.txt", 80, seed=1)


def test_the_metrics_are_those_of_the_run(
    tiny_run: Run, reviews: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = sentir("evaluate", tiny_run.folder, reviews, "--json", capfd=capfd)
    assert code == 0
    metrics = json.loads(out)
    assert tiny_run.test is not None
    assert metrics["accuracy"] == tiny_run.test.accuracy
    assert metrics["examples"] == 80
    assert len(metrics["mistakes"]) == 5
    confidences = [mistake["confidence"] for mistake in metrics["mistakes"]]
    assert confidences == sorted(confidences, reverse=True)


def test_as_tables(tiny_run: Run, reviews: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("evaluate", tiny_run.folder, reviews, "--mistakes", 2, capfd=capfd)
    assert code == 0
    assert "largest class" in out
    assert "columns predicted" in " ".join(out.split())
    assert out.count(", labelled ") == 2


def test_bad_rows_are_listed_where_they_are_skipped(
    tiny_run: Run, reviews: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with reviews.open("a") as file:
        file.write("no label\n")
    code, _, err = sentir("evaluate", tiny_run.folder, reviews, capfd=capfd)
    assert code == 2
    assert "a.ft.txt:81" in err
    code, _, err = sentir("evaluate", tiny_run.folder, reviews, "--on-error", "skip", capfd=capfd)
    assert code == 0
    assert "1 rows skipped" in err
