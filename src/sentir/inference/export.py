"""A trained network as one file for other programs."""

from __future__ import annotations

from pathlib import Path

from sentir.bundle import Bundle, as_bundle
from sentir.errors import DataError, UsageError
from sentir.inference.onnx_graph import onnx_model
from sentir.inference.predictor import Predictor
from sentir.io.atomic import atomic_write

#: Formats to export to.
TARGETS = ("onnx",)


def export(
    model: str | Path | Bundle | Predictor,
    file: str | Path,
    to: str = "onnx",
    *,
    precision: str = "float32",
) -> int:
    """Write the network as one file, completely or not at all; an existing file is replaced.

    >>> import sentir
    >>> sentir.export("runs/shop", "shop.onnx")  # doctest: +SKIP

    The inputs, outputs and metadata are those of `sentir.inference.onnx_graph.onnx_model`.

    Args:
        model: the folder of a model or a run, a bundle, or a loaded model (`sentir.load`).
        file: the file to write.
        to: one of `TARGETS`.
        precision: float32; or int8, for LSTMs.

    Returns:
        The file's size in bytes.

    Raises:
        BundleError: there is no classifier in the folder.
        UsageError: an unknown format or precision, int8 of another cell, or a model too large.
        DataError: the file cannot be written.
    """
    if to not in TARGETS:
        raise UsageError(f"no format {to!r} to export to", todo=f"take {' or '.join(TARGETS)}")
    content = onnx_model(as_bundle(model), precision).SerializeToString()
    file = Path(file)
    try:
        if file.is_dir():
            raise IsADirectoryError("it is a folder")
        with atomic_write(file) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise DataError(
            f"cannot be written ({error.strerror or error})",
            where=str(file),
            todo="take another file",
        ) from None
    return len(content)
