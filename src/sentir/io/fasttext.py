"""Lines of fastText: ``__label__NAME`` and the text, separated by a space or a tab."""

from __future__ import annotations

from sentir.errors import DataError
from sentir.io.columns import MissingLabelError, check_text, read_label

PREFIX = "__label__"


def parse_labelled(line: str) -> tuple[str, str | None]:
    """The text and the label of a line ``__label__NAME text``.

    Raises:
        DataError: there is no label or more than one, or the text is empty.
    """
    prefix, text = _split_prefix(line.removesuffix("\r"))
    label = read_label(prefix.removeprefix(PREFIX))
    if prefix.startswith(PREFIX) and label is None:
        raise MissingLabelError("no label after __label__", todo="add it or remove the row")
    if label is None or not prefix.startswith(PREFIX):
        raise DataError(
            "no label at the start of the line", todo="write __label__NAME before the text"
        )
    if PREFIX in label or text.lstrip().startswith(PREFIX):
        raise DataError("several labels", todo="keep one: a review has one class")
    check_text(text)
    return text, label


def parse_unlabelled(line: str) -> tuple[str, str | None]:
    """The text and the first label, if there is one, of a line to predict.

    Raises:
        DataError: the text is empty.
    """
    text, label = line.removesuffix("\r"), None
    while text.startswith(PREFIX):
        prefix, text = _split_prefix(text)
        label = label or read_label(prefix.removeprefix(PREFIX))
    check_text(text)
    return text, label


def _split_prefix(line: str) -> tuple[str, str]:
    prefix, _, text = line.partition(" ")
    if "\t" in prefix:
        prefix, _, text = line.partition("\t")
    return prefix, text
