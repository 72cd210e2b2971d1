"""Polar words of the training reviews, by the slots of a grammar that they stand in.

Which words are positive or negative is read from the reviews themselves. A word's polarity is the
naive-Bayes log-count ratio (Wang and Manning 2012) of the reviews that hold it outside of the scope
of a negation: from the negation to the next punctuation (Das and Chen 2001, Pang et al. 2002), at
most `SCOPE` tokens. So "work" is not negative, though most reviews that hold it say "does not
work". What part of speech a word is follows from the closed-class words around it
(`sentir.training.negation.grammar.Probe`): what stands after "it was" or "very" is an adjective.

Shapes: T tokens of all reviews, each review followed by padding; V vocabulary; N reviews.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.data.batching import concatenate
from sentir.data.dataset import Reviews, class_probabilities
from sentir.text.tokenizer import PAD, UNK, WordTokenizer
from sentir.training.negation.english import ENGLISH
from sentir.training.negation.grammar import Grammar, Probe
from sentir.training.negation.spanish import SPANISH
from sentir.training.ngram_counts import distinct_pairs, sample_rows

GRAMMARS = (ENGLISH, SPANISH)
#: Share of all tokens that a language's function words must be for its grammar to be used.
MIN_LANGUAGE_SHARE = 0.1
#: Tokens after a negation that it reaches at most.
SCOPE = 4
PUNCTUATION = (".", ",", "!", "?", ";", ":")
#: Least reviews of a polar word, and its least log-count ratio: half as likely again in one class.
MIN_REVIEWS, MIN_LOG_RATIO = 10, 0.4
#: Largest absolute log-count ratio of a neutral word.
MAX_NEUTRAL_LOG_RATIO = 0.3
#: Least occurrences of a word in a slot, and the share of all its occurrences that they are.
MIN_FOUND, MIN_SHARE = 5, 0.02
#: Share of what it has in its commonest slot that a word must have in another exclusive one.
MIN_SHARE_OF_MOST = 0.5
#: Most words of a slot and polarity, and the least: a slot with fewer is left empty.
MAX_WORDS, MIN_WORDS = 60, 3

Ints = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Words(NamedTuple):
    """Words with how often each is drawn, relative to the others."""

    words: tuple[str, ...]
    weights: tuple[float, ...]


class Lexicon(NamedTuple):
    """A grammar and its open-class words: negative and positive ones by slot, neutral nouns."""

    grammar: Grammar
    polar: Mapping[str, tuple[Words, Words]]
    neutral: Words


class _Tokens(NamedTuple):
    """The tokens of all reviews in one row, the review of each, and the reviews' positive share."""

    ids_T: Ints
    owner_T: Ints
    share_N: Floats


def find_lexicons(train: Reviews, tokenizer: WordTokenizer, max_length: int) -> list[Lexicon]:
    """The words of each known language that the reviews are written in.

    Args:
        train: reviews of two classes, negative and positive.
        tokenizer: of their words.
        max_length: tokens that a review counts with.
    """
    rows_N = sample_rows(train, max_length)
    share_N = class_probabilities(train, 2)[rows_N, 1].astype(np.float64)
    tokens = _Tokens(*concatenate([train[row] for row in rows_N]), share_N)
    counts_V = np.bincount(tokens.ids_T, minlength=len(tokenizer.vocabulary))
    least = MIN_LANGUAGE_SHARE * counts_V[UNK:].sum()
    found = [
        _lexicon(grammar, tokens, counts_V, tokenizer)
        for grammar in GRAMMARS
        if counts_V[ids_of(grammar.function_words, tokenizer)].sum() >= least
    ]
    return [lexicon for lexicon in found if lexicon.polar]


def ids_of(words: Iterable[str], tokenizer: WordTokenizer) -> Ints:
    """The ids of those words that are in the vocabulary."""
    ids = (tokenizer.id_of(word) for word in words)
    return np.array([id for id in ids if id != UNK], dtype=np.int64)


def in_scope(ids_T: Ints, grammar: Grammar, tokenizer: WordTokenizer) -> Flags:
    """Whether each token is in the scope of a negation."""
    ends = [PAD, *ids_of((*PUNCTUATION, *grammar.contrast), tokenizer)]
    reached_T = np.isin(ids_T, ids_of(grammar.negations, tokenizer))
    is_end_T, is_negated_T = np.isin(ids_T, ends), np.zeros(len(ids_T), bool)
    for _ in range(SCOPE):
        reached_T = np.append(False, reached_T[:-1]) & ~is_end_T
        is_negated_T |= reached_T
    return is_negated_T


