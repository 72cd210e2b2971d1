from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.pitfall_reviews import TINY, gather_few
from sentir.errors import DataError, UsageError
from sentir.lesson.pitfalls.experiment import compare, count_total_steps, gather
from sentir.lesson.pitfalls.recipes import PITFALLS, Reviews


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Reviews:
    return gather_few(tmp_path_factory.mktemp("pitfalls"))


def test_every_pitfall_is_trained_with_every_seed(reviews: Reviews) -> None:
    steps: list[int] = []
    comparison = compare(reviews, recipe=TINY, seeds=(0, 1), advance=steps.append)
    assert sum(steps) == count_total_steps(reviews, PITFALLS, (0, 1), TINY)
    assert comparison.pitfalls == list(PITFALLS)
    assert [len(comparison.of(pitfall)) for pitfall in PITFALLS] == [2] * len(PITFALLS)
    assert json.loads(json.dumps(comparison.to_dict()))["reviews"] == {
        "train": 54, "valid": 6, "test": 40
    }  # fmt: skip


def test_synthetic_reviews_are_as_many_as_asked_for(tmp_path: Path) -> None:
    reviews = gather(["sample_es"], ["sample_es:test"], tmp_path, count=7000, max_length=30)
    assert len(reviews.train) + len(reviews.valid) == 7000
    assert len(reviews.test) == 2500


def test_three_classes_are_refused(tmp_path: Path) -> None:
    three = tmp_path / "three.csv"
    three.write_text("text,label\n" + "".join(f"word {n},{'abc'[n % 3]}\n" for n in range(90)))
    (tmp_path / "ids").mkdir()
    with pytest.raises(UsageError, match="3 classes; the lesson's network tells two apart"):
        gather([str(three)], [str(three)], tmp_path / "ids", count=90, max_length=30)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        gather([str(tmp_path / "none.csv")], ["sample:test"], tmp_path, count=9, max_length=30)
