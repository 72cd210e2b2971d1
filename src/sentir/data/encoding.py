"""From reviews to encoded corpora: read once, split, finalise the tokenizer, write.

The reviews pass through a spool on disk, so memory holds a few thousand of them at a time, however
many there are. Per review, only its label, hash and length stay in memory. Shapes: N reviews.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from sentir.config import TextConfig, TrainConfig
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.data.split import held_out, mixed_hashes, threshold
from sentir.data.spool import (
    Advance,
    Finalize,
    Flags,
    Hashes,
    Ints,
    Spool,
    Weights,
    chunked,
    finalize_tokenizer,
    flatten,
    offsets,
    open_spool,
    word_ids,
)
from sentir.errors import DataError, SentirWarning
from sentir.io.label_growth import extend_scheme
from sentir.io.label_tally import LabelTally
from sentir.io.labels import LabelScheme, RawLabel
from sentir.io.reader import BadRows, Review
from sentir.text.parallel import tokenize_all
from sentir.text.suitability import unsuitable_ids
from sentir.text.tokenizer import FILE as TOKENIZER_FILE
from sentir.text.tokenizer import UNK, Tokenizer, WordTokenizer, load_tokenizer
from sentir.text.vocabulary import StreamingVocabulary


def _open_corpus(folder: Path, name: str) -> EncodedCorpus:
    """A corpus that is one file, or a folder of several."""
    several = sorted((folder / name).glob("*.arrow"))
    return EncodedCorpus(*several) if several else EncodedCorpus(folder / f"{name}.arrow")


@dataclass(frozen=True, kw_only=True)
class TextCorpora:
    """What a language model is trained on.

    Attributes:
        folder: where it is.
    """

    folder: Path
    train: EncodedCorpus
    valid: EncodedCorpus
    tokenizer: Tokenizer

    @classmethod
    def open(cls, folder: Path) -> TextCorpora:
        """The corpora that `encode_unlabelled` wrote into this folder."""
        return cls(
            folder=folder,
            train=_open_corpus(folder, "train"),
            valid=_open_corpus(folder, "valid"),
            tokenizer=load_tokenizer(folder / TOKENIZER_FILE),
        )


@dataclass(frozen=True, kw_only=True)
class TrainingCorpora(TextCorpora):
    """What a classifier is trained on.

    Attributes:
        labels: how labels become classes.
        raw_counts: how many reviews have each raw label.
        unlabelled: reviews without labels (their class is -1), with their texts.
    """

    labels: LabelScheme
    raw_counts: Mapping[str, int]
    unlabelled: EncodedCorpus | None = None

    @classmethod
    def open(cls, folder: Path) -> TrainingCorpora:
        """The corpora that `encode_training` wrote into this folder."""
        unlabelled = folder / "unlabelled.arrow"
        labels = json.loads((folder / "labels.json").read_text("utf-8"))
        return cls(
            **vars(TextCorpora.open(folder)),
            labels=LabelScheme.from_dict(labels),
            raw_counts=labels["counts"],
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
    known_labels: LabelScheme | None = None,
    bad_rows: BadRows,
    advance: Advance = lambda count: None,
    processes: int | None = None,
) -> TrainingCorpora:
    """Encode the reviews to train on; a part of them is held out for validation.

    Args:
        reviews: labelled reviews, read once.
        folder: where the corpora, the tokenizer and the labels are written; it must exist.
        text: how text becomes ids.
        train: `valid_fraction`, `max_valid_examples` and `seed` of the split.
        labels: how labels become classes, see `LabelScheme.resolve`.
        valid_reviews: validation reviews, instead of a part of `reviews`.
        unlabelled: further reviews, their labels ignored. Those whose text is also in `reviews` or
            `valid_reviews` are left out.
        tokenizer: a final tokenizer, instead of one learnt from `reviews` and `unlabelled`.
        known_labels: the labels of a model that goes on learning. They keep their classes, and new
            words get ids after those of its `tokenizer`.
        bad_rows: where rows that cannot be read are reported.
        advance: called with how many more reviews were read.
        processes: processes that tokenise, see `tokenize_all`; they do not change the result.

    Raises:
        WorkerError: a tokenizer process ended early.
        DataError: the labels make no classes, there are too few reviews to split, or no unlabelled
            review is left.

    Warns:
        SentirWarning: the tokenizer does not suit the reviews; or no review is of a class that the
            model knows.
    """
    without_labels = (review._replace(label=None) for review in unlabelled or ())
    everything = chain(reviews, without_labels)
    extend = known_labels is not None
    with open_spool(
        everything, folder, text, tokenizer, advance, processes, extend=extend
    ) as spool:
        scheme, classes_N = _classes(spool, labels, known_labels, bad_rows)
        held_out_N = np.zeros(len(classes_N), bool)
        if valid_reviews is None:
            held_out_N = _held_out(spool.hashes_N, classes_N >= 0, train)
        train_N = (classes_N >= 0) & ~held_out_N
        has_valid = valid_reviews is not None or bool(held_out_N.any())
        check_split(classes_N[train_N], scheme, known_labels, has_valid=has_valid)
        check_weights(classes_N[train_N], spool.weights_N[train_N], scheme)
        parts, learn_from_N = {"train": train_N}, train_N
        unlabelled_N = None if unlabelled is None else _unlabelled_only(spool)
        if unlabelled_N is not None:
            parts["unlabelled"] = unlabelled_N
            learn_from_N = train_N | unlabelled_N
        given = tokenizer is not None and not isinstance(spool.encoder, StreamingVocabulary)
        tokenizer, finalize = finalize_tokenizer(spool, learn_from_N, text, tokenizer)
        if valid_reviews is None:
            parts["valid"] = held_out_N
        else:
            valid = encode_reviews(
                valid_reviews,
                folder / "valid.arrow",
                tokenizer,
                LabelTally(scheme, is_given=labels != "auto", in_training=True),
                bad_rows=bad_rows,
                advance=advance,
                processes=processes,
            )
            if unlabelled_N is not None:
                unlabelled_N &= ~np.isin(spool.hashes_N, valid.hashes_N)
        if unlabelled_N is not None and not unlabelled_N.any():
            raise DataError(
                f"all {int((spool.label_codes_N < 0).sum()):,} unlabelled reviews are also among "
                "those with labels",
                todo="give others with --unlabelled, or leave it out",
            )
        unknown, total = _write(spool, folder, classes_N, parts, tokenizer, finalize)
    warn_of_unknown(unknown, total, given=given)
    save_labels(folder, scheme, spool.labels)
    return TrainingCorpora.open(folder)


def save_labels(folder: Path, scheme: LabelScheme, raw: Mapping[str, RawLabel]) -> None:
    """Write what `TrainingCorpora.open` reads of the labels: the classes, and the raw counts."""
    saved = {**scheme.to_dict(), "counts": {name: label.count for name, label in raw.items()}}
    (folder / "labels.json").write_text(json.dumps(saved), encoding="utf-8")


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
    """Encode the reviews that a language model is trained on; their labels are ignored.

    The arguments are those of `encode_training`.

    Raises:
        WorkerError: a tokenizer process ended early.
        DataError: there are too few reviews to hold some out.

    Warns:
        SentirWarning: the tokenizer does not suit the reviews.
    """
    with open_spool(reviews, folder, text, tokenizer, advance, processes) as spool:
        classes_N = np.zeros(len(spool.label_codes_N), np.int32)
        held_out_N = _held_out(spool.hashes_N, classes_N >= 0, train)
        if not held_out_N.any() or held_out_N.all():
            raise DataError("no review is left for validation", todo="give more reviews")
        given = tokenizer is not None
        tokenizer, finalize = finalize_tokenizer(spool, ~held_out_N, text, tokenizer)
        parts = {"train": ~held_out_N, "valid": held_out_N}
        unknown, total = _write(spool, folder, classes_N, parts, tokenizer, finalize)
    warn_of_unknown(unknown, total, given=given)
    return TextCorpora.open(folder)


def encode_reviews(
    reviews: Iterable[Review],
    path: Path,
    tokenizer: Tokenizer,
    labels: LabelTally,
    *,
    bad_rows: BadRows,
    advance: Advance = lambda count: None,
    processes: int | None = None,
) -> EncodedCorpus:
    """Encode labelled reviews with a final tokenizer; the corpus keeps their texts.

    Raises:
        WorkerError: a tokenizer process ended early.
        DataError: a label is unknown to the scheme or means something else, or no review is left.

    Warns:
        SentirWarning: a class has no review.
    """
    encoder = tokenizer if isinstance(tokenizer, WordTokenizer) else None
    columns = (labels.classes(chunk, bad_rows) for chunk in chunked(reviews, advance))
    chunks = ((pa.array(part.texts, pa.string()), part) for part in columns)
    batches = tokenize_all(chunks, None if encoder is None else encoder.steps, processes)
    with closing(batches), CorpusWriter(path, texts=True) as writer:
        count = 0
        for texts, part, batch in batches:
            if encoder is not None:
                ids, lengths_N = word_ids(encoder, batch), batch.lengths_N
            else:
                ids, lengths_N = flatten(tokenizer.encode(texts.to_pylist()))
            classes_N = np.array(part.classes, np.int32)
            weights_N = np.array(part.weights, np.float32)
            writer.write(ids, offsets(lengths_N), classes_N, batch.hashes_N, texts, weights_N)
            count += len(texts)
        if not count:
            raise DataError("no review to measure on", todo="check the file and its labels")
        labels.check()
    return EncodedCorpus(path)


def _classes(
    spool: Spool, labels: str, known: LabelScheme | None, bad_rows: BadRows
) -> tuple[LabelScheme, Ints]:
    """The label scheme and the class of each review, -1 where it is left out."""
    scheme, class_of_raw = label_classes(spool.labels, labels, bad_rows, known)
    class_of = np.array([*class_of_raw.values(), -1], np.int32)  # the last: no label, code -1
    return scheme, class_of[spool.label_codes_N]


def label_classes(
    raw_labels: Mapping[str, RawLabel],
    labels: str,
    bad_rows: BadRows,
    known: LabelScheme | None = None,
) -> tuple[LabelScheme, dict[str, int]]:
    """The label scheme and the class of each raw label, -1 for those that are left out."""
    scheme, strays = (
        LabelScheme.resolve(raw_labels, labels)
        if known is None
        else extend_scheme(known, raw_labels, labels)
    )
    for name, error in strays.items():
        for _ in range(raw_labels[name].count):
            bad_rows.report(error)
    class_of = {}
    for name, raw in raw_labels.items():
        class_id = None if name in strays else scheme.class_id(name, raw.where)
        class_of[name] = -1 if class_id is None else class_id
    return scheme, class_of


def _unlabelled_only(spool: Spool) -> Flags:
    """The reviews without a label whose text is not among those with one."""
    labelled_N = spool.label_codes_N >= 0
    only_N: Flags = ~labelled_N & ~np.isin(spool.hashes_N, spool.hashes_N[labelled_N])
    return only_N


def _held_out(hashes_N: Hashes, usable_N: Flags, train: TrainConfig) -> Flags:
    """The validation reviews, see `sentir.data.split`."""
    mixed_N = mixed_hashes(hashes_N, train.seed)
    largest = threshold([mixed_N[usable_N]], int(usable_N.sum()), train)
    return usable_N & held_out(mixed_N, largest)


def check_split(
    classes_N: Ints, scheme: LabelScheme, known: LabelScheme | None, *, has_valid: bool
) -> None:
    """Refuse reviews without validation, or without a class; old classes are only warned of.

    Args:
        classes_N: the classes of the training reviews, each of them once or more.
        scheme: all classes.
        known: those of a model that goes on learning.
        has_valid: whether any review is for validation.

    Raises:
        DataError: no review is left for validation, or none of a class that is to be learnt.

    Warns:
        SentirWarning: none is of a class that the model knows.
    """
    todo = "give more reviews, or validation reviews of their own with --valid"
    if not has_valid:
        raise DataError("no review is left for validation", todo=todo)
    missing = sorted(set(range(len(scheme.names))) - set(np.unique(classes_N).tolist()))
    old = [class_id for class_id in missing if known and class_id < len(known.names)]
    if missing != old:
        names = " or ".join(scheme.names[class_id] for class_id in missing if class_id not in old)
        raise DataError(f"no training review is of class {names}", todo=todo)
    if old:
        names = " or ".join(scheme.names[class_id] for class_id in old)
        warnings.warn(
            f"no training review is of class {names}, which the model knows: it will hardly answer "
            "that any more; give reviews of it too",
            SentirWarning,
            stacklevel=3,
        )


def check_weights(classes_N: Ints, weights_N: Weights, scheme: LabelScheme) -> None:
    """Refuse training reviews of which none counts; warn of a class whose reviews do not.

    Raises:
        DataError: all weights are 0.

    Warns:
        SentirWarning: those of a class are.
    """
    weight_C = np.bincount(classes_N, weights_N, minlength=len(scheme.names))
    if not weight_C.any():
        raise DataError("every weight is 0, so no review counts", todo="check --weight-column")
    for class_id in np.flatnonzero(weight_C == 0):
        warnings.warn(
            f"every review of class {scheme.names[class_id]} has the weight 0: the model will "
            "hardly ever predict it",
            SentirWarning,
            stacklevel=3,
        )


def _write(
    spool: Spool,
    folder: Path,
    classes_N: Ints,
    parts: Mapping[str, Flags],
    tokenizer: Tokenizer,
    finalize: Finalize,
) -> tuple[int, int]:
    """Write parts of the spooled reviews as corpora, and the tokenizer.

    Returns:
        How many tokens of the training reviews are unknown, and how many there are.
    """
    unknown = total = 0
    for name, rows_N in parts.items():
        keep_texts = name != "train"  # they are shown in the report, or read by a teacher
        read_texts = keep_texts or spool.encoder is None
        with CorpusWriter(folder / f"{name}.arrow", texts=keep_texts) as writer:
            for batch, batch_classes_N in spool.select(rows_N, classes_N, texts=read_texts):
                ids, lengths_N = finalize(batch)
                if name == "train":
                    unknown += int(np.count_nonzero(ids == UNK))
                    total += len(ids)
                texts = batch.column("text") if keep_texts else None
                hashes_N = batch.column("text_hash").to_numpy()
                weights_N = batch.column("weight").to_numpy()
                ends = offsets(lengths_N)
                writer.write(ids, ends, batch_classes_N, hashes_N, texts, weights_N)
    tokenizer.save(folder / TOKENIZER_FILE)
    return unknown, total


def warn_of_unknown(unknown: int, total: int, *, given: bool) -> None:
    """Warn if a tokenizer that was given does not know the training reviews.

    Warns:
        SentirWarning: most of their tokens are unknown.
    """
    problem = unsuitable_ids(unknown, total) if given else None
    if problem:
        warnings.warn(problem, SentirWarning, stacklevel=3)
