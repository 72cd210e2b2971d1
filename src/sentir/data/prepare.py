"""A run's reviews: read from their files, encoded, and cached for the next run."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sentir.bundle import LanguageBundle
from sentir.config import Config, PretrainConfig, ReadOptions
from sentir.data.cache import cached, cached_reviews, digest, fingerprint, is_volatile
from sentir.data.dataset import EncodedCorpus
from sentir.data.encoding import (
    TextCorpora,
    TrainingCorpora,
    encode_reviews,
    encode_training,
    encode_unlabelled,
)
from sentir.errors import SentirWarning
from sentir.io.reader import BadRows, Review, read_reviews

#: Share of the reviews below which a class may be a labelling mistake.
RARE_CLASS = 0.01

#: Called with what is being read and how many more reviews were.
Progress = Callable[[str, int], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a run's reviews come from.

    Attributes:
        train: files, globs, URLs, ``-`` or names of data sets.
        test: the same, measured on once at the end.
        valid: the same, to choose the best model by; empty: a part of train.
        unlabelled: the same without labels, for teachers to answer.
        labels: how labels become classes, see `sentir.io.labels`.
        read: how files are read.
    """

    train: tuple[str, ...]
    test: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    labels: str = "auto"
    read: ReadOptions = field(default_factory=ReadOptions)

    def volatile(self) -> bool:
        """Whether reviews that are learnt from can change without a trace: a pipe, or a URL."""
        return is_volatile((*self.train, *self.valid, *self.unlabelled))

    def cache_key(self, config: Config | PretrainConfig, lm: LanguageBundle | None) -> list[Any]:
        """Everything that the encoded training reviews depend on."""
        return [
            *(fingerprint(names) for names in (self.train, self.valid, self.unlabelled)),
            self.labels, asdict(self.read), config.to_dict()["text"], config.train.split(),
            *([lm.checksum] if lm else []),
        ]  # fmt: skip


def prepare_training(
    sources: Sources,
    config: Config,
    lm: LanguageBundle | None,
    cache: Path,
    *,
    resume: bool,
    progress: Progress,
) -> tuple[TrainingCorpora, EncodedCorpus | None, BadRows]:
    """The training corpora and the test corpus as ids, from the cache where they are in it.

    Returns:
        The training corpora, the test corpus if there is one, and the rows that were skipped.
    """

    def reviews(names: Sequence[str], bad_rows: BadRows, *, labelled: bool) -> Iterator[Review]:
        return read_reviews(names, sources.read, bad_rows=bad_rows, labelled=labelled)

    def encode(folder: Path, bad_rows: BadRows) -> None:
        encode_training(
            reviews(sources.train, bad_rows, labelled=True),
            folder,
            text=config.text,
            train=config.train,
            labels=sources.labels,
            valid_reviews=(
                reviews(sources.valid, bad_rows, labelled=True) if sources.valid else None
            ),
            unlabelled=(
                reviews(sources.unlabelled, bad_rows, labelled=False)
                if sources.unlabelled
                else None
            ),
            tokenizer=lm.tokenizer if lm else None,
            bad_rows=bad_rows,
            advance=partial(progress, "reading reviews"),
        )

    # First, as a test file that is missing is better reported before train is read than after.
    test_key = fingerprint(sources.test)
    folder, skipped = _encoded(sources, config, lm, cache, encode, resume=resume)
    corpora = TrainingCorpora.open(folder)
    test = None
    if sources.test:

        def encode_test(folder: Path, bad_rows: BadRows) -> None:
            encode_reviews(
                reviews(sources.test, bad_rows, labelled=True),
                folder / "test.arrow",
                corpora.tokenizer,
                corpora.labels,
                bad_rows=bad_rows,
                advance=partial(progress, "reading test reviews"),
            )

        name = f"test-{digest([test_key, asdict(sources.read)])}"
        # As with train, what can change without a trace is read anew, but not within a run.
        refresh = is_volatile(sources.test) and not resume
        make = _saving_skipped(encode_test, sources.read)
        test_folder = cached(folder, name, make, refresh=refresh)
        skipped.add_saved(test_folder)
        test = EncodedCorpus(test_folder / "test.arrow")
    return corpora, test, skipped


