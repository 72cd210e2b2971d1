"""A run's reviews: read from their files, encoded, and cached for the next run."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sentir.bundle import Bundle, LanguageBundle
from sentir.config import Config, PretrainConfig, ReadOptions
from sentir.data.cache import cached, cached_reviews, digest, fingerprint, is_volatile
from sentir.data.dataset import EncodedCorpus
from sentir.data.encoded import CORPUS, check_trained, is_encoded, read_mark
from sentir.data.encoding import (
    TextCorpora,
    TrainingCorpora,
    encode_reviews,
    encode_training,
    encode_unlabelled,
)
from sentir.data.old_reviews import find_old_tests, reviews_of
from sentir.data.summary import DataSummary, summarize
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.io.columns import Columns
from sentir.io.first_rows import check_first_rows
from sentir.io.label_tally import LabelTally
from sentir.io.labels import check_labels
from sentir.io.reader import BadRows, Review, read_reviews
from sentir.io.row_reader import ColumnLog

#: Share of the reviews below which a class may be a labelling mistake.
RARE_CLASS = 0.01

#: Called with what is being read and how many more reviews were; 0: all are.
Progress = Callable[[str, int], None]

#: File of a folder of encoded reviews: the columns that they were.
COLUMNS_FILE = "columns.json"

_log = logging.getLogger(__name__)

#: The model that a run starts from, whose tokenizer it takes: a language model, or a classifier
#: that goes on learning.
Start = Bundle | LanguageBundle


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a run's reviews come from.

    Attributes:
        train: files, globs, URLs, ``-`` or names of data sets.
        test: the same, measured on once at the end.
        valid: the same, to choose the best model by; empty: a part of train.
        unlabelled: the same without labels, for teachers to answer.
        old_test: test reviews of the model that goes on learning, by which forgetting is measured.
        old_run: the folder of that model, or of its run, whose test reviews are taken if none are
            given and it still has them.
        labels: how labels become classes, see `sentir.io.labels`.
        read: how files are read.
    """

    train: tuple[str, ...]
    test: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    old_test: tuple[str, ...] = ()
    old_run: str = ""
    labels: str = "auto"
    read: ReadOptions = field(default_factory=ReadOptions)

    @property
    def encoded(self) -> Path | None:
        """The folder of ``sentir encode`` that train is, if it is one."""
        is_one = len(self.train) == 1 and is_encoded(self.train[0])
        return Path(self.train[0]) if is_one else None

    def volatile(self) -> bool:
        """Whether reviews that are learnt from can change without a trace: a pipe, or a URL."""
        return is_volatile((*self.train, *self.valid, *self.unlabelled))

    def check(self, *, labelled: bool = True) -> None:
        """Find what is wrong with the files as such, before any is read as a whole.

        Args:
            labelled: whether the reviews of train must have labels.

        Raises:
            ConfigError: `labels` cannot be read.
            DataError: as `check_first_rows`.
        """
        check_labels(self.labels)
        self._check_encoded(labelled=labelled)
        if not self.encoded:
            check_first_rows(self.train, self.read, labelled=labelled)
        for names in (self.valid, self.test):
            check_first_rows(names, self.read)
        check_first_rows(self.unlabelled, self.read, labelled=False)
        check_first_rows(self.old_test, self.read_old())

    def read_old(self) -> ReadOptions:
        """How old reviews are read: the options that are about the new files are not about them."""
        return ReadOptions(on_error=self.read.on_error, max_line_bytes=self.read.max_line_bytes)

    def _check_encoded(self, *, labelled: bool) -> None:
        """Refuse the folder of ``sentir encode`` where it is not what is trained on, alone.

        Raises:
            UsageError: it is beside other files, or not for labelled reviews to train on.
        """
        others = (*self.test, *self.valid, *self.unlabelled, *self.old_test)
        found = [name for name in (*self.train, *others) if is_encoded(name)]
        if not found:
            return
        if not self.encoded or not labelled or len(found) > 1:
            what = "a folder of sentir encode, which is for sentir train alone, without other files"
            raise UsageError(what, where=found[0], todo="give the files of the reviews instead")
        if self.old_run:
            raise UsageError(
                "--from-model, and the reviews are encoded without its words",
                where=found[0],
                todo="give the files of the reviews instead",
            )
        for name in ("valid", "unlabelled"):
            if getattr(self, name):
                raise UsageError(
                    f"--{name}, and the reviews are encoded already",
                    where=found[0],
                    todo=f"leave out --{name}, or give the files of the reviews",
                )

    def cache_key(self, config: Config | PretrainConfig, start: Start | None) -> list[Any]:
        """Everything that the encoded training reviews depend on."""
        if self.encoded:  # the same wherever its folder is mounted
            return ["encoded", read_mark(self.encoded), *([start.checksum] if start else [])]
        return [
            *(fingerprint(names) for names in (self.train, self.valid, self.unlabelled)),
            self.labels, asdict(self.read), config.to_dict()["text"], config.train.split(),
            *([start.checksum] if start else []),
        ]  # fmt: skip


