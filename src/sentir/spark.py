"""Answers on Spark: a data frame in, the same with predictions out.

Spark commits what it writes, and tries tasks again: an executor that is lost costs no row and
doubles none. See ``docs/site/how-to/many-machines.md``.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentir.bundle import KNOWN_FILES, find_bundle
from sentir.errors import DataError, UsageError
from sentir.extras import require
from sentir.inference.answering import MODEL_KEY, BatchAnswers, answering

#: Types of Spark that hold text; void is that of a column of nulls.
_TEXT_TYPES = ("string", "varchar", "char", "binary", "void")
#: Names of the models that each application was sent.
_sent: set[tuple[str, str]] = set()


def answers(
    df: Any,
    model: str | Path,
    *,
    text: str | Sequence[str] = (),
    probabilities: bool = False,
    score: bool = False,
    engine: str = "auto",
    precision: str = "float32",
    add_file: bool = False,
) -> Any:
    """The data frame with the columns of the predictions added, which Spark computes when asked.

    >>> from sentir.spark import answers
    >>> labelled = answers(spark.read.parquet("new/"), "/models/shop")  # doctest: +SKIP
    >>> labelled.write.parquet("labelled/")  # doctest: +SKIP

    Columns and their types are kept, rows without text have nulls. The metadata of the columns
    that are added holds the model's checksum as ``sentir.model``, which Parquet keeps. Each Python
    worker loads the model once and computes on one core.

    Args:
        df: a `pyspark.sql.DataFrame`, streaming or not.
        model, text, probabilities, score, engine, precision: as for `sentir.answering`.
        add_file: send the model to the workers through Spark; otherwise its path must be one that
            all of them see, or an address on the Hub.

    Raises:
        BundleError, MissingExtraError, UsageError: as `sentir.answering`.
        DataError: the column of the text is not there, or one of a name that is to be added is.
        UsageError: `add_file` in a session of Spark Connect.
    """
    require("sentir.spark", "pyspark", "pandas", "pyarrow")
    from pyspark import SparkFiles

    answer = answering(
        model,
        text=text,
        probabilities=probabilities,
        score=score,
        engine=engine,
        precision=precision,
    )
    _check_names(df, answer.names)
    columns = _types(df.schema)
    answer = answer.with_text_of([*columns], "the data frame")
    _check_texts({name: columns[name] for name in answer.text})
    archive = _send(df.sparkSession, answer) if add_file else ""

    def answer_batches(batches: Iterator[Any]) -> Iterator[Any]:
        return map(answer.at(SparkFiles.get(archive)) if archive else answer, batches)

    return df.mapInArrow(answer_batches, _schema(df.schema, answer))


def _types(schema: Any) -> dict[str, str]:
    """The types of the columns of a Spark schema, those of structs with dotted names."""
    types: dict[str, str] = {}
    for field in schema.fields:
        if hasattr(field.dataType, "fields"):
            inner = _types(field.dataType).items()
            types.update({f"{field.name}.{name}": type_ for name, type_ in inner})
        else:
            types[field.name] = field.dataType.simpleString()
    return types


def _check_texts(types: Mapping[str, str]) -> None:
    """Find columns that hold no text before any task does.

    Raises:
        DataError: there is one.
    """
    for name, type_ in types.items():
        if type_.partition("(")[0] not in _TEXT_TYPES:
            raise DataError(
                f"column {name!r} is {type_}, not text",
                where="the data frame",
                todo="name the column of the text, or cast it to string",
            )


def _check_names(df: Any, added: Sequence[str]) -> None:
    """Find columns that Spark would not tell from those to add, as it ignores the case of names.

    Raises:
        DataError: there is one.
    """
    is_exact = df.sparkSession.conf.get("spark.sql.caseSensitive") == "true"
    wanted = {name if is_exact else name.lower() for name in added}
    for name in df.columns:
        if (name if is_exact else name.lower()) in wanted:
            raise DataError(
                f"has a column {name!r} already", where="the data frame", todo="rename that column"
            )


def _schema(schema: Any, answer: BatchAnswers) -> Any:
    """The Spark schema of the answers."""
    from pyspark.sql import types

    kinds = {"prediction": types.StringType(), "unsure": types.BooleanType()}
    metadata = {MODEL_KEY: answer.identity}
    fields = [
        types.StructField(name, kinds.get(name, types.DoubleType()), True, metadata)
        for name in answer.names
    ]
    return types.StructType([*schema.fields, *fields])


def _send(session: Any, answer: BatchAnswers) -> str:
    """Let Spark copy the model to every worker; returns its name there.

    Raises:
        UsageError: the session cannot.
    """
    try:
        context = session.sparkContext
    except Exception as error:  # Spark Connect's own type, which other sessions lack
        raise UsageError(
            "add_file needs a session with a SparkContext, which Spark Connect has not",
            todo="put the model on a path that all workers see",
        ) from error
    name = "sentir-" + answer.checksum.removeprefix("sha256:")[:16]
    if (context.applicationId, name) not in _sent:
        # Spark copies it to a worker when that one's first task comes, so it stays till the end.
        folder = Path(tempfile.mkdtemp(prefix="sentir-spark-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        bundle = find_bundle(answer.model)
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as packed:
            for file in (bundle / one for one in KNOWN_FILES):
                if file.exists():
                    packed.write(file, file.name)
        context.addArchive(f"{folder / name}.zip#{name}")
        _sent.add((context.applicationId, name))
    return name
