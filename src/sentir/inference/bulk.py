"""Predictions for whole files: each record as it was read, with the answer added."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sentir.data.corpus import Faults, ReadOptions, Review, detect_format, read_reviews
from sentir.data.extensions import USUAL
from sentir.data.writing import Format, format_of, write_records
from sentir.errors import DataError, UsageError
from sentir.inference.predictor import Prediction, Predictor

#: The columns that are added to a record.
ADDED = ("prediction", "probability")


def looks_like_file(argument: str) -> bool:
    """Whether one argument of ``sentir predict`` names a file rather than being a text.

    Raises:
        UsageError: it is one word that begins or ends like a file's name, and nothing is there.
    """
    if argument == "-" or ("://" in argument and " " not in argument):
        return True
    try:
        if argument and Path(argument).exists():  # a folder is no text either, nor a pipe
            return True
    except (OSError, ValueError):  # too long for a name: a text
        return False
    if " " not in argument and (
        argument.lower().endswith(USUAL) or argument.startswith(("/", "./", "../"))
    ):
        if any(sign in argument for sign in "*?["):
            return True
        raise UsageError(
            "no such file", where=argument, todo="check the name, or pass --text if it is a text"
        )
    return False


def predict_file(
    predictor: Predictor,
    source: str,
    output: str = "-",
    *,
    options: ReadOptions,
    faults: Faults,
    advance: Callable[[int], None] = lambda count: None,
) -> None:
    """Write the records of a file with `ADDED`, in their order.

    Records are read some thousand ahead. Where the output's name asks for no format, tables are
    written as they were read, and reviews that stood on lines of their own as prediction,
    probability and text. fastText lines are written with the prediction for their label. A row
    without text keeps its place, and has no prediction.

    Args:
        source: a file, a pattern, an address or ``-`` for standard input.
        output: a file, or ``-`` for standard output.

    Raises:
        DataError: the file cannot be read, has a column of an added one's name, or the output
            cannot be written.
    """
    own = detect_format(source, options)
    kind = format_of(output, "lines" if own == "fasttext" or own == "text" else own)
    if kind == "parquet" and output == "-" and sys.stdout.isatty():
        kind = "lines"  # bytes are nothing to look at
    reviews = read_reviews(
        [source], options, faults=faults, labelled=False, keep_empty=kind != "fasttext"
    )
    write_records(_answered(predictor, reviews, kind, advance), output, kind)


def _answered(
    predictor: Predictor, reviews: Iterable[Review], kind: Format, advance: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    waiting: deque[Review] = deque()

    def texts() -> Iterator[str]:
        for review in reviews:
            waiting.append(review)
            if review.text:
                yield review.text

    def without_text() -> Iterator[dict[str, Any]]:
        while waiting and not waiting[0].text:
            yield record(waiting.popleft(), None)

    def record(review: Review, found: Prediction | None) -> dict[str, Any]:
        advance(1)
        answer: dict[str, Any] = dict(zip(ADDED, found or (None, None), strict=True))
        if kind == "fasttext":
            return {"label": answer["prediction"], "text": review.text}
        if review.fields is None:
            return {**answer, "text": review.text}
        _check_columns(review)
        return {**review.fields, **answer}

    for found in predictor.predict_stream(texts()):
        yield from without_text()
        yield record(waiting.popleft(), found)
    yield from without_text()


def _check_columns(review: Review) -> None:
    taken = [name for name in ADDED if name in (review.fields or ())]
    if taken:
        raise DataError(
            f"has a column {taken[0]!r} already", where=review.path, todo="rename that column"
        )
