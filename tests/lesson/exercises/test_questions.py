from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from sentir.errors import UsageError
from sentir.lesson.exercises.catalogue import exercises
from sentir.lesson.exercises.questions import Questions


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("chapter", range(1, 11))
def test_hints_and_answers_are_folded(chapter: int, language: str) -> None:
    html = Questions(chapter, language)._repr_html_()
    root = ET.fromstring(html.replace("<br>", "<br/>"))
    assert len(root) == len(exercises(chapter)) == 5
    assert html.count("<details>") == 2 * 5
    assert "`" not in html


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError):
        Questions(2, "fr")._repr_html_()
