"""Reviews on disk until all are counted: as provisional ids, or as texts.

Which words get an id is known only when all reviews have been read, and they are read once. Shapes:
N reviews, P provisional ids.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.config import TextConfig
from sentir.data.dataset import BATCH_ROWS, CorpusWriter, read_batches
from sentir.errors import SentirWarning
from sentir.io.labels import RawLabel
from sentir.io.reader import Review
from sentir.text.batch import TokenizedBatch
from sentir.text.parallel import tokenize_all
from sentir.text.tokenizer import SubwordTokenizer, Tokenizer, WordTokenizer
from sentir.text.vocabulary import StreamingVocabulary

#: Characters in a chunk of reviews, but for a single longer review. The memory of a chunk and of
#: its tokens grows with them, not with the number of reviews.
CHUNK_CHARACTERS = 4_000_000

#: Called with how many more reviews were read; 0: all are.
Advance = Callable[[int], None]
Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.float32]
#: Gives words their ids: a vocabulary that still grows, or a tokenizer that is final.
WordEncoder = StreamingVocabulary | WordTokenizer
#: From a spooled record batch to the final ids of its reviews, one after the other, and lengths.
Finalize = Callable[[pa.RecordBatch], tuple[Ints, Ints]]


@dataclass(frozen=True)
class Spool:
    """All reviews as they were read: provisional ids and texts on disk, the rest in memory."""

    path: Path
    #: Raw labels in the order of their first appearance.
    labels: dict[str, RawLabel]
    #: Each review's index in `labels`, -1 for a review without a label.
    label_codes_N: Ints
    hashes_N: Hashes
    weights_N: Weights
    #: What gave the words their ids; None for subwords, which are encoded from the texts.
    encoder: WordEncoder | None

    def select(
        self, rows_N: Flags, classes_N: Ints, *, texts: bool
    ) -> Iterator[tuple[pa.RecordBatch, Ints]]:
        """The chosen reviews with their classes, one record batch at a time."""
        start = 0
        for batch in read_batches(self.path, texts=texts):
            end = start + batch.num_rows
            chosen = rows_N[start:end]
            if chosen.any():
                yield batch.filter(pa.array(chosen)), classes_N[start:end][chosen]
            start = end


@contextmanager
def open_spool(
    reviews: Iterable[Review],
    folder: Path,
    text: TextConfig,
    tokenizer: Tokenizer | None,
    advance: Advance,
    processes: int | None,
    *,
    extend: bool = False,
) -> Iterator[Spool]:
    """Read the reviews into a spool, which is deleted at the end of the block.

    Args:
        reviews, folder, text, tokenizer, advance, processes: see
            `sentir.data.encoding.encode_training`.
        extend: words that `tokenizer` does not know may get ids after its own.
    """
    path = folder / "spool.arrow"
    known = tokenizer if isinstance(tokenizer, WordTokenizer) else None
    encoder: WordEncoder | None = known
    if text.tokenizer == "word" and (tokenizer is None or extend):
        encoder = StreamingVocabulary(text, known)
    try:
        yield _fill_spool(reviews, path, encoder, advance, processes)
    finally:
        path.unlink(missing_ok=True)


def _fill_spool(
    reviews: Iterable[Review],
    path: Path,
    encoder: WordEncoder | None,
    advance: Advance,
    processes: int | None,
) -> Spool:
    counter = LabelCounter()
    codes, hashes = [np.empty(0, np.int32)], [np.empty(0, np.uint64)]
    weights = [np.empty(0, np.float32)]
    chunks = text_chunks(reviews, counter, advance)
    batches = tokenize_all(chunks, None if encoder is None else encoder.steps, processes)
    with closing(batches), CorpusWriter(path, texts=True) as writer:
        for texts, (chunk_codes, chunk_weights), batch in batches:
            ids = batch.indices_T if encoder is None else word_ids(encoder, batch)
            ends = offsets(batch.lengths_N)
            writer.write(ids, ends, chunk_codes, batch.hashes_N, texts, chunk_weights)
            codes.append(chunk_codes)
            hashes.append(batch.hashes_N)
            weights.append(chunk_weights)
    return Spool(
        path,
        counter.labels(),
        np.concatenate(codes),
        np.concatenate(hashes),
        np.concatenate(weights),
        encoder,
    )


class LabelCounter:
    """Numbers raw labels in the order of their first appearance, and counts them."""

    def __init__(self) -> None:
        self._code_of: dict[str, int] = {}
        self._counts: list[int] = []
        self._first_rows: list[str] = []

    def add(self, reviews: Iterable[Review]) -> Ints:
        """The number of each review's label, -1 for a review without one."""
        codes = []
        for review in reviews:
            label = review.label
            if label is None:
                codes.append(-1)
                continue
            code = self._code_of.get(label)
            if code is None:
                code = self._code_of[label] = len(self._code_of)
                self._counts.append(0)
                self._first_rows.append(f"{review.path}:{review.line}")
            self._counts[code] += 1
            codes.append(code)
        return np.array(codes, np.int32)

    def labels(self) -> dict[str, RawLabel]:
        """The labels in the order of their numbers."""
        return {
            name: RawLabel(self._counts[code], self._first_rows[code])
            for name, code in self._code_of.items()
        }


