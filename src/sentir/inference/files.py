"""Predictions as records: of texts, and of whole files, whose own columns are kept.

Shapes: C classes.
"""

from __future__ import annotations

import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sentir.bundle import Bundle
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.inference.bursts import bursts
from sentir.inference.network import Floats
from sentir.inference.predictor import WINDOW, Prediction, sentiment_scores
from sentir.io.formats import Format as ReadFormat
from sentir.io.jsonl import JsonRecord
from sentir.io.paths import USUAL_EXTENSIONS, split_part
from sentir.io.reader import (
    BadRows,
    ReadOptions,
    Review,
    detect_format,
    read_reviews,
    table_types,
)
from sentir.io.row_reader import ColumnLog
from sentir.io.streams import open_input
from sentir.io.table_form import TableForm
from sentir.io.writer import Format, output_format, write_records
from sentir.text.sentences import split_sentences

#: The format to write, where neither an option nor the output's name says it.
_WRITTEN_AS: dict[ReadFormat, Format] = {
    "fasttext": "lines",
    "text": "lines",
    "files": "csv",
    "csv": "csv",
    "tsv": "tsv",
    "xlsx": "csv",
    "jsonl": "jsonl",
    "arrow": "jsonl",
    "parquet": "parquet",
}


def looks_like_file(argument: str) -> bool:
    """Whether one argument of ``sentir predict`` names a file rather than being a text.

    Raises:
        UsageError: it is one word that starts or ends like a file's name, and there is no file; or
            it is an address, which a script may have been given in place of a text.
    """
    if argument == "-" or ("://" not in argument and split_part(argument)[1]):
        return True
    is_one_word = not any(map(str.isspace, argument))
    if "://" in argument and is_one_word:
        raise UsageError(
            "an address",
            where=argument,
            todo="pass --file to read what is there, or --text if it is a text",
        )
    try:
        if argument and Path(argument).exists():  # a folder or a pipe is not a text either
            return True
    except (OSError, ValueError):  # too long for a file's name, so a text
        return False
    if is_one_word and (
        argument.lower().endswith(USUAL_EXTENSIONS) or argument.startswith(("/", "./", "../"))
    ):
        if any(character in argument for character in "*?["):
            return True
        raise UsageError(
            "no such file", where=argument, todo="check the name, or pass --text if it is a text"
        )
    return False


class StreamPredictor(Protocol):
    """What answers texts as they come: a `Predictor`, or what computes with one."""

    @property
    def bundle(self) -> Bundle: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    def likeliest(self, probabilities_C: Floats) -> Prediction: ...

    def proba_stream(self, texts: Iterable[str]) -> Iterator[Floats]: ...


class PredictionColumns:
    """The columns that are added to a record: ``prediction``, ``probability`` and more.

    A model with a threshold of confidence adds ``unsure``, true or false. It is a column of its
    own, so it is not confused with a class of that name.

    Args:
        predictor: the model.
        all_classes: whether to add the probability of each class too, as ``probability_CLASS``.
        score: whether to add ``score``, from -1 to 1 (`sentiment_scores`).
        by_sentence: whether there is a record for each sentence of a review, with its number
            ``sentence_number`` and, beside the columns of a review, its ``sentence_text``.

    Attributes:
        names: the columns, in their order.
        may_be_unsure: whether ``unsure`` is one of them.

    Raises:
        UsageError: as `sentiment_scores`.
    """

    def __init__(
        self,
        predictor: StreamPredictor,
        *,
        all_classes: bool = False,
        score: bool = False,
        by_sentence: bool = False,
    ) -> None:
        self.predictor = predictor
        class_columns = [f"probability_{label}" for label in predictor.labels]
        self._class_columns = class_columns if all_classes else []
        self.may_be_unsure = predictor.bundle.threshold is not None
        unsure = ("unsure",) if self.may_be_unsure else ()
        self._score = ("score",) if score else ()
        if score:
            sentiment_scores(np.zeros((0, len(predictor.labels))), predictor.labels)
        self.names = ("prediction", "probability", *unsure, *self._score, *self._class_columns)
        self.by_sentence = by_sentence

    def values(self, probabilities_C: Floats | None) -> dict[str, Any]:
        """The columns of a review with these probabilities; all None if it has no text."""
        if probabilities_C is None:
            return dict.fromkeys(self.names)
        likeliest = self.predictor.likeliest(probabilities_C)
        values = [
            *likeliest,
            *([likeliest.unsure] if self.may_be_unsure else []),
            *(float(sentiment_scores(probabilities_C, self.predictor.labels)) for _ in self._score),
            *map(float, probabilities_C[: len(self._class_columns)]),
        ]
        return dict(zip(self.names, values, strict=True))


def predict_texts(
    columns: PredictionColumns,
    texts: Sequence[str],
    output: str = "-",
    *,
    format: Format | None = None,
    neutralise: bool = False,
) -> None:
    """Write each text after its prediction; an empty text has none.

    Args:
        columns: what to write before the text.
        texts: any number of them.
        output: a file, or ``-`` for standard output.
        format: the format to write; None: that of the output's extension, else lines.
        neutralise: as for `sentir.io.writer.write_records`.

    Raises:
        DataError: the output cannot be written.
        UsageError: `neutralise` for a format that is no table.
    """
    format = format or output_format(output, "lines")
    reviews = (Review(text, None, "", line, None) for line, text in enumerate(texts, start=1))
    write_records(labelled_records(columns, reviews, format), output, format, neutralise=neutralise)


