"""Runs that differ only in their seed are one group with a mean and a spread."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest

from fixtures.compared_runs import save_run
from sentir.bundle import load_bundle
from sentir.evaluation.comparison.groups import (
    FIGURES,
    Figure,
    Group,
    Spread,
    format_figure,
    group_runs,
)
from sentir.evaluation.comparison.runs import describe_run

ACCURACY = next(figure for figure in FIGURES if figure[:2] == ("test", "accuracy"))


def groups_of(folder: Path, **runs: dict[str, Any]) -> tuple[Group, ...]:
    folders = [save_run(folder / name, **settings) for name, settings in runs.items()]
    return group_runs([describe_run(run, load_bundle(run)) for run in folders])


def test_seeds_are_one_group_in_their_order(tmp_path: Path) -> None:
    (group,) = groups_of(
        tmp_path,
        shop_2={"seed": 2, "right": 90},
        shop_0={"seed": 0, "right": 80},
        shop_1={"seed": 1, "right": 82},
    )
    assert (group.name, group.seeds) == ("shop × 3", [0, 1, 2])
    spread = group.spread(ACCURACY)
    assert spread is not None
    assert spread.values == (0.8, 0.82, 0.9)
    assert spread.mean == pytest.approx(0.84)
    assert spread.std == pytest.approx(statistics.stdev([0.8, 0.82, 0.9]))
    assert spread.format("percent") == "84.00\N{NBSP}% ± 5.29\N{NBSP}%"


@pytest.mark.parametrize(
    "other",
    [{"hidden_size": 4}, {"epochs": 3}, {"data": {"train": "others"}}, {"data": {"test": "others"}},
     {"test": False}, {"classes": 3}, {"synthetic": True}, {"origin": {"from_lm": "runs/lm"}},
     {"origin": {"teachers": ["sha256:1"]}}, {"baseline": True}, {"data": {}}],
)  # fmt: skip
def test_whatever_else_differs_parts_them(other: dict[str, Any], tmp_path: Path) -> None:
    groups = groups_of(tmp_path, a={"seed": 0}, b={"seed": 1, **other}, c={"seed": 2})
    assert [group.seeds for group in groups] == [[0, 2], [1]]


def test_a_repeated_seed_is_no_further_measurement(tmp_path: Path) -> None:
    groups = groups_of(tmp_path, a={"seed": 0}, b={"seed": 1}, c={"seed": 0})
    assert [group.seeds for group in groups] == [[0, 1], [0]]


def test_one_run_has_no_spread(tmp_path: Path) -> None:
    (group,) = groups_of(tmp_path, a={})
    assert group.name == "a"
    spread = group.spread(ACCURACY)
    assert spread is not None
    assert spread.std is None
    assert spread.format("percent") == "80.00\N{NBSP}%"


def test_a_figure_that_is_not_there(tmp_path: Path) -> None:
    (group,) = groups_of(tmp_path, a={"test": False})
    assert group.spread(ACCURACY) is None
    assert group.spread(Figure("baseline", "accuracy", "accuracy", "percent")) is None
    assert group.parts() == ["validation"]


def test_names_that_tell_runs_apart(tmp_path: Path) -> None:
    names = ["a/run", "b/run", "c"]
    groups = groups_of(tmp_path, **{name: {"epochs": i} for i, name in enumerate(names)})
    assert [group.name for group in groups] == [str(tmp_path / name) for name in names]


def test_the_folder_of_a_model_is_named_after_its_run(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    (group,) = group_runs([describe_run(run / "model", load_bundle(run))])
    assert group.name == "run"


def test_groups_of_one_name_are_told_apart(tmp_path: Path) -> None:
    groups = groups_of(
        tmp_path,
        s0={"seed": 0}, s1={"seed": 1}, s2={"seed": 0, "epochs": 3}, s3={"seed": 1, "epochs": 3},
    )  # fmt: skip
    assert [group.name for group in groups] == ["s0 × 2", "s2 × 2"]


@pytest.mark.parametrize(
    ("value", "style", "written"),
    [(12.34, "seconds", "12.3 s"), (1_234_567, "bytes", "1.2 MB"), (12345, "count", "12,345"),
     (0.5, "share", "0.5000"), (None, "count", "–")],
)  # fmt: skip
def test_figures_in_words(value: float | None, style: str, written: str) -> None:
    assert format_figure(value, style) == written


def test_the_standard_deviation_is_that_of_the_sample() -> None:
    assert Spread((1.0, 3.0)).std == pytest.approx(2**0.5)
