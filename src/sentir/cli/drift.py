"""``sentir drift``: whether new reviews are like those that a model was validated on."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from sentir.cli.app import COMMON_READING, MODEL, READING, app, counting, out, plain
from sentir.cli.options import options_of


@app.command()
@options_of(common=COMMON_READING, read=READING)
def drift(
    model: MODEL,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="reviews; their labels are not read")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    read: dict[str, Any],
) -> None:
    """Compare new reviews with those of validation, and estimate the accuracy on them.

    Neither labels nor a person is needed. A warning is printed where the mean confidence fell, or
    more words are unknown. The exit code is 0 all the same.

    [bold]Examples[/bold]

      sentir drift runs/shop this_week.csv
      sentir drift runs/shop 'new/*.jsonl' --json
    """
    from rich.table import Table

    from sentir.evaluation.drift import LARGEST_ERROR, LARGEST_OF_EDITED, MEAN_ERROR
    from sentir.evaluation.tables import format_metric
    from sentir.inference.drift import drift as compare_with_validation

    with counting("comparing") as advance:
        found = compare_with_validation(model, files, progress=advance, **read)
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), indent=2) + "\n")
        return
    reference = found.reference
    table = Table()
    table.add_column("")
    table.add_column("validation", justify="right")
    table.add_column("these reviews", justify="right")
    table.add_row("reviews", f"{reference.examples:,}", f"{found.examples:,}")
    for name, before, after in (
        ("unknown words", reference.unknown_share, found.unknown_share),
        ("mean confidence", reference.confidence, found.confidence),
        ("accuracy (estimated)", reference.accuracy, found.estimated_accuracy),
    ):
        table.add_row(name, *(format_metric(share, "percent") for share in (before, after)))
    lengths = (
        "–" if tokens is None else f"{tokens:.1f}"
        for tokens in (reference.mean_length, found.mean_length)
    )
    table.add_row("tokens of a review", *lengths)
    out.print(table)
    plain(
        out,
        "where it was measured, the estimate was off by "
        f"{100 * MEAN_ERROR:.1f} points on average and {100 * LARGEST_ERROR:.1f} at most on "
        f"reviews of other sources, and by up to {100 * LARGEST_OF_EDITED:.0f} on texts that were "
        "cut short or edited to mean the opposite; by chance alone "
        f"{196 * found.confidence_error:.1f}",
    )
