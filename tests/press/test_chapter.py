from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.chapter_source import OPENING, twins, write_chapter
from press.chapter import Cell, SourceError, chapter_paths


def test_a_chapter_has_a_number_a_title_and_a_summary(tmp_path: Path) -> None:
    chapter = write_chapter(tmp_path, OPENING + "```python folded\n1\n```\n", "07-some-name.md")
    assert (chapter.name, chapter.number) == ("07-some-name", 7)
    assert chapter.title("es") == "Título"
    assert chapter.summary("en") == "Summary."
    assert chapter.blocks[1] == Cell("1\n", "folded", 14)
    (tmp_path / "README.md").write_text("no chapter")
    assert chapter_paths(tmp_path) == [chapter.path]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "start with prose in both languages"),
        ("```python\n1\n```\n", "start with prose in both languages"),
        (OPENING + "stray", "01-test.md:13: text outside a block: 'stray'"),
        (OPENING + "```python\n1\n", "does not end"),
        (OPENING + "```python shown\n1\n```\n", "no kind of cell 'shown'"),
        (OPENING + "::: en\nOne.\n:::\n", "'::: es' is expected here, got '::: en'"),
        (OPENING + "::: es\nUno.\n:::\n\n```python\n1\n```\n", "English twin is missing"),
        (OPENING + "::: es\nUno.\n:::\n", "in both languages"),
        (OPENING + twins("Uno.\n\nDos.", "One."), "the languages differ at block 2: p and nothing"),
        (
            OPENING + twins("- uno\n- dos", "- one"),
            "the languages differ at block 4: li and nothing",
        ),
        (OPENING + twins("## Uno", "### One"), "the languages differ at block 1: h2 and h3"),
        (OPENING + twins("# Uno", "# One"), "a title and a summary start the chapter"),
        (twins("Uno.", "One."), "a title and a summary start the chapter"),
    ],
)
def test_a_source_that_is_not_as_described_is_refused(
    text: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError) as error:
        write_chapter(tmp_path, text)
    assert problem in str(error.value)


def test_a_source_with_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"call it NN-name\.md"):
        write_chapter(tmp_path, OPENING, "first.md")
