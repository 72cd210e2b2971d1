"""The command line: ``sentir train``, ``evaluate``, ``predict``, ``explain`` and others.

A command imports what it needs when it runs, so that ``sentir --help`` answers at once. Results go
to standard output, all else to standard error.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from sentir.config import (
    DEFAULT_PRESET,
    PRESETS,
    Config,
    ModelConfig,
    ReadOptions,
    TextConfig,
    TrainConfig,
)
from sentir.errors import ConfigError, SentirError
from sentir.options import options_of
from sentir.version import __version__

if TYPE_CHECKING:
    from sentir.data.corpus import Faults
    from sentir.evaluation.metrics import Metrics

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console()
err = Console(stderr=True)

#: Options of the command itself stand first, then those of each part of the settings.
READING = (ReadOptions, "Reading files")
MODEL = Annotated[str, typer.Argument(metavar="MODEL", help="folder that 'sentir train' wrote")]
ENGINE = Annotated[
    str,
    typer.Option(
        help="what computes the answers: torch; onnx, the same and faster; int8, LSTMs in 8 bits, "
        "faster still and a little off; or auto (onnx wherever it can)"
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"sentir {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    """Labelled reviews in, a recurrent sentiment model out: measured and explained."""


@app.command()
@options_of(
    read=READING,
    text=(TextConfig, "Text (unset: the preset's)"),
    model=(ModelConfig, "Network (unset: the preset's)"),
    training=(TrainConfig, "Training (unset: the preset's)"),
)
def train(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="files, globs, URLs or - to learn from; amazon_polarity, from the Hugging Face "
            "hub; or sample, sample_es, made up on the spot (if nothing is given: sample)",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder of the run: model, report, figures")
    ] = Path("runs/latest"),
    test: Annotated[
        list[str] | None,
        typer.Option(help="reviews to measure on, once, at the end; may be repeated"),
    ] = None,
    valid: Annotated[
        list[str] | None,
        typer.Option(help="reviews to choose the best model by (unset: a part of FILE)"),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            help="auto; stars (1-2 negative, 4-5 positive, 3 left out); a,b,c in their order; "
            "or bad=negative,good=positive"
        ),
    ] = "auto",
    preset: Annotated[
        str | None, typer.Option(help=f"{', '.join(PRESETS)} (unset: {DEFAULT_PRESET})")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, in tables text, model, train")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an unfinished run")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the run in the folder")
    ] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="print a bag of words' figures beside the model's")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="write scalars for TensorBoard as well")
    ] = False,
    read: dict[str, Any],
    text: dict[str, Any],
    model: dict[str, Any],
    training: dict[str, Any],
) -> None:
    """Learn from labelled reviews, and leave a model and its report in a folder.

    [bold]Examples[/bold]

      sentir train reviews.csv --output runs/shop
      sentir train train.ft.txt.bz2 --test test.ft.txt.bz2 --preset fast -o runs/amazon
      sentir train 'reviews/*.jsonl.gz' --labels stars --text-column title,body -o runs/stars
      sentir train reviews.csv -o runs/shop --resume
    """
    from sentir.training.run import Inputs
    from sentir.training.run import train as train_run
    from sentir.training.watch import ProgressBar, TensorBoard, Watcher

    settings = Config.from_toml(config, preset=preset) if config else Config.preset(
        preset or DEFAULT_PRESET
    )  # fmt: skip
    settings = settings.override(
        {"text": text, "model": model, "train": training}, where="command line"
    )
    sources = tuple(files or ["sample"])
    bar = ProgressBar(err)
    watchers: list[Watcher] = [bar]
    if tensorboard:
        watchers.append(TensorBoard(output / "tensorboard"))
    try:
        run = train_run(
            Inputs(
                train=sources,
                test=tuple(test or _own_test(sources)),
                valid=tuple(valid or ()),
                labels=labels,
                read=_read_options(read),
            ),
            output,
            config=settings,
            resume=resume,
            overwrite=overwrite,
            baseline=baseline,
            watchers=watchers,
        )
    finally:
        bar.close()
    note = " (synthetic reviews)" if run.bundle.synthetic else ""
    if run.test is None:
        _show(run.validation, f"validation{note}", run.baseline)
    else:
        _show(run.test, f"test{note}", run.baseline)
    out.print(f"model   {run.folder / 'model'}", highlight=False, soft_wrap=True)
    out.print(f"report  {run.folder / 'report.html'}", highlight=False, soft_wrap=True)


@app.command()
@options_of(read=READING)
def evaluate(
    model: MODEL,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="labelled reviews")],
    *,
    labels: Annotated[
        str | None,
        typer.Option(help="how the files' labels become the model's: bad=negative,good=positive"),
    ] = None,
    mistakes: Annotated[int, typer.Option(min=0, help="most confident mistakes shown")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    engine: ENGINE = "auto",
    read: dict[str, Any],
) -> None:
    """Measure a model on labelled reviews.

    [bold]Examples[/bold]

      sentir evaluate runs/shop test.csv
      sentir evaluate runs/shop test.csv --json > figures.json
      sentir evaluate runs/shop test.csv --engine int8
    """
    from sentir.data.corpus import Faults
    from sentir.inference.evaluate import evaluate as measure_on
    from sentir.inference.predictor import load

    options = _read_options(read)
    faults = Faults(options.on_error)
    predictor = load(model, engine)
    with _counting("measuring") as advance:
        measured = measure_on(
            predictor, files, options=options, labels=labels, faults=faults, advance=advance,
            keep=mistakes,
        )  # fmt: skip
    _tell_skipped(faults)
    if as_json:
        told = {
            **measured.metrics.to_dict(),
            "skipped": faults.count,
            "mistakes": [dataclasses.asdict(mistake) for mistake in measured.mistakes],
        }
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return
    _show(measured.metrics, ", ".join(files), None)
    if measured.mistakes:
        out.print("\n[bold]most confident mistakes[/bold]")
    for mistake in measured.mistakes:
        out.print(
            f"{mistake.confidence:6.1%} {mistake.predicted}, labelled {mistake.label}: "
            f"{mistake.text[:300]}", markup=False, highlight=False,
        )  # fmt: skip


@app.command()
@options_of(read=READING)
def predict(
    model: MODEL,
    inputs: Annotated[
        list[str], typer.Argument(metavar="[TEXT...|FILE]", help="texts; or one file, or -")
    ],
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", help="file to write; its name tells format and packing")
    ] = "-",
    as_text: Annotated[
        bool, typer.Option("--text", help="take the arguments as texts, whatever they look like")
    ] = False,
    engine: ENGINE = "auto",
    read: dict[str, Any],
) -> None:
    """Label texts, or every review of a file.

    Predictions for a file are written in its own format with the columns prediction and
    probability added; for lines, as prediction, probability and text with tabs between.
    An --output named .ft.txt gets fastText lines labelled with the predictions.

    [bold]Examples[/bold]

      sentir predict runs/shop "I can't say it was bad."
      sentir predict runs/shop reviews.csv --output labelled.parquet
      zcat reviews.txt.gz | sentir predict runs/shop - > labelled.tsv
    """
    from sentir.data.corpus import Faults
    from sentir.data.writing import format_of, write_records
    from sentir.inference.bulk import looks_like_file, predict_file
    from sentir.inference.predictor import load

    options = _read_options(read)
    predictor = load(model, engine)
    if as_text or len(inputs) > 1 or not looks_like_file(inputs[0]):
        rows: Iterator[dict[str, Any]] = (
            {"prediction": found.label, "probability": found.probability, "text": text}
            for text, found in zip(inputs, predictor.predict(inputs), strict=True)
        )
        write_records(rows, output, format_of(output, "lines"))
        return
    faults = Faults(options.on_error)
    with _counting("predicting") as advance:
        predict_file(predictor, inputs[0], output, options=options, faults=faults, advance=advance)
    _tell_skipped(faults)


@app.command()
def explain(
    model: MODEL,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="the review to explain")],
    *,
    picture: Annotated[
        Path | None, typer.Option(help="draw it as well: a name ending in .svg, .png or .pdf")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show what each gate did at each word, and how the answer moved as the review was read.

    [bold]Examples[/bold]

      sentir explain runs/shop "Although the plot was dull, I loved it."
      sentir explain runs/shop "Although the plot was dull, I loved it." --picture gates.svg
    """
    from sentir.bundle import load_bundle
    from sentir.explain.gates import explain as explain_text
    from sentir.explain.picture import ExplanationTable, draw

    told = explain_text(load_bundle(model), text)
    if as_json:
        sys.stdout.write(json.dumps(told.to_dict(), ensure_ascii=False) + "\n")
    else:
        out.print(ExplanationTable(told))
    if picture:
        draw(told, picture)
        err.print(f"picture {picture}", highlight=False, soft_wrap=True)