def _lexicon(
    grammar: Grammar, tokens: _Tokens, counts_V: Ints, tokenizer: WordTokenizer
) -> Lexicon:
    vocabulary = tokenizer.vocabulary
    is_said_T = (tokens.ids_T > UNK) & ~in_scope(tokens.ids_T, grammar, tokenizer)
    ratio_V, reviews_V = _log_ratios(tokens, is_said_T, len(vocabulary))
    is_open_V = np.array([word.isalpha() and len(word) > 2 for word in vocabulary])
    is_open_V[ids_of((*grammar.function_words, *grammar.negations), tokenizer)] = False
    is_open_V &= reviews_V >= MIN_REVIEWS
    score_V = np.abs(ratio_V) * np.sqrt(reviews_V)
    found = {
        slot: _count_in_slot(tokens.ids_T, frames.probe, tokenizer)
        for slot, frames in grammar.slots.items()
    }
    exclusive = [slot for slot, frames in grammar.slots.items() if frames.is_exclusive]
    least_V = MIN_SHARE_OF_MOST * np.max([found[slot] for slot in exclusive], axis=0)
    polar = {}
    for slot, found_V in found.items():
        fits_V = is_open_V & (found_V >= np.maximum(MIN_FOUND, MIN_SHARE * counts_V))
        if slot in exclusive:
            fits_V &= found_V >= least_V
        negative, positive = (
            _choose(score_V * (fits_V & (sign * ratio_V >= MIN_LOG_RATIO)), found_V, vocabulary)
            for sign in (-1, 1)
        )
        if min(len(negative.words), len(positive.words)) >= MIN_WORDS:
            polar[slot] = negative, positive
    found_V = _count_in_slot(tokens.ids_T, grammar.neutral, tokenizer)
    fits_V = is_open_V & (np.abs(ratio_V) <= MAX_NEUTRAL_LOG_RATIO)
    fits_V &= found_V >= np.maximum(MIN_FOUND, MIN_SHARE * counts_V)
    return Lexicon(grammar, polar, _choose(found_V * fits_V, found_V, vocabulary))


def _log_ratios(tokens: _Tokens, is_counted_T: Flags, size: int) -> tuple[Floats, Ints]:
    """The polarity of each word, positive above 0, and the reviews that hold it, each (V,)."""
    owners, ids = distinct_pairs(tokens.owner_T[is_counted_T], tokens.ids_T[is_counted_T], size)
    share_N = tokens.share_N
    reviews_V = np.bincount(ids, minlength=size)
    inside_V = np.bincount(ids, share_N[owners], minlength=size)
    inside, outside = share_N.sum() + 1, (1 - share_N).sum() + 1
    ratio_V = np.log((inside_V + 1) / inside) - np.log((reviews_V - inside_V + 1) / outside)
    return ratio_V, reviews_V


def _count_in_slot(ids_T: Ints, probe: Probe, tokenizer: WordTokenizer) -> Ints:
    """How often each word stands where the probe says, (V,)."""
    before_T, before2_T = np.roll(ids_T, 1), np.roll(ids_T, 2)
    is_here_T = np.zeros(len(ids_T), bool)
    for words in probe.before:
        *first, last = (tokenizer.id_of(word) for word in words.split())
        if UNK not in (*first, last):
            is_here_T |= (before_T == last) & (before2_T == first[0] if first else True)
    if probe.after:
        is_here_T &= np.isin(np.roll(ids_T, -1), ids_of(probe.after, tokenizer))
    return np.bincount(ids_T[is_here_T], minlength=len(tokenizer.vocabulary))


def _choose(score_V: npt.NDArray[Any], found_V: Ints, vocabulary: Sequence[str]) -> Words:
    """The words with the highest scores above 0, weighted by the root of `found_V`."""
    best = np.argsort(-score_V, kind="stable")[:MAX_WORDS]
    best = best[score_V[best] > 0]
    return Words(tuple(vocabulary[id] for id in best), tuple(np.sqrt(found_V[best]).tolist()))
