"""The application that commands register with, and what several of them use."""

from __future__ import annotations

import inspect
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from sentir.cli.standard_streams import standard_streams
from sentir.config import ReadOptions
from sentir.errors import SentirError, SentirWarning, install_command
from sentir.extras import report_missing
from sentir.io.terminal import printable
from sentir.version import __version__

if TYPE_CHECKING:
    from sentir.confidence import Answered, ConfidenceThreshold
    from sentir.evaluation.metrics import Metrics
    from sentir.io.reader import BadRows
    from sentir.training.callbacks import Callback

#: The exit code of a command that Ctrl-C ended.
INTERRUPTED = 130

#: Typer's error of a command line that it cannot parse, which has no public name.
_ParsingError: Any = typer.BadParameter.__base__


class _Commands(TyperGroup):
    """Commands whose errors say how to give a text that looks like an option."""

    def invoke(self, ctx: Any) -> Any:
        given = _before_dashes(ctx.args)
        try:
            return super().invoke(ctx)
        except _ParsingError as error:
            if text := _text_among_options(given, error):
                error.message += f" (if {text!r:.40} is a text, write -- before the texts)"
            raise


def _before_dashes(arguments: list[str]) -> list[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else list(arguments)


def _text_among_options(arguments: list[str], error: Any) -> str | None:
    """The argument that the user may have meant as a text: `-5 stars`, `-awful`."""
    options = [argument for argument in arguments if argument.startswith("-")]
    for option in options:
        if any(map(str.isspace, option.partition("=")[0])):
            return option
    unknown = getattr(error, "option_name", None)
    parameters = error.ctx.command.params if error.ctx else []
    if unknown is None or not any("TEXT" in (given.metavar or "") for given in parameters):
        return None
    return next((option for option in options if option.startswith(unknown)), None)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console()
err = Console(stderr=True)

#: How files are read, as options; and those of them that most people use.
READING = (ReadOptions(), "Reading files")
COMMON_READING = ("text_column", "label_column")
RESUME = Annotated[bool, typer.Option("--resume", help="go on with the unfinished run")]
RESUME_IF_BEGUN = Annotated[
    bool,
    typer.Option(
        "--resume-if-begun",
        help="go on with the unfinished run if there is one, else start: for a command that "
        "torchrun or a scheduler repeats after a failure",
        hidden=True,
    ),
]
OVERWRITE = Annotated[bool, typer.Option("--overwrite", help="replace the run in the folder")]
TENSORBOARD = Annotated[
    bool, typer.Option("--tensorboard", help="write scalars for TensorBoard too", hidden=True)
]
OUTPUT_HELP = "file to write (-: standard output); format and compression by its name"
CONFIG_FILE = Annotated[
    Path | None, typer.Option(help="TOML file of settings; options override it")
]
MODEL = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="folder of a run of 'sentir train', or hf://user/model, s3://..."
    ),
]
ENGINE = Annotated[
    str,
    typer.Option(
        help="inference engine: onnx; numba, faster for many GRU or LSTM answers "
        f"({escape(install_command('numba'))}); torch, several times as slow "
        f"({escape(install_command('train'))}); or auto: numba for files where it is installed, "
        "else onnx"
    ),
]
PRECISION = Annotated[
    str, typer.Option(help="float32; or int8, smaller, faster and less exact (LSTM only)")
]


