from __future__ import annotations

import io
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sentir.errors import MissingExtraError
from sentir.evaluation.history import read_metrics
from sentir.training.callbacks import MetricsFile, ProgressBar, TensorBoard, call_all

Event = dict[str, Any]


def start(step: int = 0) -> Event:
    return {"event": "start", "step": step, "total_steps": 20, "reviews": 8 * step}


def step(number: int, loss: float = 0.5) -> Event:
    return {
        "event": "step", "step": number, "epoch": 0, "loss": loss, "learning_rate": 0.01,
        "reviews": 8 * number,
    }  # fmt: skip


def validation(number: int, *, best: bool = True) -> Event:
    return {
        "event": "validation", "step": number, "reviews": 8 * number, "loss": 0.25,
        "accuracy": 0.875, "best": best,
    }  # fmt: skip


def lm_step(number: int, loss: float = 2.0) -> Event:
    return {**step(number, loss), "tokens": 100 * number}


def lm_validation(number: int) -> Event:
    return {
        "event": "validation", "step": number, "reviews": 8 * number, "tokens": 100 * number,
        "loss": 4.0, "perplexity": 54.6, "perplexity_forward": 50.0, "perplexity_backward": 1234.5,
        "best": True,
    }  # fmt: skip


END: Event = {"event": "end"}


class TestMetricsFile:
    def test_a_row_a_step_and_a_validation(self, tmp_path: Path) -> None:
        metrics = MetricsFile(tmp_path / "m.jsonl")
        for event in (
            start(), step(1), step(2), validation(2), END,
        ):  # fmt: skip
            metrics(event)
        rows = read_metrics(tmp_path / "m.jsonl")
        assert [(row["event"], row["step"]) for row in rows] == [
            ("step", 1), ("step", 2), ("validation", 2),
        ]  # fmt: skip
        assert {key: rows[0][key] for key in step(1)} == step(1)
        assert {key: rows[2][key] for key in validation(2)} == validation(2)

    def test_speed_counts_from_where_the_run_went_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: now)
        metrics = MetricsFile(tmp_path / "m.jsonl")
        metrics(start(10))
        now = 102.0
        metrics(step(12))
        row = read_metrics(tmp_path / "m.jsonl")[-1]
        assert (row["seconds"], row["reviews_per_second"]) == (2.0, 8.0)

    def test_a_language_model_s_speed_is_in_tokens(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: now)
        metrics = MetricsFile(tmp_path / "m.jsonl")
        metrics({**start(10), "tokens": 1000})
        now = 102.0
        metrics(lm_step(12))
        row = read_metrics(tmp_path / "m.jsonl")[-1]
        assert (row["seconds"], row["tokens_per_second"]) == (2.0, 100.0)
        assert "reviews_per_second" not in row

    def test_a_resumed_run_cuts_back(self, tmp_path: Path) -> None:
        path = tmp_path / "m.jsonl"
        metrics = MetricsFile(path)
        for event in (start(), step(1), step(2), validation(2), step(3), step(4)):
            metrics(event)
        with path.open("a") as file:
            file.write('{"event": "step", "st')  # killed while writing
        assert [row["step"] for row in read_metrics(path)] == [1, 2, 2, 3, 4]
        resumed = MetricsFile(path)
        resumed(start(2))
        assert [row["step"] for row in read_metrics(path)] == [1, 2, 2]
        resumed(step(3))
        lines = path.read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [1, 2, 2, 3]
        assert list(tmp_path.iterdir()) == [path]

    def test_a_run_that_begins_anew_starts_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "m.jsonl"
        path.write_text('{"event": "step", "step": 1}\n')
        MetricsFile(path)(start())
        assert path.read_text() == ""

    def test_an_absent_file_has_no_rows(self, tmp_path: Path) -> None:
        assert read_metrics(tmp_path / "absent.jsonl") == []


def console(*, terminal: bool, width: int = 80) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=terminal, width=width), written


