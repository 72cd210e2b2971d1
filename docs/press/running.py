"""Runs a chapter's cells, from top to bottom, in one namespace, and keeps what they show."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

from press.chapter import Cell, Chapter, Prose, SourceError

#: ``{{expression}}`` in prose, with a format if it has one.
INSERTED = re.compile(r"\{\{(.+?)\}\}")


@dataclass(frozen=True)
class Shown:
    """Something that a cell showed: text as it was printed, or HTML (an SVG element too)."""

    kind: Literal["text", "html"]
    body: str


@dataclass(frozen=True)
class Ran:
    """A chapter in one language, block for block: filled-in prose, or what the cell showed."""

    blocks: tuple[str | list[Shown], ...]


def run_chapter(chapter: Chapter, language: str) -> Ran:
    """Run every cell; whatever one raises (a claim that no longer holds, too) is raised here.

    Raises:
        SourceError: a cell shows a figure without a description.
    """
    names: dict[str, Any] = {"__name__": "__main__", "language": language}
    blocks: list[str | list[Shown]] = []
    for block in chapter.blocks:
        if isinstance(block, Prose):
            blocks.append(fill_in(block.texts[language], names))
        else:
            blocks.append(_run_cell(block, chapter.path, names))
    return Ran(tuple(blocks))


def not_run(chapter: Chapter, language: str) -> Ran:
    """The chapter as if its cells showed nothing: a page that is quick to make."""
    return Ran(
        tuple(
            INSERTED.sub("…", block.texts[language]) if isinstance(block, Prose) else []
            for block in chapter.blocks
        )
    )


def fill_in(text: str, names: dict[str, Any]) -> str:
    """The passage with its computed values; they are written like those of an f-string."""
    return INSERTED.sub(lambda found: str(eval(f"f'''{{{found[1]}}}'''", names)), text)


def _run_cell(cell: Cell, path: Path, names: dict[str, Any]) -> list[Shown]:
    tree = ast.parse(cell.code, filename=str(path))
    ast.increment_lineno(tree, cell.line - 1)  # so that a traceback shows the line of the source
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value = None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(path), "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(path), "eval"), names)
    shown = []
    if printed.getvalue().strip():
        shown.append(Shown("text", printed.getvalue().strip("\n")))
    if value is not None:
        shown.append(_show(value, f"{path}:{cell.line}"))
    return shown


def _show(value: Any, where: str) -> Shown:
    if isinstance(value, Figure):
        raise SourceError(f"{where}: a bare figure; show picture(figure, description) of it")
    for method in ("_repr_svg_", "_repr_html_"):
        if hasattr(value, method):
            return Shown("html", getattr(value, method)())
    return Shown("text", repr(value))
