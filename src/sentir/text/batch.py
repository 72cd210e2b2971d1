"""Many reviews cut into words at once: as numbers of words, and the words.

What is cut does not depend on what was cut before, so that any process may do it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.text.cleaning import STEPS
from sentir.text.treebank_batch import Pieces, Ragged

if TYPE_CHECKING:
    from sentir.config import CleanStep

Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]

_BLANK = ord(" ")
# Every blank that ASCII has becomes a space.
_TO_SPACES = np.array([_BLANK if chr(byte).isspace() else byte for byte in range(128)]
                      + list(range(128, 256)), np.uint8)  # fmt: skip


class TokenizedBatch(NamedTuple):
    """The words of N reviews."""

    #: Every word once, by first appearance.
    words: list[str]
    #: The reviews' words one behind the other, each as its place in `words`.
    flat: Ints
    #: Words of each review.
    lengths_N: Ints
    #: `text_hash` of each review.
    hashes_N: Hashes


class BatchTokenizer:
    """Cuts reviews into words, and remembers how a piece was cut.

    Args:
        steps: cleaning steps; None cuts nothing and only hashes.
    """

    def __init__(self, steps: Sequence[CleanStep] | None) -> None:
        self._whole = STEPS["html"] if "html" in (steps or ()) else str
        self._pieces = None
        if steps is not None:
            self._pieces = Pieces([step for step in steps if step != "html"])

    def __call__(self, texts_N: pa.StringArray) -> TokenizedBatch:
        texts = texts_N.to_pylist()
        hashes_N = _text_hashes(texts, _is_plain(texts_N))
        if self._pieces is None:
            return TokenizedBatch(
                [], np.empty(0, np.int32), np.zeros(len(texts), np.int32), hashes_N
            )
        pieces, ends_N = _pieces(pa.array(map(self._ready, texts), pa.string()))
        # Arrow numbers the pieces, so that Python meets each distinct one once a call.
        numbered = pieces.dictionary_encode()
        words, sizes = self._pieces.words_of(numbered.dictionary.to_pylist())
        words, places = _by_appearance(words, len(self._pieces.words))

        # Each piece of the reviews is replaced by the stretch of places that holds its words.
        numbers = numbered.indices.to_numpy()
        words_of_pieces = Ragged()
        words_of_pieces.append(places, sizes)
        flat = words_of_pieces.of(numbers)
        ends = np.concatenate(([0], np.cumsum(sizes[numbers])))[ends_N]
        lengths_N = np.diff(ends, prepend=0).astype(np.int32)
        return TokenizedBatch([self._pieces.words[at] for at in words], flat, lengths_N, hashes_N)

    def _ready(self, text: str) -> str:
        """The text with a space behind it, and no blank but ASCII's within."""
        text = self._whole(text)
        return f"{text} " if text.isascii() else " ".join([*text.split(), ""])


def _pieces(texts_N: pa.StringArray) -> tuple[pa.StringArray, Ints]:
    """What lies before each blank, the blank (now a space) with it; pieces before each text's end.

    Arrow's strings are one run of bytes, which only has to be parted at other places.
    """
    offsets, data = _raw(texts_N)
    data = _TO_SPACES[data]
    ends = np.flatnonzero(data == _BLANK).astype(np.int32) + np.int32(1)
    all_offsets = pa.py_buffer(np.concatenate((np.zeros(1, np.int32), ends)))
    pieces = pa.StringArray.from_buffers(len(ends), all_offsets, pa.py_buffer(data))
    return pieces, np.searchsorted(ends, offsets[1:], side="right").astype(np.int32)


def _by_appearance(words: Ints, count: int) -> tuple[Ints, Ints]:
    """The distinct words by first appearance, and each word's place among them.

    Args:
        words: numbers below `count`.
    """
    at = np.arange(len(words), dtype=np.int32)
    first = np.empty(count, np.int32)
    first[words[::-1]] = at[::-1]  # where a place is written to several times, the last stays
    distinct = words[first[words] == at]
    place = np.empty(count, np.int32)
    place[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, place[words]


def _raw(texts_N: pa.StringArray) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Where each text begins and the last ends, and the bytes of all texts."""
    _, offsets, data = texts_N.buffers()
    if len(texts_N) == 0 or data is None:
        return np.zeros(len(texts_N) + 1, np.int32), np.empty(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[texts_N.offset :][: len(texts_N) + 1]
    return bounds - bounds[0], np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]


def text_hash(text: str) -> int:
    """64 bits that two reviews share if they differ in case and blanks only."""
    return int(np.frombuffer(_digest(" ".join(text.lower().split())), "<u8")[0])


def _digest(folded: str) -> bytes:
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _text_hashes(texts: Sequence[str], plain_N: npt.NDArray[np.bool_]) -> Hashes:
    """The `text_hash` of each text; in those that are plain no blanks are to be folded."""
    digests = [
        _digest(text.lower() if plain else " ".join(text.lower().split()))
        for text, plain in zip(texts, plain_N.tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64, copy=False)


def _is_plain(texts_N: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Which texts are of printable ASCII with single spaces within and none around."""
    bounds, data = _raw(texts_N)
    begins, ends = bounds[:-1], bounds[1:]
    blank = data == _BLANK
    odd = (data < _BLANK) | (data > ord("~"))
    odd[1:] |= blank[1:] & blank[:-1]
    filled = ends > begins
    odd[begins[filled]] |= blank[begins[filled]]
    odd[ends[filled] - 1] |= blank[ends[filled] - 1]
    plain_N = np.ones(len(texts_N), bool)
    plain_N[np.searchsorted(bounds, np.flatnonzero(odd), side="right") - 1] = False
    return plain_N
