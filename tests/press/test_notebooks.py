from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from fixtures.chapter_source import OPENING, twins, write_chapter
from press.chapter import LANGUAGES
from press.notebooks import notebook, write_notebooks
from press.running import not_run, run_chapter


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
    assert f"/{language}/01-test.ipynb" in _about["source"]  # the button
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
    write_notebooks([first, second], folder, {})
    write_notebooks([first], folder, {})
    assert sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*")) == sorted(
        f"{language}/01-first.ipynb" for language in LANGUAGES
    )


CELLS = (
    "```python\nprint('printed')\nx = 2.5\n```\n\n"
    "```python claims\nassert x\n```\n\n"
    "```python\nfrom sentir.lesson.figures.pictures import table\n\ntable(['a'], [['b']])\n```\n\n"
)


def test_a_notebook_has_the_outputs_of_its_run_and_no_claims(tmp_path: Path) -> None:
    prose = twins("Antes.\n\nEs {{x:.1f}}.", "Before.\n\nIt is {{x:.1f}}.")
    chapter = write_chapter(tmp_path, OPENING + CELLS + prose)
    made = notebook(chapter, "es", run_chapter(chapter, "es"))
    assert not any("assert" in cell["source"] for cell in made["cells"])
    outputs = [output for cell in made["cells"] for output in cell.get("outputs", ())]
    assert outputs[0] == {"output_type": "stream", "name": "stdout", "text": "printed\n"}
    assert "<td>" in outputs[1]["data"]["text/html"] or "<th" in outputs[1]["data"]["text/html"]
    assert outputs[2]["data"] == {"text/markdown": "Es 2,5."}
    nbformat.validate(nbformat.from_dict(made))


def test_outputs_stay_until_the_cells_change(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    chapter = write_chapter(tmp_path, OPENING + CELLS)
    runs = {chapter.name: {language: run_chapter(chapter, language) for language in LANGUAGES}}
    write_notebooks([chapter], folder, runs)
    path = folder / "en" / "01-test.ipynb"
    assert "printed" in json.loads(path.read_text("utf-8"))["cells"][3]["outputs"][0]["text"]
    before = path.read_bytes()
    skipped = {chapter.name: {language: not_run(chapter, language) for language in LANGUAGES}}
    for unrun in ({}, skipped):
        write_notebooks([chapter], folder, unrun)
        assert path.read_bytes() == before
    write_notebooks(
        [write_chapter(tmp_path, OPENING.replace("Summary", "New") + CELLS)], folder, {}
    )
    text = path.read_text("utf-8")
    assert "New." in text
    assert "printed\\n" in text
    write_notebooks([write_chapter(tmp_path, OPENING + CELLS + CELLS)], folder, {})
    assert not any(cell.get("outputs") for cell in json.loads(path.read_text("utf-8"))["cells"])
