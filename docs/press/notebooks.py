"""Notebooks: a chapter in one language, without outputs."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from press.chapter import LANGUAGES, Chapter, Prose
from press.markdown import with_links
from press.running import INSERTED, inside_formula, split_format

_ABOUT = {
    "es": "*Sentir y Jupyter deben estar instalados en el mismo entorno: en la carpeta de Sentir, "
    "`pip install . jupyterlab nltk` y después `jupyter lab docs/notebooks/es`. Ejecute las celdas "
    "en orden: todo lo que vea lo calcula su propia máquina.*",
    "en": "*Install Sentir and Jupyter in the same environment: in the folder of Sentir, run "
    "`pip install . jupyterlab nltk`, then `jupyter lab docs/notebooks/en`. Run the cells in "
    "order: your own machine computes everything you see.*",
}

#: The first cell. One thread: the networks are so small that several threads only wait for each
#: other, by far the longest on a busy machine.
_SETTINGS = {
    "es": 'import torch\n\nlanguage = "es"\n'
    "torch.set_num_threads(1)  # las redes son pequeñas: con un hilo van más rápido",
    "en": 'import torch\n\nlanguage = "en"\n'
    "torch.set_num_threads(1)  # the networks are small: one thread is fastest",
}


def notebook(chapter: Chapter, language: str) -> dict[str, Any]:
    """The chapter as a notebook; the same source gives the same notebook."""
    cells: list[dict[str, Any]] = []
    for block in chapter.blocks:
        if isinstance(block, Prose):
            cells += _prose(with_links(block.texts[language], "ipynb"), language)
        else:
            cells.append(_code(block.code, folded=block.kind in ("hidden", "folded")))
    cells[1:1] = [_markdown(_ABOUT[language]), _code(_SETTINGS[language])]
    for index, cell in enumerate(cells):
        cell["id"] = f"cell-{index}"
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
        target = folder / language
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("*.ipynb"):
            if old.stem not in {chapter.name for chapter in chapters}:
                old.unlink()
        for chapter in chapters:
            path = target / f"{chapter.name}.ipynb"
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


def _prose(text: str, language: str) -> list[dict[str, Any]]:
    """Markdown cells; a paragraph with computed values becomes a code cell that displays it."""
    cells = []
    for computed, paragraphs in groupby(text.split("\n\n"), lambda part: "{{" in part):
        passage = "\n\n".join(paragraphs)
        if not computed:
            cells.append(_markdown(passage))
            continue
        imports = "from IPython.display import Markdown\n"
        if language == "es":
            imports += "\nfrom sentir.lesson.language import es\n"
        source = f'{imports}\nMarkdown(rf"""\n{_template(passage, language)}\n""")'
        cells.append(_code(source, folded=True))
    return cells


def _template(passage: str, language: str) -> str:
    """The passage as the inside of an f-string."""
    pieces, end = [], 0
    for match in INSERTED.finditer(passage):
        pieces.append(_escaped(passage[end : match.start()]))
        expression, spec = split_format(match[1])
        if language == "es":
            math = ", math=True" if inside_formula(passage, match.start()) else ""
            pieces.append(f"{{es({expression}, {spec!r}{math})}}")
        else:
            pieces.append(f"{{{expression}:{spec}}}" if spec else f"{{{expression}}}")
        end = match.end()
    return "".join([*pieces, _escaped(passage[end:])])


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
