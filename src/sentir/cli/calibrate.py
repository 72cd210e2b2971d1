"""``sentir calibrate``: the confidence below which a model is unsure."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from sentir.cli.app import COMMON_READING, MODEL, READING, app, counting, out, plain, show_answered
from sentir.cli.options import options_of

#: Coverages whose accuracy is shown.
SHOWN = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)


@app.command()
@options_of(common=COMMON_READING, read=READING)
def calibrate(
    model: MODEL,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="labelled reviews that the model has not learnt from"),
    ],
    *,
    coverage: Annotated[
        float, typer.Option(help="share of reviews to answer (1: all, it is never unsure)")
    ] = 0.9,
    labels: Annotated[
        str | None,
        typer.Option(help="how the files' labels become the model's: bad=negative,good=positive"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    read: dict[str, Any],
) -> None:
    """Let a trained model say that it is unsure of the reviews it is least confident of.

    The threshold of confidence is found on FILE and kept in the model. On reviews like those of
    FILE the expected share of answered ones is at least --coverage. Probabilities stay as they are.
    'sentir train --coverage' does the same on the validation reviews.

    [bold]Examples[/bold]

      sentir calibrate runs/shop valid.csv --coverage 0.9
      sentir calibrate runs/shop valid.csv --coverage 0.8 --json
      sentir predict runs/shop new.csv --output labelled.csv
    """
    from sentir.inference.calibrate import calibrate as find_threshold

    with counting("measuring") as advance:
        result = find_threshold(
            model, files, coverage=coverage, labels=labels, progress=advance, **read
        )
    curve, threshold = result.curve, result.threshold
    if as_json:
        answer = {
            "threshold": threshold.value,
            "coverage": threshold.coverage,
            "validation": threshold.validation.figures(),
            "skipped": result.skipped.count,
            "curve": [
                {"coverage": share, "accuracy": accuracy, "threshold": least}
                for share, accuracy, least in zip(
                    curve.coverage_K.tolist(),
                    curve.accuracy_K.tolist(),
                    curve.thresholds_K.tolist(),
                    strict=True,
                )
            ],
        }
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
        return
    for share in SHOWN:
        plain(out, f"{curve.accuracy_at(share):7.2%} accuracy over the surest {share:.0%}")
    show_answered(threshold.validation, threshold, ", ".join(files))
