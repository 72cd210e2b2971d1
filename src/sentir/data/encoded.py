"""The folder of ``sentir encode``: what it holds, and the settings that it was encoded with.

::

    ENC/
      encode.json             the settings, by which the folder is known
      part-003-of-008/        a part before the join: words, provisional ids, texts
      corpus/                 after it: train/*.arrow, valid/*.arrow, tokenizer, labels
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sentir.config import Config, PretrainConfig, ReadOptions
from sentir.errors import ConfigError, DataError, UsageError
from sentir.io.atomic import atomic_write, is_part_of, report_unwritable
from sentir.io.shares import Share
from sentir.io.stores import is_address

#: The file by which the folder is known, and the folder of the joined corpus.
MARK, CORPUS = "encode.json", "corpus"
FORMAT = 1

Settings = Mapping[str, Any]


def settings_of(
    config: Config | PretrainConfig, labels: str, read: ReadOptions, lm: str | None
) -> Settings:
    """What the encoded reviews depend on beside the files.

    Args:
        config: how text becomes ids, and the split.
        labels: how labels become classes.
        read: how files are read.
        lm: the checksum of the language model whose tokenizer is used.
    """
    text = config.to_dict()["text"]
    del text["max_length"]  # reviews are truncated when they are trained on
    return {
        "text": text,
        "train": config.train.split(),
        "labels": labels,
        "from_lm": lm,
        "read": {
            **asdict(read),
            "text_column": list(read.text_column),
            "columns": list(read.columns),
        },
    }


def check_trained(
    folder: Path, config: Config | PretrainConfig, labels: str, lm: str | None
) -> None:
    """Refuse to train with other settings than the reviews were encoded with.

    How files are read may differ: it is about the test files.

    Raises:
        ConfigError: a setting differs.
        DataError: the parts are not joined, or the folder is damaged.
    """
    there, here = read_mark(folder)["settings"], settings_of(config, labels, ReadOptions(), lm)
    names = ("text", "train", "labels", "from_lm")
    _refuse_others(folder, _chosen(there, names), _chosen(here, names))
    if not (folder / CORPUS).is_dir():
        raise DataError(
            "its parts are not joined", where=str(folder), todo=f"sentir encode --join {folder}"
        )


def _chosen(settings: Settings, names: tuple[str, ...]) -> Settings:
    return {name: settings.get(name) for name in names}


def _refuse_others(folder: Path, there: Settings, here: Settings) -> None:
    """Raise a `ConfigError` that names the first setting that differs, and how to set it."""
    known, given = dict(_flat(there)), dict(_flat(here))
    for name in sorted({*known, *given}):
        if known.get(name) == given.get(name):
            continue
        if name == "from_lm":
            what = "with the tokenizer of a language model" if known[name] else "without one"
            raise ConfigError(
                f"the reviews were encoded {what}, and not of this one"
                if known[name] and given[name]
                else f"the reviews were encoded {what if known[name] else 'without --from-lm'}",
                where=str(folder),
                todo="encode them with the same --from-lm",
            )
        option = f"--{name.replace('_', '-')}"
        raise ConfigError(
            f"{name} is {_shown(given.get(name))}, and the reviews were encoded with "
            f"{_shown(known.get(name))}",
            where=str(folder),
            todo=f"set {option} to that, or encode them again into another folder",
        )


def _flat(settings: Settings) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from value.items()
        else:
            yield name, value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) or "unset"
    return "unset" if value is None else str(value)


def is_encoded(source: str) -> bool:
    """Whether a source is a folder of ``sentir encode``."""
    return source != "-" and not is_address(source) and (Path(source) / MARK).is_file()


def part_name(share: Share) -> str:
    """The folder of a part."""
    return f"part-{share.number:03}-of-{share.total:03}"


def claim_folder(folder: Path, share: Share, settings: Settings, files: list[Any]) -> None:
    """Make the folder that parts are encoded into, or check that it is for these.

    Raises:
        UsageError: it is another folder, or of other files, or cannot be written.
        ConfigError: it is for other settings.
    """
    where = str(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError("not a folder", where=where, todo="choose another --output")
    if folder.is_symlink() and not folder.exists():
        raise UsageError("a broken link", where=where, todo="choose another --output")
    for name in (MARK, CORPUS, part_name(share)):
        if (folder / name).is_symlink():
            raise UsageError(
                "a symbolic link, through which reviews would be written",
                where=str(folder / name),
                todo="remove it, or choose another --output",
            )
    mark = {"format": FORMAT, "parts": share.total, "settings": settings, "files": files}
    if (folder / MARK).exists():
        found = read_mark(folder)
        _refuse_others(folder, found["settings"], settings)
        if found["parts"] != share.total:
            raise UsageError(
                f"part {share}, and it is encoded in {found['parts']} parts",
                where=where,
                todo="give every part the same number of parts, or choose another --output",
            )
        if found["files"] != json.loads(json.dumps(files)):
            raise UsageError(
                "it is for other files, or they have changed",
                where=where,
                todo="give every part the same files, or choose another --output",
            )
        return
    others = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    if others := sorted(name for name in others if not is_part_of(name, MARK)):
        raise UsageError(
            f"not a folder of encoded reviews, and not empty (it holds {', '.join(others[:3])})",
            where=where,
            todo="choose another --output: a new or an empty folder",
        )
    with report_unwritable(folder), atomic_write(folder / MARK) as beside:
        beside.write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")


def read_mark(folder: Path) -> dict[str, Any]:
    """What ``encode.json`` says: ``parts``, ``settings`` and ``files``.

    Raises:
        DataError: it is missing, damaged or of another version.
    """
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        if mark["format"] == FORMAT and isinstance(mark["parts"], int):
            return {name: mark[name] for name in ("parts", "settings", "files")}
        what = f"encoded by another version of sentir (format {mark['format']})"
    except (OSError, ValueError, KeyError, TypeError):
        what = f"not a folder of encoded reviews (no {MARK} that can be read)"
    raise DataError(what, where=str(folder), todo="encode the reviews with sentir encode")
