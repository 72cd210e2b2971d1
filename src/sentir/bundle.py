"""A trained model as a folder: what it holds, and how it is saved and loaded whole.

::

    model/
      model.safetensors       the weights; arrays that lose nothing by it in 16 bits
      sentir_tokenizer.json   the whole tokenizer
      config.json             format version, class names, columns that were read, all settings, the
                              decision rule and the threshold of confidence if there are such, a
                              checksum of every file
      metrics.json            what was measured when it was trained

A language model is a folder of the same files, without class names and columns.

Nothing is pickled, and loading runs no code from the folder. It is written beside its place and
renamed. A file that is missing, damaged, forged or of another version is refused by its name,
before memory is allocated for what it promises.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from sentir.confidence import ConfidenceThreshold
from sentir.config import Config, PretrainConfig
from sentir.decision import DecisionRule
from sentir.errors import BundleError, SentirError, UsageError
from sentir.io.atomic import atomic_write, report_unwritable
from sentir.io.columns import Columns
from sentir.io.hub_model import download, find_address
from sentir.io.labels import LabelScheme
from sentir.io.regular import COPY_AGAIN, checksum, open_regular, read_regular, unreadable
from sentir.io.stores import address_of, join
from sentir.io.stores import download as download_files
from sentir.text.tokenizer import FILE as TOKENIZER_FILE
from sentir.text.tokenizer import Tokenizer, load_tokenizer
from sentir.version import __version__
from sentir.weights import (
    DISPLACEMENTS,
    NGRAM_FINGERPRINTS,
    Header,
    NgramTableSize,
    WeightSpec,
    check_header,
    classifier_weights,
    language_model_weights,
    read_header,
)

#: 3 has tables of n-grams without displacements, all weights in 32 bits, and is read too; so is 2,
#: which called the tokenizer's file ``tokenizer.json``. 1 is not.
FORMAT = 4
#: The kind of a bundle that holds no classifier.
LANGUAGE_MODEL = "language model"
#: The bundle's name inside a run's folder.
FOLDER = "model"
_CHECKSUMMED = ("model.safetensors", TOKENIZER_FILE, "metrics.json")
#: All files of a bundle.
FILES = (*_CHECKSUMMED, "config.json")
#: The tokenizer's file by the format of the bundle.
_TOKENIZER_OF = {2: "tokenizer.json", 3: TOKENIZER_FILE, FORMAT: TOKENIZER_FILE}
#: All files of a bundle of any format that is read.
KNOWN_FILES = (*FILES, _TOKENIZER_OF[2])
#: Sizes beyond which a file is not read: JSON takes up to 25 times its size in memory.
MAX_JSON_BYTES, MAX_TOKENIZER_BYTES = 2**21, 2**25
#: Values that the tokenizer's file may hold; values and bytes that it may hold per row of the
#: embedding.
MAX_TOKENIZER_VALUES, VALUES_PER_ROW, BYTES_PER_ROW = 2**20, 16, 256
#: What is quoted of an error, which may itself quote a forged file (characters).
MAX_MESSAGE = 400

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class LanguageBundle:
    """A language model and all that it was trained with.

    Attributes:
        weights: arrays by name; `sentir.nn.restore` makes the network from them.
        tokenizer: from texts to ids.
        config: all settings.
        metrics: what was measured when it was trained.
        synthetic: whether it was trained on the synthetic reviews, so that its metrics say nothing
            about real ones.
        checksum: of the whole folder it was loaded from: two models of one checksum are the same.
    """

    weights: Arrays
    tokenizer: Tokenizer
    config: PretrainConfig
    metrics: Mapping[str, Any]
    synthetic: bool = False
    checksum: str = ""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A classifier and all that its answers depend on.

    Attributes:
        weights: arrays by name; `sentir.nn.restore` makes the network from them.
        tokenizer: from texts to ids.
        labels: the classes, and which class each label of a file means.
        config: all settings.
        metrics: what was measured when it was trained, and on which data.
        columns: the columns of the files that it was trained on, which are read in others too
            where they are there; none: files without columns, or not known.
        decision: how a class follows from the probabilities; None: it is the likeliest.
        threshold: the confidence below which it is unsure; None: it always answers.
        synthetic: as a language model's.
        checksum: as a language model's.
    """

    weights: Arrays
    tokenizer: Tokenizer
    labels: LabelScheme
    config: Config
    metrics: Mapping[str, Any]
    columns: tuple[Columns, ...] = ()
    decision: DecisionRule | None = None
    threshold: ConfidenceThreshold | None = None
    synthetic: bool = False
    checksum: str = ""


