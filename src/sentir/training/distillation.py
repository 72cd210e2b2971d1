"""Distillation and self-training: unlabelled reviews with the probabilities of trained models.

Labels are expensive, reviews are not. A student that is trained on a teacher's pseudo-labels beside
the true ones is often better than its teacher (self-training: Scudder 1965; Xie et al. 2020,
*Self-training with Noisy Student*), or as good as an ensemble and much smaller (Bucila, Caruana and
Niculescu-Mizil 2006, *Model Compression*). The targets are the teachers' probabilities, which say
more than the likeliest class alone (Hinton, Vinyals and Dean 2015, *Distilling the Knowledge in a
Neural Network*).

Shapes: L labelled and U unlabelled reviews, N all of them, C classes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sentir.bundle import Bundle
from sentir.data.cache import cached, digest
from sentir.data.dataset import (
    EncodedCorpus,
    JoinedCorpora,
    class_probabilities,
    read_batches,
)
from sentir.data.encoding import TrainingCorpora
from sentir.data.prepare import Progress
from sentir.errors import UsageError

_log = logging.getLogger(__name__)

Probabilities = npt.NDArray[np.float32]


class Teacher(Protocol):
    """A trained model: a `sentir.Predictor`."""

    bundle: Bundle

    @property
    def identity(self) -> str:
        """An identity: two teachers with the same one have the same probabilities."""
        ...

    def predict_proba(self, texts: list[str]) -> npt.NDArray[np.float64]:
        """Probabilities of the classes for each text."""
        ...


def check_teachers(
    teachers: Sequence[Teacher], unlabelled: Sequence[str], *, is_used: bool = False
) -> None:
    """Refuse teachers without unlabelled reviews, and unlabelled reviews without a use.

    Args:
        teachers: trained models.
        unlabelled: where the reviews come from.
        is_used: whether settings use the unlabelled reviews without a teacher.

    Raises:
        UsageError: one is given without the other, or a teacher was not loaded from a folder.
    """
    if unlabelled and not (teachers or is_used):
        raise UsageError(
            "unlabelled reviews, and no teacher",
            where="--unlabelled",
            todo="give a trained model with --teacher, or --virtual-adversarial-epsilon; or use "
            "them for sentir pretrain",
        )
    if teachers and not unlabelled:
        raise UsageError(
            "a teacher, and no unlabelled reviews",
            where="--teacher",
            todo="give them with --unlabelled",
        )
    if not all(
        teacher.bundle.checksum for teacher in teachers
    ):  # their probabilities are cached by it
        raise UsageError(
            "a model that was not read from a folder",
            where="teachers",
            todo="load it from its run: sentir.load(folder)",
        )


def distilled(
    corpora: TrainingCorpora, teachers: Sequence[Teacher], progress: Progress
) -> JoinedCorpora:
    """The labelled reviews followed by the unlabelled ones, with soft targets (N, C).

    A label's class has the target 1; of an unlabelled review they are the teachers' probabilities.

    Args:
        corpora: with unlabelled reviews.
        teachers: one or more, whose probabilities are averaged. Each is applied once; its
            probabilities are cached beside the corpora.
        progress: called with what is done and how many reviews more.

    Raises:
        UsageError: the classes of a teacher differ from those of the labels.
    """
    names, unlabelled = corpora.labels.names, corpora.unlabelled
    assert unlabelled is not None
    for teacher in teachers:
        if teacher.bundle.labels.names != names:
            raise UsageError(
                f"its classes are {', '.join(teacher.bundle.labels.names)}, those of the reviews "
                f"{', '.join(names)}",
                where="--teacher",
                todo="train it on the same classes, or rename them with --labels",
            )
    soft_UC = np.mean([_cached(teacher, unlabelled, progress) for teacher in teachers], axis=0)
    labels_LC = class_probabilities(corpora.train, len(names))
    return JoinedCorpora([corpora.train, unlabelled], np.concatenate([labels_LC, soft_UC]))


def _cached(teacher: Teacher, corpus: EncodedCorpus, progress: Progress) -> Probabilities:
    """The teacher's probabilities (U, C), from the cache if they are there."""

    def compute(folder: Path) -> None:
        _log.info("a teacher labels %s reviews", f"{len(corpus):,}")
        parts = []
        for batch in read_batches(corpus.path):
            texts = batch.column("text").to_pylist()
            parts.append(teacher.predict_proba(texts).astype(np.float32))
            progress("teacher", len(texts))
        np.save(folder / "probabilities.npy", np.concatenate(parts))

    name = f"teacher-{digest(teacher.identity)}"
    probabilities_UC: Probabilities = np.load(
        cached(corpus.path.parent, name, compute) / "probabilities.npy"
    )
    return probabilities_UC
