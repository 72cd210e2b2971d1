"""Single sentences of the reviews that surely have the label of their review.

A sentence of a positive review need not be positive. It is taken for one where the n-gram linear
model says so too; and where a polar word is negated, which that model misreads, where the words
say so by the grammar.

Shapes: S sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from sentir.data.batching import concatenate
from sentir.data.dataset import Reviews, class_probabilities
from sentir.text.tokenizer import WordTokenizer
from sentir.training.negation.polar_words import Lexicon, ids_of, in_scope

#: Tokens of a sentence, and sentences of a review.
MIN_TOKENS, MAX_TOKENS, PER_REVIEW = 3, 25, 3
#: Sentences that are looked at for each that is wanted.
CANDIDATES = 3
#: Least absolute logit of the n-gram linear model.
MIN_LOGIT = 0.5
SENTENCE_ENDS = (".", "!", "?")

Logits = Callable[[list[list[int]]], npt.NDArray[np.floating]]


def find_excerpts(
    train: Reviews,
    lexicons: Sequence[Lexicon],
    tokenizer: WordTokenizer,
    logits: Logits,
    count: int,
    seed: int,
) -> tuple[list[list[int]], list[int]]:
    """At most `count` sentences as ids, and their classes.

    Args:
        train: reviews of two classes.
        lexicons: of their languages.
        tokenizer: of their words.
        logits: the linear model's, (S,), for texts as ids.
        count: number of sentences.
        seed: random seed.
    """
    random = np.random.default_rng(seed)
    ends = set(ids_of(SENTENCE_ENDS, tokenizer).tolist())
    labels_N = class_probabilities(train, 2).argmax(axis=1)
    sentences: list[list[int]] = []
    labels: list[int] = []
    for row in random.permutation(len(train)):
        if len(sentences) >= CANDIDATES * count:
            break
        own = [one for one in _split(train[row].tolist(), ends) if len(one) >= MIN_TOKENS]
        own = [one for one in own if len(one) <= MAX_TOKENS]
        for index in random.permutation(len(own))[:PER_REVIEW]:
            sentences.append(own[index])
            labels.append(int(labels_N[row]))
    if not sentences:
        return [], []
    signs_S, is_negated_S = _by_grammar(sentences, lexicons, tokenizer)
    logits_S, is_positive_S = logits(sentences), np.array(labels) == 1
    logits_S = np.where(np.abs(logits_S) < MIN_LOGIT, 0, logits_S)
    says_S = np.where(is_negated_S, signs_S, logits_S)
    rows = np.flatnonzero((says_S != 0) & ((says_S > 0) == is_positive_S))[:count].tolist()
    return [sentences[row] for row in rows], [labels[row] for row in rows]


def _split(ids: list[int], ends: set[int]) -> list[list[int]]:
    sentences: list[list[int]] = [[]]
    for id in ids:
        sentences[-1].append(id)
        if id in ends:
            sentences.append([])
    return sentences


def _by_grammar(
    sentences: Sequence[Sequence[int]], lexicons: Sequence[Lexicon], tokenizer: WordTokenizer
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Positive less negative words of each sentence, and whether any is negated, both (S,)."""
    ids_T, owner_T = concatenate(sentences)
    signs_S, negated_S = np.zeros(len(sentences), np.int64), np.zeros(len(sentences), np.int64)
    for lexicon in lexicons:
        sign_V = np.zeros(len(tokenizer.vocabulary), np.int64)
        for negative, positive in reversed([*lexicon.polar.values()]):  # the first slot counts
            sign_V[ids_of(negative.words, tokenizer)] = -1
            sign_V[ids_of(positive.words, tokenizer)] = 1
        is_negated_T = in_scope(ids_T, lexicon.grammar, tokenizer)
        sign_T = sign_V[ids_T] * np.where(is_negated_T, -1, 1)
        np.add.at(signs_S, owner_T, sign_T)
        np.add.at(negated_S, owner_T, (is_negated_T & (sign_T != 0)).astype(np.int64))
    return signs_S, negated_S > 0
