"""``sentir compare``: runs side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import COMMON_READING, READING, app, counting, err, out, plain
from sentir.cli.options import options_of
from sentir.extras import require


@app.command()
@options_of(common=COMMON_READING, read=READING)
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="folders of runs of 'sentir train', two or more"),
    ],
    *,
    test: Annotated[
        list[str] | None,
        typer.Option(
            help="labelled reviews to measure all of them on, each against the first (repeatable)"
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="how the labels of --test become classes: bad=negative,good=positive"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="page to write (.html)")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="points with their spread and learning curves to draw (.svg)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    read: dict[str, Any],
) -> None:
    """Show runs side by side: the settings that differ, and the figures with their spread.

    Runs that differ only in --seed are one column, with mean and standard deviation. A warning
    says where figures cannot be compared, such as those of different test reviews.

    [bold]Examples[/bold]

      sentir compare runs/small runs/large
      sentir compare runs/shop-* --output compare.html --picture compare.svg
      sentir compare runs/small runs/large --test held_out.csv
      sentir compare runs/small runs/large --json > compare.json
    """
    from sentir.evaluation.comparison.page import check_ending, write_comparison, write_picture
    from sentir.evaluation.comparison.tables import render_comparison
    from sentir.inference.compare import compare as compare_runs

    if output:
        check_ending(output, "--output", ".html")
        require("a page", "jinja2")
    if picture:
        check_ending(picture, "--picture", ".svg")
    with counting("measuring") as advance:
        comparison = compare_runs(runs, test=test or (), labels=labels, progress=advance, **read)
    if as_json:
        sys.stdout.write(json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False) + "\n")
    else:
        out.print(render_comparison(comparison))
    if output:
        write_comparison(comparison, output)
        plain(err, f"page    {output}")
    if picture:
        write_picture(comparison, picture)
        plain(err, f"picture {picture}")
