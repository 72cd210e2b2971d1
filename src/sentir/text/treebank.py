"""Words by the Penn Treebank's rules, one white-space piece at a time.

Reviews repeat themselves: after a few thousand of them nearly every piece between two spaces has
been seen. So a piece is split once and its words are remembered. Everything that can be decided
inside a piece (all cleaning but HTML, which may hold spaces, and all of the rules) costs nothing
from then on. `sentir.text.treebank_batch` is the fast twin.

The rules are those of Robert MacIntyre's Treebank tokenizer as in NLTK's ``word_tokenize`` (Bird,
Klein and Loper 2009, *Natural Language Processing with Python*, ch. 3): punctuation is a token of
its own, ``"`` becomes the opening or closing pair, clitics are separated (``do n't``, ``it 's``,
``can not``). The differences: a full stop ends a sentence wherever it ends a piece that is not a
known abbreviation, since lowercasing has removed the capital that would decide; ``¡``, ``¿``,
``…``, emoji, other symbols and the punctuation of other scripts are tokens of their own, so that
the word beside them stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from sys import getsizeof
from typing import TYPE_CHECKING, Generic, TypeVar

from sentir.text.cleaning import (
    PLAIN_SIGNS,
    STEPS,
    URL_TOKEN,
    Ranges,
    character_class,
    cleaner,
)

if TYPE_CHECKING:
    from sentir.config import CleanStep

T = TypeVar("T")

#: Memory of a splitter's cache (bytes), some 300,000 pieces. A `WordTokenizer` has two splitters.
MAX_CACHE_BYTES = 100_000_000
#: Memory of a dictionary's entry without key and value, when the dictionary has just grown (bytes).
ENTRY_BYTES = 100
#: A longer piece is not language (base64, a row of dashes): it is divided, and not remembered.
MAX_PIECE_CHARACTERS = 100

ABBREVIATIONS = frozenset(
    (
        "mr mrs ms dr st jr sr prof gen col capt lt sgt rev hon sen rep gov vs vol inc ltd co corp "
        "fig approx dept est ed pp mt ft jan feb mar apr jun jul aug sep sept oct nov dec "
        "e.g i.e a.k.a ph.d sra srta dra ud uds pág núm"
    ).split()
)
#: A sign after a word that is always a token of its own, but for the full stop.
_SIGNS = PLAIN_SIGNS | {""}
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")

#: Code points that are tokens of their own besides the punctuation in `TOKEN`: the backslash;
#: signs, arrows, shapes and emoji; the punctuation of Arabic, Hindi and East Asian text; private
#: characters (emoji of old phones) and what stands for a lost character.
SYMBOLS: Ranges = (
    (0x5C, 0x5C), (0xA6, 0xA7), (0xA9, 0xA9), (0xAE, 0xAE), (0xB6, 0xB6), (0x60C, 0x60C),
    (0x61B, 0x61B), (0x61F, 0x61F), (0x6D4, 0x6D4), (0x964, 0x965), (0x2020, 0x2023),
    (0x203B, 0x203C), (0x2047, 0x2049), (0x20DD, 0x20E4), (0x2117, 0x2117), (0x2120, 0x2120),
    (0x2122, 0x2122), (0x2190, 0x27FF), (0x2900, 0x2BFF), (0x3001, 0x3003), (0x3008, 0x3020),
    (0x3030, 0x3030), (0x303D, 0x303F), (0x3200, 0x32FF), (0xE000, 0xF8FF), (0xFF01, 0xFF06),
    (0xFF08, 0xFF0C), (0xFF0F, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF3E), (0xFF5B, 0xFF65),
    (0xFFFC, 0xFFFD), (0x1F000, 0x1FBFF), (0xF0000, 0x10FFFF),
)  # fmt: skip
_SYMBOL = re.compile(f"[{character_class(SYMBOLS)}]")

#: One token of a piece; the most frequent alternative comes first.
TOKEN = rf"""
    (?: [^\s.…`'"«»“”‘’„¡¿;@#$%&?!*()\[\]{{}}<>‒–—―{character_class(SYMBOLS)}:,-]+
      | \.(?!\.) | -(?!-) | '(?!') | [:,](?=\d) )+
  | {re.escape(URL_TOKEN)}
  | \.{{2,}} | …                          # two or more full stops
  | --                                    # the typewriter's dash
  | `+ | '' | ["«»“”‘’„¡¿;@#$%&?!*()\[\]{{}}<>‒–—―]
  | [:,](?!\d)                            # 3,50 and 10:30 stay whole
  | [\U0001f1e6-\U0001f1ff]{{2}}           # a flag is two letters
  | {_SYMBOL.pattern}
"""
_TOKEN = re.compile(TOKEN, re.VERBOSE)
_CLITIC = re.compile(r"(?i)(.*[^'])('(?:s|m|d|ll|re|ve)?|n't)")
_LEADING_APOSTROPHE = re.compile(r"(?i)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)")
_CONTRACTION = re.compile(r"(?i)\b(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)"
                     r"|(more)('n)|(wan)(na))\b")  # fmt: skip
_FIRST_OF_CONTRACTIONS = frozenset("cdglmwCDGLMW")
#: These become the opening or the closing pair, by the token before them.
QUOTES = frozenset(('"', "''"))
OPENS_QUOTE = frozenset(("(", "[", "{", "<"))
#: Tokens that may follow a sentence's full stop; a colon joins a title to its review.
CLOSERS = frozenset((")", "]", "}", ">", '"', "'", "''", "»", "”", "’", ":"))


def is_closer(token: str) -> bool:
    """Whether the token may follow a sentence's full stop: one of `CLOSERS`, or a symbol."""
    return token in CLOSERS or _SYMBOL.match(token) is not None


def split_piece(piece: str) -> list[str]:
    """The tokens of a piece: text without white space.

    >>> split_piece('("can\\'t')
    ['(', '``', 'ca', "n't"]
    """
    # Three of four distinct pieces are a bare word, or a word and a sign.
    word, sign = (piece, "") if piece.isalpha() else (piece[:-1], piece[-1:])
    if word.isalpha() and sign in _SIGNS and not is_contraction(word):
        if sign != ".":
            return [word, sign] if sign else [word]
        if len(word) > 1 and word.lower() not in ABBREVIATIONS:
            return [word, sign]
    tokens: list[str] = []
    raw_tokens: list[str] = _TOKEN.findall(piece)
    last_word = len(raw_tokens) - 1
    while last_word >= 0 and is_closer(raw_tokens[last_word]):
        last_word -= 1
    for index, token in enumerate(raw_tokens):
        if token in QUOTES:
            tokens.append("``" if not tokens or tokens[-1] in OPENS_QUOTE else "''")
        elif token[0].isalnum() or token[0] in ".'-" or len(token) > 1:
            tokens += split_word(token, ends_piece=index == last_word)
        else:
            tokens.append(token)
    return tokens


def split_word(word: str, *, ends_piece: bool) -> list[str]:
    """Separate clitics and a sentence's full stop from a word.

    Args:
        word: a match of `TOKEN` that is no quote.
        ends_piece: only closers follow it in its piece, see `is_closer`.
    """
    if stays_whole(word):
        return [word]
    before: list[str] = []
    after: list[str] = []
    if word[0] == "'" and _LEADING_APOSTROPHE.match(word):
        before.append("'")
        word = word[1:]
    stem = word.rstrip("'")
    if ends_piece and len(stem) > 1 and stem[-1] == "." and stem[-2] != ".":
        bare = stem[:-1]
        if bare.lower() not in ABBREVIATIONS and not _INITIALS.fullmatch(bare):
            after = [".", *(word[len(stem) :])]
            word = bare
    clitics: list[str] = []
    while (match := _CLITIC.fullmatch(word)) is not None and match[1]:
        word = match[1]
        clitics.insert(0, match[2])
    contraction = _CONTRACTION.fullmatch(word)
    words = [part for part in contraction.groups() if part] if contraction else [word]
    return [*before, *words, *clitics, *after]


def stays_whole(word: str) -> bool:
    """Whether `split_word` returns the token unchanged, wherever it stands."""
    if "'" in word or word[-1] == ".":
        return False
    return not is_contraction(word)


def is_contraction(word: str) -> bool:
    """Whether two words are written as one, such as "gonna"."""
    return (
        4 <= len(word) <= 6
        and word[0] in _FIRST_OF_CONTRACTIONS
        and _CONTRACTION.fullmatch(word) is not None
    )


class WordSplitter(Generic[T]):
    """The words of a review, or what is derived from them; each distinct piece is split once.

    Args:
        steps: cleaning steps, see `sentir.text.cleaning`.
        derive: maps the words of a piece to the values to keep: the words, or their ids.
    """

    def __init__(
        self, steps: Sequence[CleanStep], derive: Callable[[list[str]], Sequence[T]]
    ) -> None:
        # Entities and line breaks may hold spaces, so HTML goes before the split into pieces.
        self._clean_html: Callable[[str], str] = STEPS["html"] if "html" in steps else str
        self._clean_piece = cleaner([step for step in steps if step != "html"])
        self._derive = derive
        self._cache = _PieceCache(self._split)
        #: The values of one piece.
        self.of_piece: Callable[[str], Sequence[T]] = self._cache.__getitem__

    def _split(self, piece: str) -> Sequence[T]:
        piece = self._clean_piece(piece)
        if len(piece) <= MAX_PIECE_CHARACTERS:
            return self._derive(split_piece(piece))
        starts = range(0, len(piece), MAX_PIECE_CHARACTERS)
        parts = (split_piece(piece[start : start + MAX_PIECE_CHARACTERS]) for start in starts)
        return self._derive(list(chain.from_iterable(parts)))

    def __call__(self, text: str) -> list[T]:
        """The values of the text's words, in their order."""
        return list(chain.from_iterable(map(self.of_piece, self._clean_html(text).split())))


def strings_bytes(strings: Collection[str]) -> int:
    """Memory of strings that are the keys of a dictionary, with its entries (bytes)."""
    return sum(map(getsizeof, strings)) + ENTRY_BYTES * len(strings)


class _PieceCache(dict[str, Sequence[T]], Generic[T]):
    """A dictionary that computes missing values, and is emptied when its memory is full.

    Attributes:
        size_bytes: memory of the entries.
    """

    def __init__(self, compute: Callable[[str], Sequence[T]]) -> None:
        super().__init__()
        self._compute = compute
        self.size_bytes = 0

    def __missing__(self, piece: str) -> Sequence[T]:
        value = self._compute(piece)
        if len(piece) <= MAX_PIECE_CHARACTERS:
            size_bytes = getsizeof(piece) + ENTRY_BYTES + getsizeof(value)
            if value and isinstance(value[0], str):  # ids are shared with the vocabulary
                size_bytes += sum(map(getsizeof, value))
            if self.size_bytes + size_bytes > MAX_CACHE_BYTES:
                self.clear()
                self.size_bytes = 0
            self[piece] = value
            self.size_bytes += size_bytes
        return value
