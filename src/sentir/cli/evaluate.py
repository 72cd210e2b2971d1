"""``sentir evaluate``: the metrics of a model on labelled reviews."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated, Any

import typer

from sentir.cli.app import (
    COMMON_READING,
    ENGINE,
    MODEL,
    PRECISION,
    READING,
    app,
    counting,
    out,
    plain,
    show,
    show_answered,
)
from sentir.cli.options import options_of
from sentir.config import read_settings


@app.command()
@options_of(common=COMMON_READING, read=READING)
def evaluate(
    model: MODEL,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="labelled reviews")],
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
      sentir evaluate runs/best test.csv --precision int8
    """
    from sentir.bundle import local_model
    from sentir.inference.evaluate import check_files
    from sentir.inference.evaluate import evaluate as measure_on
    from sentir.inference.predictor import load

    model = str(local_model(model))
    check_files(model, files, read_settings(read)[0], labels=labels)
    predictor = load(model, engine, precision, bulk=True)
    with counting("measuring") as advance:
        result = measure_on(
            predictor, files, labels=labels, mistakes=mistakes, progress=advance, **read
        )
    names, threshold = result.metrics.names, predictor.bundle.threshold
    if as_json:
        answer = {
            **result.metrics.to_dict(),
            **result.metrics.derived(),
            "skipped": result.skipped.count,
            **(
                {"answered": {**result.answered.figures(), "threshold": threshold.value}}
                if result.answered and threshold
                else {}
            ),
            "mistakes": [
                {
                    **dataclasses.asdict(mistake),
                    "label": names[mistake.label],
                    "predicted": names[mistake.predicted],
                }
                for mistake in result.mistakes
            ],
        }
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
        return
    show(result.metrics, ", ".join(files), None)
    if result.answered and threshold:
        show_answered(result.answered, threshold, ", ".join(files))
    if result.mistakes:
        out.print("\n[bold]most confident mistakes[/bold]")
    for mistake in result.mistakes:
        plain(
            out,
            f"{mistake.confidence:6.1%} predicted {names[mistake.predicted]}, labelled "
            f"{names[mistake.label]}: {mistake.text[:300]}",
        )
