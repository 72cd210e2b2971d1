"""What differs is named, and figures that cannot be compared are warned of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.compared_runs import save_run
from sentir.bundle import load_bundle
from sentir.evaluation.comparison.comparison import Comparison, compare_runs
from sentir.evaluation.comparison.runs import describe_run

VALID = {"validation": "valid"}


def compared(folder: Path, **runs: dict[str, Any]) -> Comparison:
    folders = [save_run(folder / name, **settings) for name, settings in runs.items()]
    return compare_runs([describe_run(run, load_bundle(run)) for run in folders])


def test_only_what_differs_is_shown_with_its_default(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={}, b={"learning_rate": 0.5})
    (row,) = comparison.differences
    assert (row.name, row.default, row.values) == ("train.learning_rate", 0.004, (0.004, 0.5))
    assert comparison.warnings == ()


def test_nothing_differs(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={"data": VALID}, b={"seed": 1, "data": VALID})
    assert comparison.differences == ()
    assert len(comparison.groups) == 1
    assert comparison.warnings == ()
    assert comparison.has_spread


def test_data_origin_classes_and_seeds_are_differences_too(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path,
        a={"data": {"train": "0123456789"}},
        b={"seed": 1, "origin": {"from_lm": "runs/lm", "teachers": ["sha256:1"]}, "classes": 3},
    )
    found = {row.name: row.values for row in comparison.differences}
    assert found == {
        "train.seed": ([0], [1]),
        "from_lm": (None, "runs/lm"),
        "teachers": (None, ["sha256:1"]),
        "classes": (["negative", "positive"], ["negative", "neutral", "positive"]),
        "train reviews": ("100 (012345)", "100 (train)"),
    }
    assert any("the classes differ" in warning for warning in comparison.warnings)


def test_runs_on_the_same_reviews_are_compared_without_a_warning(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path,
        a={"seed": 0},
        b={"seed": 1},
        c={"seed": 0, "epochs": 3},
        d={"seed": 1, "epochs": 3},
    )
    assert [group.seeds for group in comparison.groups] == [[0, 1], [0, 1]]
    assert comparison.warnings == ()
    assert any("the spread of the validation figures" in note for note in comparison.notes)


def test_other_test_reviews_are_warned_of(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={}, b={"epochs": 3, "data": {"test": "others"}})
    (warning,) = comparison.warnings
    assert warning.startswith("the test figures are of different reviews: ")
    assert "--test" in warning
    assert [row.name for row in comparison.differences] == ["train.epochs", "test reviews"]


def test_other_validation_reviews_are_warned_of(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={}, b={"seed": 1, "epochs": 3})
    (warning,) = comparison.warnings
    assert warning.startswith("the validation figures are of different reviews, as what is held")
    comparison = compared(tmp_path / "2", a={}, b={"data": {"train": "b", "validation": "b"}})
    (warning,) = comparison.warnings
    assert warning.startswith("the validation figures are of different reviews: ")


def test_reviews_of_older_runs_are_known_by_their_numbers(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={"data": {}}, b={"epochs": 3})
    assert comparison.warnings == ()
    assert any("did not save which reviews" in note for note in comparison.notes)
    assert {row.name: row.values for row in comparison.differences}["test reviews"] == (
        "100", "100 (test)"
    )  # fmt: skip
    comparison = compared(tmp_path / "2", a={"data": {}}, b={"data": {}, "classes": 3})
    assert sum("figures are of different reviews" in one for one in comparison.warnings) == 2


def test_runs_without_test_figures_are_named(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={}, b={"test": False})
    assert comparison.notes[0].startswith("Without test figures: b.")
    comparison = compared(tmp_path / "2", a={"test": False}, b={"test": False, "epochs": 3})
    assert not any("Without test figures" in note for note in comparison.notes)


def test_synthetic_reviews_are_warned_of(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={}, b={"synthetic": True}, c={"synthetic": True, "epochs": 3})
    (warning,) = comparison.warnings
    assert warning.startswith("b and c: trained on synthetic reviews")


def test_copies_of_one_model_are_warned_of(tmp_path: Path) -> None:
    comparison = compared(tmp_path, a={}, b={})
    assert comparison.warnings == (
        f"{tmp_path / 'a'} and {tmp_path / 'b'} are copies of one model",
    )


@pytest.mark.parametrize(("test", "headline"), [(True, "test"), (False, "validation")])
def test_the_headline_is_what_all_have(test: bool, headline: str, tmp_path: Path) -> None:
    assert compared(tmp_path, a={}, b={"test": test, "epochs": 3}).headline == headline


def test_as_json(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path, a={"right": 80}, b={"seed": 1, "right": 90}, c={"epochs": 3, "test": False}
    )
    plain = json.loads(json.dumps(comparison.to_dict()))
    first, second = plain["groups"]
    assert first["runs"] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert first["seeds"] == [0, 1]
    assert first["figures"]["test.accuracy"]["values"] == [0.8, 0.9]
    assert first["figures"]["test.accuracy"]["mean"] == pytest.approx(0.85)
    assert first["figures"]["test.accuracy"]["std"] == pytest.approx(0.1 / 2**0.5)
    assert second["figures"]["test.accuracy"] is None
    assert {"name": "train.epochs", "default": 0, "values": [0, 3]} in plain["settings"]
    assert plain["warnings"] == list(comparison.warnings)
    assert plain["paired"] == []
