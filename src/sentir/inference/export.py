"""A trained network as one file for other programs."""

from __future__ import annotations

from pathlib import Path

from sentir.bundle import Bundle
from sentir.errors import DataError, UsageError
from sentir.inference.onnx_graph import onnx_model
from sentir.io.atomic import atomic_write

#: What can be exported to.
TARGETS = ("onnx",)


def export(bundle: Bundle, file: Path, *, to: str = "onnx", precision: str = "float32") -> int:
    """Write the network, whole or not at all, in place of a file that stands there.

    The inputs, the outputs and the metadata are those of `sentir.inference.onnx_graph.onnx_model`.

    Args:
        bundle: the model.
        file: where to.
        to: one of `TARGETS`.
        precision: float32, or int8 for models of LSTMs.

    Returns:
        The file's size in bytes.

    Raises:
        UsageError: an unknown format or precision, int8 of another cell, or a model too large.
        DataError: the file cannot be written.
    """
    if to not in TARGETS:
        raise UsageError(f"no format {to!r} to export to", todo=f"take {' or '.join(TARGETS)}")
    content = onnx_model(bundle, precision).SerializeToString()
    try:
        if file.is_dir():
            raise IsADirectoryError("it is a folder")
        with atomic_write(file) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise DataError(
            f"cannot be written ({error.strerror or error})", where=str(file), todo="take another"
        ) from None
    return len(content)
