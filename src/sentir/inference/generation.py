"""Text generation with a language model: next words, sampling and beam search, without PyTorch.

Shapes: B continuations (beams), N words added, V vocabulary, T time.

Only the forward direction is used. The unknown word is never generated, so probabilities are among
the words of the vocabulary.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.bundle import LanguageBundle, load_language_model
from sentir.errors import UsageError
from sentir.inference.cells import State, unroll
from sentir.inference.network import Floats, LanguageModelWeights
from sentir.text.tokenizer import PAD, UNK, WORD_START

#: Below it, only the likeliest word could be sampled.
MIN_TEMPERATURE = 1e-6

Ints = npt.NDArray[np.int64]


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
        BundleError: there is no language model in the folder, or its weights are not those of its
            settings.
    """

    def __init__(self, model: str | Path | LanguageBundle) -> None:
        bundle = model if isinstance(model, LanguageBundle) else load_language_model(model)
        self._model = LanguageModelWeights.of(bundle)
        self._tokenizer = bundle.tokenizer
        self._words = bundle.tokenizer.vocabulary

    def next_words(self, text: str, count: int = 10) -> list[Candidate]:
        """The likeliest next words, the likeliest first.

        Raises:
            UsageError: there is no word in the text.
        """
        log_probs_V = self._read(text)[0][0]
        ids = _largest(log_probs_V, min(count, len(log_probs_V) - UNK - 1))
        pairs = zip(ids.tolist(), np.exp(log_probs_V[ids]).tolist(), strict=True)
        return [Candidate(self._words[id].lstrip(WORD_START), value) for id, value in pairs]

    def draw(self, text: str, words: int, *, temperature: float, seed: int = 0) -> Continuation:
        """Sample a continuation word by word.

        Args:
            text: the text to continue.
            words: how many words to add (subwords, if the model has such).
            temperature: divides the logits; below 1 likelier words are preferred, at 0 the
                likeliest is taken.
            seed: of the sampling, 0 or more.

        Raises:
            UsageError: there is no word in the text, the seed is negative, or the temperature is
                not a finite number from 0 on.
        """
        if not 0 <= temperature < math.inf:
            raise UsageError(f"temperature = {temperature}", todo="take 0 or more, such as 0.8")
        if seed < 0:
            raise UsageError(f"seed = {seed}", todo="take 0 or more")
        random = np.random.default_rng(seed)
        ids: list[int] = []
        log_prob = 0.0
        log_probs_BV, state = self._read(text)
        for _ in range(words):
            log_probs_V = log_probs_BV[0]
            if temperature > MIN_TEMPERATURE:
                weights_V = np.exp((log_probs_V - log_probs_V.max()) / temperature)
                word = int(random.choice(len(weights_V), p=weights_V / weights_V.sum()))
            else:
                word = int(log_probs_V.argmax())
            ids.append(word)
            log_prob += float(log_probs_V[word])
            log_probs_BV, state = self._continue([[word]], state)
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
        log_probs_BV, state = self._read(text)
        ids_BN, scores_B = np.empty((1, 0), np.int64), np.zeros(1)
        for _ in range(words):
            scores = (scores_B[:, None] + log_probs_BV).reshape(-1)
            best_B = _largest(scores, min(beams, int(np.isfinite(scores).sum())))
            beam_B, word_B = np.divmod(best_B, log_probs_BV.shape[1])
            scores_B = scores[best_B]
            ids_BN = np.concatenate([ids_BN[beam_B], word_B[:, None]], axis=1)
            log_probs_BV, state = self._continue(word_B[None], _rows_of(state, beam_B))
        pairs = zip(ids_BN.tolist(), scores_B.tolist(), strict=True)
        return [self._continuation(text, ids, log_prob) for ids, log_prob in pairs]

    def _read(self, text: str) -> tuple[Floats, State]:
        """As `_continue`, for one continuation, from the start of the text."""
        ids = self._tokenizer.encode([text])[0]
        if not ids:
            raise UsageError("no word to continue", where="text", todo="give a few words")
        return self._continue(np.array([ids]).T)

    def _continue(self, ids_TB: npt.ArrayLike, state: State | None = None) -> tuple[Floats, State]:
        """Log-probabilities of the next word, (B, V), and the state after these words."""
        model = self._model
        trace = unroll(model.cell, model.words_VE[np.asarray(ids_TB)], model.forward, state)
        outputs_BE = trace.hidden_TBH[-1] @ model.output_EH.T + model.output_bias_E
        logits_BV = (outputs_BE @ model.words_VE.T + model.bias_V).astype(np.float64)
        logits_BV[:, [PAD, UNK]] = -np.inf
        logits_BV -= logits_BV.max(axis=1, keepdims=True)
        return logits_BV - np.log(np.exp(logits_BV).sum(axis=1, keepdims=True)), trace.last

    def _continuation(self, text: str, ids: list[int], log_prob: float) -> Continuation:
        words = [self._words[id] for id in ids]
        full_text = text.rstrip() + _join(words)
        stripped = [word.lstrip(WORD_START) for word in words]
        return Continuation(stripped, full_text, math.exp(log_prob))


def _largest(values: Floats, count: int) -> Ints:
    """Where the largest values are, the largest first."""
    if not count:
        return np.empty(0, np.int64)
    unordered = np.argpartition(values, -count)[-count:]
    return unordered[np.argsort(-values[unordered], kind="stable")]


def _rows_of(state: State, rows_B: Ints) -> State:
    """The state of these continuations."""
    cell_BH = state.cell_BH
    return State(state.hidden_BH[rows_B], None if cell_BH is None else cell_BH[rows_B])


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