def prepare_unlabelled(
    sources: Sources,
    config: PretrainConfig,
    lm: LanguageBundle | None,
    cache: Path,
    *,
    resume: bool,
    progress: Progress,
) -> tuple[TextCorpora, BadRows]:
    """The corpora of a language model as ids, from the cache where they are in it.

    Returns:
        The corpora, and the rows that were skipped.
    """

    def encode(folder: Path, bad_rows: BadRows) -> None:
        encode_unlabelled(
            read_reviews(sources.train, sources.read, bad_rows=bad_rows, labelled=False),
            folder,
            text=config.text,
            train=config.train,
            tokenizer=lm.tokenizer if lm else None,
            advance=partial(progress, "reading reviews"),
        )

    folder, skipped = _encoded(sources, config, lm, cache, encode, resume=resume)
    return TextCorpora.open(folder), skipped


#: Fills a folder with encoded reviews, and reports the rows that it skips.
_Encode = Callable[[Path, BadRows], object]


def _encoded(
    sources: Sources,
    config: Config | PretrainConfig,
    lm: LanguageBundle | None,
    cache: Path,
    encode: _Encode,
    *,
    resume: bool,
) -> tuple[Path, BadRows]:
    """The folder of the encoded training reviews, and the rows that were skipped."""
    folder = cached_reviews(
        cache,
        sources.cache_key(config, lm),
        _saving_skipped(encode, sources.read),
        keep=resume or not sources.volatile(),
    )
    skipped = BadRows(sources.read.on_error)
    skipped.add_saved(folder)
    return folder, skipped


def _saving_skipped(encode: _Encode, read: ReadOptions) -> Callable[[Path], None]:
    """`encode`, which then saves the skipped rows too: a run that finds the folder has them."""

    def make(folder: Path) -> None:
        bad_rows = BadRows(read.on_error)
        encode(folder, bad_rows)
        bad_rows.save(folder)

    return make


def log_classes(corpora: TrainingCorpora) -> None:
    """Log the classes and the labels they were; warn of those that hardly occur."""
    labels, classes = corpora.labels, len(corpora.labels.names)
    train_C, valid_C = (
        np.bincount(corpus.labels_N, minlength=classes) for corpus in (corpora.train, corpora.valid)
    )
    parts = []
    for index, (name, count) in enumerate(zip(labels.names, train_C, strict=True)):
        raw = ", ".join(raw for raw, id in labels.of_raw.items() if id == index and raw != name)
        parts.append(f"{count:,} {name}" + (f" (labelled {raw})" if raw else ""))
    _log.info("training reviews: %s", "; ".join(parts))
    total = len(corpora.train)
    for name, train_count, valid_count in zip(labels.names, train_C, valid_C, strict=True):
        if train_count < RARE_CLASS * total:
            _warn(
                f"{train_count:,} of {total:,} reviews are {name!r}: if that is a mistake, say "
                "with --labels what its label means"
            )
        if not valid_count:
            _warn(f"no validation review is {name!r}: validation says nothing about that class")


def warn_of_leakage(corpora: TrainingCorpora, test: EncodedCorpus | None) -> None:
    """Warn of validation and test reviews that are among the training reviews too."""
    pairs = [("validation", corpora.valid.hashes_N, [corpora.train.hashes_N])]
    if test is not None:
        pairs.append(("test", test.hashes_N, [corpora.train.hashes_N, corpora.valid.hashes_N]))
    for name, hashes_N, others in pairs:
        count = int(np.isin(hashes_N, np.concatenate(others)).sum())
        if count:
            _warn(
                f"{count:,} of {len(hashes_N):,} {name} reviews are in train too (leakage): the "
                f"{name} figures will look better than they are"
            )


def _warn(message: str) -> None:
    warnings.warn(message, SentirWarning, stacklevel=2)
