"""An audit of labelled files: they are read once, and their reviews stay in memory.

Shapes: N reviews.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from sentir.confidence import wilson_interval
from sentir.config import ReadOptions, TextConfig, read_settings
from sentir.data.spool import chunked
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.evaluation.audit.copies import copy_hash, find_copies
from sentir.evaluation.audit.findings import Audit, Finding, Mark, rank
from sentir.evaluation.audit.label_errors import FOLDS, find_label_errors, out_of_fold
from sentir.evaluation.audit.languages import find_other_languages
from sentir.evaluation.audit.texts import find_bad_texts
from sentir.extras import require
from sentir.io.first_rows import check_first_rows
from sentir.io.labels import LabelScheme, RawLabel, check_labels
from sentir.io.paths import Paths, path_list
from sentir.io.reader import BadRows, Review, read_reviews
from sentir.io.row_reader import ColumnLog
from sentir.text.parallel import tokenize_all
from sentir.text.vocabulary import StreamingVocabulary

#: Tokens of the reviews that are answered; of more reviews a random sample is. Fitting takes about
#: 110 bytes for each.
MAX_TOKENS = 20_000_000
#: Tokens that one core learns from or answers in a second, for the estimate of the time.
TOKENS_PER_SECOND = 1_200_000

#: Called with what is being done and how many more reviews were; 0: all are.
Progress = Callable[[str, int], None]
_log = logging.getLogger(__name__)


def audit(
    files: Paths,
    *,
    against: Paths = (),
    labels: str = "auto",
    folds: int = FOLDS,
    progress: Progress = lambda what, count: None,
    **settings: Any,
) -> Audit:
    """Find what is likely wrong in labelled reviews; the files are not changed.

    >>> import sentir
    >>> sentir.audit("reviews.csv", against="test.csv").counts["label"]  # doctest: +SKIP
    214

    Likely label errors come from answers of models that have not seen the review
    (`sentir.evaluation.audit.label_errors`). Texts are held in memory.

    Args:
        files: labelled reviews: a path, glob, URL or name of a data set, or a list of them.
        against: other files, such as those of a test, whose texts should not be in `files`.
        labels: how labels become classes, as in `sentir.train`.
        folds: parts of the reviews, each answered by a model of the others; 2 to 20.
        progress: called with ``reading`` or ``answering`` and the number of reviews since the last
            call; 0: all are.
        **settings: how files are read (any field of `sentir.config.ReadOptions`).

    Raises:
        ConfigError: an unknown setting, or a value out of range.
        DataError: a file cannot be read, or its labels make no two classes.
        MissingExtraError: scikit-learn or SciPy is not installed.
        UsageError: `folds` is out of range.

    Warns:
        SentirWarning: rows were left out, a random part of the reviews was answered, there are too
            few reviews of a class, or the models are hardly better than chance.
    """
    require("an audit", "sklearn", "scipy")
    options, _ = read_settings(settings)
    if not 2 <= folds <= 20:
        raise UsageError(f"{folds} folds", where="--folds", todo="take 2 to 20")
    sources, others = path_list(files, "files"), path_list(against, "against") if against else ()
    check_labels(labels)
    check_first_rows(sources, options)
    check_first_rows(others, options, labelled=False)
    rows = _read(sources, options, progress)
    elsewhere = _places(others, options, progress)
    scheme, unknown = LabelScheme.resolve(rows.counts, labels)
    classes = [
        scheme.class_id(label, "") if label is not None and label not in unknown else None
        for label in rows.labels
    ]
    names = [None if one is None else scheme.names[one] for one in classes]
    answers = _answer(rows, classes, scheme.names, folds, progress)
    marks = [
        *answers.marks,
        *find_copies(rows.hashes, names, rows.places, elsewhere),
        *_unknown_labels(rows.labels, unknown),
        *find_bad_texts(rows.texts),
        *find_other_languages(rows.texts),
    ]
    return Audit(
        findings=tuple(rows.finding(mark) for mark in rank(marks)),
        reviews=len(rows.texts),
        answered=answers.count,
        accuracy=answers.accuracy,
        classes=scheme.names,
        sampled=answers.sampled,
    )


@dataclass
class _Rows:
    """All rows: their texts (empty without one), hashes, labels, places, token ids."""

    texts: list[str] = field(default_factory=list)
    hashes: list[int | None] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    ids: list[np.ndarray] = field(default_factory=list)
    counts: dict[str, RawLabel] = field(default_factory=dict)

    @property
    def places(self) -> list[str]:
        return [f"{path}:{line}" for path, line in zip(self.paths, self.lines, strict=True)]

    def add(self, review: Review) -> None:
        self.texts.append(review.text)
        self.hashes.append(copy_hash(review.text) if review.text else None)
        self.labels.append(review.label)
        self.paths.append(review.path)
        self.lines.append(review.line)
        if review.label is not None:
            old = self.counts.get(review.label)
            where = old.where if old else f"{review.path}:{review.line}"
            self.counts[review.label] = RawLabel(old.count + 1 if old else 1, where)

    def finding(self, mark: Mark) -> Finding:
        row = mark.row
        return Finding(
            path=self.paths[row],
            line=self.lines[row],
            kind=mark.kind,
            score=mark.score,
            label=self.labels[row],
            suggested=mark.suggested,
            note=mark.note,
            text=self.texts[row],
        )


@dataclass(frozen=True)
class _Answers:
    """Likely label errors, and how many reviews were answered how well."""

    marks: Sequence[Mark] = ()
    count: int = 0
    accuracy: float | None = None
    sampled: bool = False


def _read(sources: Sequence[str], options: ReadOptions, progress: Progress) -> _Rows:
    rows, bad_rows = _Rows(), BadRows(options.on_error)
    vocabulary = StreamingVocabulary(TextConfig())
    reviews = read_reviews(
        sources, options, bad_rows=bad_rows, keep_empty=True, columns=ColumnLog()
    )

    def chunks() -> Iterator[tuple[pa.StringArray, None]]:
        for chunk in chunked(reviews, lambda count: progress("reading", count)):
            for review in chunk:
                rows.add(review)
            yield pa.array([review.text for review in chunk], pa.string()), None

    with closing(tokenize_all(chunks(), vocabulary.steps)) as batches:
        for _, _, batch in batches:
            ids = vocabulary.encode(batch)
            rows.ids += np.split(ids, np.cumsum(batch.lengths_N)[:-1])
    bad_rows.warn(kept=len(rows.texts))
    return rows


def _places(sources: Sequence[str], options: ReadOptions, progress: Progress) -> dict[int, str]:
    """Where each text of other files is first, by its hash."""
    if not sources:
        return {}
    bad_rows, places = BadRows(options.on_error), dict[int, str]()
    reviews = read_reviews(sources, options, bad_rows=bad_rows, labelled=False, columns=ColumnLog())
    for chunk in chunked(reviews, lambda count: progress("reading", count)):
        for review in chunk:
            places.setdefault(copy_hash(review.text), f"{review.path}:{review.line}")
    bad_rows.warn(kept=len(places))
    return places


def _answer(
    rows: _Rows,
    classes: Sequence[int | None],
    names: Sequence[str],
    folds: int,
    progress: Progress,
) -> _Answers:
    known = np.array([row for row, one in enumerate(classes) if one is not None], np.int64)
    lengths_N = np.array([len(rows.ids[row]) for row in known], np.int64)
    order = np.random.default_rng(0).permutation(len(known))
    kept = np.sort(order[np.cumsum(lengths_N[order]) <= MAX_TOKENS])
    sampled, known = len(kept) < len(known), known[kept]
    if sampled:
        warnings.warn(
            f"labels are checked in a random sample of {len(known):,} of {len(order):,} reviews "
            f"({MAX_TOKENS:,} tokens); the other checks are of all",
            SentirWarning,
            stacklevel=3,
        )
    tokens = int(lengths_N[kept].sum())
    _log.info(
        "labels: %s reviews (%s tokens) in %s folds, about %s s",
        f"{len(known):,}", f"{tokens:,}", folds, f"{1 + folds * tokens // TOKENS_PER_SECOND:,}",
    )  # fmt: skip
    labels_N = np.array([classes[row] for row in known], np.int64)
    hashes_N = np.array([rows.hashes[row] for row in known], np.uint64)
    probabilities_NC, judged_N = out_of_fold(
        [rows.ids[row] for row in known], labels_N, hashes_N, len(names),
        folds=folds, advance=lambda count: progress("answering", count),
    )  # fmt: skip
    progress("answering", 0)
    if not judged_N.all():
        warnings.warn(
            f"the labels of {(~judged_N).sum():,} of {len(known):,} reviews are not checked, as "
            "too few other reviews are of their class",
            SentirWarning,
            stacklevel=3,
        )
    known, labels_N, probabilities_NC = (
        known[judged_N],
        labels_N[judged_N],
        probabilities_NC[judged_N],
    )
    agree = probabilities_NC.argmax(axis=1) == labels_N
    share = np.bincount(labels_N).max(initial=0) / max(len(known), 1)
    if len(known) and wilson_interval(int(agree.sum()), len(known))[0] <= share:
        warnings.warn(
            f"the models agree with {agree.mean():.1%} of the labels, and {share:.1%} are of the "
            "largest class: they have learnt too little for the findings of kind label to mean "
            "much; give more reviews, or check --label-column and --labels",
            SentirWarning,
            stacklevel=3,
        )
    marks = [
        mark._replace(row=int(known[mark.row]))
        for mark in find_label_errors(probabilities_NC, labels_N, names)
    ]
    return _Answers(marks, len(known), float(agree.mean()) if len(known) else None, sampled)


def _unknown_labels(labels: Sequence[str | None], unknown: dict[str, DataError]) -> Iterator[Mark]:
    for row, label in enumerate(labels):
        if label is not None and label in unknown:
            yield Mark(row, "unknown-label", 1.0, note=unknown[label].what)
