from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.polar_reviews import ADJECTIVES, NOUNS, VERBS, polar_lexicon
from sentir.training.negation import sentences as sentences_module
from sentir.training.negation.polar_words import GRAMMARS, Lexicon, Words
from sentir.training.negation.sentences import generate_sentences

#: Each slot's negative word and its positive one.
PAIRS = {name: (f"neg{name}", f"pos{name}") for name in "apndvqc"}


def lexicon_of(grammar: int) -> Lexicon:
    polar = {
        slot: (Words((PAIRS[slot][0],), (1.0,)), Words((PAIRS[slot][1],), (1.0,)))
        for slot in GRAMMARS[grammar].slots
    }
    return Lexicon(GRAMMARS[grammar], polar, Words(("noun",), (1.0,)))


def test_same_seed_gives_the_same_sentences_and_classes_take_turns(tmp_path: Path) -> None:
    _, _, lexicon = polar_lexicon(tmp_path / "train")
    made = list(generate_sentences(lexicon, 50, 3))
    assert made == list(generate_sentences(lexicon, 50, 3))
    assert made != list(generate_sentences(lexicon, 50, 4))
    assert [label for label, _ in made] == [0, 1] * 25
    polar = {word for sides in (ADJECTIVES, NOUNS, VERBS) for side in sides for word in side}
    assert all(polar & set(text.split()) for _, text in made)


@pytest.mark.parametrize("grammar", [0, 1])
def test_no_slot_is_left_open(grammar: int) -> None:
    for _, text in generate_sentences(lexicon_of(grammar), 2000, 0):
        assert "{" not in text
        assert "  " not in text


@pytest.mark.parametrize("grammar", [0, 1])
def test_a_turning_clause_holds_a_word_of_the_other_class(
    grammar: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences_module, "CONTRASTED", 0)
    for turned in (0, 1):
        monkeypatch.setattr(sentences_module, "TURNED", turned)
        for label, text in generate_sentences(lexicon_of(grammar), 400, 0):
            words = set(re.findall(r"\b(?:neg|pos)[apndvqc]\b", text))
            assert {word[:3] for word in words} == {("neg", "pos")[label != turned]}


@pytest.mark.parametrize("grammar", [0, 1])
def test_frames_hold_their_own_slot_and_known_names(grammar: int) -> None:
    for slot, frames in GRAMMARS[grammar].slots.items():
        for frame in (*frames.keep, *frames.turn):
            names = set(re.findall(r"\{(\w)\}", frame))
            assert slot in names
            assert names <= {slot, "t", "k"}


@pytest.mark.parametrize("grammar", [0, 1])
def test_joins_hold_both_clauses_once(grammar: int) -> None:
    for join in (*GRAMMARS[grammar].joins, *GRAMMARS[grammar].also):
        assert join.count("{0}") == join.count("{1}") == 1


def test_without_neutral_nouns_a_pronoun_stands_there() -> None:
    lexicon = lexicon_of(0)._replace(neutral=Words((), ()))
    texts = [text for _, text in generate_sentences(lexicon, 300, 0)]
    assert any("this it" in text for text in texts)
    assert not any("{k}" in text for text in texts)
