"""A run's reviews: read from their files, encoded, and kept so that the next run starts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sentir.bundle import LanguageBundle
from sentir.config import Config, ReadOptions
from sentir.data.cache import cached, cached_reviews, digest, fingerprint
from sentir.data.dataset import EncodedCorpus
from sentir.data.encoding import TrainingCorpora, encode_reviews, encode_training
from sentir.errors import UsageError
from sentir.io.reader import BadRows, Review, read_reviews
from sentir.training.callbacks import Callback

#: Share of the reviews below which a class may be a slip of who labelled.
RARE = 0.01


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Where a run's reviews come from.

    Attributes:
        train: files, globs, URLs, ``-`` or names of data sets.
        test: the same, measured on once at the end.
        valid: the same, to choose the best model by; empty: a part of train.
        unlabelled: the same without labels, for a teacher to answer and the model to learn from.
        labels: how labels become classes, see `sentir.io.labels`.
        read: how files are read.

    Raises:
        UsageError: one name where a list of names belongs.
    """

    train: tuple[str, ...]
    test: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    labels: str = "auto"
    read: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        for part in ("train", "test", "valid", "unlabelled"):
            names = getattr(self, part)
            if isinstance(names, str):
                raise UsageError(f"{part} = {names!r}", todo=f"pass a list: {part}=({names!r},)")
            object.__setattr__(self, part, tuple(map(str, names)))  # a `Path` is a name too


def made_from(inputs: Inputs, config: Config, lm: LanguageBundle | None) -> list[Any]:
    """All that the training reviews as ids depend on; None for sources that can change unseen."""
    return [
        *(fingerprint(names) for names in (inputs.train, inputs.valid, inputs.unlabelled)),
        inputs.labels, asdict(inputs.read), config.to_dict()["text"], config.train.split(),
        *([lm.checksum] if lm else []),
    ]  # fmt: skip


def encode(
    made_from: Sequence[Any],
    inputs: Inputs,
    folder: Path,
    config: Config,
    lm: LanguageBundle | None,
    resume: bool,
    bad_rows: BadRows,
    emit: Callback,
) -> tuple[TrainingCorpora, EncodedCorpus | None]:
    """The corpora as ids, from the cache where they are in it; `bad_rows` counts what they lack."""

    def reviews(
        names: Sequence[str], bad_rows: BadRows, *, labelled: bool = True
    ) -> Iterator[Review]:
        return read_reviews(names, inputs.read, bad_rows=bad_rows, labelled=labelled)

    def advance(what: str) -> Callable[[int], None]:
        return lambda count: emit({"event": "reading", "what": what, "reviews": count})

    def make(place: Path) -> None:
        met = BadRows(inputs.read.on_error)
        encode_training(
            reviews(inputs.train, met),
            place,
            text=config.text,
            train=config.train,
            labels=inputs.labels,
            valid_reviews=reviews(inputs.valid, met) if inputs.valid else None,
            unlabelled=(
                reviews(inputs.unlabelled, met, labelled=False) if inputs.unlabelled else None
            ),
            tokenizer=lm.tokenizer if lm else None,
            bad_rows=met,
            advance=advance("reading reviews"),
        )
        met.save(place)

    # Asked first, as a file that is not there is better told of before train is read than after.
    test_marks = fingerprint(inputs.test)
    place = cached_reviews(folder / "cache", made_from, make, resume=resume)
    bad_rows.add_saved(place)
    corpora = TrainingCorpora.open(place)
    test = None
    if inputs.test:
        name = f"test-{digest([test_marks, asdict(inputs.read)])}"

        def make_test(place: Path) -> None:
            met = BadRows(inputs.read.on_error)
            encode_reviews(
                reviews(inputs.test, met),
                place / "test.arrow",
                corpora.tokenizer,
                corpora.labels,
                bad_rows=met,
                advance=advance("reading test reviews"),
            )
            met.save(place)

        # As with train, what can change unseen is read anew, but not in the midst of a run.
        kept = cached(place, name, make_test, anew=test_marks is None and not resume)
        bad_rows.add_saved(kept)
        test = EncodedCorpus(kept / "test.arrow")
    return corpora, test


def log_bad_rows(bad_rows: BadRows, emit: Callback) -> None:
    """Tell of the rows that were left out."""
    if bad_rows.count:
        shown = "\n  ".join([f"{bad_rows.count:,} rows skipped:", *bad_rows.examples])
        emit({"event": "say", "message": shown, "warning": True})


def log_classes(corpora: TrainingCorpora, emit: Callback) -> None:
    """Tell of the classes, which labels they were, and of those that are hardly there."""
    labels, classes = corpora.labels, len(corpora.labels.names)
    train_C, valid_C = (
        np.bincount(corpus.labels_N, minlength=classes) for corpus in (corpora.train, corpora.valid)
    )
    told = []
    for at, (name, count) in enumerate(zip(labels.names, train_C, strict=True)):
        others = ", ".join(raw for raw, id in labels.of_raw.items() if id == at and raw != name)
        told.append(f"{count:,} {name}" + (f" (labelled {others})" if others else ""))
    emit({"event": "say", "message": f"learning from {'; '.join(told)}"})
    odd = []
    for name, count, valid in zip(labels.names, train_C, valid_C, strict=True):
        if count < RARE * len(corpora.train):
            odd.append(
                f"{count:,} of {len(corpora.train):,} reviews are {name!r}: if that is a mistake, "
                "say with --labels what its label means"
            )
        if not valid:
            odd.append(f"no validation review is {name!r}: validation says nothing of that class")
    for message in odd:
        emit({"event": "say", "message": message, "warning": True})


def warn_duplicates(corpora: TrainingCorpora, test: EncodedCorpus | None, emit: Callback) -> None:
    pairs = [("validation", corpora.valid.hashes_N, [corpora.train.hashes_N])]
    if test is not None:
        pairs.append(("test", test.hashes_N, [corpora.train.hashes_N, corpora.valid.hashes_N]))
    for name, hashes_N, others in pairs:
        count = int(np.isin(hashes_N, np.concatenate(others)).sum())
        if count:
            emit({"event": "say", "warning": True,
                  "message": f"{count:,} of {len(hashes_N):,} {name} reviews stand in train too: "
                  f"the {name} figures will look better than they are"})  # fmt: skip
