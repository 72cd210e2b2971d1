"""``sentir lesson page``: step through a network in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentir.cli.app import out, plain
from sentir.cli.lesson.app import lesson


@lesson.command()
def page(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="folder of a run of 'sentir train' with a one-directional LSTM of one layer and "
            "pooling 'last' (unset: the two networks of six units that come with sentir)",
            show_default=False,
        ),
    ] = None,
    *,
    option: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="the same, as an option")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write")] = Path(
        "page.html"
    ),
    language: Annotated[
        str, typer.Option("--language", "-l", help="of the page when it opens: en or es")
    ] = "en",
    example: Annotated[
        list[str] | None, typer.Option(help="example sentence; may be repeated")
    ] = None,
) -> None:
    """Write an interactive page: step an LSTM through a sentence and change its gates by hand.

    The page is one HTML file in English and Spanish. It contains the network, which runs in the
    browser without a server or a connection.

    [bold]Examples[/bold]

      sentir lesson page --output page.html
      sentir lesson page --language es -o pagina.html
      sentir lesson page --model runs/small --example "The soup was cold."
    """
    from sentir.bundle import load_bundle
    from sentir.errors import UsageError
    from sentir.io.atomic import write_page
    from sentir.lesson.webpage.network import small_network
    from sentir.lesson.webpage.page import render_page
    from sentir.synthetic.reviews import LANGUAGES

    if model is not None and option is not None:
        raise UsageError("two models", where="--model", todo="give one of them")
    model = model or option
    if model is None:
        networks = {name: small_network(name) for name in LANGUAGES}
    else:
        networks = {language: load_bundle(model)}
    html = render_page(
        networks,
        language,
        examples=example or (),
        experiments=model is None,
        where=model or "page",
    )
    write_page(html, output)
    plain(out, f"page  {output} ({output.stat().st_size:,} bytes)")