def save_bundle(bundle: Bundle | LanguageBundle, folder: Path) -> None:
    """Write the bundle as `folder`, in place of one that is there.

    Its files have the permissions that the umask gives.
    """
    with atomic_write(folder) as new:
        new.mkdir()
        # Not save_file, which makes a file that only its owner can read, whatever the umask.
        content = safetensors.numpy.save(dict(_narrowed(bundle.weights)))
        (new / "model.safetensors").write_bytes(content)
        bundle.tokenizer.save(new / TOKENIZER_FILE)
        _write_json(new / "metrics.json", dict(bundle.metrics))
        settings: dict[str, Any] = {
            "format": FORMAT,
            "sentir": __version__,
            "synthetic": bundle.synthetic,
            **(
                {
                    "labels": bundle.labels.to_dict(),
                    "columns": [columns.to_dict() for columns in bundle.columns],
                    **({"decision": bundle.decision.to_dict()} if bundle.decision else {}),
                    **({"threshold": bundle.threshold.to_dict()} if bundle.threshold else {}),
                }
                if isinstance(bundle, Bundle)
                else {"kind": LANGUAGE_MODEL}
            ),
            "config": bundle.config.to_dict(),
            "checksums": {name: checksum(new / name) for name in _CHECKSUMMED},
        }
        _write_settings(new / "config.json", settings)


