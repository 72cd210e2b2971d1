"""Predictions as records: for texts, and for whole files, whose own columns are kept."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sentir.errors import DataError, UsageError
from sentir.inference.predictor import Floats, Predictor
from sentir.io.paths import USUAL_EXTENSIONS
from sentir.io.reader import (
    BadRows,
    ReadOptions,
    Review,
    detect_format,
    parquet_types,
    read_reviews,
)
from sentir.io.writer import Format, output_format, write_records


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
        argument.lower().endswith(USUAL_EXTENSIONS) or argument.startswith(("/", "./", "../"))
    ):
        if any(sign in argument for sign in "*?["):
            return True
        raise UsageError(
            "no such file", where=argument, todo="check the name, or pass --text if it is a text"
        )
    return False


class Answers:
    """What is added to a record: the likeliest class, its probability, and what else is wanted.

    Args:
        predictor: the model that answers.
        every: whether the probability of each class is added too, as ``probability_CLASS``.
    """

    def __init__(self, predictor: Predictor, *, every: bool = False) -> None:
        self.predictor = predictor
        self._classes = [f"probability_{label}" for label in predictor.labels] if every else []
        self.columns = ("prediction", "probability", *self._classes)

    def of(self, shares_C: Floats | None) -> dict[str, Any]:
        """The columns' values by the probabilities of the classes; None if there are none."""
        if shares_C is None:
            return dict.fromkeys(self.columns)
        values = [*self.predictor.likeliest(shares_C), *map(float, shares_C[: len(self._classes)])]
        return dict(zip(self.columns, values, strict=True))


def predict_texts(
    answers: Answers, texts: Sequence[str], output: str = "-", *, kind: Format | None = None
) -> None:
    """Write each text after its answer; an empty one has none.

    Args:
        answers: what is said of a text.
        texts: any number of them.
        output: a file, or ``-`` for standard output.
        kind: the format; unset: what the output's name asks for, or lines.

    Raises:
        DataError: the output cannot be written.
    """
    kind = kind or output_format(output, "lines")
    reviews = (Review(text, None, "", at, None) for at, text in enumerate(texts, start=1))
    write_records(_answered(answers, reviews, kind), output, kind)


def predict_file(
    answers: Answers,
    source: str,
    output: str = "-",
    *,
    kind: Format | None = None,
    options: ReadOptions,
    bad_rows: BadRows,
    advance: Callable[[int], None] = lambda count: None,
) -> None:
    """Write the records of a file with the answers' columns added, in their order.

    Records are read some thousand ahead. Where the output's name asks for no format, tables are
    written as they were read, and reviews that stood on lines of their own after their answers.
    fastText lines are written with the prediction for their label. A row without text keeps its
    place, and has no prediction.

    Args:
        answers: what is said of a text.
        source: a file, a pattern, an address or ``-`` for standard input.
        output: a file, or ``-`` for standard output.
        kind: the format that is written; unset: as above.
        options: how the file is read.
        bad_rows: collects the rows that are skipped.
        advance: told of each record that was answered.

    Raises:
        DataError: the file cannot be read, has a column of an added one's name, or the output
            cannot be written.
    """
    own = detect_format(source, options)
    kind = kind or output_format(output, "lines" if own == "fasttext" or own == "text" else own)
    if kind == "parquet" and output == "-" and sys.stdout.isatty():
        kind = "lines"  # bytes are nothing to look at
    reviews = read_reviews(
        [source], options, bad_rows=bad_rows, labelled=False, keep_empty=kind != "fasttext"
    )
    types = parquet_types(source, options) if kind == own == "parquet" else None
    write_records(_answered(answers, reviews, kind, advance), output, kind, types=types)


def _answered(
    answers: Answers,
    reviews: Iterable[Review],
    kind: Format,
    advance: Callable[[int], None] = lambda count: None,
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

    def record(review: Review, shares_C: Floats | None) -> dict[str, Any]:
        advance(1)
        answer = answers.of(shares_C)
        if kind == "fasttext":
            return {"label": answer["prediction"], "text": review.text}
        if review.fields is None:
            return {**answer, "text": review.text}
        _check_columns(review, answers.columns)
        return {**review.fields, **answer}

    for shares_C in answers.predictor.proba_stream(texts()):
        yield from without_text()
        yield record(waiting.popleft(), shares_C)
    yield from without_text()


def _check_columns(review: Review, added: Sequence[str]) -> None:
    taken = [name for name in added if name in (review.fields or ())]
    if taken:
        raise DataError(
            f"has a column {taken[0]!r} already", where=review.path, todo="rename that column"
        )
