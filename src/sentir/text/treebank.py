"""Words by the Penn Treebank's rules, a white-space piece at a time (many at once: `pieces`).

Reviews repeat themselves: after a few thousand of them nearly every piece between two blanks has
been seen. So the rules run once a distinct piece and the answer is kept; everything that can be
decided inside a piece (all cleaning but HTML, which may hold blanks, and all of the rules) costs
nothing from then on.

The rules are those of Robert MacIntyre's Treebank tokenizer as NLTK's ``word_tokenize`` carries
them (Bird, Klein and Loper 2009, *Natural Language Processing with Python*, ch. 3): punctuation
stands alone, ``"`` becomes the opening or closing pair, clitics leave their word (``do n't``,
``it 's``, ``can not``). Few things differ. A full stop ends a sentence wherever it ends a piece
that is not a known abbreviation, as the case that would tell is gone by then. And ``¡`` and ``¿``
stand alone, so that Spanish words stay whole, and so does ``…``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from sentir.text.cleaning import STEPS, URL_TOKEN, cleaner

if TYPE_CHECKING:
    from sentir.config import CleanStep

T = TypeVar("T")

#: Pieces remembered: about 200 MB at the very most, and every piece of most corpora.
MAX_PIECES = 500_000
#: A longer piece is not language (base64, a row of dashes); it is cut, not remembered.
MAX_PIECE_CHARACTERS = 100

ABBREVIATIONS = frozenset(
    (
        "mr mrs ms dr st jr sr prof gen col capt lt sgt rev hon sen rep gov vs vol inc ltd co corp "
        "fig approx dept est ed pp mt ft jan feb mar apr jun jul aug sep sept oct nov dec "
        "e.g i.e a.k.a ph.d sra srta dra ud uds pág núm"
    ).split()
)
#: What stands alone behind a word, whatever the word; the full stop depends on it.
_SIGNS = frozenset(("", ".", *",;:!?)"))
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")

#: One token of a piece; what is most of a text comes first.
TOKEN = rf"""
    (?: [^\s.…`'"«»“”‘’„¡¿;@#$%&?!*()\[\]{{}}<>‒–—―:,-]+
      | \.(?!\.) | -(?!-) | '(?!') | [:,](?=\d) )+
  | {re.escape(URL_TOKEN)}
  | \.{{2,}} | …                          # dots of any number, two or more
  | --                                    # the typewriter's dash
  | `+ | '' | ["«»“”‘’„¡¿;@#$%&?!*()\[\]{{}}<>‒–—―]
  | [:,](?!\d)                            # 3,50 and 10:30 stay whole
"""
_TOKEN = re.compile(TOKEN, re.VERBOSE)
_CLITIC = re.compile(r"(?i)(.*[^'])('(?:s|m|d|ll|re|ve)?|n't)")
_LEADING_APOSTROPHE = re.compile(r"(?i)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)")
_JOINED = re.compile(r"(?i)\b(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)"
                     r"|(more)('n)|(wan)(na))\b")  # fmt: skip
#: What becomes the opening or the closing pair, by what stands before it.
QUOTES = frozenset(('"', "''"))
OPENS_QUOTE = frozenset(("(", "[", "{", "<"))
#: What may stand behind a sentence's full stop; the colon joins a title to its review.
CLOSERS = frozenset((")", "]", "}", ">", '"', "'", "''", "»", "”", "’", ":"))


def split_piece(piece: str) -> list[str]:
    """The tokens of a stretch of text without blanks.

    >>> split_piece('("can\\'t')
    ['(', '``', 'ca', "n't"]
    """
    # Three of four distinct pieces are a bare word, or one with a sign behind it.
    word, sign = (piece, "") if piece.isalpha() else (piece[:-1], piece[-1:])
    if word.isalpha() and sign in _SIGNS and not _JOINED.fullmatch(word):
        if sign != ".":
            return [word, sign] if sign else [word]
        if len(word) > 1 and word.lower() not in ABBREVIATIONS:
            return [word, sign]
    tokens: list[str] = []
    found: list[str] = _TOKEN.findall(piece)
    last_word = len(found) - 1
    while last_word >= 0 and found[last_word] in CLOSERS:
        last_word -= 1
    for at, token in enumerate(found):
        if token in QUOTES:
            tokens.append("``" if not tokens or tokens[-1] in OPENS_QUOTE else "''")
        elif token[0].isalnum() or token[0] in ".'-" or len(token) > 1:
            tokens += split_word(token, ends_piece=at == last_word)
        else:
            tokens.append(token)
    return tokens


def split_word(word: str, *, ends_piece: bool) -> list[str]:
    """The tokens of a token that is no quote: its clitics, and a sentence's full stop, leave it.

    Args:
        word: what `TOKEN` found.
        ends_piece: nothing but `CLOSERS` stands behind it in its piece.
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
    joined = _JOINED.fullmatch(word)
    words = [part for part in joined.groups() if part] if joined else [word]
    return [*before, *words, *clitics, *after]


def stays_whole(word: str) -> bool:
    """Whether `split_word` leaves the token as it is, wherever it stands."""
    if "'" in word or word[-1] == ".":
        return False
    return not 4 <= len(word) <= 6 or not _JOINED.fullmatch(word)


class WordSplitter(Generic[T]):
    """What is kept of each word of a review, each distinct piece worked out once.

    Args:
        steps: cleaning steps, see `sentir.text.cleaning`.
        keep: what to keep of a piece's words: the words, or their ids.
    """

    def __init__(
        self, steps: Sequence[CleanStep], keep: Callable[[list[str]], Sequence[T]]
    ) -> None:
        # Entities and breaks may hold blanks, so they go before the split; all else is local.
        self._whole: Callable[[str], str] = STEPS["html"] if "html" in steps else str
        self._local = cleaner([step for step in steps if step != "html"])
        self._keep = keep
        self._known = _Known(self._work_out)
        #: What is kept of the words of one piece.
        self.of_piece: Callable[[str], Sequence[T]] = self._known.__getitem__

    def _work_out(self, piece: str) -> Sequence[T]:
        piece = self._local(piece)
        if len(piece) <= MAX_PIECE_CHARACTERS:
            return self._keep(split_piece(piece))
        cuts = range(0, len(piece), MAX_PIECE_CHARACTERS)
        parts = (split_piece(piece[at : at + MAX_PIECE_CHARACTERS]) for at in cuts)
        return self._keep(list(chain.from_iterable(parts)))

    def __call__(self, text: str) -> list[T]:
        """What is kept of the text's words, in their order."""
        return list(chain.from_iterable(map(self.of_piece, self._whole(text).split())))


class _Known(dict[str, Sequence[T]], Generic[T]):
    """A dictionary that works out what it lacks, and starts again when it is full."""

    def __init__(self, work_out: Callable[[str], Sequence[T]]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, piece: str) -> Sequence[T]:
        value = self._work_out(piece)
        if len(piece) <= MAX_PIECE_CHARACTERS:
            if len(self) >= MAX_PIECES:
                self.clear()
            self[piece] = value
        return value