@app.command()
def export(
    model: MODEL,
    *,
    to: Annotated[str, typer.Option(help="the format: onnx")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="file to write (unset: model.onnx in MODEL)"),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="float32; or int8, smaller, faster and a little off (LSTM only)")
    ] = "float32",
) -> None:
    """Write the network as one file that other programs can compute with.

    ONNX is read by ONNX Runtime and others, from Python, C++, Java, JavaScript and more, without
    Sentir or PyTorch. Words become ids by the model's tokenizer.json.

    [bold]Examples[/bold]

      sentir export runs/shop --to onnx
      sentir export runs/shop --to onnx --precision int8 --output shop.int8.onnx
    """
    from sentir.bundle import load_bundle
    from sentir.inference.export import export as export_bundle

    file = output or Path(model) / "model.onnx"
    size = export_bundle(load_bundle(model), file, to=to, precision=precision)
    out.print(f"{to}  {file} ({size:,} bytes)", highlight=False, soft_wrap=True)


@app.command()
def doctor() -> None:
    """Say what this machine can do, how fast it is, and what would be chosen on it.

    [bold]Examples[/bold]

      sentir doctor
    """
    from sentir.doctor import examine

    for name, found in examine():
        out.print(f"[bold]{name:12}[/bold] {found}", highlight=False, soft_wrap=True)


