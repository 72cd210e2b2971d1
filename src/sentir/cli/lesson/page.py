"""``sentir lesson page``: a network to step through by hand, in the browser."""

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
            metavar="[MODEL]",
            help="folder that 'sentir train' wrote, of an LSTM of one layer that reads ahead and "
            "answers from its last state (unset: two networks of six units that come along)",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write")] = Path(
        "page.html"
    ),
    language: Annotated[str, typer.Option(help="in which the page opens: en or es")] = "en",
    example: Annotated[
        list[str] | None, typer.Option(help="sentence to begin with; may be repeated")
    ] = None,
) -> None:
    """Make a page on which to step an LSTM through a sentence and to turn its gates by hand.

    One HTML file with the network inside: it is computed in the browser, from the file system,
    without a connection. In English and Spanish.

    [bold]Examples[/bold]

      sentir lesson page --output page.html
      sentir lesson page --language es -o pagina.html
      sentir lesson page runs/small -o mine.html --example "The soup was cold."
    """
    from sentir.bundle import load_bundle
    from sentir.io.atomic import write_page
    from sentir.lesson.webpage.network import small_network
    from sentir.lesson.webpage.page import render_page
    from sentir.synthetic.reviews import LANGUAGES

    if model is None:
        networks = {name: small_network(name) for name in LANGUAGES}
    else:
        networks = {language: load_bundle(model)}
    made = render_page(
        networks,
        language,
        examples=example or (),
        experiments=model is None,
        where=model or "page",
    )
    write_page(made, output)
    plain(out, f"page  {output} ({output.stat().st_size:,} bytes)")
