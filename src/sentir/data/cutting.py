"""Many reviews cut into words at once: as numbers of words, and the words.

What is cut does not depend on what was cut before, so that any process may do it.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sentir.config import CleanStep
from sentir.data.words import WordSplitter

Ints = npt.NDArray[np.int32]


class Cut(NamedTuple):
    """The words of N reviews."""

    #: Every word once, by first appearance.
    words: list[str]
    #: The reviews' words one behind the other, each as its place in `words`.
    flat: Ints
    #: Words of each review.
    lengths_N: Ints
    #: `text_hash` of each review.
    hashes_N: npt.NDArray[np.uint64]


class Cutter:
    """Cuts reviews into words, and remembers how a piece was cut.

    Args:
        steps: cleaning steps; None cuts nothing and only hashes.
    """

    def __init__(self, steps: Sequence[CleanStep] | None) -> None:
        # The same word comes out of many pieces ("film", "Film,"): it is held once.
        self._split = (
            None
            if steps is None
            else WordSplitter(steps, lambda words: tuple(map(sys.intern, words)))
        )

    def __call__(self, texts: Sequence[str]) -> Cut:
        hashes_N = np.fromiter(map(text_hash, texts), np.uint64, len(texts))
        if self._split is None:
            return Cut([], np.empty(0, np.int32), np.zeros(len(texts), np.int32), hashes_N)
        # Arrow finds the pieces and numbers them, so that Python meets each of them once a call.
        # It takes for blank what Python does; the empty pieces it leaves at the ends hold no word.
        pieces_N = pc.utf8_split_whitespace(pa.array(map(self._split.whole, texts), pa.string()))
        numbered = pieces_N.values.dictionary_encode()
        flat_pieces = numbered.indices.to_numpy()
        words_of = list(map(self._split.of_piece, numbered.dictionary.to_pylist()))
        word_of: defaultdict[str, int] = defaultdict(count().__next__)
        sizes = np.fromiter(map(len, words_of), np.int32, len(words_of))
        places = map(word_of.__getitem__, chain.from_iterable(words_of))
        flat_words = np.fromiter(places, np.int32, int(sizes.sum()))

        # Each piece of the reviews is replaced by the stretch of `flat_words` that holds its words.
        starts = (np.cumsum(sizes) - sizes)[flat_pieces]
        ends = np.cumsum(sizes[flat_pieces])
        begins = np.concatenate(([0], ends))
        within = np.arange(begins[-1]) + np.repeat(starts - begins[:-1], sizes[flat_pieces])
        lengths_N = np.diff(begins[pieces_N.offsets.to_numpy()]).astype(np.int32)
        return Cut(list(word_of), flat_words[within], lengths_N, hashes_N)


def text_hash(text: str) -> int:
    """64 bits that two reviews share if they differ in case and blanks only."""
    folded = " ".join(text.lower().split()).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(folded, digest_size=8).digest(), "little")
