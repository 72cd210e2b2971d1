"""The words of many pieces at once, as numbers, each distinct piece worked out once.

What is right for a piece `split_piece` says. Here all new pieces of some thousand reviews go the
same way together: cleaned as one text, cut into tokens by one search, and whatever depends on a
token's neighbours (does it open a quote, does it end its piece?) decided in NumPy over all of them.
Only what a token becomes is asked a token at a time, and the tokens are fewer than the pieces.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count, islice, repeat
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.text.cleaning import cleaner
from sentir.text.treebank import (
    CLOSERS,
    MAX_PIECE_CHARACTERS,
    MAX_PIECES,
    OPENS_QUOTE,
    QUOTES,
    TOKEN,
    split_word,
    stays_whole,
)

if TYPE_CHECKING:
    from sentir.config import CleanStep

Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

#: Characters of all remembered pieces together: beyond, they are no language.
MAX_CHARACTERS = 20 * MAX_PIECES
# A token takes the blank that ends its piece; two blanks hold an empty piece.
_TOKENS = re.compile(f"(?:{TOKEN})[ ]?|[ ]", re.VERBOSE)


class Pieces:
    """The words of all pieces met so far, as numbers.

    Memory is bounded: when it is full, everything is forgotten and begins anew.

    Args:
        steps: cleaning steps that look at one piece only: all but html.

    Attributes:
        words: every word once; the words' numbers are their places here.
    """

    def __init__(self, steps: Sequence[CleanStep]) -> None:
        self._clean = cleaner(steps)
        self._forget()

    def _forget(self) -> None:
        self._number_of: dict[str, int] = {}
        self._characters = 0
        self._word_number: defaultdict[str, int] = defaultdict(count().__next__)
        self.words: list[str] = []
        self._pieces = Ragged()
        # Two rows for each token: what it becomes mostly, and where it is special.
        self._row_of: dict[str, int] = {}
        self._rows = Ragged()

    def words_of(self, pieces: Sequence[str]) -> tuple[Ints, Ints]:
        """The numbers of the pieces' words, one behind the other, and how many each piece has.

        Args:
            pieces: distinct stretches of text; each ends with its only blank, a space.
        """
        size = len(pieces)
        numbers = np.fromiter(map(self._number_of.get, pieces, repeat(-1)), np.int32, size)
        new = [pieces[at] for at in np.flatnonzero(numbers < 0).tolist()]
        characters = sum(map(len, new))
        if self._number_of and (
            len(self._number_of) + len(new) > MAX_PIECES
            or self._characters + characters > MAX_CHARACTERS
        ):
            self._forget()
            return self.words_of(pieces)
        # In a long text one sign that is not ASCII makes the cleaning of all others slower.
        for group in (
            [piece for piece in new if piece.isascii()],
            [piece for piece in new if not piece.isascii()],
        ):
            if group:
                self._number_of.update(zip(group, count(len(self._number_of))))
                self._learn(group)
        self._characters += characters
        if new:
            self.words += islice(self._word_number, len(self.words), None)
            numbers = np.fromiter(map(self._number_of.__getitem__, pieces), np.int32, size)
        sizes = self._pieces.sizes[numbers]
        return self._pieces.of(numbers), sizes

    def _learn(self, pieces: list[str]) -> None:
        """TokenizedBatch the pieces into words and put those behind what is known."""
        cleaned, parts = _in_parts(self._clean("".join(pieces)))
        numbered = pa.array(_TOKENS.findall(cleaned), pa.string()).dictionary_encode()
        numbers_T = numbered.indices.to_numpy()  # T tokens
        distinct = numbered.dictionary.to_pylist()
        ends_T = np.array([token[-1] == " " for token in distinct])[numbers_T]
        tokens = [token.rstrip(" ") for token in distinct]

        def are(of: frozenset[str]) -> Flags:
            found: Flags = np.fromiter(map(of.__contains__, tokens), bool, len(tokens))[numbers_T]
            return found

        begins_T = np.concatenate(([True], ends_T[:-1]))
        behind_opener_T = np.concatenate(([False], are(OPENS_QUOTE)[:-1]))
        special_T = are(QUOTES) & (begins_T | behind_opener_T)
        # The last token of a part that is no closer, if there is one, ends it.
        place_T = np.where(are(CLOSERS | {""}), -1, np.arange(len(numbers_T)))
        last = np.maximum.reduceat(place_T, np.flatnonzero(begins_T))
        special_T[last[last >= 0]] = True

        rows_T = self._rows_of(tokens)[numbers_T] + special_T
        # A piece ends where the last of its parts does.
        ends = np.cumsum(self._rows.sizes[rows_T], dtype=np.int32)[ends_T][np.cumsum(parts) - 1]
        self._pieces.append(self._rows.of(rows_T), np.diff(ends, prepend=np.int32(0)))

    def _rows_of(self, tokens: list[str]) -> Ints:
        """Where in `_rows` stands what each token becomes; behind it, what if it is special."""
        whole: list[str] = []
        odd: list[str] = []
        for token in dict.fromkeys(tokens):
            if token not in self._row_of:
                is_whole = token and token not in QUOTES and stays_whole(token)
                (whole if is_whole else odd).append(token)
        self._row_of.update(zip(chain(whole, odd), count(2 * len(self._row_of), 2)))
        words = np.fromiter(map(self._word_number.__getitem__, whole), np.int32, len(whole))
        self._rows.append(np.repeat(words, 2), np.ones(2 * len(words), np.int32))
        rows = [words for token in odd for words in _both_ways(token)]
        sizes = np.fromiter(map(len, rows), np.int32, len(rows))
        flat = map(self._word_number.__getitem__, chain.from_iterable(rows))
        self._rows.append(np.fromiter(flat, np.int32, int(sizes.sum())), sizes)
        return np.fromiter(map(self._row_of.__getitem__, tokens), np.int32, len(tokens))


class Ragged:
    """Rows of numbers, of any lengths, that grow at the end.

    Attributes:
        sizes: how many each row has.
    """

    def __init__(self) -> None:
        self._flat = self._starts = self.sizes = np.empty(0, np.int32)

    def append(self, flat: Ints, sizes: Ints) -> None:
        """Further rows, one behind the other in `flat`."""
        starts = np.cumsum(sizes, dtype=np.int32) - sizes + np.int32(len(self._flat))
        self._flat = np.concatenate((self._flat, flat))
        self._starts = np.concatenate((self._starts, starts))
        self.sizes = np.concatenate((self.sizes, sizes))

    def of(self, rows: Ints) -> Ints:
        """What stands in these rows, one behind the other."""
        sizes = self.sizes[rows]
        ends = np.cumsum(sizes, dtype=np.int32)
        places = np.repeat(self._starts[rows] - ends + sizes, sizes)
        places += np.arange(len(places), dtype=np.int32)
        return self._flat[places]


def _in_parts(cleaned: str) -> tuple[str, Ints]:
    """The pieces with blanks in those that are too long, and how many parts each has."""
    pieces = cleaned.split(" ")[:-1]
    parts = np.ones(len(pieces), np.int32)
    if max(map(len, pieces)) <= MAX_PIECE_CHARACTERS:
        return cleaned, parts
    for at, piece in enumerate(pieces):
        if len(piece) > MAX_PIECE_CHARACTERS:
            cuts = range(0, len(piece), MAX_PIECE_CHARACTERS)
            pieces[at] = " ".join([piece[cut : cut + MAX_PIECE_CHARACTERS] for cut in cuts])
            parts[at] = len(cuts)
    return " ".join(pieces) + " ", parts


def _both_ways(token: str) -> tuple[list[str], list[str]]:
    """What a token becomes, and what if it opens a quote or ends its piece."""
    if token in QUOTES:
        return ["''"], ["``"]
    if not token:
        return [], []
    inside = split_word(token, ends_piece=False)
    return inside, split_word(token, ends_piece=True) if "." in token else inside
