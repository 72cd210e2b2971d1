"""The group of lesson commands, and helpers of several of them."""

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
    help="Experiments, exercises and the interactive page of the course on recurrent networks.",
)
app.add_typer(lesson, name="lesson")

LANGUAGE = Annotated[str, typer.Option("--language", "-l", help="en or es")]
PICTURE = Annotated[
    Path | None, typer.Option(help="also save a figure: a name ending in .svg, .png or .pdf")
]
JSON = Annotated[bool, typer.Option("--json", help="print JSON")]


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error; yields the function that advances it."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_interactive) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def numbers(text: str, option: str, kind: type[int] | type[float] = int) -> list[Any]:
    """Numbers separated by commas.

    Raises:
        UsageError: the text is not such a list.
    """
    try:
        return [kind(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UsageError(
            f"{text!r} is not a list of numbers", where=option, todo="use commas: 5,10,20"
        ) from None


def print_json(data: Any) -> None:
    """Print plain data as one line of JSON."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")


def present(result: Any, views: Any, language: str, *, picture: Path | None, as_json: bool) -> None:
    """Print the result of an experiment, and save its figure if a path is given.

    Args:
        result: has a method ``to_dict``.
        views: the module with the functions ``table`` and ``figure`` of this result.
        language: of the table and the figure.
        picture: path of the figure.
        as_json: print JSON instead of the table.
    """
    if as_json:
        print_json(result.to_dict())
    else:
        out.print(views.table(result, language))
    if picture:
        save_picture(views.figure(result, language), picture)


def check_picture(path: Path | None) -> None:
    """Refuse the name of a figure without a known ending before any work is done.

    Raises:
        UsageError: it has none.
    """
    if path is not None:
        from sentir.explanation.picture import picture_format

        picture_format(path)


def save_picture(figure: Any, path: Path) -> None:
    """Save a figure and print its path."""
    from sentir.lesson.figures.style import save

    save(figure, path)
    plain(err, f"picture {path}")
