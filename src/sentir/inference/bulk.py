"""Predictions for whole files: each record as it was read, with the answer added."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sentir.data.corpus import Faults, ReadOptions, Review, detect_format, read_reviews
from sentir.errors import DataError, UsageError
from sentir.inference.predictor import Predictor

#: The columns that are added to a record.
ADDED = ("prediction", "probability")
_EXTENSIONS = (".txt", ".ft", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet",
               ".bz2", ".gz", ".xz", ".zst")  # fmt: skip


def looks_like_file(argument: str) -> bool:
    """Whether one argument of ``sentir predict`` names a file rather than being a text.

    Raises:
        UsageError: it is one word that ends like a file's name, and no such file is there.
    """
    if argument == "-" or "://" in argument.split(" ")[0]:
        return True
    try:
        if Path(argument).is_file():
            return True
    except (OSError, ValueError):  # too long for a name: a text
        return False
    if " " not in argument and argument.lower().endswith(_EXTENSIONS):
        if any(sign in argument for sign in "*?["):
            return True
        raise UsageError(
            "no such file", where=argument, todo="check the name, or pass --text if it is a text"
        )
    return False


def predict_records(
    predictor: Predictor,
    source: str,
    *,
    options: ReadOptions,
    faults: Faults,
    advance: Callable[[int], None] = lambda count: None,
) -> tuple[Iterator[dict[str, Any]], str]:
    """The records of a file with `ADDED`, in their order, and the file's format.

    Records are read as they are asked for, some thousand ahead.

    Raises:
        DataError: the file cannot be read, or has a column of an added one's name.
    """
    reviews = read_reviews([source], options, faults=faults, labelled=False)
    return _answered(predictor, reviews, advance), detect_format(source, options)


def _answered(
    predictor: Predictor, reviews: Iterable[Review], advance: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    waiting: deque[Review] = deque()

    def texts() -> Iterator[str]:
        for review in reviews:
            waiting.append(review)
            yield review.text

    for found in predictor.predict_stream(texts()):
        review = waiting.popleft()
        answer: dict[str, Any] = dict(zip(ADDED, found, strict=True))
        if review.fields is None:
            record = {**answer, "text": review.text}
        else:
            _check_columns(review)
            record = {**review.fields, **answer}
        yield record
        advance(1)


def _check_columns(review: Review) -> None:
    taken = [name for name in ADDED if name in (review.fields or ())]
    if taken:
        raise DataError(
            f"has a column {taken[0]!r} already", where=review.path, todo="rename that column"
        )
