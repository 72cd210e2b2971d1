from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.polar_reviews import (
    ADJECTIVES,
    NEUTRAL,
    NOUNS,
    VERBS,
    polar_corpus,
    polar_lexicon,
)
from fixtures.tiny_problem import write_corpus
from sentir.config import CLEAN_STEPS
from sentir.text.tokenizer import WordTokenizer
from sentir.training.negation.english import ENGLISH
from sentir.training.negation.polar_words import Words, find_lexicons, in_scope


def test_polar_words_are_found_in_their_slots(tmp_path: Path) -> None:
    _, _, lexicon = polar_lexicon(tmp_path / "train")
    assert lexicon.grammar is ENGLISH
    for slot, sides in {"a": ADJECTIVES, "n": NOUNS, "v": VERBS}.items():
        for words, expected in zip(lexicon.polar[slot], sides, strict=True):
            assert sorted(words.words) == sorted(expected)
            assert all(weight > 0 for weight in words.weights)
    assert sorted(lexicon.neutral.words) == sorted(NEUTRAL)


def test_verb_is_polar_though_it_is_negated_as_often(tmp_path: Path) -> None:
    """Each verb stands in as many reviews of either class, in one of them after "not"."""
    corpus, tokenizer, lexicon = polar_lexicon(tmp_path / "train")
    verb = tokenizer.id_of("recommend")
    holding = [int(corpus.labels_N[row]) for row in range(len(corpus)) if verb in corpus[row]]
    assert 0.3 < np.mean(holding) < 0.7
    assert "recommend" in lexicon.polar["v"][1].words


def test_scope_ends_at_punctuation_contrast_and_four_tokens() -> None:
    text = "it was not very good , but lovely . never a b c d e . not but fine"
    tokenizer = WordTokenizer(sorted(set(text.split())), CLEAN_STEPS)
    ids_T = np.array(tokenizer.encode([text])[0])
    negated = [
        word
        for word, flag in zip(text.split(), in_scope(ids_T, ENGLISH, tokenizer), strict=True)
        if flag
    ]
    assert negated == ["very", "good", "a", "b", "c", "d"]


@pytest.mark.parametrize("text", ["das ist gut gemacht", "la película es muy buena y el final"])
def test_grammar_is_used_where_its_language_is_written(tmp_path: Path, text: str) -> None:
    tokenizer = WordTokenizer(sorted(set(text.split())), CLEAN_STEPS)
    corpus = write_corpus(tmp_path / "t", tokenizer.encode([text] * 40), [0, 1] * 20)
    assert find_lexicons(corpus, tokenizer, 1000) == []  # no polar words, or no known language


def test_words_of_few_reviews_are_left_out(tmp_path: Path) -> None:
    corpus, tokenizer = polar_corpus(tmp_path / "few", 12)
    assert find_lexicons(corpus, tokenizer, 1000) == []


def test_words_are_plain_data() -> None:
    assert Words(("a",), (1.0,))._fields == ("words", "weights")
