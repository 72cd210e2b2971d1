"""The batch twin of `WordSplitter`: the words of many pieces at once, as numbers.

`split_piece` defines the result; a test holds both equal. Here all new pieces of some thousand
reviews are cleaned as one text and split into tokens by one search. What depends on a token's
neighbours (does it open a quote, does it end its piece?) is decided in NumPy for all of them. Only
the words of a token are worked out in Python, once per distinct token. Shapes: T tokens.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain, count, islice, repeat
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.text.cleaning import cleaner
from sentir.text.treebank import (
    MAX_PIECE_CHARACTERS,
    OPENS_QUOTE,
    QUOTES,
    TOKEN,
    is_closer,
    split_word,
    stays_whole,
    strings_bytes,
)

if TYPE_CHECKING:
    from sentir.config import CleanStep

Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

#: Memory of the cache (bytes): some 450,000 pieces, and every piece of most corpora.
MAX_CACHE_BYTES = 150_000_000
# A token takes the space that ends its piece; two spaces hold an empty piece.
_TOKENS = re.compile(f"(?:{TOKEN})[ ]?|[ ]", re.VERBOSE)


class BatchWordSplitter:
    """The words of pieces, as numbers; each distinct piece is worked out once.

    Memory is bounded: a full cache is emptied before new pieces are learnt. It is over its limit by
    one call's pieces at most.

    Args:
        steps: cleaning steps that look at one piece only: all but html.

    Attributes:
        words: the distinct words; a word's number is its index here. Valid until the next call.
        size_bytes: memory of the cache.
    """

    def __init__(self, steps: Sequence[CleanStep]) -> None:
        self._clean = cleaner(steps)
        self._clear()

    def _clear(self) -> None:
        self._piece_number: dict[str, int] = {}
        self.size_bytes = 0
        self._word_number: defaultdict[str, int] = defaultdict(count().__next__)
        self.words: list[str] = []
        self._words_of_pieces = Ragged()
        # Two rows per token: its words in most places, and where it is special (see `_variants`).
        self._token_row: dict[str, int] = {}
        self._words_of_tokens = Ragged()

    def split(self, pieces: Sequence[str]) -> tuple[Ints, Ints]:
        """Split the pieces into words.

        Args:
            pieces: distinct stretches of text; each ends with its only white space, a space.

        Returns:
            The numbers of all words, piece after piece, and how many words each piece has.
        """
        size = len(pieces)
        numbers = np.fromiter(map(self._piece_number.get, pieces, repeat(-1)), np.int32, size)
        new = [pieces[index] for index in np.flatnonzero(numbers < 0).tolist()]
        new_bytes = strings_bytes(new)
        if new and self._piece_number and self.size_bytes + new_bytes > MAX_CACHE_BYTES:
            self._clear()
            return self.split(pieces)
        self.size_bytes += new_bytes
        # One sign that is not ASCII makes cleaning a long text slower.
        for group in (
            [piece for piece in new if piece.isascii()],
            [piece for piece in new if not piece.isascii()],
        ):
            if group:
                self._piece_number.update(zip(group, count(len(self._piece_number))))
                self._learn(group)
        if new:
            new_words = list(islice(self._word_number, len(self.words), None))
            self.words += new_words
            self.size_bytes += strings_bytes(new_words)
            numbers = np.fromiter(map(self._piece_number.__getitem__, pieces), np.int32, size)
        sizes = self._words_of_pieces.sizes[numbers]
        return self._words_of_pieces.take(numbers), sizes

    def _learn(self, pieces: list[str]) -> None:
        """Work out the words of new pieces."""
        cleaned, parts = _limit_lengths(self._clean("".join(pieces)))
        encoded = pa.array(_TOKENS.findall(cleaned), pa.string()).dictionary_encode()
        numbers_T = encoded.indices.to_numpy()
        distinct = encoded.dictionary.to_pylist()
        ends_T = np.array([token[-1] == " " for token in distinct])[numbers_T]
        tokens = [token.rstrip(" ") for token in distinct]

        def holds(property: Callable[[str], bool]) -> Flags:
            flags = np.fromiter(map(property, tokens), bool, len(tokens))
            flags_T: Flags = flags[numbers_T]
            return flags_T

        starts_T = np.concatenate(([True], ends_T[:-1]))
        after_opener_T = np.concatenate(([False], holds(OPENS_QUOTE.__contains__)[:-1]))
        special_T = holds(QUOTES.__contains__) & (starts_T | after_opener_T)
        # The last token of a part that is no closer, if there is one, ends the part.
        skipped_T = holds(lambda token: not token or is_closer(token))
        positions_T = np.where(skipped_T, -1, np.arange(len(numbers_T)))
        last = np.maximum.reduceat(positions_T, np.flatnonzero(starts_T))
        special_T[last[last >= 0]] = True

        rows_T = self._rows_of(tokens)[numbers_T] + special_T
        # A piece ends where the last of its parts does.
        ends = np.cumsum(self._words_of_tokens.sizes[rows_T], dtype=np.int32)[ends_T]
        ends = ends[np.cumsum(parts) - 1]
        words_T = self._words_of_tokens.take(rows_T)
        self._words_of_pieces.append(words_T, np.diff(ends, prepend=np.int32(0)))
        self.size_bytes += words_T.nbytes

    def _rows_of(self, tokens: list[str]) -> Ints:
        """The first of each token's two rows in `_words_of_tokens`; new tokens are added."""
        whole: list[str] = []
        others: list[str] = []
        for token in dict.fromkeys(tokens):
            if token not in self._token_row:
                is_whole = token and token not in QUOTES and stays_whole(token)
                (whole if is_whole else others).append(token)
        self.size_bytes += strings_bytes(whole) + strings_bytes(others)
        self._token_row.update(zip(chain(whole, others), count(2 * len(self._token_row), 2)))
        numbers = np.fromiter(map(self._word_number.__getitem__, whole), np.int32, len(whole))
        self._words_of_tokens.append(np.repeat(numbers, 2), np.ones(2 * len(whole), np.int32))
        rows = [words for token in others for words in _variants(token)]
        sizes = np.fromiter(map(len, rows), np.int32, len(rows))
        flat = map(self._word_number.__getitem__, chain.from_iterable(rows))
        self._words_of_tokens.append(np.fromiter(flat, np.int32, int(sizes.sum())), sizes)
        return np.fromiter(map(self._token_row.__getitem__, tokens), np.int32, len(tokens))


