"""How a sentence may go on, as a language model has learnt it.

Shapes: B continuations followed at a time, V vocabulary.

Only the direction that reads ahead speaks. A word without an id is never said, so probabilities are
among the words that the model knows.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from sentir.bundle import LanguageBundle, load_language_model
from sentir.errors import UsageError
from sentir.nn.language_model import State
from sentir.nn.restore import restore_language_model
from sentir.text.tokenizer import UNK, WORD_START

#: At temperatures below it the likeliest word is the only one that could be drawn.
COLDEST = 1e-6


class Candidate(NamedTuple):
    """A word that may come next, and its probability, 0 to 1."""

    word: str
    probability: float


class Continuation(NamedTuple):
    """The words that follow, the whole text with them, and their probability, 0 to 1."""

    words: list[str]
    text: str
    probability: float


class TextGenerator:
    """Continues texts with a language model.

    >>> import sentir
    >>> generator = sentir.TextGenerator("runs/lm")  # doctest: +SKIP
    >>> generator.next_words("the worst film I have")[0]  # doctest: +SKIP
    Candidate(word='seen', probability=0.41)

    Args:
        model: the folder of a language model or of its run, or the bundle itself.

    Raises:
        BundleError: there is no language model in the folder.
    """

    def __init__(self, model: str | Path | LanguageBundle) -> None:
        bundle = model if isinstance(model, LanguageBundle) else load_language_model(model)
        self._model = restore_language_model(bundle)
        self._tokenizer = bundle.tokenizer
        self._words = bundle.tokenizer.vocabulary

    def next_words(self, text: str, count: int = 10) -> list[Candidate]:
        """The likeliest words to come next, the likeliest first.

        Raises:
            UsageError: there is no word in the text.
        """
        with torch.inference_mode():
            logs_BV, _ = self._read(text)
        found = logs_BV[0].topk(min(count, logs_BV.shape[1] - UNK - 1))
        pairs = zip(found.indices.tolist(), found.values.exp().tolist(), strict=True)
        return [Candidate(self._words[at].lstrip(WORD_START), share) for at, share in pairs]

    def draw(self, text: str, words: int, *, temperature: float, seed: int = 0) -> Continuation:
        """Go on by a word at a time, each drawn by its probability.

        Args:
            text: the beginning.
            words: how many to add (pieces of words, if the model's words are cut into such).
            temperature: below 1 the likelier words are preferred, at 0 the likeliest is taken.
            seed: of the drawing.

        Raises:
            UsageError: there is no word in the text, or the temperature is no number from 0 on.
        """
        if not 0 <= temperature < math.inf:
            raise UsageError(f"temperature = {temperature}", todo="take 0 or more, such as 0.8")
        chance = torch.Generator().manual_seed(seed)
        said: list[int] = []
        total = 0.0
        with torch.inference_mode():
            logs_BV, state = self._read(text)
            for _ in range(words):
                if temperature > COLDEST:
                    shares_V = (logs_BV[0] / temperature).softmax(0)
                    word = int(torch.multinomial(shares_V, 1, generator=chance))
                else:
                    word = int(logs_BV[0].argmax())
                said.append(word)
                total += float(logs_BV[0, word])
                logs_BV, state = self._step(torch.tensor([word]), state)
        return self._continuation(text, said, total)

    def search(self, text: str, words: int, *, beams: int) -> list[Continuation]:
        """The likeliest continuations that a beam search finds, the likeliest first.

        Args:
            text: the beginning.
            words: how many to add.
            beams: continuations kept after each word, and given back.

        Raises:
            UsageError: there is no word in the text.
        """
        with torch.inference_mode():
            logs_BV, state = self._read(text)
            said_BN, totals_B = torch.empty(1, 0, dtype=torch.int64), torch.zeros(1)
            for _ in range(words):
                totals_BV = totals_B[:, None] + logs_BV
                possible = int(totals_BV.isfinite().sum())
                totals_B, places_B = totals_BV.flatten().topk(min(beams, possible))
                from_B, word_B = places_B // logs_BV.shape[1], places_B % logs_BV.shape[1]
                said_BN = torch.cat([said_BN[from_B], word_B[:, None]], dim=1)
                logs_BV, state = self._step(word_B, _of(state, from_B))
        pairs = zip(said_BN.tolist(), totals_B.tolist(), strict=True)
        return [self._continuation(text, said, total) for said, total in pairs]

    def _read(self, text: str) -> tuple[Tensor, State]:
        """Logarithms of the next words' probabilities, (1, V), and the state behind the text."""
        ids = self._tokenizer.encode([text])[0]
        if not ids:
            raise UsageError("no word to go on from", where="text", todo="give a few words")
        return self._known(*self._model.read_forward(torch.tensor(ids)[:, None]))

    def _step(self, word_B: Tensor, state: State) -> tuple[Tensor, State]:
        return self._known(*self._model.read_forward(word_B[None], state))

    @staticmethod
    def _known(scores_BV: Tensor, state: State) -> tuple[Tensor, State]:
        scores_BV[:, UNK] = -torch.inf
        return scores_BV.log_softmax(1), state

    def _continuation(self, text: str, said: list[int], total: float) -> Continuation:
        words = [self._words[at] for at in said]
        whole = text.rstrip() + _written(words)
        return Continuation([word.lstrip(WORD_START) for word in words], whole, _power(total))


def _of(state: State, rows_B: Tensor) -> State:
    """The state of these continuations."""
    if isinstance(state, tuple):
        return state[0][:, rows_B], state[1][:, rows_B]
    return state[:, rows_B]


def _power(total: float) -> float:
    return float(torch.tensor(total, dtype=torch.float64).exp())


#: Words that stand close to what is before them, or to what is behind.
_CLOSE_BEFORE = frozenset((*".,;:!?)]}…%»”’", "...", "''", "'", "n't", "'s", "'re", "'ve", "'ll",
                           "'m", "'d"))  # fmt: skip
_CLOSE_BEHIND = frozenset(("(", "[", "{", "¿", "¡", "``", "«", "“", "‘", "$", "#"))
_SIGNS = {"``": '"', "''": '"'}


def _written(words: list[str]) -> str:
    """The words as they are written behind a text, the Treebank's cuts undone."""
    if any(word.startswith(WORD_START) for word in words):
        return "".join(words).replace(WORD_START, " ")
    written, close = "", False
    for word in words:
        blank = "" if close or word in _CLOSE_BEFORE else " "
        written += blank + _SIGNS.get(word, word)
        close = word in _CLOSE_BEHIND
    return written
