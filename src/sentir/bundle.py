"""A trained model as a folder: what it holds, and how it is saved and loaded whole.

::

    model/
      model.safetensors   the weights
      tokenizer.json      the whole tokenizer
      config.json         format version, class names, all settings, a checksum of every file
      metrics.json        how good it was when it was made

A language model lies in a folder of the same files, without class names.

Nothing is pickled and loading runs no code of the folder's. It is written beside its place and
renamed, and a file that is missing, damaged or of another version is refused by its name.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from sentir.config import Config, PretrainConfig
from sentir.errors import BundleError, SentirError
from sentir.io.atomic import atomic_write
from sentir.io.labels import LabelScheme
from sentir.text.tokenizer import Tokenizer, load_tokenizer
from sentir.version import __version__
from sentir.weights import WeightSpec, classifier_weights, language_model_weights

#: 1 was that of the time before the first release.
FORMAT = 2
#: The kind of a bundle that holds no classifier.
LANGUAGE_MODEL = "language model"
#: The bundle's name inside a run's folder.
FOLDER = "model"
_SUMMED = ("model.safetensors", "tokenizer.json", "metrics.json")
#: Bytes that a file may have at most: what is larger is no bundle of ours.
LARGEST_JSON_BYTES = 2**26
LARGEST_BYTES = {"model.safetensors": 2**40, "tokenizer.json": 2**30}
#: All files of a bundle.
FILES = (*_SUMMED, "config.json")


Weights = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class LanguageBundle:
    """A language model and all that it was made with.

    Attributes:
        weights: arrays by name; `sentir.nn.restore` makes the network from them.
    """

    weights: Weights
    tokenizer: Tokenizer
    config: PretrainConfig
    metrics: Mapping[str, Any]
    synthetic: bool = False
    #: Of the whole folder, once it is saved: two models of one checksum are the same.
    checksum: str = ""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A model and all that its answers depend on.

    Attributes:
        weights: arrays by name; `sentir.nn.restore` makes the network from them.
    """

    weights: Weights
    tokenizer: Tokenizer
    labels: LabelScheme
    config: Config
    metrics: Mapping[str, Any]
    synthetic: bool = False
    #: As a language model's.
    checksum: str = ""


def save_bundle(bundle: Bundle | LanguageBundle, folder: Path) -> None:
    """Write the bundle, in place of one that stands there."""
    with atomic_write(folder) as beside:
        beside.mkdir()
        file = beside / "model.safetensors"
        # Not save_file, which leaves a file that nobody else may read, whatever the umask.
        file.write_bytes(safetensors.numpy.save(dict(bundle.weights)))
        bundle.tokenizer.save(beside / "tokenizer.json")
        _write_json(beside / "metrics.json", dict(bundle.metrics))
        settings: dict[str, Any] = {
            "format": FORMAT,
            "sentir": __version__,
            "synthetic": bundle.synthetic,
            **(
                {"labels": bundle.labels.to_dict()}
                if isinstance(bundle, Bundle)
                else {"kind": LANGUAGE_MODEL}
            ),
            "config": bundle.config.to_dict(),
            "checksums": {name: _checksum((beside / name).read_bytes()) for name in _SUMMED},
        }
        settings["checksums"]["config.json"] = _own_checksum(settings)
        _write_json(beside / "config.json", settings)


def find_bundle(path: str | Path) -> Path:
    """The bundle's folder: `path` itself, or the ``model`` folder of the run at `path`.

    Raises:
        BundleError: there is no bundle there.
    """
    path = Path(path)
    for folder in (path, path / FOLDER):
        if (folder / "config.json").exists():
            return folder
    if (path / "checkpoint.pt").exists():
        raise BundleError(
            "training has not finished", where=str(path), todo="repeat it with --resume"
        )
    raise BundleError(
        "no model here",
        where=str(path),
        todo="give the folder that 'sentir train' or 'sentir pretrain' wrote",
    )


def load_bundle(path: str | Path) -> Bundle:
    """The bundle in a folder, its checksums and the shapes of its weights verified.

    Raises:
        BundleError: no bundle is there, or a file is missing, damaged or of another version.
    """
    folder, settings, tokenizer = _opened(path)
    if settings.get("kind") == LANGUAGE_MODEL:
        raise BundleError(
            "a language model, which has learnt no labels",
            where=str(folder),
            todo=f"train a classifier from it (sentir train FILE --from-lm {folder}), or let it "
            "continue a sentence (sentir complete)",
        )
    with _fitting(folder, settings):
        config = Config.from_dict(settings["config"], where=str(folder / "config.json"))
        labels = LabelScheme.from_dict(settings["labels"])
        specs = classifier_weights(
            config.model, vocabulary=len(tokenizer.vocabulary), classes=len(labels.names)
        )
        return Bundle(
            weights=_load_weights(folder / "model.safetensors", specs),
            tokenizer=tokenizer,
            labels=labels,
            config=config,
            metrics=json.loads(_read(folder / "metrics.json")),
            synthetic=bool(settings["synthetic"]),
            checksum=_own_checksum(settings),
        )