class PreparedTraining(NamedTuple):
    """A classifier's reviews as ids.

    Attributes:
        corpora: what is learnt from, and validated on.
        test: what is measured on, if anything.
        old_test: old test reviews, if a model goes on learning and they are given.
        skipped: the rows that were left out of all of them.
        summary: what is learnt from, in figures.
    """

    corpora: TrainingCorpora
    test: EncodedCorpus | None
    old_test: EncodedCorpus | None
    skipped: BadRows
    summary: DataSummary


def prepare_training(
    sources: Sources,
    config: Config,
    start: Start | None,
    cache: Path,
    *,
    resume: bool,
    progress: Progress,
) -> PreparedTraining:
    """The training corpora and the test corpora as ids, from the cache where they are in it."""
    known = start if isinstance(start, Bundle) else None
    columns = ColumnLog(known.columns if known else ())

    def reviews(
        names: Sequence[str], bad_rows: BadRows, columns: ColumnLog, *, labelled: bool = True
    ) -> Iterator[Review]:
        return read_reviews(
            names, sources.read, bad_rows=bad_rows, labelled=labelled, columns=columns
        )

    def encode(folder: Path, bad_rows: BadRows) -> None:
        # Other files are read as those of train are, whose columns are known by then.
        like_train = partial(ColumnLog, columns.read)
        with located(sources.train):
            encode_training(
                reviews(sources.train, bad_rows, columns),
                folder,
                text=config.text,
                train=config.train,
                labels=sources.labels,
                valid_reviews=(
                    reviews(sources.valid, bad_rows, like_train()) if sources.valid else None
                ),
                unlabelled=(
                    reviews(sources.unlabelled, bad_rows, like_train(), labelled=False)
                    if sources.unlabelled
                    else None
                ),
                tokenizer=start.tokenizer if start else None,
                known_labels=known.labels if known else None,
                bad_rows=bad_rows,
                advance=partial(progress, "reading reviews"),
            )
        save_columns(folder, columns.read)

    def measured(
        name: str,
        key: Any,
        reviews: Callable[[BadRows], Iterable[Review]],
        labels: LabelTally,
        *,
        where: Sequence[str],
    ) -> EncodedCorpus:
        """Reviews to measure on, under that name in the cache."""

        def encode(folder: Path, bad_rows: BadRows) -> None:
            with located(where):
                encode_reviews(
                    reviews(bad_rows),
                    folder / "test.arrow",
                    corpora.tokenizer,
                    labels,
                    bad_rows=bad_rows,
                    advance=partial(progress, f"reading {name} reviews"),
                )

        # As with train, what can change without a trace is read anew, but not within a run.
        refresh = is_volatile(where) and not resume
        make = _saving_skipped(encode, sources.read)
        made = cached(tests, f"{name}-{digest(key)}", make, refresh=refresh)
        skipped.add_saved(made)
        return EncodedCorpus(made / "test.arrow")

    # First, as a test file that is missing is better reported before train is read than after.
    test_key, old_key = fingerprint(sources.test), fingerprint(sources.old_test)
    folder, skipped = _encoded(sources, config, start, cache, encode, resume=resume)
    tests = cache if sources.encoded else folder  # the folder of sentir encode is not written to
    for one in _saved_columns(folder):
        columns.add(sources.train[0], one)  # which it logs if it was read in an earlier run
    corpora = TrainingCorpora.open(folder)
    summary = summarize(corpora, columns.read, skipped)
    test = old_test = None
    if sources.test:
        test = measured(
            "test",
            [test_key, asdict(sources.read)],
            lambda bad_rows: reviews(sources.test, bad_rows, ColumnLog(columns.read)),
            LabelTally(corpora.labels, is_given=sources.labels != "auto", in_training=True),
            where=sources.test,
        )
    if known and sources.old_test:
        old_test = measured(
            "old-test",
            [old_key, asdict(sources.read_old())],
            lambda bad_rows: read_reviews(
                sources.old_test,
                sources.read_old(),
                bad_rows=bad_rows,
                columns=ColumnLog(known.columns),
            ),
            LabelTally(known.labels),
            where=sources.old_test,
        )
    elif known and (found := find_old_tests(sources.old_run, known)):
        old_test = measured(
            "old-test",
            [known.checksum],
            lambda _: reviews_of(found, known),
            LabelTally(known.labels, is_given=True),
            where=[sources.old_run],
        )
    return PreparedTraining(corpora, test, old_test, skipped, summary)


