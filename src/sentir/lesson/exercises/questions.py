"""The exercises at the end of a chapter as HTML, for a page or a notebook."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from sentir.lesson.exercises.catalogue import exercises
from sentir.lesson.language import tr

_HINT = {"en": "Hint", "es": "Pista"}
_ANSWER = {"en": "Answer", "es": "Respuesta"}


@dataclass(frozen=True)
class Questions:
    """All exercises of a chapter in one language."""

    chapter: int
    language: str

    def _repr_html_(self) -> str:
        hint, answer = tr(_HINT, self.language), tr(_ANSWER, self.language)
        items = "".join(
            f"<li><p>{_lines(tr(exercise.question, self.language))} "
            f'<code title="check">{escape(exercise.id)}</code></p>'
            f"<details><summary>{hint}</summary>{_lines(tr(exercise.hint, self.language))}"
            "</details>"
            f"<details><summary>{answer}</summary>{_lines(exercise.answer(self.language))}"
            "</details></li>"
            for exercise in exercises(self.chapter)
        )
        return f'<ol class="questions">{items}</ol>'


def _lines(text: str) -> str:
    escaped = escape(text).replace("\n", "<br>")
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
