"""Which files of a folder or archive are read, and the class that a folder or file is named after.

Tables are read if there are any, else texts: a folder per class with a review per file
(``pos/0_9.txt``), or a file per class with a review per line (``pos.txt``, ``rt-polarity.neg``).
"""

from __future__ import annotations

import difflib
import fnmatch
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from sentir.errors import DataError
from sentir.io.labels import WORDS
from sentir.io.paths import format_from_name, is_archive, without_compression

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
}
_UNLABELLED = {"unsup", "unsupervised", "unlabeled", "unlabelled"}
_TEXT_EXTENSIONS = {"", ".txt", ".text", ".ft"}
#: Names of files that tell about the data.
_ABOUT = re.compile(
    r"(readme|licen[cs]e|copying|notice|changelog|citation|authors|manifest)\b.*"
    r"|(dataset_infos?|dataset_dict|state)\.json|thumbs\.db|desktop\.ini",
    re.IGNORECASE,
)
_SHOWN = 3

_log = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """A file to read.

    Attributes:
        label: the class that its folder or name says; None if neither does.
        is_whole: whether the file is one review, and not one per line.
    """

    name: str
    label: str | None = None
    is_whole: bool = False


def choose(
    sizes: Mapping[str, int], where: str, *, part: str = "", folder: str = "", labelled: bool
) -> list[Chosen]:
    """The files to read, in their order.

    Args:
        sizes: all files, with their sizes (bytes).
        where: name of the container in errors.
        part: which files are meant: a name, a folder, a pattern or a split; empty: all.
        folder: name of the folder that holds them, if it is known.
        labelled: whether each review must have a label.

    Raises:
        DataError: no file of reviews, several splits where labels are read, an archive within the
            archive, or no file that `part` means.
    """
    names = select(sizes, part, where) if part else list(sizes)
    visible = [name for name in names if sizes[name] and not _is_hidden(name)]
    tables = [name for name in visible if _is_table(name)]
    chosen = [Chosen(name) for name in tables] or _texts(
        list(filter(_is_text, visible)), folder, labelled=labelled
    )
    if not chosen:
        raise _no_reviews(names, where)
    if labelled:
        _refuse_splits([file.name for file in chosen], where)
    _refuse_archives([*(name for name in visible if not _is_text(name))], where)
    return chosen


def select(names: Iterable[str], part: str, where: str) -> list[str]:
    """The names that `part` means: a name, a folder, a pattern or a split.

    Raises:
        DataError: there is none.
    """
    names, part = list(names), part.strip("/")
    found = [
        name
        for name in names
        if f"/{name}".endswith(f"/{part}")
        or f"/{part}/" in f"/{name}"
        or fnmatch.fnmatchcase(name, part)
    ]
    if not found and part in _SPLITS:
        found = [name for name in names if _splits(name) == {_SPLITS[part]}]
    if not found:
        near = difflib.get_close_matches(part, names, n=1)
        todo = f"did you mean {where}:{near[0]}?" if near else f"it holds {_some(names)}"
        raise DataError(f"holds no {part!r}", where=where, todo=todo)
    return found


def class_of_name(name: str) -> str | None:
    """The class that a file is named after: ``pos.txt``, ``rt-polarity.neg``."""
    found = {token for token in _tokens(PurePosixPath(name).name) if token in WORDS}
    return found.pop() if len(found) == 1 else None


def log_choice(chosen: list[Chosen], names: Collection[str], where: str) -> None:
    """Log how many files are read, as which classes, and which of `names` are not."""
    counts = Counter(file.label for file in chosen if file.label)
    parts = [f"{count:,} of {label}" for label, count in counts.items()]
    message = f"{where}: {len(chosen):,} file{'s' * (len(chosen) > 1)} of reviews"
    message += f" ({', '.join(parts)})" if parts else ""
    if any(file.is_whole for file in chosen):
        message += ", one review per file"
    elif parts:
        message += ", one review per line"
    taken = {file.name for file in chosen}
    if skipped := [name for name in names if name not in taken]:
        message += f"; not read: {_some(skipped)}"
    _log.info("%s", message)


def _texts(names: list[str], folder: str, *, labelled: bool) -> list[Chosen]:
    """Files of text, with their classes if folders or names say them."""
    above = folder if folder.lower() in WORDS else ""
    parents = {name: PurePosixPath(above, name).parent.name for name in names}
    counts = Counter(parents.values())
    classes = [parent for parent in counts if parent.lower() not in ("", *_SPLITS, *_UNLABELLED)]
    if len(classes) < 2 and not any(parent.lower() in WORDS for parent in classes):
        classes = []  # a folder alone says nothing, unless it is called neg or pos
    if classes:
        is_whole = max(counts[parent] for parent in classes) > 1
        files = [
            Chosen(name, parent if parent in classes else None, is_whole)
            for name, parent in parents.items()
            if parent in classes or (parent.lower() in _UNLABELLED and not labelled)
        ]
    else:
        files = [Chosen(name, class_of_name(name)) for name in names]
        if labelled and any(file.label for file in files):
            files = [file for file in files if file.label]
    return files


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        not parts
        or parts[-1].startswith("_")
        or any(part == "__MACOSX" or (part.startswith(".") and part.strip(".")) for part in parts)
    )


def _is_table(name: str) -> bool:
    return format_from_name(name) is not None and not _is_about(name)


def _is_text(name: str) -> bool:
    plain = PurePosixPath(without_compression(name))
    extension = plain.suffix.removeprefix(".")
    is_text = plain.suffix in _TEXT_EXTENSIONS or extension in WORDS
    return is_text and not _is_about(name)


def _is_about(name: str) -> bool:
    return _ABOUT.match(PurePosixPath(name).name) is not None or any(
        token == "readme" for token in _tokens(PurePosixPath(name).name)
    )


def _tokens(name: str) -> list[str]:
    return re.split(r"[^a-záéíóúñ]+", name.lower())


def _splits(name: str) -> set[str]:
    """The splits that the folders or the name of a file say."""
    path = PurePosixPath(name)
    words = [part.lower() for part in path.parts[:-1]] + _tokens(path.name)
    return {_SPLITS[word] for word in words if word in _SPLITS}


def _refuse_splits(names: list[str], where: str) -> None:
    splits = {split: name for name in reversed(names) for split in _splits(name)}
    if len(splits) > 1:
        some = " and ".join(sorted(splits.values()))
        raise DataError(
            f"holds several splits ({some})",
            where=where,
            todo=f"name one: {where}:{'train' if 'train' in splits else min(splits)}",
        )


def _refuse_archives(names: list[str], where: str) -> None:
    for name in names:
        if is_archive(name) or name.lower().endswith((".7z", ".rar")):
            todo = "unpack the outer one, and name this one"
            raise DataError("an archive within another", where=f"{where}:{name}", todo=todo)


def _no_reviews(names: list[str], where: str) -> DataError:
    if not names:
        return DataError("holds no file", where=where, todo="check how it was written")
    _refuse_archives(names, where)
    return DataError(
        f"holds no file of reviews ({_some(names)})",
        where=where,
        todo="it may hold CSV, TSV, JSON, Parquet, Arrow, .xlsx, or texts in a folder per class",
    )


def _some(names: Collection[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
