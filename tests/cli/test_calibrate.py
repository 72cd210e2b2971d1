"""``sentir calibrate``, and the threshold in the other commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fixtures.command import TINY, sentir
from fixtures.tiny_runs import write_fasttext
from sentir.bundle import load_bundle
from sentir.training.run import Run


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run.folder / "model", tmp_path / "run" / "model")).parent


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return write_fasttext(tmp_path / "v.ft.txt", 120, seed=2)


def test_a_table_and_the_promise(
    run: Path, reviews: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = sentir("calibrate", run, reviews, "--coverage", 0.8, capfd=capfd)
    assert code == 0
    assert "accuracy over the surest 95%" in out
    assert "v.ft.txt: 97 of 120 reviews are answered (80.8%; 80.0% was asked for)" in out
    assert "(95 % interval" in out
    code, out, _ = sentir("evaluate", run, reviews, "--mistakes", 0, capfd=capfd)
    assert "97 of 120 reviews are answered" in out
    code, out, _ = sentir("evaluate", run, reviews, "--json", capfd=capfd)
    answered = json.loads(out)["answered"]
    threshold = load_bundle(run).threshold
    assert threshold is not None
    assert (answered["answered"], answered["threshold"]) == (97, threshold.value)
    code, out, _ = sentir("predict", run, "a film", "--json", capfd=capfd)
    assert isinstance(json.loads(out)["unsure"], bool)


def test_as_json(run: Path, reviews: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("calibrate", run, reviews, "--json", capfd=capfd)
    assert code == 0
    answer = json.loads(out)
    threshold = load_bundle(run).threshold
    assert threshold is not None
    assert (answer["threshold"], answer["coverage"]) == (threshold.value, 0.9)
    assert answer["validation"]["answered"] == threshold.validation.answered
    assert answer["curve"][-1]["coverage"] == 1


def test_a_coverage_that_cannot_be(
    run: Path, reviews: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for command in (["calibrate", run], ["train", "-o", tmp_path / "new"]):
        code, out, err = sentir(*command, reviews, "--coverage", 1.2, capfd=capfd)
        assert (code, out) == (2, "")
        assert "error: a coverage of 1.2; give a share above 0 and at most 1" in err
    assert not (tmp_path / "new").exists()


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
def test_training_finds_the_threshold(
    reviews: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    learnt = write_fasttext(tmp_path / "a.ft.txt", 300)
    arguments = ["train", learnt, *TINY, "--ngram-buckets", 0, "--coverage", 0.75]
    code, out, _ = sentir(*arguments, "-o", tmp_path / "new", "--test", reviews, capfd=capfd)
    assert code == 0
    assert "test: " in out
    assert "75.0% was asked for" in out
    threshold = load_bundle(tmp_path / "new").threshold
    assert threshold is not None
    assert (threshold.coverage, threshold.validation.examples) == (0.75, 30)
    assert threshold.validation.answered == 24  # (30 + 1) * 0.25 = 7.75: the seventh lowest
    code, out, _ = sentir(*arguments, "-o", tmp_path / "other", capfd=capfd)
    assert code == 0
    assert "validation: 24 of 30 reviews are answered" in out
