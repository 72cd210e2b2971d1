"""The columns of a record that hold the text and the label, and their values."""

from __future__ import annotations

import difflib
import functools
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sentir.errors import DataError
from sentir.io.column_names import (
    LABEL_NAMES,
    TEXT_NAMES,
    TITLE_NAMES,
    match_column,
    nearest_column,
    usual_columns,
)

#: What stands between the parts of a text of several columns.
JOIN = ": "
#: Raw labels that mean "no label", as pandas, SQL, R, Weka and spreadsheets write them: in any
#: case, and as they stand (a class may well be called "none").
_MISSING_ANY_CASE = {
    *("", "nan", "-nan", "nat", "null", "(null)", "[null]", "<null>", "nil", "undefined"),
    *("n/a", "n.a.", "#n/a", "#n/a n/a", "<na>", "\\n", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    *("#value!", "#ref!", "#name?", "#div/0!", "#num!", "#null!", "?", "--", "."),
}
_MISSING = {"None", "NA", "#NA", "N.A"}
#: What no label starts or ends with: blanks, and what is invisible.
_BLANK = (
    " \t\r\n\v\f\0\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\u200e\u200f\ufeff"
)
#: Whole and decimal numbers, the latter with a comma too ("4,5"); "1,000" is neither.
_WHOLE_NUMBER = re.compile(r"([+-]?[0-9]{1,18})(?:\.0*|,0{1,2})?")
_DECIMAL_NUMBER = re.compile(r"([+-]?[0-9]{1,18})(?:\.([0-9]+)|,([0-9]{1,2}))")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of the text (several are joined with `JOIN`) and of the label, if any.

    Attributes:
        doubts: what may be otherwise than it was taken, and how to say so, each a sentence.
    """

    text: tuple[str, ...]
    label: str | None
    doubts: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def find(
        cls,
        names: Iterable[str],
        *,
        text: tuple[str, ...] = (),
        label: str | None = None,
        labelled: bool = True,
        trained_on: Sequence[Columns] = (),
    ) -> Columns:
        """Take the named columns; find those not named by their usual English or Spanish names.

        Names are compared exactly first, then without case, accents, spaces and punctuation. A
        title is joined before the text.

        Args:
            names: all columns of the file.
            text: columns of the text; unset: those that the model was trained on, else those with
                usual names.
            label: column of the label; unset: as for the text.
            labelled: whether a label is required.
            trained_on: the columns of the files that the model was trained on.

        Raises:
            DataError: a named column is absent (the message gives the nearest name), or none has a
                usual name (`ColumnError`). The caller adds the place.
        """
        names = list(dict.fromkeys(name for name in names if isinstance(name, str)))
        doubts: list[str] = []
        label = None if label is None else named_column(label, names)
        if text:
            text = tuple(named_column(name, names) for name in text)
        else:
            text = _find_text(names, [columns.text for columns in trained_on], doubts)
        if label is None:
            known = [columns.label for columns in trained_on if columns.label is not None]
            try:
                label = _find_label(names, text, known, doubts if labelled else [])
            except ColumnError:
                if labelled:
                    raise
        return cls(text=text, label=label, doubts=tuple(doubts))

    def read(self, record: Mapping[str, Any], *, labelled: bool = True) -> tuple[str, str | None]:
        """The text and the label of a record.

        Raises:
            DataError: the text is empty or of another type, or the label is missing (if `labelled`)
                or is no single value. The caller adds the place.
        """
        if len(self.text) == 1:
            text = _read_text(record, self.text[0])
        else:
            parts = (_read_text(record, name) for name in self.text)
            text = JOIN.join(part for part in parts if part and not part.isspace())
        check_text(text)
        if self.label is None:
            return text, None
        try:
            label = read_label(record.get(self.label))
        except DataError:
            if labelled:
                raise
            label = None
        if label is None and labelled:
            raise MissingLabelError(
                f"no label in column {self.label!r}", todo="add it or remove the row"
            )
        return text, label

    def without_label(self) -> Columns:
        """The columns of the text alone."""
        return replace(self, label=None)

    def __str__(self) -> str:
        text = f"text = {_and(self.text)}"
        joined = f" joined with {JOIN!r}" if len(self.text) > 1 else ""
        return text + joined + (f"; label = {self.label!r}" if self.label is not None else "")

    def to_dict(self) -> dict[str, Any]:
        """The columns as data for JSON."""
        return {"text": list(self.text), "join": JOIN, "label": self.label}

    @classmethod
    def from_dict(cls, data: Any) -> Columns:
        """The columns from the data of `to_dict`.

        Raises:
            DataError: the data is something else.
        """
        text, label = (data.get("text"), data.get("label")) if isinstance(data, dict) else ((), 0)
        if (
            isinstance(text, list)
            and text
            and all(isinstance(name, str) for name in text)
            and isinstance(label, str | None)
            and data.get("join") == JOIN
        ):
            return cls(text=tuple(text), label=label)
        raise DataError("no columns", where="columns", todo="train the model again")


class ColumnError(DataError):
    """No column has a usual name.

    Args:
        what: what was looked for, and where.
        option: the option that names the column.
        near: the column that is likely meant, if there is one.
    """

    def __init__(self, what: str, option: str, near: str | None) -> None:
        super().__init__(what, todo=f"pass {option} {near!r}" if near else f"name it with {option}")
        self.option, self.near = option, near

    def with_sample(self, record: Mapping[str, Any]) -> DataError:
        """The error with the value of the likely column in this row of the file.

        Where no name is near, the likely column of a text is the one with the longest value.
        """
        near = self.near
        if near is None and self.option == TEXT_OPTION:
            texts = {name: value for name, value in record.items() if isinstance(value, str)}
            near = max(texts, key=lambda name: len(texts[name]), default=None)
            if near is not None and " " not in texts[near].strip():
                near = None
        value = None if near is None else record.get(near)
        if value is None or value == "":
            return self
        todo = f"pass {self.option} {near!r} if that is it (its first value: {value!r:.60})"
        return DataError(self.what, where=self.where, todo=todo)


class MissingLabelError(DataError):
    """A row without a label."""


class EmptyTextError(DataError):
    """A row without text."""


def check_text(text: str) -> None:
    """Refuse a text that is empty or cannot be encoded.

    Raises:
        EmptyTextError: it is empty or blank.
        DataError: it holds half of a surrogate pair.
    """
    if not text or text.isspace():
        raise EmptyTextError("the text is empty")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:  # a JSON escape such as \ud83d alone
            raise DataError(
                f"character {error.start + 1} of the text is half of a surrogate pair",
                todo="write the character whole",
            ) from None


def _read_text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        kind = type(value).__name__
        raise DataError(f"column {name!r} holds {kind} {value!r:.40}, not text", todo="quote it")
    return value


def read_label(value: Any) -> str | None:
    """A raw label as text: 1, 1.0, "1", "1,0" and "'1'" are all "1"; None if it is missing.

    Missing are also ``nan``, ``NULL``, ``None``, ``NA``, ``N/A``, ``<NA>``, ``\\N``, ``?`` and the
    errors of spreadsheets (``#REF!``). A list of one text is that text, as Doccano writes labels.

    Raises:
        DataError: the value is another list, or an object.
    """
    if isinstance(value, list) and [type(one) for one in value] in ([], [str]):
        value = value[0] if value else None
    if isinstance(value, str):
        return _label_of_text(value)
    if value is None or value != value:  # pandas writes a missing label as NaN
        return None
    if isinstance(value, (bool, int, float)):
        return _label_of_text(str(value).lower())
    raise DataError(f"the label is {value!r:.40}", todo="give one text or number")


@functools.lru_cache(maxsize=1024)
def _label_of_text(text: str) -> str | None:
    text = text.strip(_BLANK)
    while len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":  # quotes that a table kept
        text = text[1:-1].strip(_BLANK)
    if text.lower() in _MISSING_ANY_CASE or text in _MISSING:
        return None
    if number := _WHOLE_NUMBER.fullmatch(text):
        return str(int(number[1]))
    if number := _DECIMAL_NUMBER.fullmatch(text):
        return f"{number[1]}.{(number[2] or number[3]).rstrip('0')}"
    return unicodedata.normalize("NFC", " ".join(text.split()))


def read_weight(value: Any) -> float:
    """How much a review counts: a number of 0 or more, or its text.

    Raises:
        DataError: the value is something else.
    """
    try:
        # float() takes 1_000 too, which no file means.
        weight = math.nan if isinstance(value, bool) or "_" in str(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        weight = math.nan
    if math.isfinite(weight) and weight >= 0:
        return weight
    raise DataError(f"the weight is {value!r:.40}", todo="write a number of 0 or more")


TEXT_OPTION, LABEL_OPTION = "--text-column", "--label-column"


def _find_text(
    names: list[str], trained_on: list[tuple[str, ...]], doubts: list[str]
) -> tuple[str, ...]:
    """The columns of text that the model was trained on, else those with usual names.

    Raises:
        ColumnError: there are none.
    """
    best: tuple[str, ...] = ()
    for columns in trained_on:
        found = tuple(filter(None, (match_column(name, names) for name in columns)))
        if len(found) == len(columns):
            return found
        best = max(best, found, key=len)
    text = best or _usual_text(names, doubts)
    if trained_on:
        doubts.append(
            f"the model was trained on {' or '.join(map(_and, trained_on))}; here {_and(text)} "
            f"{'is' if len(text) == 1 else 'are'} read ({TEXT_OPTION} names others)"
        )
    return text


def _usual_text(names: list[str], doubts: list[str]) -> tuple[str, ...]:
    """The columns of text by their usual names: a title, if there is one, and the text.

    Raises:
        ColumnError: there is no text.
    """
    texts, titles = usual_columns(names, TEXT_NAMES), usual_columns(names, TITLE_NAMES)
    if not texts:
        near = nearest_column([name for name in names if name not in titles], TEXT_NAMES)
        raise _no_usual_column("text", TEXT_OPTION, names, near or next(iter(titles), None))
    title = "".join(f"{name}," for name in titles[:1])
    _doubt_of_others("text", TEXT_OPTION, texts, doubts, other=title + "".join(texts[1:2]))
    _doubt_of_others("title", TEXT_OPTION, titles, doubts, other=",".join((*titles[1:2], texts[0])))
    return (*titles[:1], texts[0])


def _find_label(
    names: list[str], text: tuple[str, ...], trained_on: list[str], doubts: list[str]
) -> str:
    """The column of the label that the model was trained on, else the one with a usual name.

    Raises:
        ColumnError: there is none.
    """
    others = [name for name in names if name not in text]
    for name in trained_on:
        if (found := match_column(name, others)) is not None:
            return found
    labels = usual_columns(others, LABEL_NAMES)
    if not labels:
        near = nearest_column(others, LABEL_NAMES)
        raise _no_usual_column("label", LABEL_OPTION, names, near)
    _doubt_of_others("label", LABEL_OPTION, labels, doubts, other="".join(labels[1:2]))
    if trained_on:
        doubts.append(
            f"the model was trained on the labels of {' or '.join(map(repr, trained_on))}; here "
            f"{labels[0]!r} is read ({LABEL_OPTION} names another)"
        )
    return labels[0]


def _and(names: Iterable[str]) -> str:
    return " and ".join(map(repr, names))


def _doubt_of_others(
    what: str, option: str, found: list[str], doubts: list[str], *, other: str
) -> None:
    if len(found) > 1:
        doubts.append(
            f"{_join_names(found)} may each be the {what}: {found[0]!r} is read; "
            f"{option} {other!r} takes another"
        )


def named_column(name: str, names: Sequence[str]) -> str:
    """The column that an option names.

    Raises:
        DataError: it is not there.
    """
    if (found := match_column(name, names)) is not None:
        return found
    near = difflib.get_close_matches(name, names, n=1)
    raise DataError(
        f"no column {name!r} among {_join_names(names)}",
        todo=f"did you mean {near[0]!r}?" if near else "name one of them",
    )


def _no_usual_column(what: str, option: str, names: list[str], near: str | None) -> ColumnError:
    columns = f"none of the columns {_join_names(names)}" if names else "no column"
    return ColumnError(f"{columns} has a usual name for the {what}", option, near)


def _join_names(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name)[:60] for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
