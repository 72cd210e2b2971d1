"""The columns of a record that hold the text and the label, and their values."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentir.errors import DataError

#: Usual column names in the form of `normalize_name`, the likelier first.
TEXT_NAMES = (
    *("text", "review", "reviewtext", "reviewbody", "content", "body", "comment", "sentence"),
    *("texto", "resena", "comentario", "opinion", "contenido", "critica", "frase"),
    *("document", "message", "mensaje", "tweet"),
)
LABEL_NAMES = (
    *("label", "sentiment", "polarity", "stars", "starrating", "rating", "class", "score"),
    *("etiqueta", "sentimiento", "polaridad", "estrellas", "puntuacion", "clase"),
    *("valoracion", "calificacion", "overall", "target"),
)
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


def normalize_name(name: str) -> str:
    """The name in lower case without accents, spaces or punctuation: ``Reseña_`` is ``resena``."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of the text (several are joined with ``": "``) and of the label, if any."""

    text: tuple[str, ...]
    label: str | None

    @classmethod
    def find(
        cls,
        names: Iterable[str],
        *,
        text: tuple[str, ...] = (),
        label: str | None = None,
        labelled: bool = True,
    ) -> Columns:
        """Take the named columns; find those not named by their usual English or Spanish names.

        Args:
            names: all columns of the file.
            text: columns of the text; found by their usual names if empty.
            label: column of the label; found by its usual names if None.
            labelled: whether a label is required.

        Raises:
            DataError: a named column is absent (the message gives the nearest name), or none has a
                usual name. The caller adds the place.
        """
        names = [name for name in names if isinstance(name, str)]
        for name in (*text, *((label,) if label is not None else ())):
            if name not in names:
                raise _missing_column(name, names)
        if not text:
            column = _find_usual(names, TEXT_NAMES)
            if column is None:
                raise _no_usual_column("text", "--text-column", names)
            text = (column,)
        if label is None:
            label = _find_usual([name for name in names if name not in text], LABEL_NAMES)
            if label is None and labelled:
                raise _no_usual_column("label", "--label-column", names)
        return cls(text=text, label=label)

    def read(self, record: Mapping[str, Any], *, labelled: bool = True) -> tuple[str, str | None]:
        """The text and the label of a record.

        Raises:
            DataError: the text is empty or of another type, or the label is missing (if `labelled`)
                or is no single value. The caller adds the place.
        """
        if len(self.text) == 1:
            text = _read_text(record, self.text[0])
        else:
            text = ": ".join(part for name in self.text if (part := _read_text(record, name)))
        check_text(text)
        if self.label is None:
            return text, None
        label = read_label(record.get(self.label))
        if label is None and labelled:
            raise MissingLabelError(
                f"no label in column {self.label!r}", todo="add it or remove the row"
            )
        return text, label


class RowReader:
    """Reads the text and the label of each row; the columns are found once.

    Args:
        name: name of the file in errors.
        text, label, labelled: as for `Columns.find`.
    """

    def __init__(self, name: str, text: tuple[str, ...], label: str | None, labelled: bool) -> None:
        self._name, self._labelled = name, labelled
        self._find = functools.partial(Columns.find, text=text, label=label, labelled=labelled)
        self._columns: Columns | None = None

    def select_columns(self, names: Sequence[str]) -> Sequence[str]:
        """The columns to read, of those in the header: for training only text and label, else all.

        Raises:
            DataError: as `Columns.find`, or two columns have the name of one to read.
        """
        try:
            columns = self._columns = self._find(names)
            for name in (*columns.text, *([columns.label] if self._labelled else ())):
                if names.count(str(name)) > 1:
                    raise DataError(f"{name!r} names two columns", todo="rename one")
        except DataError as error:
            raise DataError(error.what, where=self._name, todo=error.todo) from None
        if not self._labelled:
            return names
        return [name for name in names if name in (*columns.text, columns.label)]

    def read(self, record: Mapping[str, Any]) -> tuple[str, str | None]:
        """The text and the label of a row; without a header the first row names the columns.

        Raises:
            DataError: as `Columns.find` and `Columns.read`.
        """
        if self._columns is None:
            self._columns = self._find(record)
        return self._columns.read(record, labelled=self._labelled)


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
        raise EmptyTextError("the text is empty", todo="remove the row")
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
    errors of spreadsheets (``#REF!``).

    Raises:
        DataError: the value is a list or an object.
    """
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
    return text


def _find_usual(names: list[str], usual: tuple[str, ...]) -> str | None:
    by_plain_name = {normalize_name(name): name for name in reversed(names)}
    return next((by_plain_name[name] for name in usual if name in by_plain_name), None)


def _missing_column(name: str, names: list[str]) -> DataError:
    near = difflib.get_close_matches(name, names, n=1)
    return DataError(
        f"no column {name!r} among {_join_names(names)}",
        todo=f"did you mean {near[0]!r}?" if near else "name one of them",
    )


def _no_usual_column(what: str, option: str, names: list[str]) -> DataError:
    return DataError(
        f"none of the columns {_join_names(names)} has a usual name for the {what}",
        todo=f"name it with {option}",
    )


def _join_names(names: list[str]) -> str:
    shown = ", ".join(repr(name)[:60] for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
