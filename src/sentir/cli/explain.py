"""``sentir explain``: what each word did to the answer, and how the network read it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sentir.cli.app import (
    MODEL,
    app,
    err,
    out,
    plain,
)


@app.command()
def explain(
    model: MODEL,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="the review to explain")],
    *,
    top: Annotated[
        int | None,
        typer.Option(min=1, help="only so many words and n-grams, the largest effects first"),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="draw it as well: a name ending in .svg, .png or .pdf")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show what each word does to the answer, and how the network read it.

    The effect of a word is measured by leaving it out. After the words come the attention weights,
    the n-grams of the n-gram linear model, and the gates.

    [bold]Examples[/bold]

      sentir explain runs/shop "The plot is dull, but I loved it."
      sentir explain runs/shop "I loved it." --picture gates.svg
    """
    from sentir.explanation.explain import explain as explain_text
    from sentir.explanation.table import ExplanationTable

    if picture:
        from sentir.explanation.picture import draw, picture_format
        from sentir.io.atomic import check_writable

        picture_format(picture)  # before the work
        check_writable(picture)
    explanation = explain_text(model, text)
    if as_json:
        sys.stdout.write(json.dumps(explanation.to_dict(), ensure_ascii=False) + "\n")
    else:
        out.print(ExplanationTable(explanation, top=top))
    if picture:
        draw(explanation, picture)
        plain(err, f"picture {picture}")
