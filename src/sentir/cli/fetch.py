"""``sentir fetch``: a public data set, downloaded and written as reviews."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from sentir.cli.app import app, counting, err, out, plain
from sentir.errors import DataError, UsageError


@app.command()
def fetch(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="amazon_polarity, yelp_polarity or imdb; with :test"),
    ],
    *,
    lines: Annotated[int | None, typer.Option(min=1, help="reviews to write (unset: all)")] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="file to write (format and compression by its name)"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say the size and stop")] = False,
) -> None:
    """Download a public data set from the Hugging Face hub; say its size first.

    What was downloaded stays in the hub's cache, where every command finds it by its name. After
    an interruption the same command goes on where it stopped. Labels are written as 1 (negative)
    and 2 (positive), as in the fastText files of these reviews.

    [bold]Examples[/bold]

      sentir fetch amazon_polarity --dry-run
      sentir fetch amazon_polarity --lines 8000 --output train.ft.txt.bz2
      sentir fetch amazon_polarity:test --lines 2000 --output test.ft.txt.bz2
    """
    from sentir.io.hub import DATASETS, fetch_dataset, find_dataset, size_of
    from sentir.io.reader import read_reviews
    from sentir.io.writer import output_format, write_records

    found = find_dataset(name)
    if found is None:
        raise UsageError(f"no data set {name!r}", todo=f"take one of {', '.join(DATASETS)}")
    if lines is not None and output is None:
        raise UsageError("--lines without a file to write them to", todo="add --output FILE")
    try:
        total, present = map(_megabytes, size_of(*found))
        plain(err, f"{name}: {total}, of which {present} are here")
    except DataError:  # without the hub, its cache may hold the files
        if dry_run:
            raise
    if dry_run:
        return
    files = fetch_dataset(*found)
    if output is None:
        for file in files:
            plain(out, str(file))
        return
    with counting("writing") as advance:

        def rows() -> Iterator[dict[str, str]]:
            for review in islice(read_reviews([name]), lines):
                yield {"label": str(int(review.label or 0) + 1), "text": review.text}
                advance(1)

        write_records(rows(), output, output_format(output, "fasttext"))


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