def load_language_model(path: str | Path) -> LanguageBundle:
    """The language model in a folder, its checksums and the shapes of its weights verified.

    Raises:
        BundleError: no language model is there, or a file is missing, damaged or of another
            version.
    """
    folder, settings, tokenizer = _opened(path)
    if settings.get("kind") != LANGUAGE_MODEL:
        raise BundleError(
            "not a language model", where=str(folder), todo="make one with sentir pretrain"
        )
    with _fitting(folder, settings):
        config = PretrainConfig.from_dict(settings["config"], where=str(folder / "config.json"))
        specs = language_model_weights(config.model, vocabulary=len(tokenizer.vocabulary))
        return LanguageBundle(
            weights=_load_weights(folder / "model.safetensors", specs),
            tokenizer=tokenizer,
            config=config,
            metrics=json.loads(_read(folder / "metrics.json")),
            synthetic=bool(settings["synthetic"]),
            checksum=_own_checksum(settings),
        )


def _opened(path: str | Path) -> tuple[Path, dict[str, Any], Tokenizer]:
    """The bundle's folder, its settings and its tokenizer, the checksums of all files verified."""
    folder = find_bundle(path)
    settings = _read_settings(folder / "config.json")
    for name in _SUMMED:
        with _regular_file(folder / name) as file:
            checksum = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if checksum != settings["checksums"].get(name):
            raise BundleError(
                "damaged: its checksum is another", where=str(folder / name), todo=_AGAIN
            )
    return folder, settings, load_tokenizer(folder / "tokenizer.json")


@contextmanager
def _regular_file(path: Path) -> Iterator[BufferedReader]:
    """The file, open; a pipe, a device or a folder in its place is never waited for or read.

    Raises:
        BundleError: it is absent, cannot be read or is too large.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise BundleError("not a file", where=str(path), todo=_AGAIN)
        limit = LARGEST_BYTES.get(path.name, LARGEST_JSON_BYTES)
        if about.st_size > limit:
            raise BundleError(
                f"{about.st_size:,} bytes, more than the {limit:,} that it may have",
                where=str(path),
                todo=_AGAIN,
            )
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise BundleError("no such file", where=str(path), todo=_AGAIN) from None
    except OSError as error:
        raise BundleError(
            f"cannot be read ({error.strerror or error})",
            where=str(path),
            todo="check its permissions",
        ) from None


def _read(path: Path) -> str:
    with _regular_file(path) as file:
        return file.read().decode("utf-8")


def _load_weights(path: Path, specs: Iterable[WeightSpec]) -> Weights:
    """The arrays of a safetensors file that has exactly these.

    The file's header is compared before any array is read, so nothing is allocated for weights
    that the file does not hold.

    Raises:
        BundleError: they are others, or not finite.
    """
    header = _read_header(path)
    for spec in specs:
        have = header.pop(spec.name, None)
        shape = list(spec.shape)
        if have is None or have["shape"] != shape or have["dtype"] != spec.dtype:
            got = "absent" if have is None else f"{have['dtype']} {have['shape']}"
            raise BundleError(
                f"{spec.name} is {got}, and the settings ask for {spec.dtype} {shape}"
            )
    if header:
        raise BundleError(f"{next(iter(header))} is no weight of this network")
    weights = safetensors.numpy.load_file(path)
    for name, weight in weights.items():
        if weight.dtype.kind == "f" and not np.isfinite(weight).all():
            raise BundleError(f"{name} holds numbers that are not finite")
    return weights


def _read_header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file: dtype and shape of each array by its name."""
    with _regular_file(path) as file:
        size = int.from_bytes(file.read(8), "little")
        if size > LARGEST_JSON_BYTES:
            raise BundleError(f"a header of {size:,} bytes")
        header: dict[str, Any] = json.loads(file.read(size))
    header.pop("__metadata__", None)
    return header


@contextmanager
def _fitting(folder: Path, settings: Mapping[str, Any]) -> Iterator[None]:
    """Say of parts that are whole but do not fit each other what can be done."""
    try:
        yield
    except (
        SentirError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError,
        RuntimeError, SafetensorError, TypeError, ValueError,
    ) as error:  # fmt: skip
        raise BundleError(
            f"its parts do not fit ({error})",
            where=str(folder),
            todo=f"use sentir {settings.get('sentir')}, which wrote it, or train again",
        ) from None


_AGAIN = "copy the whole folder again"


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = json.loads(_read(path))
        version = settings["format"]
        if version != FORMAT:
            raise BundleError(
                f"bundle format {version!r}, this version reads {FORMAT}",
                where=str(path),
                todo="train again with this version"
                if version == 1
                else "upgrade sentir, or train again",
            )
        if settings["checksums"].pop("config.json") != _own_checksum(settings):
            raise BundleError("damaged: its checksum is another", where=str(path), todo=_AGAIN)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"damaged ({error!r})", where=str(path), todo=_AGAIN) from None
    return settings


def _own_checksum(settings: Mapping[str, Any]) -> str:
    """Of all settings but this checksum itself."""
    return _checksum(json.dumps(settings, sort_keys=True, ensure_ascii=True).encode())


def _checksum(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
