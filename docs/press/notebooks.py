"""Notebooks: a chapter in one language, its cells not yet run."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from press.chapter import LANGUAGES, Chapter, Prose
from press.markdown import with_links
from press.running import INSERTED

_ABOUT = {
    "es": "*Hace falta tener Sentir y Jupyter instalados en el mismo entorno: en la carpeta de "
    "Sentir, `pip install . jupyterlab`, y luego `jupyter lab docs/notebooks/es`. Ejecute las "
    "celdas en orden: todo lo que vea lo calcula su propia máquina.*",
    "en": "*Sentir and Jupyter have to be installed in one environment: in Sentir's folder "
    "`pip install . jupyterlab`, then `jupyter lab docs/notebooks/en`. Run the cells in order: "
    "all that you see is computed by your own machine.*",
}


def notebook(chapter: Chapter, language: str) -> dict[str, Any]:
    """The chapter as a notebook; the same source gives the same notebook."""
    cells: list[dict[str, Any]] = []
    for block in chapter.blocks:
        if isinstance(block, Prose):
            cells += _prose(with_links(block.texts[language], "ipynb"))
        else:
            cells.append(_code(block.code, folded=block.kind in ("hidden", "folded")))
    cells[1:1] = [_markdown(_ABOUT[language]), _code(f'language = "{language}"')]
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def notebook_text(chapter: Chapter, language: str) -> str:
    """The notebook's file."""
    return json.dumps(notebook(chapter, language), ensure_ascii=False, indent=1) + "\n"


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


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(source: str, *, folded: bool = False) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"jupyter": {"source_hidden": True}} if folded else {},
        "outputs": [],
        "source": source.strip("\n"),
    }


def _prose(text: str) -> list[dict[str, Any]]:
    """Markdown cells; a paragraph that holds computed values is a cell that writes it."""
    cells = []
    for computed, paragraphs in groupby(text.split("\n\n"), lambda part: "{{" in part):
        passage = "\n\n".join(paragraphs)
        if not computed:
            cells.append(_markdown(passage))
            continue
        pieces = INSERTED.split(passage)  # texts and, between them, expressions
        pieces[::2] = [text.replace("{", "{{").replace("}", "}}") for text in pieces[::2]]
        pieces[1::2] = [f"{{{expression}}}" for expression in pieces[1::2]]
        source = 'from IPython.display import Markdown\n\nMarkdown(rf"""\n' + "".join(pieces)
        cells.append(_code(source + '\n""")', folded=True))
    return cells
