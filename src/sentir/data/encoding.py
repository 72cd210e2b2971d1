"""From reviews to encoded corpora: read once, split, settle the vocabulary, write.

The reviews pass through a spool on disk, so memory holds a few thousand of them at a time however
many there are. What is kept for each in memory is its label, its hash and its length.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from sentir.config import TextConfig, TrainConfig
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.data.spool import (
    Advance,
    Finalize,
    Flags,
    Hashes,
    Ints,
    Spool,
    chunks_of,
    finalized,
    flat_ids,
    numbered,
    offsets,
    spooled,
)
from sentir.errors import DataError
from sentir.io.labels import LabelScheme
from sentir.io.reader import BadRows, Review
from sentir.text.parallel import tokenize_all
from sentir.text.tokenizer import Tokenizer, WordTokenizer, load_tokenizer


@dataclass(frozen=True, kw_only=True)
class TextCorpora:
    """What a language model reads, as it lies in one folder."""

    train: EncodedCorpus
    valid: EncodedCorpus
    tokenizer: Tokenizer

    @classmethod
    def open(cls, folder: Path) -> TextCorpora:
        """The corpora that `encode_unlabelled` wrote into this folder."""
        return cls(
            train=EncodedCorpus(folder / "train.arrow"),
            valid=EncodedCorpus(folder / "valid.arrow"),
            tokenizer=load_tokenizer(folder / "tokenizer.json"),
        )


@dataclass(frozen=True, kw_only=True)
class TrainingCorpora(TextCorpora):
    """What training reads, as it lies in one folder.

    Attributes:
        labels: how labels become classes.
        unlabelled: reviews without labels, in place of which stands -1, with their texts.
    """

    labels: LabelScheme
    unlabelled: EncodedCorpus | None = None

    @classmethod
    def open(cls, folder: Path) -> TrainingCorpora:
        """The corpora that `encode_training` wrote into this folder."""
        unlabelled = folder / "unlabelled.arrow"
        return cls(
            **vars(TextCorpora.open(folder)),
            labels=LabelScheme.from_dict(json.loads((folder / "labels.json").read_text("utf-8"))),
            unlabelled=EncodedCorpus(unlabelled) if unlabelled.exists() else None,
        )


def encode_training(
    reviews: Iterable[Review],
    folder: Path,
    *,
    text: TextConfig,
    train: TrainConfig,
    labels: str = "auto",
    valid_reviews: Iterable[Review] | None = None,
    unlabelled: Iterable[Review] | None = None,
    tokenizer: Tokenizer | None = None,
    bad_rows: BadRows,
    advance: Advance = lambda count: None,
    processes: int | None = None,
) -> TrainingCorpora:
    """Encode the reviews to train on, a part of them set aside for validation.

    Args:
        reviews: labelled reviews, read once.
        folder: where the corpora, the tokenizer and the labels are written; it must exist.
        text: how text becomes ids.
        train: `valid_fraction`, `max_valid_examples` and `seed` of the split.
        labels: how labels become classes, see `LabelScheme.resolve`.
        valid_reviews: validate on these instead of a part of `reviews`.
        unlabelled: reviews to encode too, whatever their labels; those whose text stands in
            `reviews` or `valid_reviews` are left out.
        tokenizer: one that is settled, in place of one learnt from `reviews` and `unlabelled`.
        faults: where bad rows go.
        advance: told of progress.
        processes: how many cut texts into words or feed those that do, see `tokenize_all`; the outcome
            is the same.

    Raises:
        WorkerError: a process that shares the work was killed.
        DataError: the labels make no classes, there are too few reviews to split, or all the
            unlabelled ones stand among those with labels.
    """
    without = (review._replace(label=None) for review in unlabelled or ())
    with spooled(chain(reviews, without), folder, text, tokenizer, advance, processes) as spool:
        scheme, class_of_N = _classes(spool, labels, bad_rows)
        aside_N = np.zeros(len(class_of_N), bool)
        if valid_reviews is None:
            aside_N = _aside(spool.hashes_N, class_of_N >= 0, train)
        train_N = (class_of_N >= 0) & ~aside_N
        has_valid = valid_reviews is not None or bool(aside_N.any())
        _check_split(class_of_N[train_N], scheme, valid=has_valid)
        parts, known_N = {"train": train_N}, train_N
        new_N = None if unlabelled is None else _new(spool)
        if new_N is not None:
            parts["unlabelled"] = new_N
            known_N = train_N | new_N
        tokenizer, finalize = finalized(spool, known_N, text, tokenizer)
        if valid_reviews is None:
            parts["valid"] = aside_N
        else:
            valid = encode_reviews(
                valid_reviews,
                folder / "valid.arrow",
                tokenizer,
                scheme,
                bad_rows=bad_rows,
                advance=advance,
                processes=processes,
            )
            if new_N is not None:
                new_N &= ~np.isin(spool.hashes_N, valid.hashes_N)
        if new_N is not None and not new_N.any():
            raise DataError(
                f"all {int((spool.codes_N < 0).sum()):,} unlabelled reviews stand among those "
                "with labels",
                todo="give others with --unlabelled, or leave it out",
            )
        _write(spool, folder, class_of_N, parts, tokenizer, finalize)
    (folder / "labels.json").write_text(json.dumps(scheme.to_dict()), encoding="utf-8")
    return TrainingCorpora.open(folder)


def encode_unlabelled(
    reviews: Iterable[Review],
    folder: Path,
    *,
    text: TextConfig,
    train: TrainConfig,
    tokenizer: Tokenizer | None = None,
    advance: Advance = lambda count: None,
    processes: int | None = None,
) -> TextCorpora:
    """Encode the reviews that a language model learns from, whatever their labels.

    The arguments are those of `encode_training`.

    Raises:
        WorkerError: a process that shares the work was killed.
        DataError: there are too few reviews to set some aside.
    """
    with spooled(reviews, folder, text, tokenizer, advance, processes) as spool:
        class_of_N = np.zeros(len(spool.codes_N), np.int32)
        aside_N = _aside(spool.hashes_N, class_of_N >= 0, train)
        if not aside_N.any() or aside_N.all():
            raise DataError("no review is left for validation", todo="give more reviews")
        tokenizer, finalize = finalized(spool, ~aside_N, text, tokenizer)
        parts = {"train": ~aside_N, "valid": aside_N}
        _write(spool, folder, class_of_N, parts, tokenizer, finalize)
    return TextCorpora.open(folder)


def encode_reviews(
    reviews: Iterable[Review],
    path: Path,
    tokenizer: Tokenizer,
    labels: LabelScheme,
    *,
    bad_rows: BadRows,
    advance: Advance = lambda count: None,
    processes: int | None = None,
) -> EncodedCorpus:
    """Encode labelled reviews with a tokenizer that is settled; texts are kept.

    Raises:
        WorkerError: a process that shares the work was killed.
        DataError: a label is not one the scheme knows, or no review is left.
    """
    known = tokenizer if isinstance(tokenizer, WordTokenizer) else None
    pairs = (labelled(chunk, labels, bad_rows) for chunk in chunks_of(reviews, advance))
    chunks = ((pa.array(texts, pa.string()), classes) for texts, classes in pairs)
    cuts = tokenize_all(chunks, known.steps if known is not None else None, processes)
    with closing(cuts), CorpusWriter(path, texts=True) as writer:
        count = 0
        for texts, classes, cut in cuts:
            if known is not None:
                flat, lengths = numbered(known, cut), cut.lengths_N
            else:
                flat, lengths = flat_ids(tokenizer.encode(texts.to_pylist()))
            classes_N = np.array(classes, np.int32)
            writer.write(flat, offsets(lengths), classes_N, cut.hashes_N, texts)
            count += len(texts)
        if not count:
            raise DataError("no review to measure on", todo="check the file and its labels")
    return EncodedCorpus(path)


def labelled(
    reviews: Iterable[Review], labels: LabelScheme, bad_rows: BadRows
) -> tuple[list[str], list[int]]:
    """Texts and classes of the reviews; those with a label that is left out are not among them."""
    texts, classes = [], []
    for review in reviews:
        try:
            class_id = labels.class_id(review.label or "", f"{review.path}:{review.line}")
        except DataError as error:
            bad_rows.report(error)
            continue
        if class_id is not None:
            texts.append(review.text)
            classes.append(class_id)
    return texts, classes


def _classes(spool: Spool, labels: str, bad_rows: BadRows) -> tuple[LabelScheme, Ints]:
    """The label scheme and the class of each review, -1 where it is left out."""
    scheme, strays = LabelScheme.resolve(spool.labels, labels)
    for name, error in strays.items():
        for _ in range(spool.labels[name].count):
            bad_rows.report(error)
    class_of = np.full(len(spool.labels) + 1, -1, np.int32)  # the last is that of no label, -1
    for code, (name, raw) in enumerate(spool.labels.items()):
        found = None if name in strays else scheme.class_id(name, raw.where)
        class_of[code] = -1 if found is None else found
    return scheme, class_of[spool.codes_N]


def _new(spool: Spool) -> Flags:
    """The reviews without a label whose text has none elsewhere either."""
    has_label_N = spool.codes_N >= 0
    new_N: Flags = ~has_label_N & ~np.isin(spool.hashes_N, spool.hashes_N[has_label_N])
    return new_N


def _aside(hashes_N: Hashes, usable_N: Flags, train: TrainConfig) -> Flags:
    """The reviews set aside for validation: those whose hash, stirred by the seed, is smallest.

    Going by the text's hash keeps copies of one review on one side. The stirring is SplitMix64's
    finaliser (Steele, Lea and Flood 2014).
    """
    stirred_N = hashes_N + np.uint64(train.seed * 0x9E3779B97F4A7C15 % 2**64)
    stirred_N = (stirred_N ^ (stirred_N >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    stirred_N = (stirred_N ^ (stirred_N >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    stirred_N ^= stirred_N >> np.uint64(31)
    wanted = min(round(int(usable_N.sum()) * train.valid_fraction), train.max_valid_examples)
    if wanted == 0:
        return np.zeros_like(usable_N)
    last = np.partition(stirred_N[usable_N], wanted - 1)[wanted - 1]
    chosen: Flags = usable_N & (stirred_N <= last)
    return chosen


def _check_split(classes_N: Ints, scheme: LabelScheme, *, valid: bool) -> None:
    todo = "give more reviews, or validation reviews of their own with --valid"
    if not valid:
        raise DataError("no review is left for validation", todo=todo)
    missing = set(range(len(scheme.names))) - set(np.unique(classes_N).tolist())
    if missing:
        names = " or ".join(scheme.names[at] for at in sorted(missing))
        raise DataError(f"no training review is {names}", todo=todo)


def _write(
    spool: Spool,
    folder: Path,
    class_of_N: Ints,
    parts: Mapping[str, Flags],
    tokenizer: Tokenizer,
    finalize: Finalize,
) -> None:
    """Parts of the spooled reviews as corpora, and the tokenizer that made them."""
    for name, rows_N in parts.items():
        kept = name != "train"  # their texts are shown again, or read by a teacher
        with CorpusWriter(folder / f"{name}.arrow", texts=kept) as writer:
            for batch, classes_N in spool.parts(
                rows_N, class_of_N, texts=kept or spool.words is None
            ):
                flat, lengths = finalize(batch)
                texts = batch.column("text") if kept else None
                hashes = batch.column("text_hash").to_numpy()
                writer.write(flat, offsets(lengths), classes_N, hashes, texts)
    tokenizer.save(folder / "tokenizer.json")
