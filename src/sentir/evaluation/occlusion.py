"""Each word's effect on an answer, measured by leaving the word out.

The effect of a word is the log-odds of a class with the whole text, minus those without the word
(representation erasure: Li, Monroe and Jurafsky 2016, *Understanding Neural Networks through
Representation Erasure*). It needs answers only, no gradients, and so works for every engine.

Effects do not add up: of two words that say the same, either alone may be left out.

Shapes: T tokens, W words, N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.data.batching import truncate
from sentir.text.tokenizer import WORD_START, Tokenizer

Floats = npt.NDArray[np.float64]
#: Probabilities (N, C) of texts, each a list of ids.
Answers = Callable[[list[list[int]]], Floats]

#: Most answers that the effects of one text cost. In a longer text, neighbouring words are left
#: out together.
MAX_ANSWERS = 500


class TextRead(NamedTuple):
    """What a model reads of a text, in three lists of T.

    Attributes:
        ids: the tokens.
        tokens: as they are written.
        words: the word that each token belongs to.
    """

    ids: list[int]
    tokens: list[str]
    words: list[int]

    @classmethod
    def of(cls, text: str, tokenizer: Tokenizer, max_length: int) -> TextRead:
        """Those of a text, of which at most `max_length` tokens are read."""
        (ids,) = tokenizer.encode([text])
        tokens, words = tokenizer.tokens(text), tokenizer.words(text)
        kept = truncate(np.arange(len(ids)), max_length).tolist()
        return cls(*([part[place] for place in kept] for part in (ids, tokens, words)))


@dataclass(frozen=True, kw_only=True)
class WordEffect:
    """What a word does to the log-odds of a class.

    Attributes:
        text: the word; several with spaces between, where neighbours are left out together.
        start: its first token.
        end: the token after its last one.
        effect: log-odds (nats) with it, minus those without it: above 0, it speaks for the class.
    """

    text: str
    start: int
    end: int
    effect: float


def word_effects(
    ids: Sequence[int],
    tokens: Sequence[str],
    words: Sequence[int],
    answers: Answers,
    *,
    class_id: int,
    max_answers: int = MAX_ANSWERS,
) -> list[WordEffect]:
    """The effect of each word of a text, in its order.

    A text of one word without it is answered like an unknown word, as every empty text.

    Args:
        ids: the text, at least one token.
        tokens: as they are written.
        words: the word that each token belongs to.
        answers: the model.
        class_id: the class whose log-odds are measured.
        max_answers: above so many words, two neighbours are left out together, or three, and so on.
    """
    spans = list(_spans(words, max_answers))
    texts = [[*ids], *([*ids[:start], *ids[end:]] for start, end in spans)]
    log_odds_N = log_odds(answers(texts), class_id)
    return [
        WordEffect(
            text=_written(tokens[start:end], words[start:end]),
            start=start,
            end=end,
            effect=float(log_odds_N[0] - without),
        )
        for (start, end), without in zip(spans, log_odds_N[1:], strict=True)
    ]


def log_odds(probabilities_NC: Floats, class_id: int) -> Floats:
    """The log-odds (nats) of one class against all others, (N,).

    The others are added up: one minus a probability close to one has no digits left.
    """
    others_N = np.delete(probabilities_NC, class_id, axis=1).sum(axis=1)
    tiny = np.finfo(np.float64).tiny
    odds_N: Floats = np.log(probabilities_NC[:, class_id].clip(tiny)) - np.log(others_N.clip(tiny))
    return odds_N


def _spans(words: Sequence[int], max_answers: int) -> Iterator[tuple[int, int]]:
    """The tokens, from one to before another, that are left out together."""
    starts = [0, *(place for place in range(1, len(words)) if words[place] != words[place - 1])]
    together = -(-len(starts) // max_answers)
    yield from pairwise([*starts[::together], len(words)])


def _written(tokens: Sequence[str], words: Sequence[int]) -> str:
    """Tokens as text, the subwords of a word in one piece."""
    pairs = zip(words, tokens, strict=True)
    written = []
    for _, part in groupby(pairs, key=lambda pair: pair[0]):
        first, *others = (token for _, token in part)
        written.append("".join([first.removeprefix(WORD_START), *others]) if others else first)
    return " ".join(written)
