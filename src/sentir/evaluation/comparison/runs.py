"""A finished run of a classifier, as its folder tells of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentir.bundle import FOLDER, KNOWN_FILES, MAX_MESSAGE, Bundle, find_bundle
from sentir.config import Config
from sentir.errors import DataError
from sentir.evaluation.history import read_metrics
from sentir.evaluation.metrics import Metrics
from sentir.evaluation.tables import METRICS

#: What is measured of a run, in the order of trust.
PARTS = ("test", "validation")


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """What is compared of a run.

    Attributes:
        name: the folder, as it was given.
        config: all settings.
        classes: the names of the classes.
        origin: what it started or learnt from besides the reviews: ``from_lm``, ``teachers``.
        data: which reviews it learnt from and was measured on (`sentir.data.dataset.identity`);
            empty for a run of a version that did not save it.
        synthetic: whether it was trained on synthetic reviews.
        metrics: by part, ``test`` if it had one and ``validation``.
        baseline: those of the bag of words, on the reviews of the first part.
        seconds: time of training and measuring.
        size_bytes: of the model's files.
        parameters: numbers in the model's weights.
        best_step: the step whose weights were kept, of `steps`.
        steps: optimiser steps.
        checksum: of the model.
        history: the rows of ``metrics.jsonl``; empty if it was not copied with the model.
    """

    name: str
    config: Config
    classes: tuple[str, ...]
    origin: Mapping[str, Any]
    data: Mapping[str, Mapping[str, Any]]
    synthetic: bool
    metrics: Mapping[str, Metrics]
    baseline: Metrics | None
    seconds: float
    size_bytes: int
    parameters: int
    best_step: int | None
    steps: int
    checksum: str
    history: Sequence[Mapping[str, Any]]

    @property
    def seed(self) -> int:
        """The random seed."""
        return self.config.train.seed

    def reviews(self, part: str) -> Any:
        """What is equal where a part is of the same reviews; None if the run has no such part.

        Runs that did not save it are known by the numbers of reviews per class.
        """
        if part in self.data:
            return self.data[part]["digest"]
        return supports(self.metrics[part]) if part in self.metrics else None


def supports(metrics: Metrics) -> tuple[tuple[str, int], ...]:
    """The number of reviews of each class."""
    return tuple((row.name, row.support) for row in metrics.classes)


def describe_run(path: str | Path, bundle: Bundle, name: str | None = None) -> FinishedRun:
    """What is compared of the run in a folder.

    Args:
        path: the run's folder, or that of its model.
        bundle: its model.
        name: how the run was given; unset: as the folder.

    Raises:
        DataError: it lacks the figures of a run of this version, or its history is damaged.
    """
    folder, metrics, name = find_bundle(path), bundle.metrics, name or str(path)
    history = read_metrics(folder.parent / "metrics.jsonl") if folder.name == FOLDER else []
    try:
        training = metrics["training"]
        return FinishedRun(
            name=name,
            config=bundle.config,
            classes=bundle.labels.names,
            origin={name: training[name] for name in ("from_lm", "teachers") if name in training},
            data={
                part: {"reviews": int(found["reviews"]), "digest": str(found["digest"])}
                for part, found in metrics.get("data", {}).items()
            },
            synthetic=bundle.synthetic,
            metrics={
                part: _metrics(metrics[part])
                for part in PARTS
                if part in metrics or part == "validation"
            },
            baseline=_metrics(metrics["baseline"]) if "baseline" in metrics else None,
            seconds=float(training["seconds"]),
            size_bytes=sum(
                file.stat().st_size for file in folder.iterdir() if file.name in KNOWN_FILES
            ),
            parameters=sum(weight.size for weight in bundle.weights.values()),
            best_step=None if training["best_step"] is None else int(training["best_step"]),
            steps=int(training["step"]),
            checksum=bundle.checksum,
            history=history,
        )
    except (
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
        DataError,
    ) as error:
        raise DataError(
            f"no figures of a run of 'sentir train' ({str(error)[:MAX_MESSAGE]} in metrics.json)",
            where=name,
            todo="train again with this version",
        ) from None


def _metrics(data: Mapping[str, Any]) -> Metrics:
    """The metrics, if all that is compared of them are numbers."""
    metrics = Metrics.from_dict(data)
    for key, name, _ in METRICS:
        value = getattr(metrics, key)
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{name} is {value}")
    return metrics
