"""``sentir export``: the network for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentir.cli.app import (
    MODEL,
    PRECISION,
    app,
    out,
    plain,
)
from sentir.errors import UsageError


@app.command()
def export(
    model: MODEL,
    *,
    to: Annotated[str, typer.Option(help="the format: onnx")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="file to write (unset: model.onnx in MODEL, if that is a folder)"
        ),
    ] = None,
    precision: PRECISION = "float32",
) -> None:
    """Write the network as one file that other programs can compute with.

    ONNX is read by ONNX Runtime and others, from Python, C++, Java, JavaScript and more, without
    Sentir or PyTorch. Words become ids by the model's sentir_tokenizer.json.

    [bold]Examples[/bold]

      sentir export runs/shop --to onnx
      sentir export runs/best --to onnx --precision int8 --output int8.onnx
    """
    from sentir.inference.export import export as export_model
    from sentir.io.atomic import check_writable
    from sentir.io.hub_model import find_address

    if output is None and find_address(model):
        raise UsageError(f"no file to write to beside {model}", todo="add --output model.onnx")
    file = output or Path(model) / "model.onnx"
    check_writable(file)
    size = export_model(model, file, to=to, precision=precision)
    plain(out, f"{to}  {file} ({size:,} bytes)")
