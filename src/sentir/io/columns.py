"""Which columns of a record hold the text and the label, and what they hold."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentir.errors import DataError

#: Usual names, the likelier first, as `plain_name` writes them.
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
_WHOLE_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,18})(?:\.0*)?\s*")


def plain_name(name: str) -> str:
    """The name in small letters without accents, spaces or signs: ``Reseña_`` gives ``resena``."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns that hold the text (several are joined with ``": "``) and the label, if any."""

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
        """The named columns, and by their usual names (English, Spanish) those that are not named.

        Args:
            names: the columns that there are.
            text: columns that must hold the text; found by usual names if empty.
            label: column that must hold the label; found by usual names if None.
            labelled: whether there must be a label.

        Raises:
            DataError: a named column is absent (the nearest one is given), or none has a usual
                name. The error's place is left to the caller.
        """
        names = [name for name in names if isinstance(name, str)]
        for name in (*text, *((label,) if label is not None else ())):
            if name not in names:
                raise _absent(name, names)
        if not text:
            found = _usual(names, TEXT_NAMES)
            if found is None:
                raise _none_usual("text", "--text-column", names)
            text = (found,)
        if label is None:
            label = _usual([name for name in names if name not in text], LABEL_NAMES)
            if label is None and labelled:
                raise _none_usual("label", "--label-column", names)
        return cls(text=text, label=label)

    def read(self, record: Mapping[str, Any], *, labelled: bool = True) -> tuple[str, str | None]:
        """The text and the label of a record.

        Raises:
            DataError: the text is empty or not text, or the label is missing (if `labelled`) or
                not one value. The error's place is left to the caller.
        """
        if len(self.text) == 1:
            text = _text_in(record, self.text[0])
        else:
            text = ": ".join(part for name in self.text if (part := _text_in(record, name)))
        check_text(text)
        if self.label is None:
            return text, None
        label = read_label(record.get(self.label))
        if label is None and labelled:
            raise DataError(f"no label in column {self.label!r}", todo="add it or remove the row")
        return text, label


class Table:
    """The text and the label of each row of a table, in columns found once.

    Args:
        name: what to call the table in errors.
        text, label, labelled: as for `Columns.find`.
    """

    def __init__(self, name: str, text: tuple[str, ...], label: str | None, labelled: bool) -> None:
        self._name, self._labelled = name, labelled
        self._find = functools.partial(Columns.find, text=text, label=label, labelled=labelled)
        self._columns: Columns | None = None

    def choose(self, names: Sequence[str]) -> Sequence[str]:
        """The columns worth reading of those in the header: without labels all, to pass through.

        Raises:
            DataError: as `Columns.find`.
        """
        try:
            columns = self._columns = self._find(names)
        except DataError as error:
            raise DataError(error.what, where=self._name, todo=error.todo) from None
        if not self._labelled:
            return names
        return [name for name in names if name in (*columns.text, columns.label)]

    def read(self, record: Mapping[str, Any]) -> tuple[str, str | None]:
        """The text and the label of a row; the first row is the header if `choose` saw none.

        Raises:
            DataError: as `Columns.find` and `Columns.read`.
        """
        if self._columns is None:
            self._columns = self._find(record)
        return self._columns.read(record, labelled=self._labelled)


class EmptyTextError(DataError):
    """There is no text in a row."""


def check_text(text: str) -> None:
    """Refuse a text that says nothing or that no encoding can write.

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


def _text_in(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        kind = type(value).__name__
        raise DataError(f"column {name!r} holds {kind} {value!r:.40}, not text", todo="quote it")
    return value


def read_label(value: Any) -> str | None:
    """A raw label as text: 1, 1.0, "1" and "1.0" are all "1"; None where there is none.

    Raises:
        DataError: a list or a table stands where the label should.
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
    number = _WHOLE_NUMBER.fullmatch(text)
    if number:
        return str(int(number[1]))
    return text.strip() or None


def _usual(names: list[str], usual: tuple[str, ...]) -> str | None:
    by_plain_name = {plain_name(name): name for name in reversed(names)}
    return next((by_plain_name[name] for name in usual if name in by_plain_name), None)


def _absent(name: str, names: list[str]) -> DataError:
    near = difflib.get_close_matches(name, names, n=1)
    return DataError(
        f"no column {name!r} among {_listed(names)}",
        todo=f"did you mean {near[0]!r}?" if near else "name one of them",
    )


def _none_usual(what: str, option: str, names: list[str]) -> DataError:
    return DataError(
        f"none of the columns {_listed(names)} has a usual name for the {what}",
        todo=f"name it with {option}",
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name)[:60] for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
