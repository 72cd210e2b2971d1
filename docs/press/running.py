"""Runs the cells of a chapter from top to bottom in one namespace, and keeps what they show."""

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
from sentir.lesson.language import es

#: ``{{expression}}`` in prose, with a format if it has one.
INSERTED = re.compile(r"\{\{(.+?)\}\}")


@dataclass(frozen=True)
class Shown:
    """An output of a cell: printed text, or HTML (which may be an SVG element)."""

    kind: Literal["text", "html"]
    body: str


@dataclass(frozen=True)
class Ran:
    """A chapter in one language, block by block: prose with its values, or outputs of a cell.

    `computed` is false where the code was not run: there are no outputs, and no values.
    """

    blocks: tuple[str | list[Shown], ...]
    computed: bool = True


def run_chapter(chapter: Chapter, language: str) -> Ran:
    """Run every cell; an exception in a cell, such as a failed claim, ends the run.

    Raises:
        SourceError: a cell shows a figure without a description.
    """
    names: dict[str, Any] = {"__name__": "__main__", "language": language}
    blocks: list[str | list[Shown]] = []
    for block in chapter.blocks:
        if isinstance(block, Prose):
            blocks.append(fill_in(block.texts[language], names, language))
        else:
            blocks.append(_run_cell(block, chapter.path, names))
    return Ran(tuple(blocks))


def not_run(chapter: Chapter, language: str) -> Ran:
    """The chapter without outputs, for a page that is built quickly."""
    return Ran(
        tuple(
            INSERTED.sub("…", block.texts[language]) if isinstance(block, Prose) else []
            for block in chapter.blocks
        ),
        computed=False,
    )


def fill_in(text: str, names: dict[str, Any], language: str) -> str:
    """The passage with its computed values, in the number format of the language."""

    def value(match: re.Match[str]) -> str:
        expression, spec = split_format(match[1])
        result = eval(expression, names)
        if language == "es":
            return es(result, spec, math=inside_formula(text, match.start()))
        return format(result, spec)

    return INSERTED.sub(value, text)


def split_format(inserted: str) -> tuple[str, str]:
    """The expression of ``{{expression:format}}`` and its format, which may be empty."""
    for index, character in enumerate(inserted):
        if character == ":":
            try:
                ast.parse(inserted[:index].strip(), mode="eval")
            except SyntaxError:  # the colon of a slice, a mapping or a string
                continue
            return inserted[:index].strip(), inserted[index + 1 :]
    return inserted.strip(), ""


def inside_formula(text: str, position: int) -> bool:
    """Whether a position of a passage is between dollar signs."""
    return text[:position].replace("$$", "$").count("$") % 2 == 1


def _run_cell(cell: Cell, path: Path, names: dict[str, Any]) -> list[Shown]:
    tree = ast.parse(cell.code, filename=str(path))
    ast.increment_lineno(tree, cell.line - 1)  # a traceback shows the line of the source
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
