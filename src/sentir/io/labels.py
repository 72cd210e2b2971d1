"""Raw labels, as files hold them, and the classes that they mean.

Known pairs (``1``/``2``, ``neg``/``pos``, ``negativo``/``positivo``) and stars become negative and
positive, also where files with different ones are read together; each other label is a class.
``--labels`` overrides this.
"""

from __future__ import annotations

import functools
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sentir.errors import ConfigError, DataError, SentirWarning
from sentir.io.columns import read_label

POLARITY = ("negative", "positive")
#: Raw labels, in lower case, that mean negative or positive whatever the others are.
WORDS = {
    **dict.fromkeys(("neg", "negative", "negativo", "negativa", "bad", "malo", "mala"), 0),
    **dict.fromkeys(("négatif", "négative", "negativ", "negatief"), 0),
    **dict.fromkeys(("pos", "positive", "positivo", "positiva", "good", "bueno", "buena"), 1),
    **dict.fromkeys(("positif", "positiv", "positief"), 1),
}
#: Pairs of raw labels, in lower case, that mean negative and positive where both are there.
PAIRS = (
    ("1", "2"),
    ("0", "1"),
    ("-1", "1"),
    ("n", "p"),
    ("no", "yes"),
    ("no", "sí"),
    ("no", "si"),
    ("false", "true"),
)
#: If a known pair covers this share of the rows, all other labels are taken for errors.
KNOWN_SHARE = 0.99
MAX_CLASSES = 100

