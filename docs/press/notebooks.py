"""Notebooks: a chapter in one language, with the outputs of its run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from press.chapter import LANGUAGES, Chapter, Prose
from press.markdown import with_links
from press.running import INSERTED, Ran, Shown, inside_formula, split_format

#: Where the notebooks lie, for Colab.
REPOSITORY = "sentir/sentir"
_ABOUT = {
    "es": "[![Abrir en Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})\n\n"
    "*Lo que se ve debajo de las celdas lo calculó Sentir; ejecútelas en orden para calcularlo "
    "usted. En Colab, la primera celda instala lo necesario. En su máquina, Sentir y Jupyter "
    "deben estar en el mismo entorno: en la carpeta de Sentir, "
    "`pip install '.[train]' jupyterlab nltk` y después `jupyter lab docs/notebooks/es`.*",
    "en": "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})\n\n"
    "*What is shown below the cells was computed by Sentir; run them in order to compute it "
    "yourself. In Colab, the first cell installs what is needed. On your machine, Sentir and "
    "Jupyter must be in the same environment: in the folder of Sentir, "
    "`pip install '.[train]' jupyterlab nltk`, then `jupyter lab docs/notebooks/en`.*",
}

#: The first cell. One thread: the networks are so small that several threads only wait for each
#: other, by far the longest on a busy machine.
_SETTINGS = """import subprocess
import sys

if "google.colab" in sys.modules:
    source = "sentir[train] @ git+https://github.com/{repository}"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", source, "nltk"], check=True)

import torch

language = "{language}"
torch.set_num_threads(1)  # {reason}"""
_REASON = {
    "es": "las redes son pequeñas: con un hilo van más rápido",
    "en": "the networks are small: one thread is fastest",
}


def notebook(chapter: Chapter, language: str, ran: Ran | None = None) -> dict[str, Any]:
    """The chapter as a notebook; the same source gives the same cells.

    Claims are left out: whoever builds the course checks them.

    Args:
        chapter: the source.
        language: of the prose.
        ran: its run in that language, whose outputs are kept (unset: no outputs).
    """
    cells: list[dict[str, Any]] = []
    for index, block in enumerate(chapter.blocks):
        done = ran.blocks[index] if ran is not None and ran.computed else None
        if isinstance(block, Prose):
            filled = with_links(str(done), "ipynb") if done is not None else None
            cells += _prose(with_links(block.texts[language], "ipynb"), language, filled)
        elif block.kind != "claims":
            shown = [_output(each) for each in done or () if isinstance(each, Shown)]
            cells.append(_code(block.code, shown, folded=block.kind in ("hidden", "folded")))
    colab = (
        f"https://colab.research.google.com/github/{REPOSITORY}/blob/main/docs/notebooks/"
        f"{language}/{chapter.name}.ipynb"
    )
    settings = _SETTINGS.format(repository=REPOSITORY, language=language, reason=_REASON[language])
    cells[1:1] = [_markdown(_ABOUT[language].format(colab=colab)), _code(settings)]
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


def notebook_text(chapter: Chapter, language: str, ran: Ran | None = None) -> str:
    """The notebook's file."""
    return _text(notebook(chapter, language, ran))


def _text(made: dict[str, Any]) -> str:
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def sources(text: str) -> list[str]:
    """What is written in the cells of a notebook's file, without outputs."""
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]


def write_notebooks(
    chapters: Sequence[Chapter], folder: Path, runs: Mapping[str, Mapping[str, Ran]]
) -> None:
    """Write every chapter's notebooks, and remove those of chapters that are gone.

    Args:
        chapters: all of them.
        folder: has a folder of each language.
        runs: by the chapter's name and the language. A chapter that was not run keeps the outputs
            of its present notebook, as long as its code is the same.
    """
    for language in LANGUAGES:
        target = folder / language
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("*.ipynb"):
            if old.stem not in {chapter.name for chapter in chapters}:
                old.unlink()
        for chapter in chapters:
            path = target / f"{chapter.name}.ipynb"
            ran = runs.get(chapter.name, {}).get(language)
            made = notebook(chapter, language, ran)
            if path.exists() and not (ran is not None and ran.computed):
                _keep_outputs(made, json.loads(path.read_text("utf-8")))
            path.write_text(_text(made), "utf-8")


def _keep_outputs(made: dict[str, Any], present: dict[str, Any]) -> None:
    """Copy the outputs of a present notebook, unless its code is another one."""
    new, old = (
        [cell for cell in each["cells"] if cell["cell_type"] == "code"] for each in (made, present)
    )
    # The first cell sets up; it has no outputs.
    if [cell["source"] for cell in new[1:]] == [cell["source"] for cell in old[1:]]:
        for cell, before in zip(new, old, strict=True):
            cell["outputs"] = before["outputs"]


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(
    source: str, outputs: Sequence[dict[str, Any]] = (), *, folded: bool = False
) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"jupyter": {"source_hidden": True}} if folded else {},
        "outputs": list(outputs),
        "source": source.strip("\n"),
    }


def _output(shown: Shown) -> dict[str, Any]:
    if shown.kind == "text":
        return {"output_type": "stream", "name": "stdout", "text": shown.body + "\n"}
    kind = "image/svg+xml" if shown.body.startswith("<svg") else "text/html"
    return _display(kind, shown.body)


def _display(kind: str, body: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {kind: body}}


def _prose(text: str, language: str, filled: str | None) -> list[dict[str, Any]]:
    """Markdown cells; a paragraph with computed values becomes a code cell that displays it."""
    cells = []
    values = iter(filled.split("\n\n")) if filled is not None else None
    for computed, group in groupby(text.split("\n\n"), lambda part: "{{" in part):
        paragraphs = list(group)
        passage = "\n\n".join(paragraphs)
        shown = "\n\n".join(next(values) for _ in paragraphs) if values is not None else None
        if not computed:
            cells.append(_markdown(passage))
            continue
        imports = "from IPython.display import Markdown\n"
        if language == "es":
            imports += "\nfrom sentir.lesson.language import es\n"
        source = f'{imports}\nMarkdown(rf"""\n{_template(passage, language)}\n""")'
        outputs = [_display("text/markdown", shown)] if shown is not None else []
        cells.append(_code(source, outputs, folded=True))
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
