"""Tokenise a batch of reviews at once, as word indices.

The result does not depend on earlier batches, so any process may tokenise any batch. Shapes:
N reviews, T words of all reviews one after the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.text.cleaning import STEPS
from sentir.text.treebank_batch import BatchWordSplitter, Ragged

if TYPE_CHECKING:
    from sentir.config import CleanStep

Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]

_SPACE = ord(" ")
# Every ASCII white space becomes a space.
_TO_SPACES = np.array([_SPACE if chr(byte).isspace() else byte for byte in range(128)]
                      + list(range(128, 256)), np.uint8)  # fmt: skip


class TokenizedBatch(NamedTuple):
    """The words of N reviews."""

    #: The distinct words, by first appearance.
    words: list[str]
    #: Each word of each review, as its index in `words`; the reviews follow each other.
    indices_T: Ints
    #: Words of each review.
    lengths_N: Ints
    #: `text_hash` of each review.
    hashes_N: Hashes


class BatchTokenizer:
    """Splits reviews into words, and remembers the words of each piece.

    Args:
        steps: cleaning steps; None only hashes the reviews.
    """

    def __init__(self, steps: Sequence[CleanStep] | None) -> None:
        self._clean_html = STEPS["html"] if "html" in (steps or ()) else str
        self._splitter = None
        if steps is not None:
            self._splitter = BatchWordSplitter([step for step in steps if step != "html"])

    def __call__(self, texts_N: pa.StringArray) -> TokenizedBatch:
        texts = texts_N.to_pylist()
        hashes_N = _text_hashes(texts, _is_plain(texts_N))
        if self._splitter is None:
            return TokenizedBatch(
                [], np.empty(0, np.int32), np.zeros(len(texts), np.int32), hashes_N
            )
        pieces, ends_N = _split_pieces(pa.array(map(self._prepare, texts), pa.string()))
        # Arrow numbers the pieces, so that Python sees each distinct one once per call.
        encoded = pieces.dictionary_encode()
        numbers, sizes = self._splitter.split(encoded.dictionary.to_pylist())
        numbers, indices = _by_appearance(numbers, len(self._splitter.words))
        words = [self._splitter.words[number] for number in numbers]

        # Each piece of the reviews is replaced by the indices of its words.
        piece_numbers = encoded.indices.to_numpy()
        indices_of_pieces = Ragged()
        indices_of_pieces.append(indices, sizes)
        indices_T = indices_of_pieces.take(piece_numbers)
        ends = np.concatenate(([0], np.cumsum(sizes[piece_numbers])))[ends_N]
        lengths_N = np.diff(ends, prepend=0).astype(np.int32)
        return TokenizedBatch(words, indices_T, lengths_N, hashes_N)

    def _prepare(self, text: str) -> str:
        """The text with a space after it, and no white space in it but ASCII's."""
        text = self._clean_html(text)
        return f"{text} " if text.isascii() else " ".join([*text.split(), ""])


def _split_pieces(texts_N: pa.StringArray) -> tuple[pa.StringArray, Ints]:
    """Split at white space; each piece keeps the space that ends it.

    An Arrow string array is one run of bytes with offsets, so only the offsets are computed anew.

    Returns:
        The pieces of all texts, and the number of pieces up to each text's end.
    """
    offsets, data = _raw(texts_N)
    data = _TO_SPACES[data]
    ends = np.flatnonzero(data == _SPACE).astype(np.int32) + np.int32(1)
    all_offsets = pa.py_buffer(np.concatenate((np.zeros(1, np.int32), ends)))
    pieces = pa.StringArray.from_buffers(len(ends), all_offsets, pa.py_buffer(data))
    return pieces, np.searchsorted(ends, offsets[1:], side="right").astype(np.int32)


def _by_appearance(numbers: Ints, count: int) -> tuple[Ints, Ints]:
    """The distinct numbers by first appearance, and the index of each number among them.

    Args:
        numbers: each below `count`.
    """
    positions = np.arange(len(numbers), dtype=np.int32)
    first = np.empty(count, np.int32)
    first[numbers[::-1]] = positions[::-1]  # of several writes to one element the last one stays
    distinct = numbers[first[numbers] == positions]
    index_of = np.empty(count, np.int32)
    index_of[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, index_of[numbers]


def _raw(texts_N: pa.StringArray) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """The offsets of all texts (N + 1,), and their bytes."""
    _, offsets, data = texts_N.buffers()
    if len(texts_N) == 0 or data is None:
        return np.zeros(len(texts_N) + 1, np.int32), np.empty(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[texts_N.offset :][: len(texts_N) + 1]
    return bounds - bounds[0], np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]


def text_hash(text: str) -> int:
    """64 bits, equal for reviews that differ in case and white space only."""
    return int(np.frombuffer(_digest(" ".join(text.lower().split())), "<u8")[0])


def _digest(folded: str) -> bytes:
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _text_hashes(texts: Sequence[str], plain_N: npt.NDArray[np.bool_]) -> Hashes:
    """The `text_hash` of each text; plain texts have no white space to fold."""
    digests = [
        _digest(text.lower() if plain else " ".join(text.lower().split()))
        for text, plain in zip(texts, plain_N.tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64, copy=False)


def _is_plain(texts_N: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Which texts are printable ASCII, with single spaces between words and none at either end."""
    bounds, data = _raw(texts_N)
    starts, ends = bounds[:-1], bounds[1:]
    space = data == _SPACE
    other = (data < _SPACE) | (data > ord("~"))
    other[1:] |= space[1:] & space[:-1]
    filled = ends > starts
    other[starts[filled]] |= space[starts[filled]]
    other[ends[filled] - 1] |= space[ends[filled] - 1]
    plain_N = np.ones(len(texts_N), bool)
    plain_N[np.searchsorted(bounds, np.flatnonzero(other), side="right") - 1] = False
    return plain_N
