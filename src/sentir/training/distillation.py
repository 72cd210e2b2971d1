"""Reviews without labels, learnt from as models that are finished answer them.

Labels are dear, reviews are not. A teacher's answers to reviews that nobody has labelled are labels
too, not all of them right; the student that learns from many of them beside the true ones is often
better than its teacher (self-training: Scudder 1965; Xie et al. 2020, *Self-training with Noisy
Student*), or as good as several teachers together and much smaller (Bucila, Caruana and
Niculescu-Mizil 2006, *Model Compression*). What is learnt is how likely the teachers think each
class, which says more than the likeliest alone (Hinton, Vinyals and Dean 2015, *Distilling the
Knowledge in a Neural Network*).

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
from sentir.data.dataset import EncodedCorpus, JoinedCorpora, read_batches
from sentir.data.encoding import TrainingCorpora
from sentir.data.prepare import Progress
from sentir.errors import UsageError

_log = logging.getLogger(__name__)

Shares = npt.NDArray[np.float32]


class Teacher(Protocol):
    """A model that answers: a `sentir.Predictor`."""

    bundle: Bundle

    @property
    def identity(self) -> str:
        """What its answers are known by: the same from one who has the same."""
        ...

    def predict_proba(self, texts: list[str]) -> npt.NDArray[np.float64]:
        """Probabilities of the classes for each text."""
        ...


def check_teachers(teachers: Sequence[Teacher], unlabelled: Sequence[str]) -> None:
    """Refuse teachers without anything to answer, and unlabelled reviews without a teacher.

    Raises:
        UsageError: one is given without the other, or a teacher is in no folder.
    """
    if unlabelled and not teachers:
        raise UsageError(
            "unlabelled reviews, and no model to answer them",
            where="--unlabelled",
            todo="give one with --teacher; or let a language model read them (sentir pretrain)",
        )
    if teachers and not unlabelled:
        raise UsageError(
            "a teacher, and no reviews for it to answer",
            where="--teacher",
            todo="give them with --unlabelled",
        )
    if not all(teacher.bundle.checksum for teacher in teachers):  # their answers are kept by it
        raise UsageError(
            "a model that was not read from a folder",
            where="teachers",
            todo="load it from its run: sentir.load(folder)",
        )


def distilled(
    corpora: TrainingCorpora, teachers: Sequence[Teacher], progress: Progress
) -> JoinedCorpora:
    """The labelled reviews and after them the unlabelled, with what is to be learnt of each.

    That is the probabilities of the classes (N, C): 1 for a label's, else the teachers'.

    Args:
        corpora: with unlabelled reviews.
        teachers: one or more, whose probabilities for each of these reviews are averaged. Each is
            asked once; its answers are kept beside the corpora.
        progress: called with what is done and how many reviews more.

    Raises:
        UsageError: a teacher's classes are not those of the labels.
    """
    names, unlabelled = corpora.labels.names, corpora.unlabelled
    assert unlabelled is not None
    for teacher in teachers:
        if teacher.bundle.labels.names != names:
            raise UsageError(
                f"its classes are {', '.join(teacher.bundle.labels.names)}, and those of the "
                f"reviews {', '.join(names)}",
                where="--teacher",
                todo="train it on labels like these, or name them alike with --labels",
            )
    answers_UC = np.mean([_answers(teacher, unlabelled, progress) for teacher in teachers], axis=0)
    labels_LC = np.eye(len(names), dtype=np.float32)[corpora.train.labels_N]
    return JoinedCorpora([corpora.train, unlabelled], np.concatenate([labels_LC, answers_UC]))


def _answers(teacher: Teacher, corpus: EncodedCorpus, progress: Progress) -> Shares:
    """The teacher's answers, asked for if they are not kept yet."""

    def ask(folder: Path) -> None:
        _log.info("a teacher answers %s reviews", f"{len(corpus):,}")
        found = []
        for batch in read_batches(corpus.path):
            texts = batch.column("text").to_pylist()
            found.append(teacher.predict_proba(texts).astype(np.float32))
            progress("asking the teacher", len(texts))
        np.save(folder / "answers.npy", np.concatenate(found))

    name = f"teacher-{digest(teacher.identity)}"
    answers: Shares = np.load(cached(corpus.path.parent, name, ask) / "answers.npy")
    return answers
