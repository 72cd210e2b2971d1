"""Answers within other engines (Spark, Ray): an Arrow record batch in, one with predictions out.

What travels to other processes is the model's path and its checksum, never the model: each process
loads it once. Answers are computed in the thread that asks, as such engines give each core a
process.

Shapes: N rows, C classes.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentir.bundle import load_bundle
from sentir.errors import BundleError, DataError, UsageError
from sentir.extras import require
from sentir.inference.files import PredictionColumns
from sentir.inference.predictor import Predictor, load
from sentir.io.arrow import batch_records, column_names, selected_indices
from sentir.io.columns import Columns, EmptyTextError
from sentir.io.nested import NestedRowReader
from sentir.io.row_reader import ColumnLog, RowReader
from sentir.io.stores import address_of
from sentir.io.tables import unique_names

#: Key of the model's checksum in the metadata of a schema.
MODEL_KEY = "sentir.model"
#: Longest text (bytes): Arrow holds no longer one.
_LIMIT = 1 << 62


@dataclass(frozen=True, kw_only=True)
class BatchAnswers:
    """Adds predictions to Arrow record batches; made by `answering`, and cheap to pickle.

    Called with a `pyarrow.RecordBatch`, it returns one with the same columns, and with those of
    `names` after them, which are null where there is no text. Types and order are kept.

    Attributes:
        model: the model's folder, or its address.
        checksum: the model's; a process that finds another one at this path refuses.
        names: the columns that are added.
        text: the columns of the text; empty: those of `trained_on`, else those with usual names.
        trained_on: the columns of the files that the model was trained on.
        engine, precision, probabilities, score: as for `answering`.
    """

    model: str
    checksum: str
    names: tuple[str, ...]
    text: tuple[str, ...]
    trained_on: tuple[Columns, ...]
    engine: str
    precision: str
    probabilities: bool
    score: bool

    def __call__(self, batch: Any) -> Any:
        """The record batch with predictions.

        Raises:
            BundleError: the model is not at its path, or is another one.
            DataError: a column of a name to add is there already, the text's column is not, or
                holds something else than text.
        """
        import pyarrow as pa

        schema = self.schema(batch.schema)
        texts = self._texts(batch)
        predictor = _loaded(self.model, self.checksum, self.engine, self.precision)
        columns = PredictionColumns(predictor, all_classes=self.probabilities, score=self.score)
        given = [text for text in texts if text]
        answered = iter(predictor.proba_in_this_thread(given))
        rows = [columns.values(next(answered) if text else None) for text in texts]
        added = [
            pa.array([row[name] for row in rows], field.type)
            for name, field in zip(self.names, list(schema)[batch.num_columns :], strict=True)
        ]
        return pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema)

    def schema(self, schema: Any) -> Any:
        """The `pyarrow.Schema` of the answers to batches of this one.

        Its metadata holds the model's checksum as ``sentir.model``.

        Raises:
            DataError: it has a column of a name that is to be added.
        """
        import pyarrow as pa

        if existing := [name for name in self.names if name in schema.names]:
            raise DataError(f"has a column {existing[0]!r} already", todo="rename that column")
        types = {"prediction": pa.string(), "unsure": pa.bool_()}
        fields = [pa.field(name, types.get(name, pa.float64())) for name in self.names]
        metadata = {**(schema.metadata or {}), MODEL_KEY.encode(): self.identity.encode()}
        return pa.schema([*schema, *fields], metadata=metadata)

    @property
    def identity(self) -> str:
        """As `sentir.Predictor.identity`."""
        return self.checksum + (", int8" if self.precision == "int8" else "")

    def with_text_of(self, columns: Sequence[str], name: str) -> BatchAnswers:
        """The same with the columns of the text chosen, so that a doubt is warned of here and once.

        Args:
            columns: those of the batches, fields of structs with dotted names.
            name: what errors and warnings call them.

        Raises:
            DataError: the columns are not there.

        Warns:
            SentirWarning: as `sentir.io.reader.read_reviews`.
        """
        try:
            found = Columns.find(
                columns, text=self.text, labelled=False, trained_on=self.trained_on
            )
        except DataError as error:
            raise error.at(name) from None
        ColumnLog().add(name, found.without_label())
        return dataclasses.replace(self, text=found.text)

    def at(self, model: str | Path) -> BatchAnswers:
        """The same, the model being at another path."""
        return dataclasses.replace(self, model=str(model))

    def _texts(self, batch: Any) -> list[str]:
        """The text of each row; empty if it has none."""
        reader, read = _reader(self.text, self.trained_on, tuple(column_names(batch.schema)))
        indices = selected_indices(batch.schema, read)
        names = [unique_names(batch.schema.names)[index] for index in indices]
        texts = []
        for row, record in enumerate(batch_records(batch.select(indices), names, _LIMIT), start=1):
            try:
                if isinstance(record, DataError):
                    raise record
                texts.append(reader.read(record)[0])
            except EmptyTextError:
                texts.append("")
            except DataError as error:
                raise error.at(f"row {row:,} of a batch") from None
        return texts


def answering(
    model: str | Path,
    *,
    text: str | Sequence[str] = (),
    probabilities: bool = False,
    score: bool = False,
    engine: str = "auto",
    precision: str = "float32",
) -> BatchAnswers:
    """A function from Arrow record batches to the same with predictions, for any engine.

    >>> import sentir
    >>> answer = sentir.answering("runs/shop", text="review")  # doctest: +SKIP
    >>> answer(batch)["prediction"]  # doctest: +SKIP

    The columns are those that ``sentir predict`` adds: ``prediction``, ``probability``, ``unsure``
    if the model has a threshold, and what `probabilities` and `score` ask for. It computes in the
    thread that calls it, may be pickled, and loads the model once in each process.

    Args:
        model: the folder of a model or a run, or its address (``hf://user/model``,
            ``s3://models/shop``). Each process must find the same model there.
        text: the column of the text, or several, which are joined as ``title: body``; unset: those
            that the model was trained on, else those with usual names.
        probabilities: add the probability of every class as ``probability_CLASS``.
        score: add ``score``, from -1 to 1 (`sentir.Predictor.scores`).
        engine: auto, torch, onnx or numba (see `sentir.inference.engines`).
        precision: float32; or int8, by the engine numba only.

    Raises:
        BundleError: there is no classifier.
        MissingExtraError: pyarrow or the engine's package is not installed.
        UsageError: `score` of classes without an order; int8 by the engine onnx, whose answers
            depend on the batch, so that a task that is tried again may give others.
    """
    require("sentir.answering", "pyarrow")
    where = address_of(model) or str(Path(model).absolute())
    bundle = load_bundle(where)
    predictor = Predictor(bundle, engine, precision, bulk=True)
    if precision == "int8":
        engine = predictor.engine.name
        if engine == "onnx":
            raise UsageError(
                "the answers of the engine onnx in int8 depend on the other texts of a batch",
                todo="pass precision='float32', as a task that is tried again may have other "
                "batches; of a wide LSTM engine='numba' has an int8 without this",
            )
    columns = PredictionColumns(predictor, all_classes=probabilities, score=score)
    return BatchAnswers(
        model=where,
        checksum=bundle.checksum,
        names=columns.names,
        text=(text,) if isinstance(text, str) else tuple(text),
        trained_on=bundle.columns,
        engine=engine,
        precision=precision,
        probabilities=probabilities,
        score=score,
    )


@functools.lru_cache(maxsize=2)
def _loaded(model: str, checksum: str, engine: str, precision: str) -> Predictor:
    """The model, once in each process.

    Raises:
        BundleError: it is not at this path, or is another one.
    """
    todo = (
        "each machine must see the same model at the same path; sentir.spark.answers sends it with "
        "add_file=True"
    )
    try:
        predictor = load(model, engine, precision, bulk=True)
    except BundleError as error:
        raise BundleError(error.what, where=error.where, todo=todo) from None
    if predictor.bundle.checksum != checksum:
        raise BundleError(
            f"a model of checksum {predictor.bundle.checksum}, and {checksum} is wanted",
            where=model,
            todo=todo,
        )
    return predictor


@functools.lru_cache(maxsize=8)
def _reader(
    text: tuple[str, ...], trained_on: tuple[Columns, ...], names: tuple[str, ...]
) -> tuple[NestedRowReader, tuple[str, ...]]:
    """What reads the text of rows with these columns, and which of them it needs.

    Kept, so that a doubt is warned of once and not for every batch.
    """
    reader = RowReader("a batch", text, None, labelled=False, log=ColumnLog(trained_on))
    reader.select_columns(names)
    columns = Columns.find(names, text=text, labelled=False, trained_on=trained_on)
    return NestedRowReader(reader), columns.text
