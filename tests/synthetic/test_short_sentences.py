from __future__ import annotations

import re

import pytest

from sentir.synthetic.reviews import LANGUAGES
from sentir.synthetic.short_sentences import short_sentences


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_sentences_depend_on_the_seed_and_alternate_classes(language: str) -> None:
    sentences = list(short_sentences(400, language=language, seed=3))
    assert sentences[:50] == list(short_sentences(50, language=language, seed=3))
    assert sentences != list(short_sentences(400, language=language, seed=4))
    assert [label for label, _ in sentences[:2]] == ["negative", "positive"]
    assert len({text for _, text in sentences}) > 300
    assert not any(re.search(r"[{}|]|\s$", text) for _, text in sentences)
