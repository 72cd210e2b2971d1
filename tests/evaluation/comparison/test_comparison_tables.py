"""A comparison at the terminal."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from fixtures.compared_runs import save_run
from sentir.bundle import load_bundle
from sentir.evaluation.comparison.comparison import Comparison, compare_runs
from sentir.evaluation.comparison.paired import PairedTest
from sentir.evaluation.comparison.runs import describe_run
from sentir.evaluation.comparison.tables import format_p, render_comparison

PAIR = PairedTest(
    first="[bold]a",
    second="b",
    both=1000,
    only_first=10,
    only_second=25,
    neither=15,
    p_value=0.0167,
)


def shown(comparison: Comparison) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render_comparison(comparison))
    return console.export_text()


def compared(folder: Path, *settings: dict[str, int]) -> Comparison:
    runs = [save_run(folder / f"[run]{i}", **one) for i, one in enumerate(settings)]
    return compare_runs([describe_run(run, load_bundle(run)) for run in runs])


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if f" {name} " in line)
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_settings_and_figures_stand_side_by_side(tmp_path: Path) -> None:
    text = shown(compared(tmp_path, {"right": 80}, {"seed": 1, "right": 90}, {"hidden_size": 7}))
    assert "[run] × 2" in text
    assert row(text, "model.hidden_size") == ["model.hidden_size", "64", "5", "7"]
    assert row(text, "train.seed") == ["train.seed", "0", "0, 1", "0"]
    assert row(text, "accuracy") == [
        "test", "accuracy", "85.00\N{NBSP}% ± 7.07\N{NBSP}%", "80.00\N{NBSP}%"
    ]  # fmt: skip
    assert row(text, "its 95 % interval")[2:] == ["–", "71.12\N{NBSP}% to 86.66\N{NBSP}%"]
    assert "standard deviation" in text


def test_nothing_differs_and_no_single_run(tmp_path: Path) -> None:
    text = shown(compared(tmp_path, {"seed": 0}, {"seed": 1}))
    assert "no setting differs" in text
    assert "95 %" not in text


def test_paired_tests(tmp_path: Path) -> None:
    comparison = compared(tmp_path, {}, {"epochs": 2})
    text = shown(dataclasses.replace(comparison, paired=(PAIR,)))
    assert "each against [bold]a (96.19\N{NBSP}%) on the same 1,050 reviews" in text
    assert row(text, "b") == ["b", "97.62\N{NBSP}%", "25", "10", "1,000", "15", "0.017"]
    assert "McNemar" in text
    assert "Bonferroni" not in text
    text = shown(dataclasses.replace(comparison, paired=(PAIR, PAIR)))
    assert "Of 2 tests, take only p below 0.025 (Bonferroni)." in " ".join(text.split())


@pytest.mark.parametrize(
    ("p_value", "written"), [(1e-9, "< 0.001"), (0.04567, "0.046"), (1, "1.000")]
)
def test_p_values(p_value: float, written: str) -> None:
    assert format_p(p_value) == written
