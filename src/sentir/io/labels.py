"""Raw labels, as files hold them, and the classes that they mean.

Known pairs (``1``/``2``, ``neg``/``pos``, ``negativo``/``positivo``, stars) become negative and
positive; each other label is a class. ``--labels`` overrides this.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sentir.errors import ConfigError, DataError, SentirWarning
from sentir.io.columns import read_label

POLARITY = ("negative", "positive")
#: Pairs of raw labels, in lower case, that mean negative and positive.
PAIRS = (
    ("1", "2"),
    ("0", "1"),
    ("-1", "1"),
    ("neg", "pos"),
    ("n", "p"),
    ("negative", "positive"),
    ("negativo", "positivo"),
    ("negativa", "positiva"),
    ("bad", "good"),
    ("no", "yes"),
    ("no", "sí"),
    ("no", "si"),
    ("false", "true"),
)
#: If a known pair covers this share of the rows, all other labels are taken for errors.
KNOWN_SHARE = 0.99
MAX_CLASSES = 100

#: 0.5 to 5 in steps of a half, perhaps with the word "stars".
_STARS = re.compile(r"([1-5](?:[.,]0*)?|[0-4][.,]50*)\s*(?:stars?|estrellas?)?", re.IGNORECASE)


@dataclass(frozen=True)
class RawLabel:
    """How many rows have a raw label, and the place of the first (``reviews.csv:418``)."""

    count: int
    where: str


@dataclass(frozen=True)
class LabelScheme:
    """The class of each raw label.

    Args:
        names: names of the classes, in the order of the model's outputs.
        of_raw: index of the class of each raw label; None for those to leave out (three stars).
    """

    names: tuple[str, ...]
    of_raw: Mapping[str, int | None]

    def class_id(self, raw: str, where: str) -> int | None:
        """The index of the class of a raw label or a class name; None: leave the row out.

        Args:
            raw: the label in the file.
            where: its place, for the error.

        Raises:
            DataError: the label is unknown.
        """
        if raw in self.of_raw:
            return self.of_raw[raw]
        if raw in self.names:
            return self.names.index(raw)
        if raw.casefold() in self.names:
            return self.names.index(raw.casefold())
        if (stars := _parse_stars(raw)) and (number := f"{stars:g}") in self.of_raw:
            return self.of_raw[number]  # "5 stars" are 5
        raise _unknown_label(raw, where, dict.fromkeys((*self.of_raw, *self.names)))

    @classmethod
    def resolve(
        cls, counts: Mapping[str, RawLabel], labels: str = "auto"
    ) -> tuple[LabelScheme, dict[str, DataError]]:
        """The scheme for these raw labels, and an error for each label that it does not know.

        Args:
            counts: the raw labels with their counts.
            labels: ``auto``; ``stars`` (below 3 negative, above positive, 3 dropped); the raw
                labels in the classes' order (``1,2,3,4,5``); or ``bad=negative,good=positive``.

        Raises:
            ConfigError: `labels` cannot be read.
            DataError: there is no label, only one class, a class without rows, or more than
                `MAX_CLASSES` classes.
        """
        if not counts:
            raise DataError("no labelled review", todo="check the files and --label-column")
        if labels == "auto":
            scheme = _known_pair(counts) or _known_stars(counts) or _identity_scheme(counts)
        elif labels == "stars":
            scheme = _stars_scheme(counts)
        else:
            scheme = _parse_labels(labels)
        unknown = {
            raw: _unknown_label(raw, label.where, scheme.of_raw)
            for raw, label in counts.items()
            if raw not in scheme.of_raw and raw not in scheme.names
        }
        _check_classes(scheme, counts)
        return scheme, unknown

    def renamed(self, labels: str) -> LabelScheme:
        """The same classes with other raw labels, to evaluate on files with another labelling.

        Args:
            labels: ``auto`` (no change), ``stars``, or ``bad=negative,good=positive``.

        Raises:
            ConfigError: `labels` cannot be read, or names a class that is not one of these.
        """
        if labels == "auto":
            return self
        if labels == "stars":
            other = _stars_scheme(f"{half / 2:g}" for half in range(1, 11))
        else:
            other = _parse_labels(labels)
        for name in other.names:
            if name not in self.names:
                raise ConfigError(
                    f"{name!r} is not one of the classes {_join(self.names)}",
                    where="--labels",
                    todo=f"write LABEL={self.names[0]},LABEL={self.names[1]}",
                )
        ids = [self.names.index(name) for name in other.names]
        of_raw = {raw: None if id is None else ids[id] for raw, id in other.of_raw.items()}
        return LabelScheme(self.names, of_raw)

    def to_dict(self) -> dict[str, Any]:
        """The scheme as data for JSON."""
        return {"names": list(self.names), "of_raw": dict(self.of_raw)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LabelScheme:
        """The scheme from the data of `to_dict`.

        Raises:
            DataError: the data is not a label scheme.
        """
        names, of_raw = (
            (data.get("names"), data.get("of_raw")) if isinstance(data, Mapping) else (None, None)
        )
        if (
            isinstance(names, list)
            and isinstance(of_raw, dict)
            and 2 <= len(names) <= MAX_CLASSES
            and all(isinstance(name, str) for name in (*names, *of_raw))
            and len(set(names)) == len(names)
            and all(id is None or _is_index(id, names) for id in of_raw.values())
        ):
            return cls(tuple(names), of_raw)
        raise DataError("not a label scheme", where="labels", todo="train the model again")


def _is_index(id: Any, names: list[str]) -> bool:
    return isinstance(id, int) and 0 <= id < len(names)


def _known_pair(counts: Mapping[str, RawLabel]) -> LabelScheme | None:
    """The scheme of the known pair, or of several without a common label, that covers the rows."""
    if _looks_like_stars(counts):
        return None
    of_raw: dict[str, int | None] = {}
    for pair in PAIRS:
        of_pair = {
            raw: id for id, name in enumerate(pair) for raw in counts if raw.casefold() == name
        }
        if set(of_pair.values()) != {0, 1}:
            continue
        if _covers(of_pair, counts):
            return LabelScheme(POLARITY, dict(of_pair))
        if of_pair.keys() & of_raw.keys():  # -1, 0 and 1 are three classes
            return None
        of_raw |= of_pair
    return LabelScheme(POLARITY, of_raw) if of_raw and _covers(of_raw, counts) else None


def _looks_like_stars(counts: Mapping[str, RawLabel]) -> bool:
    stars = {raw: _parse_stars(raw) for raw in counts if _parse_stars(raw)}
    distinct = set(stars.values())
    return (len(distinct) > 2 or bool(distinct & {4, 5})) and _covers(stars, counts)


def _known_stars(counts: Mapping[str, RawLabel]) -> LabelScheme | None:
    if not _looks_like_stars(counts):
        return None
    scheme = _stars_scheme(counts)
    threes = [raw for raw, id in scheme.of_raw.items() if id is None]
    if threes:
        count = sum(counts[raw].count for raw in threes)
        present = ",".join(sorted(scheme.of_raw, key=_parse_stars))
        warnings.warn(
            f"{count:,} reviews of three stars are left out, as they are neither negative nor "
            f"positive (the first: {counts[threes[0]].where}); --labels {present} keeps each star "
            "as a class",
            SentirWarning,
            stacklevel=2,
        )
    return scheme


def _stars_scheme(labels: Iterable[str]) -> LabelScheme:
    stars = {raw: number for raw in labels if (number := _parse_stars(raw))}
    of_raw = {raw: None if number == 3 else int(number > 3) for raw, number in stars.items()}
    return LabelScheme(POLARITY, of_raw)


def _parse_stars(raw: str) -> float:
    """The number of stars; 0 if the label is no such number."""
    match = _STARS.fullmatch(raw)
    return float(match[1].replace(",", ".")) if match else 0.0


def _identity_scheme(counts: Mapping[str, RawLabel]) -> LabelScheme:
    if len(counts) > MAX_CLASSES:
        raise DataError(
            f"{len(counts):,} different labels, such as {_join(counts, 3)}",
            todo="check --label-column, or name the labels with --labels",
        )
    names = tuple(sorted(counts, key=_numbers_first))
    return LabelScheme(names, {name: id for id, name in enumerate(names)})


def _numbers_first(raw: str) -> tuple[bool, float, str]:
    try:
        number = float(raw)
    except ValueError:
        number = math.nan
    return (False, number, raw) if math.isfinite(number) else (True, 0.0, raw)


def _parse_labels(labels: str) -> LabelScheme:
    """The scheme that ``--labels`` lists."""
    pairs: list[tuple[str, str]] = []
    for part in labels.split(","):
        label, sign, name = (piece.strip() for piece in part.partition("="))
        raw = read_label(label)  # normalised like the labels of files
        if raw is None or (sign and not name):
            raise _bad_option(labels, f"{part!r} is not a label")
        pairs.append((raw, name if sign else raw))
    names = tuple(dict.fromkeys(name for _, name in pairs))
    if set(names) == set(POLARITY):
        names = POLARITY
    of_raw: dict[str, int | None] = {raw: names.index(name) for raw, name in pairs}
    if len(of_raw) < len(pairs):
        raise _bad_option(labels, "a label is given twice")
    if len(names) < 2:
        raise _bad_option(labels, "there must be two classes or more")
    return LabelScheme(names, of_raw)


def _bad_option(labels: str, reason: str) -> ConfigError:
    return ConfigError(
        f"{labels!r}: {reason}",
        where="--labels",
        todo="write auto, stars, neg,pos or bad=negative,good=positive",
    )


def _check_classes(scheme: LabelScheme, counts: Mapping[str, RawLabel]) -> None:
    rows = dict.fromkeys(scheme.names, 0)
    for raw, label in counts.items():
        if raw in scheme.of_raw or raw in scheme.names:
            id = scheme.class_id(raw, label.where)
            if id is not None:
                rows[scheme.names[id]] += label.count
    present = [name for name, count in rows.items() if count]
    labels_found = f"the labels found are {_join(counts)}"
    if len(present) == 1:
        raise DataError(
            f"all {rows[present[0]]:,} labelled reviews are {present[0]!r} ({labels_found})",
            todo="add reviews of another class, or check --label-column and --labels",
        )
    for name, count in rows.items():
        if not count:
            raise DataError(f"no review is {name!r}; {labels_found}", todo="check --labels")


def _covers(known: Iterable[str], counts: Mapping[str, RawLabel]) -> bool:
    rows = sum(label.count for label in counts.values())
    return sum(counts[raw].count for raw in known) >= KNOWN_SHARE * rows


def _unknown_label(raw: str, where: str, known: Iterable[str]) -> DataError:
    return DataError(
        f"label {raw!r:.60} is not one of {_join(known)}",
        where=where,
        todo="fix the row or pass --labels",
    )


def _join(labels: Iterable[str], most: int = 10) -> str:
    labels = list(labels)
    shown = ", ".join(label[:40] for label in labels[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
