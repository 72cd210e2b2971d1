"""``sentir export``: the network for other programs, or a page that answers in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentir.cli.app import MODEL, app, out, plain
from sentir.errors import UsageError


@app.command()
def export(
    model: MODEL,
    *,
    to: Annotated[str, typer.Option(help="the format: onnx or web")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="file to write (unset: model.onnx in MODEL, if that is a folder); for web a "
            "folder, to be named",
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="float32, float16 (tables of half the size) or int8 (LSTMs)")
    ] = "float32",
    ngram_buckets: Annotated[
        int | None,
        typer.Option(help="rows of the n-gram table, a divisor of the model's: a smaller export"),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            help="for web: folder of the npm package onnxruntime-web (unset: downloaded once)"
        ),
    ] = None,
) -> None:
    """Write the network for other programs, or as a page that answers in the browser.

    onnx: one file for ONNX Runtime and others, from Python, C++, Java, JavaScript and more, without
    Sentir or PyTorch. Words become ids by the model's sentir_tokenizer.json.

    web: a folder for any web server, with a page in English and Spanish that answers and explains.
    Texts stay in the browser. Programs in Node can use the folder too.

    [bold]Examples[/bold]

      sentir export runs/shop --to onnx
      sentir export runs/best --to onnx --precision int8 --output int8.onnx
      sentir export runs/shop --to web -o page --precision float16
      sentir export runs/shop --to web -o page --ngram-buckets 65536
    """  # fmt: skip
    from sentir.inference.export import export as export_model
    from sentir.io.atomic import check_writable
    from sentir.io.hub_model import find_address

    if to == "web":
        if output is None:
            raise UsageError("no folder for the page", todo="add --output FOLDER")
        place = output
    else:
        if output is None and find_address(model):
            raise UsageError(f"no file to write to beside {model}", todo="add --output model.onnx")
        place = output or Path(model) / "model.onnx"
        check_writable(place)
    size = export_model(
        model, place, to=to, precision=precision, ngram_buckets=ngram_buckets, runtime=runtime
    )
    plain(out, f"{to}  {place} ({size:,} bytes)")
    if to == "web":
        plain(out, f"look at it: python3 -m http.server --bind 127.0.0.1 --directory {place}")
