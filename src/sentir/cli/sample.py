"""``sentir sample``: synthetic reviews."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from sentir.cli.app import OUTPUT_HELP, app, counting


@app.command()
def sample(
    *,
    count: Annotated[int, typer.Option(min=1, help="number of reviews")] = 1000,
    language: Annotated[str, typer.Option(help="en or es")] = "en",
    seed: Annotated[int, typer.Option(min=0, help="random seed")] = 0,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help=OUTPUT_HELP),
    ] = "-",
) -> None:
    """Write synthetic labelled reviews that a bag of words cannot tell apart.

    [bold]Examples[/bold]

      sentir sample --count 6000 --output train.csv
      sentir sample --count 6000 --language es --output entrena.ft.txt.bz2
    """
    from sentir.io.writer import output_format, write_records
    from sentir.synthetic.reviews import sample_reviews

    reviews = sample_reviews(count, language=language, seed=seed)
    with counting("generating") as advance:

        def rows() -> Iterator[dict[str, str]]:
            for label, text in reviews:
                yield {"label": label, "text": text}
                advance(1)

        write_records(rows(), output, output_format(output, "fasttext"))
