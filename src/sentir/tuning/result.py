"""What a search found: its trials, and preset and best compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentir.bundle import FOLDER
from sentir.config import Config
from sentir.evaluation.comparison.comparison import Comparison
from sentir.tuning.folder import BEST, run_name
from sentir.tuning.space import Choice, Range

#: How a trial can end.
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """One trial.

    Attributes:
        number: 0 is the preset.
        settings: those that are searched, as they were.
        state: ``complete``; ``pruned``: ended early, as its loss was above the median of others at
            the same point; ``failed``: killed, or its training diverged.
        loss: calibrated loss on the validation reviews (nats); None unless complete.
        accuracy: on the validation reviews; None unless complete.
        seconds: it took.
    """

    number: int
    settings: Mapping[str, Any]
    state: str
    loss: float | None
    accuracy: float | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return {**vars(self), "settings": dict(self.settings)}


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search found.

    Attributes:
        folder: the search's.
        config: the best settings; ``best.toml`` in `folder` has them for `sentir train --config`.
        best: the best trial.
        trials: all that have ended.
        space: what was searched.
        minutes: the time that was given.
        comparison: preset and best, each with the seeds it was trained with; None if the preset is
            the best.
        interrupted: whether Ctrl-C ended it.
    """

    folder: Path
    config: Config
    best: TrialResult
    trials: tuple[TrialResult, ...]
    space: dict[str, Range | Choice]
    minutes: float
    comparison: Comparison | None
    interrupted: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return {
            "best": self.best.to_dict(),
            "model": str(self.folder / run_name(self.best.number) / FOLDER),
            "config": str(self.folder / BEST),
            "trials": [trial.to_dict() for trial in self.trials],
            "comparison": self.comparison and self.comparison.to_dict(),
            "interrupted": self.interrupted,
        }


def best_of(trials: Sequence[TrialResult]) -> TrialResult | None:
    """The trial of the lowest loss, of equal ones the first; None if none is complete."""
    complete = [trial for trial in trials if trial.loss is not None]
    return min(complete, key=lambda trial: (trial.loss, trial.number), default=None)
