"""``sentir audit``: what is likely wrong in labelled reviews."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import COMMON_READING, READING, app, counting, err, out, plain
from sentir.cli.options import options_of
from sentir.errors import UsageError
from sentir.extras import require


@app.command()
@options_of(common=COMMON_READING, read=READING)
def audit(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="labelled reviews")],
    *,
    against: Annotated[
        list[str] | None,
        typer.Option(help="other files, whose texts should not be in FILE (repeatable)"),
    ] = None,
    labels: Annotated[
        str, typer.Option(help="how labels become classes: auto, stars, or bad=negative,...")
    ] = "auto",
    folds: Annotated[
        int, typer.Option(min=2, max=20, help="models, each for the reviews it has not seen")
    ] = 5,
    top: Annotated[int, typer.Option(min=0, help="findings of each kind shown")] = 10,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="all findings to write (.csv, .jsonl)")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="page to write (.html)")] = None,
    texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="with the texts, or without them")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print the counts as JSON")] = False,
    read: dict[str, Any],
) -> None:
    """Find what is likely wrong in labelled reviews, the worst first; no file is changed.

    Likely label errors, the same text with other labels, texts that are in --against too, labels
    that are no class, empty, cut off, very short and repeated texts, and other languages than
    most. A finding is a reason to look, and no proof.

    [bold]Examples[/bold]

      sentir audit reviews.csv
      sentir audit train.csv --against test.csv --output findings.csv
      sentir audit train.csv --page audit.html --no-texts
    """
    require("an audit", "sklearn", "scipy", "pyarrow")
    from sentir.evaluation.audit.page import write_audit
    from sentir.evaluation.audit.tables import render_audit
    from sentir.evaluation.comparison.page import check_ending
    from sentir.inference.audit import audit as audit_files
    from sentir.io.atomic import check_writable
    from sentir.io.writer import output_format, write_records

    if as_json and output == "-":
        raise UsageError(
            "--json and --output -, both on standard output", todo="write one of them to a file"
        )
    format = output_format(output, "csv") if output else "csv"
    if output and output != "-":
        check_writable(Path(output))
    if page:
        check_ending(page, "--page", ".html")
        require("a page", "jinja2")
        check_writable(page)
    with counting("reading") as reading, counting("answering") as answering:
        bars = {"reading": reading, "answering": answering}
        found = audit_files(
            files,
            against=against or (),
            labels=labels,
            folds=folds,
            progress=lambda what, count: bars[what](count),
            **read,
        )
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), indent=2, ensure_ascii=False) + "\n")
    elif output != "-":
        out.print(render_audit(found, top=top, texts=texts))
    if found.accuracy is not None:
        plain(
            err,
            f"{found.accuracy:.1%} of the out-of-fold answers agree with the labels: the lower, "
            "the more of the label findings are mistakes of the models",
        )
    if output:
        records = (finding.to_dict(texts=texts) for finding in found.findings)
        write_records(records, output, format)
    if page:
        write_audit(found, page, title=", ".join(files), texts=texts)
        plain(err, f"page    {page}")
