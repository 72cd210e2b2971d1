"""A trained network for other programs: one file, or a folder for browsers."""

from __future__ import annotations

from pathlib import Path

from sentir.bundle import Bundle, as_bundle
from sentir.errors import DataError, UsageError
from sentir.inference.ngram_folding import fold_ngrams
from sentir.inference.onnx_graph import onnx_model
from sentir.inference.predictor import Predictor
from sentir.inference.web.folder import write_web_folder
from sentir.io.atomic import atomic_write

#: Formats to export to.
TARGETS = ("onnx", "web")


def export(
    model: str | Path | Bundle | Predictor,
    file: str | Path,
    to: str = "onnx",
    *,
    precision: str = "float32",
    ngram_buckets: int | None = None,
    runtime: str | Path | None = None,
) -> int:
    """Write the network completely or not at all; an existing export is replaced.

    >>> import sentir
    >>> sentir.export("runs/shop", "shop.onnx")  # doctest: +SKIP
    >>> sentir.export("runs/shop", "shop-page", to="web")  # doctest: +SKIP

    The inputs, outputs and metadata are those of `sentir.inference.onnx_graph.onnx_model`; the
    folder is that of `sentir.inference.web.folder`.

    Args:
        model: the folder of a model or a run, a bundle, or a loaded model (`sentir.load`).
        file: the file to write; for web the folder.
        to: one of `TARGETS`.
        precision: float32; float16, which stores tables in half the size; or int8, for LSTMs.
        ngram_buckets: rows of the n-gram table, fewer than the model's, see `fold_ngrams`.
        runtime: for web: the npm package onnxruntime-web; unset: from the cache, or downloaded.

    Returns:
        The size in bytes.

    Raises:
        BundleError: there is no classifier in the folder.
        UsageError: an unknown format or precision, int8 of another cell, a model too large, a
            number of rows that does not divide the model's; for web: a tokenizer of subwords.
        DataError: it cannot be written; for web: there is no runtime, or the folder holds
            something else.
    """
    if to not in TARGETS:
        raise UsageError(f"no format {to!r} to export to", todo=f"take {' or '.join(TARGETS)}")
    if runtime is not None and to != "web":
        raise UsageError(f"a runtime is for web, not for {to}", todo="leave out --runtime")
    bundle, file = as_bundle(model), Path(file)
    if ngram_buckets is not None:
        bundle = fold_ngrams(bundle, ngram_buckets)
    try:
        if to == "web":
            where = None if runtime is None else Path(runtime)
            return sum(write_web_folder(bundle, file, precision=precision, runtime=where).values())
        content = onnx_model(bundle, precision).SerializeToString()
        if file.is_dir():
            raise IsADirectoryError("it is a folder")
        with atomic_write(file) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise DataError(
            f"cannot be written ({error.strerror or error})",
            where=str(file),
            todo="take another place",
        ) from None
    return len(content)
