"""Notebooks: a chapter in one language, its cells not yet run."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from press.chapter import LANGUAGES, Chapter, Prose
from press.markdown import with_links
from press.running import INSERTED

_ABOUT = {
    "es": "*Hace falta tener Sentir instalado (`pip install .` en su carpeta). Ejecute las celdas en "
    "orden: todo lo que vea lo calcula su propia máquina.*",
    "en": "*Sentir has to be installed (`pip install .` in its folder). Run the cells in order: all "
    "that you see is computed by your own machine.*",
}


def notebook(chapter: Chapter, language: str) -> NotebookNode:
    """The chapter as a notebook; the same source gives the same notebook."""
    cells = [_code(f'language = "{language}"')]
    for block in chapter.blocks:
        if isinstance(block, Prose):
            cells += _prose(with_links(block.texts[language], "ipynb"))
        else:
            cells.append(_code(block.code.strip("\n"), folded=block.kind in ("hidden", "folded")))
    cells.insert(2, v4.new_markdown_cell(_ABOUT[language]))
    cells[0], cells[1] = cells[1], cells[0]  # the title first
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


def notebook_text(chapter: Chapter, language: str) -> str:
    """The notebook's file."""
    return nbformat.writes(notebook(chapter, language), indent=1) + "\n"


def write_notebooks(chapters: list[Chapter], folder: Path) -> None:
    """Write every chapter's notebooks, and remove those of chapters that are gone."""
    for language in LANGUAGES:
        place = folder / language
        place.mkdir(parents=True, exist_ok=True)
        for old in place.glob("*.ipynb"):
            if old.stem not in {chapter.name for chapter in chapters}:
                old.unlink()
        for chapter in chapters:
            path = place / f"{chapter.name}.ipynb"
            path.write_text(notebook_text(chapter, language), "utf-8")


def _code(source: str, *, folded: bool = False) -> NotebookNode:
    cell = v4.new_code_cell(source)
    if folded:
        cell["metadata"]["jupyter"] = {"source_hidden": True}
    return cell


def _prose(text: str) -> list[NotebookNode]:
    """Markdown cells; a paragraph that holds computed values is a cell that writes it."""
    cells = []
    for computed, paragraphs in groupby(text.split("\n\n"), lambda part: "{{" in part):
        passage = "\n\n".join(paragraphs)
        if not computed:
            cells.append(v4.new_markdown_cell(passage))
            continue
        pieces = re.split(INSERTED, passage)  # texts and, between them, expressions
        pieces[::2] = [text.replace("{", "{{").replace("}", "}}") for text in pieces[::2]]
        pieces[1::2] = [f"{{{expression}}}" for expression in pieces[1::2]]
        source = 'from IPython.display import Markdown\n\nMarkdown(rf"""\n' + "".join(pieces)
        cells.append(_code(source + '\n""")', folded=True))
    return cells
