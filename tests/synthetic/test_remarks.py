from __future__ import annotations

import re
from collections import Counter

import pytest

from sentir.errors import UsageError
from sentir.synthetic.remarks import remarks, with_unknown_words
from sentir.synthetic.reviews import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_remarks_depend_on_the_seed_and_alternate_classes(language: str) -> None:
    said = list(remarks(400, language=language, seed=3))
    assert said[:50] == list(remarks(50, language=language, seed=3))
    assert said != list(remarks(400, language=language, seed=4))
    assert [label for label, _ in said[:2]] == ["negative", "positive"]
    assert len({text for _, text in said}) > 300
    assert not any(re.search(r"[{}|]|\s$", text) for _, text in said)


def test_unknown_words_occur_once_and_nonsense_has_labels_by_chance() -> None:
    rows = [("positive", "a b c d")] * 4000
    made = list(with_unknown_words(rows, seed=1))
    assert made == list(with_unknown_words(rows, seed=1))
    counts = Counter(word for _, text in made for word in text.split())
    assert set(counts) > {"a", "b", "c", "d"}
    assert all(count == 1 for word, count in counts.items() if len(word) > 1)
    assert all(word.isalpha() for word in counts)
    nonsense = Counter(label for label, text in made if not {*text.split()} & {"a", "b"})
    assert sum(nonsense.values()) == len(made) - len(rows) == 500
    assert 0.4 < nonsense["positive"] / 500 < 0.6


def test_no_word_comes_into_a_line_break() -> None:
    texts = [text for _, text in with_unknown_words([("positive", "a.<br />b")] * 400)]
    assert all("<br/>" in text for text in texts if "a." in text)


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="no remarks in 'fr'; use one of en, es"):
        next(remarks(1, language="fr"))
