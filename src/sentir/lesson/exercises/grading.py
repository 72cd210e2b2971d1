"""A student's answers to the exercises of a chapter, judged: in the notebook, or from its file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from sentir.errors import DataError
from sentir.lesson.exercises.catalogue import check, exercises, find
from sentir.lesson.language import LANGUAGES, tr

_HEAD = {"en": ("exercise", "answer", ""), "es": ("ejercicio", "respuesta", "")}
_NONE = {"en": "no answer", "es": "sin respuesta"}
_TOTAL = {"en": "{} of {} right", "es": "{} de {} correctas"}


class Row(NamedTuple):
    """An exercise, the answer given (empty: none), whether it is right, and the message."""

    exercise: str
    answer: str
    right: bool
    message: str


@dataclass(frozen=True)
class Sheet:
    """All exercises of the chapters that the answers belong to, judged.

    Attributes:
        answers: by the exercise's name; an empty text is no answer.
        language: of the messages, and of the answers' numbers.

    Raises:
        UsageError: when it is shown: an unknown exercise or language.
    """

    answers: Mapping[str, str]
    language: str

    @property
    def rows(self) -> list[Row]:
        """In the order of the chapter."""
        chapters = sorted({find(name).chapter for name in self.answers})
        return [self._row(each.id) for chapter in chapters for each in exercises(chapter)]

    @property
    def total(self) -> str:
        """How many are right, in words."""
        rows = self.rows
        return tr(_TOTAL, self.language).format(sum(row.right for row in rows), len(rows))

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        rows = self.rows
        return {
            "right": sum(row.right for row in rows), "exercises": len(rows),
            "answers": [row._asdict() for row in rows],
        }  # fmt: skip

    def _row(self, name: str) -> Row:
        answer = str(self.answers.get(name, "")).strip()
        if not answer:
            return Row(name, "", False, tr(_NONE, self.language))
        verdict = check(name, answer, self.language)
        return Row(name, answer, verdict.right, verdict.message)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in tr(_HEAD, self.language))
        lines = "".join(
            f'<tr><th scope="row"><code>{escape(row.exercise)}</code></th>'
            f"<td>{escape(row.answer)}</td><td>{_mark(row)} {escape(row.message)}</td></tr>"
            for row in self.rows
        )
        return (
            f"<table><caption>{escape(self.total)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{lines}</tbody></table>"
        )


def _mark(row: Row) -> str:
    return "✓" if row.right else "✗" if row.answer else "–"


def read_sheet(path: Path, language: str | None = None) -> Sheet:
    """The sheet of a student's notebook. Its code is read, not run.

    Args:
        path: a notebook of the course, with a cell that assigns ``answers``.
        language: of the messages (unset: that of the notebook).

    Raises:
        DataError: the file cannot be read, is no notebook, has no such cell, or has answers that
            are not texts.
        UsageError: an answer to an exercise that does not exist.
    """
    answers: Mapping[str, str] | None = None
    written = "en"
    for name, value in _assigned(path):
        if name == "language" and value in LANGUAGES:
            written = value
        elif name == "answers":
            is_text = isinstance(value, dict) and all(
                isinstance(part, str) for pair in value.items() for part in pair
            )
            if not is_text:
                todo = 'write every answer between quotes: "rnn-step": "0.76"'
                raise DataError("answers are not texts", where=str(path), todo=todo)
            answers = value
    if answers is None:
        todo = "give a notebook of the course, in which the answers were written"
        raise DataError("no cell assigns answers", where=str(path), todo=todo)
    for exercise in answers:
        find(exercise)
    return Sheet(answers, language or written)


def _assigned(path: Path) -> Iterator[tuple[str, Any]]:
    """Names and the literal values that a notebook assigns to them; None for other values."""
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except (ValueError, KeyError, TypeError) as error:
        todo = "give a file that ends in .ipynb"
        raise DataError("this is no notebook", where=str(path), todo=todo) from error
    for code in codes:
        try:
            statements = ast.parse(code).body
        except SyntaxError as error:
            if not re.search(r"^answers\s*=", code, re.MULTILINE):  # a command of Jupyter
                continue
            todo = "correct the quotes, commas and braces of that cell"
            problem = f"the answers are no Python, line {error.lineno} of their cell"
            raise DataError(problem, where=str(path), todo=todo) from error
        for statement in statements:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                try:
                    value = ast.literal_eval(statement.value)
                except ValueError:
                    value = None
                yield statement.targets[0].id, value
