"""The group of commands, and what several of them use."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import app, err, out, plain
from sentir.errors import UsageError

lesson = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The lesson's ideas about recurrent networks, each as a run to repeat.",
)
app.add_typer(lesson, name="lesson")

LANGUAGE = Annotated[str, typer.Option("--language", "-l", help="en or es")]
PICTURE = Annotated[
    Path | None, typer.Option(help="draw it as well: a name ending in .svg, .png or .pdf")
]
JSON = Annotated[bool, typer.Option("--json", help="print JSON")]


@contextmanager
def going_on(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while something long goes on."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_interactive) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def numbers(given: str, option: str, kind: type[int] | type[float] = int) -> list[Any]:
    """Numbers with commas between them.

    Raises:
        UsageError: something else.
    """
    try:
        return [kind(part) for part in given.split(",") if part.strip()]
    except ValueError:
        raise UsageError(
            f"{given!r} are no numbers", where=option, todo="part them by commas: 5,10,20"
        ) from None


def print_json(told: Any) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")


def present(found: Any, faces: Any, language: str, *, picture: Path | None, as_json: bool) -> None:
    """Print what an experiment found, and draw it if a picture is asked for.

    Args:
        found: the outcome, which has `to_dict`.
        faces: the module with its ``table`` and ``figure``.
    """
    if as_json:
        print_json(found.to_dict())
    else:
        out.print(faces.table(found, language))
    if picture:
        keep(faces.figure(found, language), picture)


def check_picture(path: Path | None) -> None:
    """Refuse a name that tells no format before the work begins.

    Raises:
        UsageError: it is one.
    """
    if path is not None:
        from sentir.explanation.picture import picture_format

        picture_format(path)


def keep(figure: Any, path: Path) -> None:
    """Write a picture, and say so."""
    from sentir.lesson.figures.style import save

    save(figure, path)
    plain(err, f"picture {path}")
