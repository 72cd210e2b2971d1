"""Parts become one corpus: labels, split and vocabulary are decided, then the ids are final.

What comes out is what one process would have made of all files, but for being several files. Memory
does not grow with the reviews: they are read three times, a record batch at a time. Shapes: N
reviews of a record batch, P provisional ids of a segment, C classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sentir.config import TextConfig, TrainConfig
from sentir.data.dataset import CorpusWriter, read_batches
from sentir.data.encoding import (
    check_split,
    check_weights,
    label_classes,
    save_labels,
    warn_of_unknown,
)
from sentir.data.parts import Part, Segment
from sentir.data.split import held_out, mixed_hashes, threshold
from sentir.data.spool import Advance, Flags, Ints, flatten, offsets, spooled_ids
from sentir.data.vocabulary_join import VocabularyJoin, final_ids
from sentir.errors import SentirWarning
from sentir.io.labels import RawLabel
from sentir.io.reader import BadRows
from sentir.text.tokenizer import FILE as TOKENIZER_FILE
from sentir.text.tokenizer import UNK, SubwordTokenizer, Tokenizer, WordTokenizer

#: From a record batch to the final ids of its reviews, one after the other, and lengths.
_Finalize = Callable[[pa.RecordBatch], tuple[Ints, Ints]]


def join_parts(
    parts: Sequence[Part],
    folder: Path,
    *,
    text: TextConfig,
    train: TrainConfig,
    labels: str,
    tokenizer: Tokenizer | None,
    bad_rows: BadRows,
    advance: Advance,
) -> None:
    """Write the corpus of all parts into a folder, which must exist.

    Args:
        parts: all of them, in their order.
        folder: for the corpora, the tokenizer and the labels.
        text, train, labels, tokenizer: as for `sentir.data.encoding.encode_training`.
        bad_rows: rows with a stray label are reported here.
        advance: called with how many more reviews were written.

    Raises:
        DataError: as `encode_training`.

    Warns:
        SentirWarning: as `encode_training`.
    """
    raw = _join_labels(parts)
    scheme, class_of_raw = label_classes(raw, labels, bad_rows)
    split = _Split.find(parts, raw, class_of_raw, train)
    class_counts, class_weights = np.zeros(len(scheme.names), np.int64), np.zeros(len(scheme.names))
    words = sum(segment.count for part in parts for segment in part.segments)
    join = VocabularyJoin(text, folder, words)
    learns_words = tokenizer is None and text.tokenizer == "word"
    has_valid = False
    for part, segment in _segments(parts):
        counts_P = np.zeros(segment.count, np.int64)
        for batch in read_batches(segment.reviews, texts=False):
            classes_N, train_N = split.classes(part, batch)
            has_valid |= bool(((classes_N >= 0) & ~train_N).any())
            weights_N = batch.column("weight").to_numpy()[train_N]
            class_counts += np.bincount(classes_N[train_N], minlength=len(class_counts))
            class_weights += np.bincount(classes_N[train_N], weights_N, len(class_counts))
            if learns_words:
                chosen = batch.filter(pa.array(train_N))
                counts_P += np.bincount(spooled_ids(chosen)[0], minlength=segment.count)
        if learns_words:
            join.add(segment, counts_P)
    present = np.flatnonzero(class_counts).astype(np.int32)
    check_split(present, scheme, None, has_valid=has_valid)
    classes_C = np.arange(len(scheme.names), dtype=np.int32)
    check_weights(classes_C, class_weights.astype(np.float32), scheme)
    given = tokenizer is not None
    if learns_words:
        tokenizer, problem = join.finish()
        if problem:
            warnings.warn(problem, SentirWarning, stacklevel=2)
    elif tokenizer is None:
        tokenizer = SubwordTokenizer.train(_train_texts(parts, split), text)
    assert tokenizer is not None
    tokenizer.save(folder / TOKENIZER_FILE)
    unknown, total = _write(parts, folder, split, tokenizer, advance)
    warn_of_unknown(unknown, total, given=given)
    save_labels(folder, scheme, raw)


def _join_labels(parts: Sequence[Part]) -> dict[str, RawLabel]:
    """The raw labels of all parts, by first appearance."""
    labels: dict[str, RawLabel] = {}
    for part in parts:
        for raw, label in part.labels.items():
            first = labels.setdefault(raw, RawLabel(0, label.where))
            labels[raw] = RawLabel(first.count + label.count, first.where)
    return labels


def _segments(parts: Sequence[Part]) -> Iterator[tuple[Part, Segment]]:
    return ((part, segment) for part in parts for segment in part.segments)


@dataclass(frozen=True)
class _Split:
    """The class of each raw label, and which reviews are held out."""

    class_of_raw: dict[str, int]
    seed: int
    threshold: int

    @classmethod
    def find(
        cls,
        parts: Sequence[Part],
        raw: dict[str, RawLabel],
        class_of_raw: dict[str, int],
        train: TrainConfig,
    ) -> _Split:
        usable = sum(label.count for name, label in raw.items() if class_of_raw[name] >= 0)
        everything = cls(class_of_raw, train.seed, -1)

        def mixed() -> Iterator[Any]:
            for part, segment in _segments(parts):
                for batch in read_batches(segment.reviews, texts=False):
                    _, usable_N = everything.classes(part, batch)
                    hashes_N = batch.column("text_hash").to_numpy()[usable_N]
                    yield mixed_hashes(hashes_N, train.seed)

        return cls(class_of_raw, train.seed, threshold(mixed(), usable, train))

    def classes(self, part: Part, batch: pa.RecordBatch) -> tuple[Ints, Flags]:
        """The class of each review, -1 where it is left out, and which are for training (N,)."""
        class_of = np.array([*(self.class_of_raw[raw] for raw in part.labels), -1], np.int32)
        classes_N = class_of[batch.column("label").to_numpy()]  # the last: no label, number -1
        mixed_N = mixed_hashes(batch.column("text_hash").to_numpy(), self.seed)
        return classes_N, (classes_N >= 0) & ~held_out(mixed_N, self.threshold)


def _train_texts(parts: Sequence[Part], split: _Split) -> Iterator[str]:
    for part, segment in _segments(parts):
        for batch in read_batches(segment.reviews):
            _, train_N = split.classes(part, batch)
            yield from batch.filter(pa.array(train_N)).column("text").to_pylist()


def _write(
    parts: Sequence[Part], folder: Path, split: _Split, tokenizer: Tokenizer, advance: Advance
) -> tuple[int, int]:
    """Write a file of training and of validation reviews for each part that has any.

    Returns:
        How many tokens of the training reviews are unknown, and how many there are.
    """
    unknown = total = 0
    for name in ("train", "valid"):
        (folder / name).mkdir()
    for index, part in enumerate(parts):
        if not part.segments:
            continue
        with ExitStack() as stack:
            train, valid = (
                stack.enter_context(CorpusWriter(folder / name / f"{index:05}.arrow", texts=texts))
                for name, texts in (("train", False), ("valid", True))
            )
            for segment in part.segments:
                finalize = _finalizer(segment, tokenizer)
                for batch in read_batches(segment.reviews):
                    classes_N, train_N = split.classes(part, batch)
                    valid_N = (classes_N >= 0) & ~train_N
                    ids = _write_batch(train, batch, classes_N, train_N, finalize, texts=False)
                    unknown += int(np.count_nonzero(ids == UNK))
                    total += len(ids)
                    _write_batch(valid, batch, classes_N, valid_N, finalize, texts=True)
                    advance(len(classes_N))
    advance(0)
    return unknown, total


def _write_batch(
    writer: CorpusWriter,
    batch: pa.RecordBatch,
    classes_N: Ints,
    rows_N: Flags,
    finalize: _Finalize,
    *,
    texts: bool,
) -> Ints:
    """Write the chosen reviews of a record batch; their ids."""
    if not rows_N.any():
        return np.empty(0, np.int32)
    chosen = batch.filter(pa.array(rows_N))
    ids, lengths_N = finalize(chosen)
    hashes_N, weights_N = (chosen.column(name).to_numpy() for name in ("text_hash", "weight"))
    column = chosen.column("text") if texts else None
    writer.write(ids, offsets(lengths_N), classes_N[rows_N], hashes_N, column, weights_N)
    return ids


def _finalizer(segment: Segment, tokenizer: Tokenizer) -> _Finalize:
    if not isinstance(tokenizer, WordTokenizer):
        return lambda batch: flatten(tokenizer.encode(batch.column("text").to_pylist()))
    if segment.words is None:
        return spooled_ids
    table_P = final_ids(segment, pa.array(tokenizer.vocabulary[2:], pa.string()))

    def finalize(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
        ids, lengths_N = spooled_ids(batch)
        return table_P[ids], lengths_N

    return finalize