def _narrowed(weights: Arrays) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The weights by name, those of 32 bits in 16 where each number stays as it is."""
    for name, weight in weights.items():
        with np.errstate(over="ignore"):
            half = weight.astype(np.float16) if weight.dtype == np.float32 else weight
        yield name, half if np.array_equal(half, weight) else weight


def ngram_table_size(weights: Arrays) -> NgramTableSize:
    """The size of the table of n-grams among the weights of a classifier, if it has one."""
    return NgramTableSize.of(lambda name: len(weights[name]) if name in weights else 0)


def save_threshold(path: str | Path, threshold: ConfidenceThreshold) -> None:
    """Keep a threshold in the bundle at `path`, in place of its own; nothing else changes.

    Raises:
        BundleError: as `load_bundle`, as far as it is about its settings.
        UsageError: ``config.json`` cannot be written.
    """
    folder, settings = _classifier_settings(path)
    file = folder / "config.json"
    with report_unwritable(file), atomic_write(file) as new:
        _write_settings(new, {**settings, "threshold": threshold.to_dict()})


def find_bundle(path: str | Path) -> Path:
    """The bundle's folder: `path` itself, or the ``model`` folder of the run at `path`.

    Of an address on the Hugging Face Hub (``hf://user/model@revision``) it is a folder in the
    Hub's cache, to which the model is downloaded. Of one in a store (``s3://models/shop``) it is a
    temporary folder, which is there as long as the process.

    Raises:
        DataError: the store cannot be asked.
        BundleError: there is no bundle there.
        HubError: as `sentir.io.hub_model.download`.
        MissingExtraError: it is an address, and the Hub's client is not installed.
        UsageError: it begins as an address, and is none.
    """
    address = find_address(path)
    if address is not None:
        return download(address, KNOWN_FILES, ("config.json", "model.safetensors", "metrics.json"))
    if stored := address_of(path):
        return _from_store(stored)
    path = Path(path)
    try:
        for folder in (path, path / FOLDER):
            if (folder / "config.json").exists():
                return folder
        is_unfinished = (path / "checkpoint.pt").exists()
    except OSError as error:
        raise unreadable(path, error) from None
    if is_unfinished:
        raise BundleError(
            "training has not finished", where=str(path), todo="repeat it with --resume"
        )
    raise _no_model(str(path))


def _no_model(where: str) -> BundleError:
    return BundleError(
        "no model here",
        where=where,
        todo="give the folder that 'sentir train' or 'sentir pretrain' wrote, or hf://user/model",
    )


def _from_store(address: str) -> Path:
    """The bundle at an address or in its ``model`` folder, copied here until the process ends.

    Raises:
        BundleError: there is none.
        DataError: the store cannot be asked.
    """
    target = Path(tempfile.mkdtemp(prefix="sentir-model-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    for folder in (address, join(address, FOLDER)):
        download_files(folder, KNOWN_FILES, target)
        if (target / "config.json").exists():
            return target
    raise _no_model(address)


def local_model(path: str | Path) -> str | Path:
    """A folder as it is; an address as the folder that its model was downloaded to.

    For work that reads a model in parts: all are of one commit.

    Raises:
        HubError, MissingExtraError, UsageError: as `find_bundle`.
    """
    return find_bundle(path) if find_address(path) or address_of(path) else path


def is_language_model(path: str | Path) -> bool:
    """Whether the model in a folder is a language model; else it is a classifier.

    Raises:
        BundleError: no model is there, or ``config.json`` is damaged or of another version.
    """
    return _read_settings(find_bundle(path) / "config.json").get("kind") == LANGUAGE_MODEL


def load_config(path: str | Path) -> Config | PretrainConfig:
    """The settings of the classifier or the language model in a folder.

    Args:
        path: the bundle's folder, or that of its run.

    Raises:
        BundleError: no model is there, or ``config.json`` is damaged or of another version.
    """
    file = find_bundle(path) / "config.json"
    settings = _read_settings(file)
    kind = PretrainConfig if settings.get("kind") == LANGUAGE_MODEL else Config
    with _report_misfit(file.parent, settings, file):
        return kind.from_dict(_table(settings, "config"))


def load_bundle(path: str | Path) -> Bundle:
    """The classifier in a folder, its checksums and the shapes of its weights verified.

    Args:
        path: the bundle's folder, or that of its run.

    Raises:
        BundleError: no classifier is there, or a file is missing, damaged or of another version.
    """
    folder, settings = _classifier_settings(path)
    with _report_misfit(folder, settings):
        config = Config.from_dict(_table(settings, "config"), where=str(folder / "config.json"))
        labels, columns = _scheme(settings)
        kept, rule = settings.get("threshold"), settings.get("decision")
        threshold = None if kept is None else ConfidenceThreshold.from_dict(kept)
        decision = None if rule is None else DecisionRule.from_dict(rule, classes=len(labels.names))

    def specs(header: Header, vocabulary: int) -> Iterator[WeightSpec]:
        return classifier_weights(
            config.model,
            vocabulary=vocabulary,
            classes=len(labels.names),
            ngram_table=NgramTableSize.of(header.rows),
        )

    return Bundle(
        labels=labels,
        config=config,
        columns=columns,
        decision=decision,
        threshold=threshold,
        **_read_files(folder, settings, specs),
    )


def load_scheme(path: str | Path) -> tuple[LabelScheme, tuple[Columns, ...]]:
    """The labels and the columns of a classifier's training files, without its weights.

    Raises:
        BundleError: as `load_bundle`, as far as it is about its settings.
    """
    folder, settings = _classifier_settings(path)
    with _report_misfit(folder, settings):
        return _scheme(settings)


def _classifier_settings(path: str | Path) -> tuple[Path, dict[str, Any]]:
    folder = find_bundle(path)
    settings = _read_settings(folder / "config.json")
    if settings.get("kind") == LANGUAGE_MODEL:
        raise BundleError(
            "a language model, which has learnt no labels",
            where=str(folder),
            todo=f"train a classifier from it (sentir train FILE --from-lm {folder}), or let it "
            "continue a sentence (sentir complete)",
        )
    return folder, settings


def _scheme(settings: Mapping[str, Any]) -> tuple[LabelScheme, tuple[Columns, ...]]:
    labels = LabelScheme.from_dict(settings["labels"])
    columns = tuple(map(Columns.from_dict, settings.get("columns", ())))
    _check_unicode(labels.names)
    for one in columns:
        _check_unicode((*one.text, one.label or ""))
    return labels, columns


class HasBundle(Protocol):
    """A loaded model, such as `sentir.Predictor`."""

    @property
    def bundle(self) -> Bundle: ...


def as_bundle(model: str | Path | Bundle | HasBundle) -> Bundle:
    """The classifier, whichever way it is given: its folder, a bundle, or a loaded model.

    Raises:
        BundleError: as `load_bundle`.
        UsageError: it is none of these.
    """
    if isinstance(model, str | Path):
        return load_bundle(model)
    bundle = model if isinstance(model, Bundle) else getattr(model, "bundle", None)
    if not isinstance(bundle, Bundle):
        raise UsageError(
            f"model is {type(model).__name__}",
            todo="pass the folder of a model or a run, or what sentir.load returns",
        )
    return bundle


def load_language_model(path: str | Path) -> LanguageBundle:
    """The language model in a folder, its checksums and the shapes of its weights verified.

    Args:
        path: the bundle's folder, or that of its run.

    Raises:
        BundleError: no language model is there, or a file is missing, damaged or of another
            version.
    """
    folder = find_bundle(path)
    settings = _read_settings(folder / "config.json")
    if settings.get("kind") != LANGUAGE_MODEL:
        raise BundleError(
            "not a language model", where=str(folder), todo="make one with sentir pretrain"
        )
    with _report_misfit(folder, settings):
        config = PretrainConfig.from_dict(
            _table(settings, "config"), where=str(folder / "config.json")
        )

    def specs(_: Header, vocabulary: int) -> Iterator[WeightSpec]:
        return language_model_weights(config.model, vocabulary=vocabulary)

    return LanguageBundle(config=config, **_read_files(folder, settings, specs))


def _read_settings(path: Path) -> dict[str, Any]:
    """The content of ``config.json``, its own checksum verified and taken out."""
    try:
        settings: dict[str, Any] = json.loads(read_regular(path, MAX_JSON_BYTES))
        version = settings["format"]
        if type(version) is not int or version not in _TOKENIZER_OF:
            *earlier, last = _TOKENIZER_OF
            readable = f"{', '.join(map(str, earlier))} and {last}"
            raise BundleError(
                f"bundle format {version!r}, this version reads {readable}",
                where=str(path),
                todo="train again with this version"
                if version == 1
                else "upgrade sentir, or train again",
            )
        if settings["checksums"].pop("config.json") != _settings_checksum(settings):
            raise _damaged(path, "its checksum differs")
        if settings.get("kind") not in (None, LANGUAGE_MODEL):
            raise _damaged(path, "neither a classifier nor a language model")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, repr(error)[:MAX_MESSAGE]) from None
    return settings


def _read_files(
    folder: Path,
    settings: Mapping[str, Any],
    specs: Callable[[Header, int], Iterable[WeightSpec]],
) -> dict[str, Any]:
    """The parts of a bundle that its other three files hold.

    The header of the weights is compared with the settings before a file of any size is read, so a
    forged bundle costs neither memory nor time.

    Args:
        folder: the bundle.
        settings: the content of its ``config.json``.
        specs: the weights that these ask for, given their header and the size of the vocabulary.
    """
    weights_file, metrics_file = folder / "model.safetensors", folder / "metrics.json"
    tokenizer_file = folder / _TOKENIZER_OF[settings["format"]]
    with _report_misfit(folder, settings, weights_file):
        with open_regular(weights_file) as (file, size):
            header = read_header(file, size)
        rows = header.rows("embedding.weight")
        if rows > header.data_bytes:
            raise BundleError(f"its header says {rows:,} rows for {header.data_bytes:,} bytes")
    _verify(metrics_file, settings, MAX_JSON_BYTES)
    with _report_misfit(folder, settings, tokenizer_file):
        _check_tokenizer_size(tokenizer_file, rows)
        _verify(tokenizer_file, settings)
        tokenizer = load_tokenizer(tokenizer_file)
        _check_unicode(tokenizer.vocabulary)
    with _report_misfit(folder, settings, weights_file):
        has_displacements = settings["format"] >= FORMAT
        wanted = specs(header, len(tokenizer.vocabulary))
        check_header(
            header, (spec for spec in wanted if has_displacements or spec.name != DISPLACEMENTS)
        )
        _verify(weights_file, settings)
        weights = safetensors.numpy.load_file(weights_file)
        for name, weight in weights.items():
            if weight.dtype.kind == "f" and not np.isfinite(weight).all():
                raise BundleError(f"{name} holds numbers that are not finite")
            if weight.dtype == np.float16:
                weights[name] = weight.astype(np.float32)
        if NGRAM_FINGERPRINTS in weights:
            weights.setdefault(DISPLACEMENTS, np.zeros(1, np.int32))
    with _report_misfit(folder, settings, metrics_file):
        metrics = json.loads(read_regular(metrics_file, MAX_JSON_BYTES))
        return {
            "weights": weights,
            "tokenizer": tokenizer,
            "metrics": _table({"metrics": metrics}, "metrics"),
            "synthetic": bool(settings["synthetic"]),
            "checksum": _settings_checksum(settings),
        }


def _check_tokenizer_size(path: Path, rows: int) -> None:
    """Refuse JSON that takes far more memory than a vocabulary of `rows` words could.

    Raises:
        BundleError: it is larger, or holds more values.
    """
    with open_regular(path, max(MAX_TOKENIZER_BYTES, BYTES_PER_ROW * rows)) as (file, _):
        content = file.read()
    values = sum(map(content.count, (b",", b"[", b"{")))
    if values > MAX_TOKENIZER_VALUES + VALUES_PER_ROW * rows:
        raise BundleError(f"some {values:,} values for a vocabulary of {rows:,}")


def _check_unicode(names: Iterable[str]) -> None:
    """Refuse halves of surrogate pairs, which JSON can spell and nobody can print.

    Raises:
        BundleError: there is one.
    """
    try:
        for name in names:
            name.encode("utf-8")
    except UnicodeEncodeError:
        raise BundleError("a name that is no Unicode text") from None


def _table(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = settings.get(name)
    if not isinstance(value, Mapping):
        raise BundleError(f"{name} is no table")
    return value


def _verify(path: Path, settings: Mapping[str, Any], max_bytes: int | None = None) -> None:
    """Compare a file's checksum with that in the settings.

    Raises:
        BundleError: it is another, or the file cannot be read.
    """
    if checksum(path, max_bytes) != settings["checksums"].get(path.name):
        raise _damaged(path, "its checksum differs")


@contextmanager
def _report_misfit(
    folder: Path, settings: Mapping[str, Any], path: Path | None = None
) -> Iterator[None]:
    """Say what to do about parts that do not fit each other, and where: a file, or the folder.

    Raises:
        BundleError: the block found that they do not.
    """
    try:
        yield
    except (
        SentirError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError,
        RuntimeError, SafetensorError, TypeError, ValueError,
    ) as error:  # fmt: skip
        if isinstance(error, BundleError) and error.where:
            raise  # it says all this
        raise BundleError(
            f"its parts do not fit ({str(error)[:MAX_MESSAGE]})",
            where=str(path or folder),
            todo=f"{COPY_AGAIN}, use sentir {str(settings.get('sentir'))[:20]}, which wrote it, or "
            "train again",
        ) from None


def _damaged(path: Path, reason: str) -> BundleError:
    return BundleError(f"damaged ({reason})", where=str(path), todo=COPY_AGAIN)


def _settings_checksum(settings: Mapping[str, Any]) -> str:
    """Of all settings but this checksum itself."""
    content = json.dumps(settings, sort_keys=True, ensure_ascii=True).encode()
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _write_settings(path: Path, settings: dict[str, Any]) -> None:
    """Write ``config.json`` with its own checksum."""
    settings["checksums"]["config.json"] = _settings_checksum(settings)
    _write_json(path, settings)


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
