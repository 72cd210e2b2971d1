"""``sentir predict``: labels for texts and files."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sentir.cli.app import (
    COMMON_READING,
    ENGINE,
    MODEL,
    OUTPUT_HELP,
    PRECISION,
    READING,
    app,
    counting,
    err,
    plain,
    print_bad_rows,
)
from sentir.cli.options import options_of
from sentir.config import read_settings
from sentir.errors import UsageError


@app.command()
@options_of(common=COMMON_READING, read=READING)
def predict(
    model: MODEL,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="TEXT|FILE", help="texts; or one file, or - for standard input"),
    ],
    *,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help=OUTPUT_HELP),
    ] = "-",
    part: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="with a folder to write: answer part I of N of the files, counted from 0",
        ),
    ] = None,
    as_text: Annotated[
        bool, typer.Option("--text", help="take the arguments as texts, whatever they look like")
    ] = False,
    as_file: Annotated[
        bool, typer.Option("--file", help="take the argument as a file or an address to read")
    ] = False,
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="add the probability of every class as well"),
    ] = False,
    by: Annotated[
        Literal["review", "sentence"],
        typer.Option(help="what is labelled: each review, or each of its sentences"),
    ] = "review",
    score: Annotated[
        bool, typer.Option("--score", help="add a score from -1 (negative) to 1 (positive)")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="write JSON lines")] = False,
    neutralise: Annotated[
        bool,
        typer.Option(
            "--neutralise-formulas",
            help="put ' before cells that a spreadsheet would run (=, +, -, @, tab)",
        ),
    ] = False,
    engine: ENGINE = "auto",
    precision: PRECISION = "float32",
    read: dict[str, Any],
) -> None:
    """Label texts, or every review of a file.

    Predictions for a file are written in its own format with the columns prediction and
    probability added; for lines, as prediction, probability and text with tabs between; for
    spreadsheets and folders of texts as CSV, for JSON and Arrow as JSON lines.
    A model with a threshold of confidence (sentir calibrate) adds a column unsure. --by sentence
    writes a row for each sentence. --probabilities adds a column probability_CLASS for each class.
    An --output named .ft.txt gets fastText lines labelled with the predictions. An address
    (https://..., s3://...) is read only with --file, or with a folder as --output.
    With a folder as --output each file of a folder or pattern becomes a file there; those that are
    there already are skipped. --part lets several machines share the files.

    [bold]Examples[/bold]

      sentir predict runs/shop "I can't say it was bad."
      sentir predict runs/shop "I can't say it was bad." --json --probabilities
      sentir predict runs/shop reviews.csv --output labelled.parquet
      sentir predict runs/shop reviews.csv --by sentence --score -o parts.csv
      sentir predict runs/shop new/ -o labelled/
      sentir predict runs/shop s3://shop/new/ -o s3://shop/out/ --part 3/64
      zcat reviews.txt.gz | sentir predict runs/shop - > labelled.tsv
    """
    from sentir.bundle import load_scheme, local_model
    from sentir.inference.files import (
        PredictionColumns,
        looks_like_file,
        predict_file,
        predict_texts,
    )
    from sentir.inference.folder import predict_folder
    from sentir.inference.folder_files import ALL, FolderJob, Part, is_folder
    from sentir.inference.predictor import load
    from sentir.io.first_rows import check_first_rows
    from sentir.io.reader import BadRows
    from sentir.io.writer import check_output, output_format

    options, _ = read_settings(read)
    which = ALL if part is None else Part.parse(part)
    into_folder = output != "-" and is_folder(output)
    if part is not None and not into_folder:
        raise UsageError(
            "--part without a folder to write", todo="name it with a slash: --output labelled/"
        )
    if as_file and (as_text or len(inputs) > 1):
        raise UsageError("--file is for one argument, which is no text", todo="leave it out")
    if len(inputs) > 1 and not as_text and any(Path(name).is_file() for name in inputs):
        raise UsageError(
            f"{len(inputs)} arguments, and some are files",
            todo="name one file, or a pattern in quotes ('*.csv'); or pass --text if all are texts",
        )
    if output[:1].isspace():  # an option has no blank after -o, but a text may: "-o no"
        raise UsageError(
            f"--output {output!r}", todo="if it is part of a text, write -- before the texts"
        )
    if as_json and not into_folder and (asked := output_format(output, "jsonl")) != "jsonl":
        raise UsageError(
            f"--json, and a name that asks for {asked}", where=output, todo="leave one"
        )
    if into_folder and (as_text or len(inputs) > 1):
        raise UsageError(
            "a folder to write is for one folder, file or pattern to read",
            where=output,
            todo="name a file: --output labelled.csv",
        )
    are_texts = not (as_file or into_folder) and (
        as_text or len(inputs) > 1 or not looks_like_file(inputs[0])
    )
    if not into_folder:
        check_output(output)
    model = str(local_model(model))
    if not are_texts and not into_folder:
        _, trained_on = load_scheme(model)
        check_first_rows(inputs, options, labelled=False, trained_on=trained_on)
    predictor = load(model, engine, precision, bulk=not are_texts)
    columns = PredictionColumns(
        predictor, all_classes=probabilities, score=score, by_sentence=by == "sentence"
    )
    format: Literal["jsonl"] | None = "jsonl" if as_json else None
    if are_texts:
        predict_texts(columns, inputs, output, format=format, neutralise=neutralise)
        return
    bad_rows = BadRows(options.on_error)
    if into_folder:
        job = FolderJob(
            source=inputs[0],
            output=output,
            part=which,
            as_json=as_json,
            neutralise=neutralise,
            options=options,
        )
        with counting("predicting") as advance:
            result = predict_folder(
                columns, predictor.identity, job, bad_rows=bad_rows, progress=advance
            )
        print_bad_rows(bad_rows)
        plain(err, result.summary())
        if result.failed:
            raise result.failure()
        return
    # Answers that come to the terminal are progress enough, and a bar would stand among them.
    to_look_at = output == "-" and sys.stdout.isatty()
    with nullcontext(lambda _: None) if to_look_at else counting("predicting") as advance:
        predict_file(
            columns,
            inputs[0],
            output,
            format=format,
            options=options,
            bad_rows=bad_rows,
            progress=advance,
            neutralise=neutralise,
        )
    print_bad_rows(bad_rows)
