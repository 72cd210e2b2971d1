"""Text generation with a language model: next words, sampling and beam search.

Shapes: B continuations (beams), N words added, V vocabulary.

Only the forward direction is used. The unknown word is never generated, so probabilities are among
the words of the vocabulary.
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

#: Below it, only the likeliest word could be sampled.
MIN_TEMPERATURE = 1e-6


class Candidate(NamedTuple):
    """A next word and its probability, 0 to 1."""

    word: str
    probability: float


class Continuation(NamedTuple):
    """The words added, the whole text, and the probability of these words, 0 to 1."""

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
        """The likeliest next words, the likeliest first.

        Raises:
            UsageError: there is no word in the text.
        """
        with torch.inference_mode():
            log_probs_BV, _ = self._read(text)
        top = log_probs_BV[0].topk(min(count, log_probs_BV.shape[1] - UNK - 1))
        pairs = zip(top.indices.tolist(), top.values.exp().tolist(), strict=True)
        return [Candidate(self._words[id].lstrip(WORD_START), value) for id, value in pairs]

    def draw(self, text: str, words: int, *, temperature: float, seed: int = 0) -> Continuation:
        """Sample a continuation word by word.

        Args:
            text: the text to continue.
            words: how many words to add (subwords, if the model has such).
            temperature: divides the logits; below 1 likelier words are preferred, at 0 the
                likeliest is taken.
            seed: of the sampling.

        Raises:
            UsageError: there is no word in the text, or the temperature is not a finite number
                from 0 on.
        """
        if not 0 <= temperature < math.inf:
            raise UsageError(f"temperature = {temperature}", todo="take 0 or more, such as 0.8")
        generator = torch.Generator().manual_seed(seed)
        ids: list[int] = []
        log_prob = 0.0
        with torch.inference_mode():
            log_probs_BV, state = self._read(text)
            for _ in range(words):
                if temperature > MIN_TEMPERATURE:
                    probabilities_V = (log_probs_BV[0] / temperature).softmax(0)
                    word = int(torch.multinomial(probabilities_V, 1, generator=generator))
                else:
                    word = int(log_probs_BV[0].argmax())
                ids.append(word)
                log_prob += float(log_probs_BV[0, word])
                log_probs_BV, state = self._step(torch.tensor([word]), state)
        return self._continuation(text, ids, log_prob)

    def search(self, text: str, words: int, *, beams: int) -> list[Continuation]:
        """The continuations of a beam search, the likeliest first.

        Args:
            text: the text to continue.
            words: how many words to add.
            beams: continuations kept after each word, and returned.

        Raises:
            UsageError: there is no word in the text.
        """
        with torch.inference_mode():
            log_probs_BV, state = self._read(text)
            ids_BN, scores_B = torch.empty(1, 0, dtype=torch.int64), torch.zeros(1)
            for _ in range(words):
                scores_BV = scores_B[:, None] + log_probs_BV
                possible = int(scores_BV.isfinite().sum())
                scores_B, indices_B = scores_BV.flatten().topk(min(beams, possible))
                beam_B, word_B = (
                    indices_B // log_probs_BV.shape[1],
                    indices_B % log_probs_BV.shape[1],
                )
                ids_BN = torch.cat([ids_BN[beam_B], word_B[:, None]], dim=1)
                log_probs_BV, state = self._step(word_B, _rows_of(state, beam_B))
        pairs = zip(ids_BN.tolist(), scores_B.tolist(), strict=True)
        return [self._continuation(text, ids, log_prob) for ids, log_prob in pairs]

    def _read(self, text: str) -> tuple[Tensor, State]:
        """Log-probabilities of the next word, (1, V), and the state after the text."""
        ids = self._tokenizer.encode([text])[0]
        if not ids:
            raise UsageError("no word to continue", where="text", todo="give a few words")
        return self._log_probs(*self._model.read_forward(torch.tensor(ids)[:, None]))

    def _step(self, word_B: Tensor, state: State) -> tuple[Tensor, State]:
        return self._log_probs(*self._model.read_forward(word_B[None], state))

    @staticmethod
    def _log_probs(logits_BV: Tensor, state: State) -> tuple[Tensor, State]:
        logits_BV[:, UNK] = -torch.inf
        return logits_BV.log_softmax(1), state

    def _continuation(self, text: str, ids: list[int], log_prob: float) -> Continuation:
        words = [self._words[id] for id in ids]
        full_text = text.rstrip() + _join(words)
        stripped = [word.lstrip(WORD_START) for word in words]
        return Continuation(stripped, full_text, math.exp(log_prob))


def _rows_of(state: State, rows_B: Tensor) -> State:
    """The state of these continuations."""
    if isinstance(state, tuple):
        return state[0][:, rows_B], state[1][:, rows_B]
    return state[:, rows_B]


#: Words without a space before them, and those without one after them.
_NO_SPACE_BEFORE = frozenset((*".,;:!?)]}…%»”’", "...", "''", "'", "n't", "'s", "'re", "'ve", "'ll",
                           "'m", "'d"))  # fmt: skip
_NO_SPACE_AFTER = frozenset(("(", "[", "{", "¿", "¡", "``", "«", "“", "‘", "$", "#"))
_QUOTES = {"``": '"', "''": '"'}


def _join(words: list[str]) -> str:
    """The words as text that continues another: the Treebank's tokenisation undone."""
    if any(word.startswith(WORD_START) for word in words):
        return "".join(words).replace(WORD_START, " ")
    text, no_space = "", False
    for word in words:
        space = "" if no_space or word in _NO_SPACE_BEFORE else " "
        text += space + _QUOTES.get(word, word)
        no_space = word in _NO_SPACE_AFTER
    return text