class TestProgressBar:
    def test_without_a_terminal_a_line_for_each_thing_worth_knowing(self) -> None:
        out, written = console(terminal=False, width=40)  # lines are not broken either
        bar = ProgressBar(out)
        for event in (
            {"event": "progress", "what": "reading reviews", "reviews": 1000},
            {"event": "progress", "what": "reading reviews", "reviews": 234},
            start(),
            *map(step, range(1, 11)),
            validation(10),
            *map(step, range(11, 21)),
            validation(20, best=False),
            END,
        ):
            bar(event)
        bar.close()
        assert written.getvalue().splitlines() == [
            "reading reviews: 1,234 reviews",
            "step 10: validation loss 0.2500, accuracy 87.50% (best so far)",
            "step 20: validation loss 0.2500, accuracy 87.50%",
        ]

    def test_at_a_terminal_loss_speed_and_time_left(self) -> None:
        out, written = console(terminal=True)
        bar = ProgressBar(out)
        bar({"event": "progress", "what": "reading reviews", "reviews": 5000})
        assert bar._progress is not None
        bar._progress.refresh()
        shown = written.getvalue()
        assert "reading reviews" in shown
        assert "5,000 reviews" in shown
        assert "reviews/s" in shown

        bar(start(4))
        bar(validation(4))
        for number in range(5, 9):
            bar(step(number, loss=0.4321))
            time.sleep(0.01)
        before = len(written.getvalue())
        bar._progress.refresh()
        shown = re.sub("\x1b\\[[0-9;]*[A-Za-z]", "", written.getvalue()[before:])
        assert re.search(
            r"training [━╺╸]+ +8/20 [\d,]+ reviews/s loss 0.432, valid 0.250 0:00:0[01]", shown
        )
        bar(END)
        assert written.getvalue().endswith("\x1b[2K")  # the bar is gone, and so is the line

    def test_the_loss_shown_is_smooth(self) -> None:
        out, _ = console(terminal=False)
        bar = ProgressBar(out)
        bar(start())
        bar(step(1, loss=1.0))
        bar(step(2, loss=0.0))
        assert bar._progress is not None
        assert bar._progress.tasks[0].fields["note"] == "loss 0.980"

    def test_the_speed_is_that_of_this_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: now)
        out, _ = console(terminal=False)
        bar = ProgressBar(out)
        bar(start(10))
        now = 104.0
        bar(step(12))
        assert bar._progress is not None
        assert bar._progress.tasks[0].fields["speed"] == "4 reviews/s"

    def test_a_language_model_shows_its_perplexity(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: now)
        out, written = console(terminal=False)
        bar = ProgressBar(out)
        bar({**start(10), "tokens": 1000})
        now = 104.0
        bar(lm_step(12))
        bar(lm_validation(12))
        bar(lm_step(13))
        assert bar._progress is not None
        fields = bar._progress.tasks[0].fields
        assert (fields["speed"], fields["note"]) == ("75 tokens/s", "perplexity 7.4, valid 54.6")
        assert written.getvalue() == (
            "step 12: validation loss 4.0000, perplexity 54.6 (forward 50.0, backward 1,234.5) "
            "(best so far)\n"
        )
        bar(lm_step(14, loss=1e9))  # gone astray, and still no traceback

    def test_events_before_and_after_a_run_do_no_harm(self) -> None:
        out, written = console(terminal=False)
        bar = ProgressBar(out)
        bar(step(1))
        bar(END)
        bar(END)
        assert written.getvalue() == ""


class TestTensorBoard:
    def test_scalars_are_written(self, tmp_path: Path) -> None:
        board = TensorBoard(tmp_path)
        for event in (start(), step(1), step(2), validation(2), END):
            board(event)
        assert scalars(tmp_path) == {
            "train/loss": [(1, 0.5), (2, 0.5)],
            "train/learning_rate": [(1, 0.01), (2, 0.01)],
            "validation/loss": [(2, 0.25)],
            "validation/accuracy": [(2, 0.875)],
        }

    def test_perplexity_is_written(self, tmp_path: Path) -> None:
        board = TensorBoard(tmp_path)
        for event in ({**start(), "tokens": 0}, lm_validation(2), END):
            board(event)
        assert scalars(tmp_path) == {
            "validation/loss": [(2, 4.0)], "validation/perplexity": [(2, 54.599998)]
        }  # fmt: skip

    def test_a_resumed_run_takes_the_place_of_what_was_cut(self, tmp_path: Path) -> None:
        board = TensorBoard(tmp_path)
        for event in (start(), step(1, 0.9), step(2, 0.8), step(3, 0.7), END):
            board(event)
        board = TensorBoard(tmp_path)
        for event in (start(1), step(2, 0.6), END):
            board(event)
        assert scalars(tmp_path)["train/loss"] == [(1, 0.9), (2, 0.6)]

    def test_nothing_happens_when_training_never_began(self, tmp_path: Path) -> None:
        TensorBoard(tmp_path)(END)
        assert not list(tmp_path.iterdir())

    def test_without_the_package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tensorboard", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'sentir\[tensorboard\]'"):
            TensorBoard(tmp_path)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard reads there."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return {
        name: [(event.step, round(event.value, 6)) for event in read.Scalars(name)]
        for name in read.Tags()["scalars"]
    }


def test_all_are_told_in_their_order() -> None:
    told: list[tuple[str, str]] = []
    emit = call_all([lambda event: told.append(("a", event["event"])),
                     lambda event: told.append(("b", event["event"]))])  # fmt: skip
    emit(start())
    emit(END)
    assert told == [("a", "start"), ("b", "start"), ("a", "end"), ("b", "end")]
