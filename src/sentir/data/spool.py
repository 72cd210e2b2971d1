"""Reviews on disk until all are counted: as provisional ids, or as texts yet to be cut.

Which words get an id is known only when all reviews have been read, and they are read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.config import TextConfig
from sentir.data.dataset import BATCH_ROWS, CorpusWriter, read_batches
from sentir.io.labels import RawLabel
from sentir.io.reader import Review
from sentir.text.batch import TokenizedBatch
from sentir.text.parallel import tokenize_all
from sentir.text.tokenizer import SubwordTokenizer, Tokenizer, WordTokenizer
from sentir.text.vocabulary import StreamingVocabulary

#: Told how many more reviews went through.
Advance = Callable[[int], None]
Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
#: What numbers the words of reviews: a vocabulary that grows with them, or one that is settled.
Words = StreamingVocabulary | WordTokenizer
#: From a spooled record batch to its reviews' final ids, one behind the other, and their lengths.
Finalize = Callable[[pa.RecordBatch], tuple[Ints, Ints]]


@dataclass(frozen=True)
class Spool:
    """All reviews as they were read: on disk their provisional ids and texts, here the rest."""

    path: Path
    #: Raw labels in the order they came; `codes_N` says which one each review has, -1 for none.
    labels: dict[str, RawLabel]
    codes_N: Ints
    hashes_N: Hashes
    #: What numbered the words; None where the texts have yet to be cut into pieces of words.
    words: Words | None

    def parts(
        self, rows_N: Flags, class_of_N: Ints, *, texts: bool
    ) -> Iterator[tuple[pa.RecordBatch, Ints]]:
        """The chosen reviews, some thousand at a time, with their classes."""
        start = 0
        for batch in read_batches(self.path, texts=texts):
            end = start + batch.num_rows
            chosen = rows_N[start:end]
            if chosen.any():
                yield batch.filter(pa.array(chosen)), class_of_N[start:end][chosen]
            start = end


@contextmanager
def spooled(
    reviews: Iterable[Review],
    folder: Path,
    text: TextConfig,
    tokenizer: Tokenizer | None,
    advance: Advance,
    processes: int | None,
) -> Iterator[Spool]:
    """The reviews in a spool, which is deleted afterwards."""
    path = folder / "spool.arrow"
    words: Words | None = tokenizer if isinstance(tokenizer, WordTokenizer) else None
    if tokenizer is None and text.tokenizer == "word":
        words = StreamingVocabulary(text)
    try:
        yield _fill_spool(reviews, path, words, advance, processes)
    finally:
        path.unlink(missing_ok=True)


def _fill_spool(
    reviews: Iterable[Review],
    path: Path,
    words: Words | None,
    advance: Advance,
    processes: int | None,
) -> Spool:
    names: dict[str, int] = {}
    counts: list[int] = []
    places: list[str] = []
    codes, hashes = [np.empty(0, np.int32)], [np.empty(0, np.uint64)]

    def chunks() -> Iterator[tuple[pa.StringArray, Ints]]:
        for chunk in chunks_of(reviews, advance):
            labels = []
            for review in chunk:
                label = review.label
                if label is None:
                    labels.append(-1)
                    continue
                code = names.get(label)
                if code is None:
                    code = names[label] = len(names)
                    counts.append(0)
                    places.append(f"{review.path}:{review.line}")
                counts[code] += 1
                labels.append(code)
            texts = pa.array([review.text for review in chunk], pa.string())
            yield texts, np.array(labels, np.int32)

    cuts = tokenize_all(chunks(), None if words is None else words.steps, processes)
    with closing(cuts), CorpusWriter(path, texts=True) as writer:
        for texts, codes_of_chunk, cut in cuts:
            flat = cut.flat if words is None else numbered(words, cut)
            writer.write(flat, offsets(cut.lengths_N), codes_of_chunk, cut.hashes_N, texts)
            codes.append(codes_of_chunk)
            hashes.append(cut.hashes_N)
    raw = {name: RawLabel(counts[code], places[code]) for name, code in names.items()}
    return Spool(path, raw, np.concatenate(codes), np.concatenate(hashes), words)


def finalized(
    spool: Spool, train_N: Flags, text: TextConfig, given: Tokenizer | None
) -> tuple[Tokenizer, Finalize]:
    """The tokenizer, learnt from the training reviews unless given, and what it makes of all."""
    words = spool.words
    if isinstance(words, WordTokenizer):
        return words, _ids
    parts = spool.parts(train_N, spool.codes_N, texts=words is None)
    if words is None:
        texts = (value for batch, _ in parts for value in batch.column("text").to_pylist())
        subwords = given or SubwordTokenizer.train(texts, text)
        return subwords, lambda batch: flat_ids(subwords.encode(batch.column("text").to_pylist()))
    counts = np.zeros(len(words), np.int64)
    for batch, _ in parts:
        counts += np.bincount(_ids(batch)[0], minlength=len(counts))
    tokenizer, table = words.finalize(counts)

    def finalize(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
        flat, lengths = _ids(batch)
        return table[flat], lengths

    return tokenizer, finalize


def _ids(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
    ids = batch.column("ids")
    return ids.flatten().to_numpy(), ids.value_lengths().to_numpy()


def numbered(words: Words, cut: TokenizedBatch) -> Ints:
    """The ids of all words, as they follow each other."""
    if isinstance(words, StreamingVocabulary):
        return words.encode(cut)
    ids = np.fromiter(map(words.id_of, cut.words), np.int32, len(cut.words))
    return ids[cut.flat]


def chunks_of(reviews: Iterable[Review], advance: Advance) -> Iterator[list[Review]]:
    """The reviews, as many at a time as a record batch holds."""
    source = iter(reviews)
    while chunk := list(islice(source, BATCH_ROWS)):
        yield chunk
        advance(len(chunk))


def flat_ids(ids: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """The ids of all reviews as they follow each other, and each review's number of them."""
    lengths = np.fromiter(map(len, ids), np.int32, len(ids))
    return np.fromiter(chain.from_iterable(ids), np.int32, int(lengths.sum())), lengths


def offsets(lengths: Ints) -> Ints:
    """Where each review begins among the ids of all, and where the last one ends."""
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
