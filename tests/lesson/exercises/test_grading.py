"""Answers judged in the notebook, and from its file without running it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fixtures.answered_notebook import answered_notebook, notebook
from sentir.errors import DataError, UsageError
from sentir.lesson.exercises.catalogue import chapters, exercises
from sentir.lesson.exercises.grading import Sheet, read_sheet


@pytest.mark.parametrize("language", ["es", "en"])
def test_right_answers_of_every_chapter_are_right(language: str, tmp_path: Path) -> None:
    answers = {
        each.id: each.answer(language) for chapter in chapters() for each in exercises(chapter)
    }
    sheet = read_sheet(answered_notebook(tmp_path / "all.ipynb", answers, language))
    assert sheet.language == language
    assert all(row.right for row in sheet.rows)
    assert sheet.to_dict()["right"] == len(sheet.rows) == 5 * len(chapters())


def test_a_sheet_holds_the_whole_chapter_and_marks_what_is_missing() -> None:
    sheet = Sheet({"rnn-weights": "36", "rnn-step": "<b>"}, "es")
    assert [row.exercise for row in sheet.rows] == [each.id for each in exercises(2)]
    assert sheet.total == "1 de 5 correctas"
    root = ET.fromstring(sheet._repr_html_())
    marks = [("".join(row[2].itertext()) or " ")[0] for row in root.iter("tr")][1:]
    assert marks == ["✗", "–", "✓", "–", "–"]
    assert sheet.rows[1].message == "sin respuesta"


def test_the_language_of_the_notebook_can_be_overridden(tmp_path: Path) -> None:
    path = answered_notebook(tmp_path / "a.ipynb", {"rnn-step": "0,76"}, "es")
    assert read_sheet(path, "en").rows[0].message == "Right: 0.76."


def test_code_is_read_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    touch = f"open({str(mark)!r}, 'w').close()"
    path = notebook(tmp_path / "a.ipynb", [touch, 'answers = {"rnn-step": "0.76"}'])
    assert read_sheet(path).rows[0].right
    assert not mark.exists()


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (["x = 1"], "no cell assigns answers"),
        (['answers = {"rnn-step": 0.76}'], "answers are not texts"),
        (["answers = dict()"], "answers are not texts"),
        (['x = 1\nanswers = {"rnn-step": 0.76'], "the answers are no Python, line 2 of their cell"),
    ],
)
def test_a_notebook_without_readable_answers_is_refused(
    codes: list[str], message: str, tmp_path: Path
) -> None:
    path = notebook(tmp_path / "a.ipynb", codes)
    with pytest.raises(DataError) as error:
        read_sheet(path)
    assert str(error.value).startswith(f"{path}: {message}; ")


def test_other_files_and_exercises_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_sheet(tmp_path / "missing.ipynb")
    text = tmp_path / "text.ipynb"
    for content in ("no JSON", "[]", '{"cells": 1}'):
        text.write_text(content)
        with pytest.raises(DataError, match="this is no notebook; give a file that ends in"):
            read_sheet(text)
    with pytest.raises(UsageError, match="no exercise 'riddle'"):
        read_sheet(notebook(tmp_path / "a.ipynb", ['answers = {"riddle": "1"}']))