def save_columns(folder: Path, columns: Sequence[Columns]) -> None:
    """Write the columns that were read into a folder of encoded reviews."""
    found = json.dumps([one.to_dict() for one in columns])
    (folder / COLUMNS_FILE).write_text(found, encoding="utf-8")


def _saved_columns(folder: Path) -> list[Columns]:
    """The columns that were read for a folder of encoded reviews."""
    found = json.loads((folder / COLUMNS_FILE).read_text(encoding="utf-8"))
    return list(map(Columns.from_dict, found))


@contextmanager
def located(names: Sequence[str]) -> Iterator[None]:
    """Name the files in an error that is about all of their reviews."""
    try:
        yield
    except DataError as error:
        if error.where is not None:
            raise
        raise error.at(", ".join(names)) from None


def prepare_unlabelled(
    sources: Sources,
    config: PretrainConfig,
    start: LanguageBundle | None,
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
        with located(sources.train):
            encode_unlabelled(
                read_reviews(sources.train, sources.read, bad_rows=bad_rows, labelled=False),
                folder,
                text=config.text,
                train=config.train,
                tokenizer=start.tokenizer if start else None,
                advance=partial(progress, "reading reviews"),
            )

    folder, skipped = _encoded(sources, config, start, cache, encode, resume=resume)
    return TextCorpora.open(folder), skipped


#: Fills a folder with encoded reviews, and reports the rows that it skips.
_Encode = Callable[[Path, BadRows], object]


def _encoded(
    sources: Sources,
    config: Config | PretrainConfig,
    start: Start | None,
    cache: Path,
    encode: _Encode,
    *,
    resume: bool,
) -> tuple[Path, BadRows]:
    """The folder of the encoded training reviews, and the rows that were skipped."""
    if sources.encoded:
        lm = start.checksum if start else None
        check_trained(sources.encoded, config, sources.labels, lm)
        skipped = BadRows(sources.read.on_error)
        skipped.add_saved(sources.encoded / CORPUS)
        return sources.encoded / CORPUS, skipped
    folder = cached_reviews(
        cache,
        sources.cache_key(config, start),
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


def log_data(summary: DataSummary, corpora: TrainingCorpora) -> None:
    """Log what is learnt from; warn of classes that hardly occur."""
    for name, fact in summary.facts().items():
        if name != "columns":  # which are logged as they are found
            _log.info("%s: %s", name, fact)
    valid_C = np.bincount(corpora.valid.labels_N, minlength=len(summary.classes))
    for part, valid_count in zip(summary.classes, valid_C, strict=True):
        if part.reviews < RARE_CLASS * summary.training:
            _warn(
                f"{part.reviews:,} of {summary.training:,} reviews are of class {part.name}: if "
                "that is a mistake, say with --labels what its label means"
            )
        if not valid_count:
            _warn(f"no validation review is of class {part.name}: validation says nothing about it")


def warn_of_leakage(corpora: TrainingCorpora, test: EncodedCorpus | None) -> None:
    """Warn of validation and test reviews that are among the training reviews too."""
    pairs = [("validation", corpora.valid.hashes_N, [corpora.train])]
    if test is not None:
        pairs.append(("test", test.hashes_N, [corpora.train, corpora.valid]))
    for name, hashes_N, others in pairs:
        sorted_N, copies_N = np.unique(hashes_N, return_counts=True)
        is_found_N = np.zeros(len(sorted_N), bool)
        for block in chain.from_iterable(corpus.blocks() for corpus in others):
            place = np.searchsorted(sorted_N, block.hashes_N).clip(max=len(sorted_N) - 1)
            is_found_N[place[sorted_N[place] == block.hashes_N]] = True
        count = int(copies_N[is_found_N].sum())
        if count:
            _warn(
                f"{count:,} of {len(hashes_N):,} {name} reviews are in train too (leakage): the "
                f"{name} figures will look better than they are"
            )


def _warn(message: str) -> None:
    warnings.warn(message, SentirWarning, stacklevel=2)