@app.command()
def sample(
    *,
    count: Annotated[int, typer.Option(min=1, help="reviews to make")] = 1000,
    language: Annotated[str, typer.Option(help="en or es")] = "en",
    seed: Annotated[int, typer.Option(min=0, help="another seed, other reviews")] = 0,
    output: Annotated[
        str, typer.Option("--output", "-o", help="file to write; its name tells format and packing")
    ] = "-",
) -> None:
    """Make up labelled reviews that a bag of words cannot tell apart.

    [bold]Examples[/bold]

      sentir sample --count 6000 --output train.csv
      sentir sample --count 6000 --language es --output entrena.ft.txt.bz2
    """
    from sentir.data.sample import sample_reviews
    from sentir.data.writing import format_of, write_records

    made = sample_reviews(count, language=language, seed=seed)
    with _counting("making") as advance:

        def rows() -> Iterator[dict[str, str]]:
            for label, text in made:
                yield {"label": label, "text": text}
                advance(1)

        write_records(rows(), output, format_of(output, "fasttext"))


def _read_options(given: dict[str, Any]) -> ReadOptions:
    """Reading options as set on the command line.

    Raises:
        ConfigError: a value is out of range.
    """
    try:
        return ReadOptions(**given)
    except ValueError as error:
        raise ConfigError(str(error).splitlines()[2].strip(), where="command line") from None


def _own_test(sources: Sequence[str]) -> list[str]:
    """The test part of the one data set that is learnt from by name, if it is one."""
    from sentir.data.named import part_to_test

    part = part_to_test(sources[0]) if len(sources) == 1 else None
    return [part] if part else []


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    """A count and its speed on standard error while something long goes on."""
    from sentir.training.watch import ProgressBar

    bar = ProgressBar(err)
    try:
        yield lambda count: bar({"event": "reading", "what": what, "reviews": count})
    finally:
        bar.close()


def _tell_skipped(faults: Faults) -> None:
    if faults.count:
        shown = "\n  ".join([f"{faults.count:,} rows skipped:", *faults.examples])
        err.print(shown, style="yellow", highlight=False, markup=False, soft_wrap=True)


def _show(metrics: Metrics, title: str, baseline: Metrics | None) -> None:
    from sentir.evaluation.text import render_metrics

    out.print(render_metrics(metrics, title, baseline=baseline))


def main() -> None:
    """Run the command; an error of sentir's is one line and exit code 2."""
    try:
        app()
    except SentirError as error:
        err.print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
