"""Callbacks of a run: the metrics file, the progress bar, TensorBoard, and your own.

A callback is called with every event, a dictionary with the key ``event``:

- ``progress``: ``what`` is being done, ``reviews`` more were processed; 0: it is done.
- ``start``: training starts at ``step`` of ``total_steps``, ``reviews`` seen before.
- ``step``: ``step``, ``epoch``, ``loss``, ``learning_rate``, ``reviews``.
- ``validation``: ``step``, ``reviews``, ``loss``, ``accuracy``, ``best``.
- ``end``: no more steps follow.

A language model's events also have ``tokens`` seen, and ``perplexity`` instead of accuracy, of
both directions together and of each. Messages for people are not events: they go through `logging`
(``sentir``) and `warnings` (`sentir.SentirWarning`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from sentir.evaluation.history import read_metrics
from sentir.evaluation.metrics import perplexity
from sentir.extras import require
from sentir.io.atomic import atomic_write

Event = dict[str, Any]


class Callback(Protocol):
    """Anything that can be called with an event."""

    def __call__(self, event: Event) -> None: ...


class MetricsFile:
    """``metrics.jsonl``: one line per step and per validation, as they happen.

    A resumed run first truncates the file to the step it goes on from.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = (time.perf_counter(), 0)

    def __call__(self, event: Event) -> None:
        if event["event"] == "start":
            self._truncate(event["step"])
            self._began = (time.perf_counter(), event[_unit(event)])
        elif event["event"] in ("step", "validation"):
            seconds = time.perf_counter() - self._began[0]
            unit = _unit(event)
            speed = (event[unit] - self._began[1]) / max(seconds, 1e-9)
            row = {**event, "seconds": round(seconds, 3), f"{unit}_per_second": round(speed, 1)}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    def _truncate(self, step: int) -> None:
        rows = [row for row in read_metrics(self._path) if row["step"] <= step] if step else []
        with atomic_write(self._path) as beside:
            beside.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _unit(event: Event) -> str:
    """The unit of speed."""
    return "tokens" if "tokens" in event else "reviews"


class ProgressBar:
    """Loss, speed and time left at a terminal; elsewhere one line per validation."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._unit = "reviews"
        self._began = (0.0, 0)
        self._seen = 0
        self._smooth = 0.0
        self._best = ""

    def __call__(self, event: Event) -> None:
        kind = event["event"]
        if kind == "progress" and not event["reviews"]:
            self.close()
        elif kind == "progress":
            if self._what != event["what"]:
                self._begin(event["what"], None)
                self._what = event["what"]
            self._advance(event["reviews"], event["reviews"] + self._seen, "")
        elif kind == "start":
            self._begin("training", event["total_steps"], done=event["step"])
            self._unit = _unit(event)
            self._began = (time.perf_counter(), event[self._unit])
            self._smooth = 0.0
        elif kind == "step":
            share = 0.98 if self._smooth else 0.0
            self._smooth = share * self._smooth + (1 - share) * event["loss"]
            note = f"loss {self._smooth:.3f}"
            if "tokens" in event:
                note = f"perplexity {perplexity(self._smooth):,.1f}"
            self._advance(1, event[self._unit], f"{note}{self._best}")
        elif kind == "validation":
            mark = " (best so far)" if event["best"] else ""
            if "perplexity" in event:
                self._best = f", valid {event['perplexity']:,.1f}"
                forward, backward = event["perplexity_forward"], event["perplexity_backward"]
                both = event["perplexity"]
                result = (
                    f"perplexity {both:,.1f} (forward {forward:,.1f}, backward {backward:,.1f})"
                )
            else:
                self._best = f", valid {event['loss']:.3f}"
                result = f"accuracy {event['accuracy']:.2%}"
            self._say(
                f"step {event['step']:,}: validation loss {event['loss']:.4f}, {result}{mark}"
            )
        elif kind == "end":
            self.close()

    def _begin(self, what: str, total: int | None, *, done: int = 0) -> None:
        self.close()
        # In a narrow terminal the bar shrinks, and nothing else.
        columns = [
            SpinnerColumn(),
            TextColumn("{task.description}"),
            *([BarColumn()] if total else []),
            TextColumn("{task.completed:,}" + ("/{task.total:,}" if total else " reviews")),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[note]}"),
            *([TimeRemainingColumn(table_column=Column(no_wrap=True))] if total else []),
        ]
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._task = self._progress.add_task(what, total=total, completed=done, note="", speed="")
        self._began, self._seen = (time.perf_counter(), 0), 0
        if self._console.is_interactive:
            self._progress.start()

    def _advance(self, count: int, seen: int, note: str) -> None:
        """Advance by `count`; the speed is computed from `seen` reviews in all."""
        if self._progress is None or self._task is None:
            return
        began, before = self._began
        self._seen = seen
        speed = (seen - before) / max(time.perf_counter() - began, 1e-9)
        self._progress.update(
            self._task, advance=count, note=note, speed=f"{speed:,.0f} {self._unit}/s"
        )

    def _say(self, message: str, style: str | None = None) -> None:
        self._console.print(message, style=style, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._progress is not None:
            if self._progress.live.is_started:
                self._progress.stop()
            task = self._progress.tasks[0]
            if task.total is None and task.completed:
                self._say(f"{task.description}: {int(task.completed):,} reviews")
        self._progress = None
        self._what = ""


class TensorBoard:
    """Scalars for TensorBoard; steps that a resumed run repeats are purged.

    Raises:
        MissingExtraError: the package tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        require("--tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._open: Callable[..., Any] = SummaryWriter
        self._folder = str(folder)
        self._writer: Any = None

    def __call__(self, event: Event) -> None:
        if event["event"] == "start":
            self._writer = self._open(self._folder, purge_step=event["step"] + 1)
        if self._writer is None:
            return
        names = {
            "step": ("loss", "learning_rate"),
            "validation": ("loss", "accuracy", "perplexity"),
        }
        for name in names.get(event["event"], ()):
            if name not in event:
                continue
            part = "train" if event["event"] == "step" else "validation"
            self._writer.add_scalar(f"{part}/{name}", event[name], event["step"])
        if event["event"] == "end":
            self._writer.close()


def call_all(callbacks: Sequence[Callback]) -> Callback:
    """One callback that calls all of them, in their order."""

    def emit(event: Event) -> None:
        for callback in callbacks:
            callback(event)

    return emit