def _version(requested: bool) -> None:
    if requested:
        out.print(f"sentir {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    """Labelled reviews in, a recurrent sentiment model out: measured and explained.

    [bold]Examples[/bold]

      sentir train reviews.csv --output runs/shop --test held_out.csv
      sentir predict runs/shop "Works perfectly, I love it."
      sentir predict runs/shop new.csv --output labelled.csv
      sentir train --help
    """


def unwrap_help(commands: typer.Typer) -> None:
    """Let the terminal break the lines of descriptions: a docstring breaks its own elsewhere."""
    for command in commands.registered_commands:
        text = inspect.cleandoc(getattr(command.callback, "__doc__", None) or "")
        command.help = "\n\n".join(
            part if part.startswith(" ") else part.replace("\n", " ") for part in text.split("\n\n")
        )


def main() -> None:
    """Run the command; an error of sentir's is one line and exit code 2."""
    if not (sys.stderr and sys.stderr.isatty()):  # the bars of the Hub's client are for people
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    with messages_at_terminal():
        try:
            with report_missing("this command"), standard_streams():
                app()
        except SentirError as error:
            if not error.is_reported:
                plain(err, f"error: {error}", "red")
            sys.exit(2)
        except (MemoryError, RuntimeError, ImportError) as error:
            if not _is_out_of_memory(error):
                raise
            todo = "end other programs, raise ulimit -v, or lower --batch-size or --max-length"
            plain(err, f"error: there is not enough memory; {todo}", "red")
            sys.exit(2)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether that is what failed; PyTorch and the system's loader say so in words only."""
    words = ("can't allocate memory", "bad_alloc", "failed to map segment")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        plain(err, record.getMessage())


@contextmanager
def messages_at_terminal() -> Iterator[None]:
    """Print what sentir logs and what it warns of, as it happens, beside a progress bar."""
    logger, handler = logging.getLogger("sentir"), _TerminalHandler()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, SentirWarning):
            plain(err, f"warning: {message}", "yellow")
        else:
            otherwise(message, category, filename, lineno, file, line)

    try:
        with warnings.catch_warnings():
            otherwise, warnings.showwarning = warnings.showwarning, show
            warnings.simplefilter("always", SentirWarning)
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """A count and its speed on standard error during long work."""
    from sentir.training.callbacks import ProgressBar

    bar = ProgressBar(err)
    try:
        yield lambda count: bar({"event": "progress", "what": what, "reviews": count})
    finally:
        bar.close()


def plain(console: Console, text: str, style: str | None = None) -> None:
    """Print text as it is: a path, or a row of a file, may hold markup or escape sequences."""
    console.print(
        printable(text, keep="\n\t"), style=style, highlight=False, markup=False, soft_wrap=True
    )


def print_bad_rows(bad_rows: BadRows) -> None:
    if bad_rows.count:
        plain(err, bad_rows.summary(), "yellow")


@contextmanager
def run_callbacks(output: Path, *, tensorboard: bool) -> Iterator[list[Callback]]:
    """The callbacks of a run at the terminal, which Ctrl-C ends with its own exit code."""
    from sentir.training.callbacks import ProgressBar, TensorBoard

    bar = ProgressBar(err)
    callbacks: list[Callback] = [bar]
    if tensorboard:
        callbacks.append(TensorBoard(output / "tensorboard"))
    try:
        yield callbacks
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        bar.close()


def exit_as(stopped: str) -> None:
    """End the command of a run; one that Ctrl-C ended is no success to a script."""
    if stopped == "interrupted":
        raise typer.Exit(INTERRUPTED)


def show_answered(answered: Answered, threshold: ConfidenceThreshold, title: str) -> None:
    """Say how many reviews were answered at the threshold, and how accurately."""
    plain(
        out,
        f"\n{title}: {answered.answered:,} of {answered.examples:,} reviews are answered "
        f"({answered.coverage:.1%}; {threshold.coverage:.1%} was asked for): confidence "
        f"{threshold.value:.4f} or more",
    )
    if answered.accuracy is not None and answered.accuracy_interval is not None:
        low, high = answered.accuracy_interval
        plain(
            out,
            f"accuracy over the answered: {answered.accuracy:.2%} (95 % interval {low:.2%} to "
            f"{high:.2%})",
        )


def show(metrics: Metrics, title: str, baseline: Metrics | None) -> None:
    from sentir.evaluation.tables import render_metrics

    out.print(render_metrics(metrics, title, baseline=baseline))
