"""The commands that ask a trained model: its figures, its answers, its reasons, its file."""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sentir.cli.app import (
    COMMON_READING,
    MODEL,
    READING,
    app,
    counting,
    err,
    out,
    plain,
    print_bad_rows,
    read_options,
    show,
)
from sentir.cli.options import options_of
from sentir.errors import UsageError

ENGINE = Annotated[
    str,
    typer.Option(
        help="inference engine: torch; onnx, several times as fast; numba, faster for many GRU or "
        "LSTM answers (pip install 'sentir\\[numba]'); or auto: numba for files where it is "
        "installed, else onnx"
    ),
]
PRECISION = Annotated[
    str, typer.Option(help="float32; or int8, smaller, faster and less exact (LSTM only)")
]


@app.command()
@options_of(common=COMMON_READING, read=READING)
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
    precision: PRECISION = "float32",
    read: dict[str, Any],
) -> None:
    """Measure a model on labelled reviews.

    [bold]Examples[/bold]

      sentir evaluate runs/shop test.csv
      sentir evaluate runs/shop test.csv --json > figures.json
      sentir evaluate runs/shop test.csv --precision int8
    """
    from sentir.inference.evaluate import evaluate as measure_on
    from sentir.inference.predictor import load

    predictor = load(model, engine, precision, bulk=True)
    with counting("measuring") as advance:
        result = measure_on(
            predictor, files, labels=labels, mistakes=mistakes, progress=advance, **read
        )
    names = result.metrics.names
    if as_json:
        told = {
            **result.metrics.to_dict(),
            "skipped": result.skipped.count,
            "mistakes": [
                {
                    **dataclasses.asdict(mistake),
                    "label": names[mistake.label],
                    "predicted": names[mistake.predicted],
                }
                for mistake in result.mistakes
            ],
        }
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return
    show(result.metrics, ", ".join(files), None)
    if result.mistakes:
        out.print("\n[bold]most confident mistakes[/bold]")
    for mistake in result.mistakes:
        plain(
            out,
            f"{mistake.confidence:6.1%} {names[mistake.predicted]}, labelled "
            f"{names[mistake.label]}: {mistake.text[:300]}",
        )


@app.command()
@options_of(common=COMMON_READING, read=READING)
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
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="add the probability of every class as well"),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="write JSON lines")] = False,
    engine: ENGINE = "auto",
    precision: PRECISION = "float32",
    read: dict[str, Any],
) -> None:
    """Label texts, or every review of a file.

    Predictions for a file are written in its own format with the columns prediction and
    probability added; for lines, as prediction, probability and text with tabs between.
    --probabilities adds a column probability_CLASS for each class. An --output named .ft.txt gets
    fastText lines labelled with the predictions.

    [bold]Examples[/bold]

      sentir predict runs/shop "I can't say it was bad."
      sentir predict runs/shop "I can't say it was bad." --json --probabilities
      sentir predict runs/shop reviews.csv --output labelled.parquet
      zcat reviews.txt.gz | sentir predict runs/shop - > labelled.tsv
    """
    from sentir.inference.files import Answers, looks_like_file, predict_file, predict_texts
    from sentir.inference.predictor import load
    from sentir.io.reader import BadRows
    from sentir.io.writer import output_format

    options = read_options(read)
    if len(inputs) > 1 and not as_text and any(Path(one).is_file() for one in inputs):
        raise UsageError(
            f"{len(inputs)} arguments, and some are files",
            todo="name one file, or a pattern in quotes ('*.csv'); or pass --text if all are texts",
        )
    if as_json and (asked := output_format(output, "jsonl")) != "jsonl":
        raise UsageError(
            f"--json, and a name that asks for {asked}", where=output, todo="leave one"
        )
    are_texts = as_text or len(inputs) > 1 or not looks_like_file(inputs[0])
    answers = Answers(load(model, engine, precision, bulk=not are_texts), every=probabilities)
    kind: Literal["jsonl"] | None = "jsonl" if as_json else None
    if are_texts:
        predict_texts(answers, inputs, output, kind=kind)
        return
    bad_rows = BadRows(options.on_error)
    # Answers that come to the terminal are progress enough, and a bar would stand among them.
    to_look_at = output == "-" and sys.stdout.isatty()
    with nullcontext(lambda _: None) if to_look_at else counting("predicting") as advance:
        predict_file(
            answers,
            inputs[0],
            output,
            kind=kind,
            options=options,
            bad_rows=bad_rows,
            advance=advance,
        )
    print_bad_rows(bad_rows)


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
    from sentir.explanation.gates import explain as explain_text
    from sentir.explanation.picture import ExplanationTable, draw

    told = explain_text(load_bundle(model), text)
    if as_json:
        sys.stdout.write(json.dumps(told.to_dict(), ensure_ascii=False) + "\n")
    else:
        out.print(ExplanationTable(told))
    if picture:
        draw(told, picture)
        plain(err, f"picture {picture}")


@app.command()
def export(
    model: MODEL,
    *,
    to: Annotated[str, typer.Option(help="the format: onnx")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="file to write (unset: model.onnx in MODEL)"),
    ] = None,
    precision: PRECISION = "float32",
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
    plain(out, f"{to}  {file} ({size:,} bytes)")
