"""``sentir lesson``: the lesson's ideas, each as a run that the reader can repeat."""

from __future__ import annotations

import typer

from sentir.cli.app import app

lesson = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The lesson's ideas about recurrent networks, each as a run to repeat.",
)
app.add_typer(lesson, name="lesson")
