"""What is read of a run, and how one that cannot be compared is refused."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from fixtures.compared_runs import save_run
from fixtures.toy_bundle import toy
from sentir.bundle import load_bundle, save_bundle
from sentir.errors import DataError
from sentir.evaluation.comparison.runs import FinishedRun, describe_run
from sentir.training.run import Run


def described(folder: Path) -> FinishedRun:
    return describe_run(folder, load_bundle(folder))


def test_a_real_run(tiny_run: Run) -> None:
    run = described(tiny_run.folder)
    assert run.metrics == {"test": tiny_run.test, "validation": tiny_run.validation}
    assert list(run.metrics) == ["test", "validation"]
    assert run.baseline == tiny_run.baseline
    assert run.config == tiny_run.bundle.config
    files = (tiny_run.folder / "model").iterdir()
    assert run.size_bytes == sum(file.stat().st_size for file in files)
    assert run.parameters == sum(weight.size for weight in tiny_run.bundle.weights.values())
    assert run.best_step is not None
    assert 0 < run.best_step <= run.steps
    assert run.seconds > 0
    assert [row["event"] for row in run.history].count("step") == run.steps
    assert {part: run.data[part]["reviews"] for part in run.data} == {
        "train": 300, "validation": 30, "test": 80
    }  # fmt: skip
    assert len({run.reviews(part) for part in ("train", "validation", "test")}) == 3


def test_a_model_copied_out_of_its_run_has_no_history(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    assert described(run / "model").history
    (run / "model").rename(tmp_path / "copy")
    assert described(tmp_path / "copy").history == []


def test_a_run_of_a_version_that_did_not_save_its_reviews(tmp_path: Path) -> None:
    run = described(save_run(tmp_path / "run", data={}))
    assert run.reviews("train") is None
    assert run.reviews("test") == (("negative", 50), ("positive", 50))


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"validation": {"accuracy": 0.9}},
        {"training": {"seconds": 1, "step": 2, "best_step": 2}},
        {"training": 3},
    ],
)
def test_a_model_without_the_figures_of_a_run_is_refused(
    metrics: dict[str, Any], tmp_path: Path
) -> None:
    save_bundle(dataclasses.replace(toy(), metrics=metrics), tmp_path / "model")
    with pytest.raises(DataError, match="no figures of a run of 'sentir train'") as e:
        described(tmp_path)
    assert e.value.where == str(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"data": {"test": {}}}, {"data": 3}, {"test": {"accuracy": "a"}}, {"test": {"loss": math.inf}},
     {"test": {"classes": []}}, {"baseline": {}}, {"training": {"seconds": "long"}}],
)  # fmt: skip
def test_figures_that_are_none_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    bundle = load_bundle(run)
    metrics: dict[str, Any] = {**bundle.metrics}
    for name, value in change.items():
        whole = isinstance(value, dict) and name in metrics
        metrics[name] = {**metrics[name], **value} if whole else value
    with pytest.raises(DataError, match="no figures of a run of 'sentir train'"):
        describe_run(run, dataclasses.replace(bundle, metrics=metrics))


@pytest.mark.parametrize("line", ["{", "3", "[]", '{"event": "step"}', '{"event": 1, "step": "a"}'])
def test_a_damaged_history_is_refused_by_its_line(line: str, tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    with (run / "metrics.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=r"metrics\.jsonl:4: damaged; copy the run's folder again"):
        described(run)


def test_a_history_whose_last_line_a_kill_cut_off_is_read(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"event": "st')
    assert len(described(run).history) == 3