def predict_file(
    columns: PredictionColumns,
    source: str,
    output: str = "-",
    *,
    format: Format | None = None,
    options: ReadOptions,
    bad_rows: BadRows,
    progress: Callable[[int], None] = lambda count: None,
    neutralise: bool = False,
    log: ColumnLog | None = None,
) -> None:
    """Write the records of a file with the columns of the predictions added, in their order.

    Some thousand records are read ahead, and of a pipe no more than have come: when it pauses, what
    has come is answered. If neither `format` nor the output's extension says otherwise, CSV, TSV
    and Parquet are written in their own format, JSON and Arrow as JSON lines, spreadsheets as CSV,
    the files of a folder or archive as CSV with a column ``file``, and reviews on lines as lines,
    after their predictions. CSV that stays CSV (or TSV that stays TSV) keeps its delimiter,
    quoting, line ends, encoding and byte-order mark; JSON lines keep every character. fastText
    lines get the prediction as their label. A row without text is kept and has no prediction.

    Args:
        columns: what to add to each record.
        source: a file, glob, URL or ``-`` for standard input.
        output: a file, or ``-`` for standard output.
        format: the format to write; None: as above.
        options: how the file is read.
        bad_rows: collects the errors of skipped rows.
        progress: called with the number of reviews that were read since the last call.
        neutralise: as for `sentir.io.writer.write_records`.
        log: where the columns are noted, if several files share it.

    Raises:
        DataError: the file cannot be read, already has a column of that name, or the output cannot
            be written.
        UsageError: `neutralise` for a format that is no table.
    """
    source_format = detect_format(source, options)
    if format is None:
        format = output_format(output, _WRITTEN_AS[source_format])
    if format == "parquet" and output == "-" and sys.stdout.isatty():
        format = "lines"  # a terminal cannot show Parquet
    if format == "fasttext" and columns.may_be_unsure:
        warnings.warn(
            f"{output}: fastText lines have no place for 'unsure', so unsure reviews get the "
            "likeliest label like the others; .csv, .jsonl and .parquet have one",
            SentirWarning,
            stacklevel=2,
        )
    form = TableForm()
    reviews = read_reviews(
        [source],
        options,
        bad_rows=bad_rows,
        labelled=False,
        keep_empty=format != "fasttext",
        form=form if format == source_format and format in ("csv", "tsv") else None,
        columns=log or ColumnLog(columns.predictor.bundle.columns),
    )
    is_typed = format == "parquet" and source_format in ("parquet", "arrow")
    types = table_types(source, options) if is_typed else None
    if _is_pipe(source):
        if source == "-":
            open_input(source)  # its first bytes: see `_StandardInput` on what threads may read
        records = _records_as_they_come(columns, reviews, format, progress, output)
    else:
        records = labelled_records(columns, reviews, format, progress)
    write_records(
        records,
        output,
        format,
        types=types,
        form=form,
        neutralise=neutralise,
    )


def _is_pipe(source: str) -> bool:
    try:
        return source == "-" or Path(source).is_fifo()
    except OSError:  # too long for a name; reading it will say so
        return False


def _records_as_they_come(
    columns: PredictionColumns,
    reviews: Iterable[Review],
    format: Format,
    progress: Callable[[int], None],
    output: str,
) -> Iterator[dict[str, Any]]:
    for burst in bursts(reviews, ahead=2 * WINDOW):
        yield from labelled_records(columns, burst, format, progress)
        if output == "-":
            sys.stdout.flush()


def labelled_records(
    columns: PredictionColumns,
    reviews: Iterable[Review],
    format: Format,
    progress: Callable[[int], None] = lambda count: None,
) -> Iterator[dict[str, Any]]:
    """The records of `predict_file`, one for each review or sentence.

    Raises:
        DataError: a review has a column of that name already.
    """
    pending: deque[tuple[Review, dict[str, Any]]] = deque()

    def texts() -> Iterator[str]:
        for review in reviews:
            for part in _sentences(review) if columns.by_sentence else [(review, {})]:
                pending.append(part)
                if part[0].text:
                    yield part[0].text
            progress(1)

    def leading_without_text() -> Iterator[dict[str, Any]]:
        while pending and not pending[0][0].text:
            yield record(*pending.popleft(), None)

    def record(
        review: Review, place: dict[str, Any], probabilities_C: Floats | None
    ) -> dict[str, Any]:
        prediction = {**place, **columns.values(probabilities_C)}
        if format == "lines" and columns.may_be_unsure and probabilities_C is not None:
            prediction["unsure"] = "unsure" if prediction["unsure"] else "sure"
        if format == "fasttext":
            return {"label": prediction["prediction"], "text": review.text}
        if review.fields is None:
            return {**prediction, "text": review.text}
        check_columns(review, tuple(prediction))
        if format == "jsonl" and isinstance(review.fields, JsonRecord):
            return review.fields.extended(prediction)
        return {**review.fields, **prediction}

    for probabilities_C in columns.predictor.proba_stream(texts()):
        yield from leading_without_text()
        yield record(*pending.popleft(), probabilities_C)
    yield from leading_without_text()


def _sentences(review: Review) -> Iterator[tuple[Review, dict[str, Any]]]:
    """A review for each sentence, and the columns that say which it is."""
    sentences = split_sentences(review.text)
    for number, sentence in enumerate(sentences or [review.text], start=1):
        place: dict[str, Any] = {"sentence_number": number if sentences else None}
        if review.fields is not None:
            place["sentence_text"] = sentence if sentences else None
        yield review._replace(text=sentence), place


def check_columns(review: Review, added: Sequence[str]) -> None:
    """Check that a review has none of the columns that are to be added.

    Raises:
        DataError: it has one.
    """
    existing = [name for name in added if name in (review.fields or ())]
    if existing:
        raise DataError(
            f"has a column {existing[0]!r} already", where=review.path, todo="rename that column"
        )