class Ragged:
    """Rows of numbers, each of its own length; rows are added at the end.

    Attributes:
        sizes: the length of each row.
    """

    def __init__(self) -> None:
        self._flat = self._starts = self.sizes = np.empty(0, np.int32)

    def append(self, flat: Ints, sizes: Ints) -> None:
        """Add rows, one after the other in `flat`."""
        starts = np.cumsum(sizes, dtype=np.int32) - sizes + np.int32(len(self._flat))
        self._flat = np.concatenate((self._flat, flat))
        self._starts = np.concatenate((self._starts, starts))
        self.sizes = np.concatenate((self.sizes, sizes))

    def take(self, rows: Ints) -> Ints:
        """The numbers in these rows, one row after the other."""
        sizes = self.sizes[rows]
        ends = np.cumsum(sizes, dtype=np.int32)
        positions = np.repeat(self._starts[rows] - ends + sizes, sizes)
        positions += np.arange(len(positions), dtype=np.int32)
        return self._flat[positions]


def _limit_lengths(cleaned: str) -> tuple[str, Ints]:
    """Divide pieces that are too long by spaces; the text, and how many parts each piece has."""
    pieces = cleaned.split(" ")[:-1]
    parts = np.ones(len(pieces), np.int32)
    if max(map(len, pieces)) <= MAX_PIECE_CHARACTERS:
        return cleaned, parts
    for index, piece in enumerate(pieces):
        if len(piece) > MAX_PIECE_CHARACTERS:
            starts = range(0, len(piece), MAX_PIECE_CHARACTERS)
            pieces[index] = " ".join(
                [piece[start : start + MAX_PIECE_CHARACTERS] for start in starts]
            )
            parts[index] = len(starts)
    return " ".join(pieces) + " ", parts


def _variants(token: str) -> tuple[list[str], list[str]]:
    """A token's words in most places, and where it opens a quote or ends its piece."""
    if token in QUOTES:
        return ["''"], ["``"]
    if not token:
        return [], []
    inside = split_word(token, ends_piece=False)
    return inside, split_word(token, ends_piece=True) if "." in token else inside