def text_chunks(
    reviews: Iterable[Review], counter: LabelCounter, advance: Advance
) -> Iterator[tuple[pa.StringArray, tuple[Ints, Weights]]]:
    """The texts of the reviews in chunks, with the numbers of their labels and their weights."""
    for chunk in chunked(reviews, advance):
        texts = pa.array([review.text for review in chunk], pa.string())
        weights = np.array([review.weight for review in chunk], np.float32)
        yield texts, (counter.add(chunk), weights)


def finalize_tokenizer(
    spool: Spool, train_N: Flags, text: TextConfig, tokenizer: Tokenizer | None
) -> tuple[Tokenizer, Finalize]:
    """The final tokenizer, and the function that gives a spooled batch its final ids.

    Args:
        spool: all reviews.
        train_N: the reviews to learn the tokenizer from.
        text: how text becomes ids.
        tokenizer: a final tokenizer to use; None: learn one.

    Warns:
        SentirWarning: words do not suit the reviews.
    """
    encoder = spool.encoder
    if isinstance(encoder, WordTokenizer):
        return encoder, spooled_ids
    selected = spool.select(train_N, spool.label_codes_N, texts=encoder is None)
    if encoder is None:
        texts = (value for batch, _ in selected for value in batch.column("text").to_pylist())
        subwords = tokenizer or SubwordTokenizer.train(texts, text)
        return subwords, lambda batch: flatten(subwords.encode(batch.column("text").to_pylist()))
    counts_P = np.zeros(len(encoder), np.int64)
    for batch, _ in selected:
        counts_P += np.bincount(spooled_ids(batch)[0], minlength=len(counts_P))
    if problem := encoder.unsuitable(counts_P):
        warnings.warn(problem, SentirWarning, stacklevel=3)
    words, table_P = encoder.finalize(counts_P)

    def finalize(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
        ids, lengths = spooled_ids(batch)
        return table_P[ids], lengths

    return words, finalize


def spooled_ids(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
    """The ids of all reviews, one review after the other, and the length of each review (N,)."""
    ids = batch.column("ids")
    return ids.flatten().to_numpy(), ids.value_lengths().to_numpy()


def word_ids(encoder: WordEncoder, batch: TokenizedBatch) -> Ints:
    """The ids of all words of a batch, one review after the other."""
    if isinstance(encoder, StreamingVocabulary):
        return encoder.encode(batch)
    ids = np.fromiter(map(encoder.id_of, batch.words), np.int32, len(batch.words))
    return ids[batch.indices_T]


def chunked(reviews: Iterable[Review], advance: Advance) -> Iterator[list[Review]]:
    """The reviews in chunks: as many as a record batch holds, fewer if they are long."""
    chunk: list[Review] = []
    characters = 0
    for review in reviews:
        if chunk and (len(chunk) == BATCH_ROWS or characters + len(review.text) > CHUNK_CHARACTERS):
            yield chunk
            advance(len(chunk))
            chunk, characters = [], 0
        chunk.append(review)
        characters += len(review.text)
    if chunk:
        yield chunk
        advance(len(chunk))
    advance(0)


def flatten(ids: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """The ids of all reviews, one review after the other, and the length of each review (N,)."""
    lengths_N = np.fromiter(map(len, ids), np.int32, len(ids))
    return np.fromiter(chain.from_iterable(ids), np.int32, int(lengths_N.sum())), lengths_N


def offsets(lengths_N: Ints) -> Ints:
    """Where each review starts among the ids of all, and where the last one ends (N + 1,)."""
    return np.concatenate(([0], np.cumsum(lengths_N))).astype(np.int32)