#: 0.5 to 5 in steps of a half, perhaps with the word "stars" or "out of 5"; or drawn stars.
_STARS = re.compile(
    r"([1-5](?:[.,]0*)?|[0-4][.,]50*)"
    r"(?:\s*(?:/|out of|of|de|sobre)\s*5(?:[.,]0*)?)?[\s-]*(?:stars?|estrellas?|[*★⭐]\ufe0f?)?",
    re.IGNORECASE,
)
_DRAWN_STARS = re.compile(r"(?:(?:[★⭐]\ufe0f?){1,5}|\*{1,5})☆{0,4}")


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

    @functools.cached_property
    def _of_stars(self) -> dict[float, int | None]:
        """The class of each number of stars; empty if the raw labels are other numbers."""
        of_stars = {stars: id for raw, id in self.of_raw.items() if (stars := _parse_stars(raw))}
        return of_stars if max(of_stars, default=0) > 2 and "0" not in self.of_raw else {}

    @functools.cached_property
    def _of_folded(self) -> dict[str, int | None]:
        """The class of each raw label and name in lower case, where only one class has it."""
        own = {name: id for id, name in enumerate(self.names)}
        of_folded: dict[str, set[int | None]] = {}
        for raw, id in (*self.of_raw.items(), *own.items()):
            of_folded.setdefault(raw.casefold(), set()).add(id)
        words = WORDS if self.names == POLARITY else {}
        return words | {raw: ids.pop() for raw, ids in of_folded.items() if len(ids) == 1}

    @property
    def is_of_stars(self) -> bool:
        """Whether the raw labels are numbers of stars."""
        return bool(self._of_stars)

    def knows(self, raw: str) -> bool:
        """Whether `class_id` knows a raw label."""
        try:
            self.class_id(raw, "")
        except DataError:
            return False
        return True

    def class_id(self, raw: str, where: str) -> int | None:
        """The index of the class of a raw label or a class name; None: leave the row out.

        Upper and lower case are one, where that leaves one class. Words such as "pos" are known to
        each model of negative and positive.

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
        if (folded := raw.casefold()) in self._of_folded:
            return self._of_folded[folded]
        if (stars := _parse_stars(raw)) in self._of_stars:
            return self._of_stars[stars]  # "5 stars" are 5
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
            scheme = _polarity_scheme(counts) or _identity_scheme(counts)
        elif labels == "stars":
            scheme = _stars_scheme(counts)
        else:
            scheme = parse_labels(labels)
        unknown = {
            raw: _unknown_label(raw, label.where, scheme.of_raw)
            for raw, label in counts.items()
            if not scheme.knows(raw)
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
            other = parse_labels(labels)
        folded = {name.casefold(): id for id, name in enumerate(self.names)}
        ids = []
        for name in other.names:
            id = self.names.index(name) if name in self.names else folded.get(name.casefold())
            if id is None:
                raise ConfigError(
                    f"{name!r} is not one of the classes {join_labels(self.names)}",
                    where="--labels",
                    todo=f"write LABEL={self.names[0]},LABEL={self.names[1]}",
                )
            ids.append(id)
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


def _polarity_scheme(counts: Mapping[str, RawLabel]) -> LabelScheme | None:
    """Negative and positive: words, pairs and stars, of several files perhaps, for nearly all rows.

    None if they leave out too many rows, or contradict each other: -1, 0 and 1 are three classes.
    """
    of_raw: dict[str, int | None] = {}
    for raw in counts:
        if (polarity := WORDS.get(raw.casefold())) is not None:
            of_raw[raw] = polarity
    others = {raw: label for raw, label in counts.items() if raw not in of_raw}
    have_stars = are_stars(others)
    of_others = _stars_scheme(others).of_raw if have_stars else _known_pairs(others)
    if of_others is None:
        return None
    of_raw |= of_others
    has_both = {0, 1} <= set(of_raw.values()) or have_stars or 1 < len(counts) == len(of_raw)
    if not has_both or not covers(of_raw, counts):
        return None
    _warn_of_three_stars([raw for raw, id in of_raw.items() if id is None], counts)
    in_order = sorted(of_raw.items(), key=lambda item: (item[1] is None, item[1] or 0))
    return LabelScheme(POLARITY, dict(in_order))


def _known_pairs(counts: Mapping[str, RawLabel]) -> dict[str, int] | None:
    """The polarity of the known pairs; None if two of them have a label in common."""
    of_raw: dict[str, int] = {}
    for pair in PAIRS:
        of_pair = {
            raw: id for id, name in enumerate(pair) for raw in counts if raw.casefold() == name
        }
        if set(of_pair.values()) != {0, 1}:
            continue
        if covers(of_pair, counts):
            return of_pair
        if of_pair.keys() & of_raw.keys():
            return None
        of_raw |= of_pair
    return of_raw


def are_stars(counts: Mapping[str, RawLabel]) -> bool:
    """Whether labels are stars: 1, 2 and 3 alone may be any three classes."""
    stars = {raw: number for raw in counts if (number := _parse_stars(raw))}
    return max(stars.values(), default=0) > 3 and covers(stars, counts)


def _warn_of_three_stars(threes: list[str], counts: Mapping[str, RawLabel]) -> None:
    if not threes:
        return
    count = sum(counts[raw].count for raw in threes)
    stars = sorted({_parse_stars(raw) for raw in counts} - {0})
    present = ",".join(f"{number:g}" for number in stars)
    warnings.warn(
        f"{count:,} reviews of three stars are left out, as they are neither negative nor "
        f"positive (the first: {counts[threes[0]].where}); --labels {present} keeps each star "
        "as a class",
        SentirWarning,
        stacklevel=4,
    )


def _stars_scheme(labels: Iterable[str]) -> LabelScheme:
    stars = {raw: number for raw in labels if (number := _parse_stars(raw))}
    of_raw = {raw: None if number == 3 else int(number > 3) for raw, number in stars.items()}
    return LabelScheme(POLARITY, of_raw)


def _parse_stars(raw: str) -> float:
    """The number of stars; 0 if the label is no such number."""
    if match := _STARS.fullmatch(raw):
        return float(match[1].replace(",", "."))
    return float(sum(map(raw.count, "★⭐*"))) if _DRAWN_STARS.fullmatch(raw) else 0.0


def _identity_scheme(counts: Mapping[str, RawLabel]) -> LabelScheme:
    if len({*map(str.casefold, counts)}) > MAX_CLASSES:
        raise DataError(
            f"{len(counts):,} different labels, such as {join_labels(counts, 3)}",
            where=files_of(counts),
            todo="check --label-column, or name the labels with --labels",
        )
    name_of: dict[str, str] = {}  # spellings that differ in case are one class
    for raw in sorted(counts, key=lambda raw: -counts[raw].count):
        name_of.setdefault(raw.casefold(), raw)
    names = tuple(sorted(name_of.values(), key=numbers_first))
    words = [raw for raw in names if raw.casefold() in WORDS]
    if words and not numbers_first(names[0])[0]:
        warnings.warn(
            "some labels are numbers and some are words, and each is a class: "
            f"{join_labels(names)}; if files are labelled in different ways, name what is the "
            f"same with --labels ({names[0]}=negative,{words[0]}=negative,...)",
            SentirWarning,
            stacklevel=3,
        )
    ids = {name: id for id, name in enumerate(names)}
    return LabelScheme(names, {raw: ids[name_of[raw.casefold()]] for raw in (*names, *counts)})


def numbers_first(raw: str) -> tuple[bool, float, str]:
    """The key that sorts labels: numbers by their value, then words."""
    try:
        number = float(raw)
    except ValueError:
        number = math.nan
    return (False, number, raw) if math.isfinite(number) else (True, 0.0, raw)


def parse_labels(labels: str) -> LabelScheme:
    """The scheme that ``--labels`` lists.

    Raises:
        ConfigError: it cannot be read, or lists fewer than two classes.
    """
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


def check_labels(labels: str) -> None:
    """Refuse an option ``--labels`` that cannot be read, before any label is.

    Raises:
        ConfigError: it is neither ``auto`` nor ``stars``, nor lists two classes or more.
    """
    if labels not in ("auto", "stars"):
        parse_labels(labels)


def _bad_option(labels: str, reason: str) -> ConfigError:
    return ConfigError(
        f"{labels!r}: {reason}",
        where="--labels",
        todo="write auto, stars, neg,pos or bad=negative,good=positive",
    )


def _check_classes(scheme: LabelScheme, counts: Mapping[str, RawLabel]) -> None:
    rows = dict.fromkeys(scheme.names, 0)
    for raw, label in counts.items():
        if scheme.knows(raw):
            id = scheme.class_id(raw, label.where)
            if id is not None:
                rows[scheme.names[id]] += label.count
    present = [name for name, count in rows.items() if count]
    labels_found = f"the labels found are {join_labels(counts)}"
    if len(present) == 1:
        raise DataError(
            f"all {rows[present[0]]:,} labelled reviews are {present[0]!r} ({labels_found})",
            where=files_of(counts),
            todo="add reviews of another class, or check --label-column and --labels",
        )
    for name, count in rows.items():
        if not count:
            what = f"no review is {name!r}; {labels_found}"
            raise DataError(what, where=files_of(counts), todo="check --labels")


def files_of(counts: Mapping[str, RawLabel]) -> str:
    """The files where labels occur first, as errors name them."""
    files = list(dict.fromkeys(label.where.rpartition(":")[0] for label in counts.values()))
    return files[0] + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def covers(known: Iterable[str], counts: Mapping[str, RawLabel]) -> bool:
    rows = sum(label.count for label in counts.values())
    return sum(counts[raw].count for raw in known) >= KNOWN_SHARE * rows


def _unknown_label(raw: str, where: str, known: Iterable[str]) -> DataError:
    return DataError(
        f"label {raw!r:.60} is not one of {join_labels(known)}",
        where=where,
        todo="fix the row or pass --labels",
    )


def join_labels(labels: Iterable[str], most: int = 10) -> str:
    labels = list(labels)
    shown = ", ".join(label[:40] for label in labels[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
