"""The folder of ``sentir export --to web``.

::

    index.html, page.css, page.js, file-check.js, texts.json    the page
    model.js        from a text to probabilities, in a browser or in Node
    model.json      classes, lengths, words, and the tokenizer's rules
    model.onnx      the network
    tokenizer.js    from a text to words (`sentir.text.javascript`)
    onnxruntime/    onnxruntime-web
    package.json    says that the scripts are modules
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from sentir.bundle import Bundle
from sentir.errors import DataError, UsageError
from sentir.inference.onnx_graph import onnx_model
from sentir.inference.web.runtime import Runtime, find_runtime
from sentir.io.atomic import atomic_write
from sentir.text.javascript import clean_steps, tokenizer_rules, tokenizer_script, words
from sentir.text.tokenizer import PAD, UNK, WordTokenizer
from sentir.version import __version__

#: Version of ``model.json``.
FORMAT = 1
STATIC = ("index.html", "page.css", "page.js", "file-check.js", "texts.json", "model.js")
#: Names of the runtime's files in the folder. Not every server knows that .mjs is a script.
RUNTIME = {
    "ort.wasm.min.mjs": "onnxruntime/ort.js",
    "ort-wasm-simd-threaded.mjs": "onnxruntime/ort-wasm-simd-threaded.js",
    "ort-wasm-simd-threaded.wasm": "onnxruntime/ort-wasm-simd-threaded.wasm",
}
_PACKAGE = {"name": "sentir-page", "version": __version__, "private": True, "type": "module"}


def write_web_folder(
    bundle: Bundle, folder: Path, *, precision: str = "float32", runtime: Path | None = None
) -> dict[str, int]:
    """Write the folder, completely or not at all; one that `write_web_folder` made is replaced.

    Args:
        bundle: the model.
        folder: where to.
        precision: as of `onnx_model`.
        runtime: the npm package onnxruntime-web; unset: from the cache, or downloaded.

    Returns:
        The size of each file (bytes).

    Raises:
        UsageError: the model's tokens are subwords; or as `onnx_model`.
        DataError: the folder is not ours, cannot be written, or there is no runtime.
    """
    if not isinstance(bundle.tokenizer, WordTokenizer):
        raise UsageError(
            f"a page reads words, and this model reads {bundle.config.text.tokenizer} subwords",
            todo="export --to onnx, or train with --tokenizer word",
        )
    folder = folder.resolve()
    _check_ours(folder)
    found = find_runtime(runtime)
    contents = _contents(bundle, precision, found)
    with atomic_write(folder) as new:
        for name, content in contents.items():
            file = new / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return {name: len(content) for name, content in contents.items()}


def _contents(bundle: Bundle, precision: str, runtime: Runtime) -> Mapping[str, bytes]:
    static = resources.files(__package__).joinpath("static")
    return {
        **{name: static.joinpath(name).read_bytes() for name in STATIC},
        "package.json": _json(_PACKAGE),
        "tokenizer.js": f"{tokenizer_script()}\nexport {{ Tokenizer }};\n".encode(),
        "model.json": _json(_description(bundle, precision, runtime.version)),
        "model.onnx": onnx_model(bundle, precision).SerializeToString(),
        **{RUNTIME[name]: file.read_bytes() for name, file in runtime.files.items()},
    }


def _description(bundle: Bundle, precision: str, runtime: str) -> dict[str, Any]:
    metrics = {} if precision == "int8" else bundle.metrics  # measured in float32
    accuracies = {on: metrics.get(on, {}).get("accuracy") for on in ("test", "validation")}
    measured = next((on for on, accuracy in accuracies.items() if accuracy is not None), None)
    return {
        "format": FORMAT,
        "sentir": __version__,
        "runtime": runtime,
        "labels": list(bundle.labels.names),
        "decision_weights": bundle.decision.weights if bundle.decision else None,
        "decision_is_median": bundle.decision is not None and bundle.decision.is_median,
        "max_length": bundle.config.text.max_length,
        "pad": PAD,
        "unknown": UNK,
        "measured": measured,
        "accuracy": accuracies[measured] if measured else None,
        "synthetic": bundle.synthetic,
        "clean": clean_steps(bundle.tokenizer),
        "rules": tokenizer_rules(),
        "words": words(bundle.tokenizer),
    }


def _json(value: object) -> bytes:
    # Half of a surrogate pair, which a vocabulary may hold, has no UTF-8: it becomes an escape.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _check_ours(folder: Path) -> None:
    """Refuse a folder with anything that `write_web_folder` does not write.

    Raises:
        DataError: there is.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataError("a file is here", where=str(folder), todo="choose another folder")
    ours = {*STATIC, *RUNTIME.values(), "package.json", "tokenizer.js", "model.json", "model.onnx"}
    folders = {Path(name).parent.as_posix() for name in ours}
    there = sorted(folder.iterdir())
    is_page = (folder / "model.json").is_file()
    for path in (*there, *(folder / "onnxruntime").glob("*")):
        name = path.relative_to(folder).as_posix()
        is_plain_folder = path.is_dir() and not path.is_symlink()
        if not is_page or name not in (folders if is_plain_folder else ours):
            raise DataError(
                f"it holds {name}, which sentir export did not write",
                where=str(folder),
                todo="choose another folder, or move what is there",
            )
