from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.chapter_source import OPENING, twins, write_chapter
from press.chapter import LANGUAGES
from press.notebooks import notebook, write_notebooks


@pytest.mark.parametrize(
    ("language", "computed"),
    [("en", "It is $x_{1}$: 2.5 and $2.50$."), ("es", "Es $x_{1}$: 2,5 y $2{,}50$.")],
)
def test_a_notebook_holds_the_chapter_in_one_language(
    language: str, computed: str, tmp_path: Path
) -> None:
    cells = "```python hidden\nx = {1: 2.5}\n```\n\n"
    prose = twins(
        "Es $x_{1}$: {{x[1]:.1f}} y ${{x[1]:.2f}}$.",
        "It is $x_{1}$: {{x[1]:.1f}} and ${{x[1]:.2f}}$.",
    )
    made = notebook(write_chapter(tmp_path, OPENING + cells + prose), language)
    title, _about, setting, code, passage = made["cells"]
    assert title["source"].startswith("# T")
    assert f'language = "{language}"' in setting["source"]
    assert code["metadata"]["jupyter"]["source_hidden"]
    assert not any(cell.get("outputs") for cell in made["cells"])
    names: dict[str, Any] = {}
    exec(code["source"], names)
    source = passage["source"].replace("from IPython.display import Markdown", "Markdown = str")
    exec(source.replace("\nMarkdown(", "\nwritten = Markdown("), names)
    assert names["written"].strip() == computed


def test_notebooks_of_removed_chapters_are_removed(tmp_path: Path) -> None:
    first = write_chapter(tmp_path, OPENING, "01-first.md")
    second = write_chapter(tmp_path, OPENING, "02-second.md")
    folder = tmp_path / "notebooks"
    write_notebooks([first, second], folder)
    write_notebooks([first], folder)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*")) == sorted(
        f"{language}/01-first.ipynb" for language in LANGUAGES
    )
