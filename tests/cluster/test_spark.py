"""`sentir.spark`, on Spark itself; run with ``python3 dev.py cluster``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import sentir
from fixtures.command import sentir as command
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import save_bundle
from sentir.errors import BundleError, DataError, UsageError
from sentir.spark import answers

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default")]
if shutil.which("java") is None:
    pytest.skip("no Java: apt install default-jre-headless", allow_module_level=True)
pyspark = pytest.importorskip("pyspark", reason="no Spark: pip install 'sentir[spark]'")

ROWS, PARTITIONS = 1600, 16
MASTERS = ("local[2]", "local-cluster[2,1,700]")


@pytest.fixture(scope="module", params=MASTERS)
def spark(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    from pyspark import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests
    changed = {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_WORKER_DIR": str(folder / "work"),
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    session = (
        SparkSession.builder.master(request.param)
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", "700m")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "model"
    save_bundle(toy(ngram_buckets=64), folder)
    return folder


@pytest.fixture(scope="module")
def reviews() -> list[tuple[int, str | None]]:
    texts: list[str | None] = [*random_texts(ROWS - 3), None, "", "  "]
    return list(enumerate(texts))


@pytest.fixture
def frame(spark: Any, reviews: list[tuple[int, str | None]]) -> Any:
    return spark.createDataFrame(reviews, "id int, text string").repartition(PARTITIONS)


@pytest.fixture
def expected(
    model: Path,
    reviews: list[tuple[int, str | None]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> dict[int, dict[str, Any]]:
    """What ``sentir predict`` answers, by id."""
    source = tmp_path / "reviews.jsonl"
    lines = [json.dumps({"id": number, "text": text}) for number, text in reviews]
    source.write_text("\n".join(lines) + "\n")
    code, out, err = command("predict", model, source, "--json", "--probabilities", capfd=capfd)
    assert code == 0, err
    return {row["id"]: row for row in map(json.loads, out.splitlines())}


def check(rows: list[dict[str, Any]], expected: dict[int, dict[str, Any]]) -> None:
    """Each review is there once, and its answer is that of ``sentir predict``."""
    assert Counter(row["id"] for row in rows) == Counter([*expected])
    for row in rows:
        for name, value in row.items():
            wanted = expected[row["id"]][name]
            if isinstance(wanted, float):
                assert value == pytest.approx(wanted, abs=1e-5)
            else:
                assert value == wanted


def test_answers_are_those_of_sentir_predict(
    frame: Any, model: Path, expected: dict[int, dict[str, Any]]
) -> None:
    for add_file in (False, True):
        labelled = answers(frame, model, probabilities=True, add_file=add_file)
        check([row.asDict() for row in labelled.collect()], expected)
        checksum = sentir.load(model).bundle.checksum
        assert labelled.schema["prediction"].metadata == {"sentir.model": checksum}


def test_types_are_kept(spark: Any, model: Path) -> None:
    columns = {
        "b": "tinyint", "s": "smallint", "i": "int", "l": "bigint", "f": "float", "d": "double",
        "p": "decimal(9,2)", "t": "boolean", "day": "date", "at": "timestamp",
        "ntz": "timestamp_ntz", "raw": "binary", "list": "array<string>", "map": "map<string,int>",
        "inner": "struct<x:int,y:string>", "text": "string not null",
    }  # fmt: skip
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901)
    full = (1, 2, 3, 4, 0.5, 0.25, Decimal("1.50"), True, date(2026, 1, 2), moment, moment,
            bytearray(b"\0\xff"), ["a", None], {"k": 1}, (7, "z"), "a good film")  # fmt: skip
    schema = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
    frame = spark.createDataFrame([full, (*[None] * (len(full) - 1), "bad")], schema)
    labelled = answers(frame, model)
    assert labelled.schema.fields[: len(columns)] == frame.schema.fields
    assert sorted(labelled.select(*columns).collect(), key=str) == sorted(frame.collect(), key=str)
    assert labelled.columns[len(columns) :] == ["prediction", "probability"]


def test_names_that_are_taken(spark: Any, model: Path) -> None:
    frame = spark.createDataFrame([("a", 1)], "text string, Prediction int")
    with pytest.raises(DataError, match="the data frame: has a column 'Prediction' already"):
        answers(frame, model)
    spark.conf.set("spark.sql.caseSensitive", "true")
    try:
        assert answers(frame, model).columns == ["text", "Prediction", "prediction", "probability"]
        assert answers(frame, model).count() == 1
        with pytest.raises(DataError, match="has a column 'prediction' already"):
            answers(answers(frame, model), model)
    finally:
        spark.conf.unset("spark.sql.caseSensitive")


def test_errors_come_before_any_task(spark: Any, model: Path, tmp_path: Path) -> None:
    frame = spark.createDataFrame([("a", 1)], "words string, id int")
    with pytest.raises(DataError, match="the data frame: none of the columns 'words', 'id' has"):
        answers(frame, model)
    assert answers(frame, model, text="words").count() == 1
    inner = frame.selectExpr("struct(words, struct(id as text) as deep) as review")
    assert answers(inner, model, text="review.words").count() == 1
    with pytest.raises(DataError, match=r"'review\.words', 'review\.deep\.text'"):
        answers(inner, model, text="gone")
    with pytest.raises(DataError, match="the data frame: column 'id' is int, not text; name the"):
        answers(frame, model, text="id")
    nothing = spark.createDataFrame([(None,)], "text void")
    assert answers(nothing, model).collect()[0].prediction is None
    with pytest.raises(BundleError, match="no model here"):
        answers(frame, tmp_path / "gone", text="words")
    with pytest.raises(UsageError, match="the engine onnx in int8"):
        answers(frame, model, text="words", precision="int8", engine="onnx")


def test_a_worker_without_the_model_says_so(spark: Any, model: Path, tmp_path: Path) -> None:
    from pyspark.errors import PythonException

    copy = tmp_path / "model"
    shutil.copytree(model, copy)
    frame = spark.createDataFrame([("a",)], "text string")
    labelled, sent = answers(frame, copy), answers(frame, copy, add_file=True)
    shutil.rmtree(copy)
    with pytest.raises(PythonException, match="no model here; each machine must see the"):
        labelled.collect()
    assert sent.count() == 1  # the archive has it


def kill_once(mark: Path, victim: Callable[[], int], output: Path) -> Callable[[Any], Any]:
    """Passes batches on; the first task to come when another is committed kills something."""

    def pass_on(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            deadline = time.monotonic() + 1
            while time.monotonic() < deadline and not mark.exists():
                if any(output.glob("_temporary/*/task_*")):
                    try:
                        mark.open("x").close()
                    except FileExistsError:
                        break
                    os.kill(victim(), signal.SIGKILL)
                time.sleep(0.05)
            yield batch

    return pass_on


def this_worker() -> int:
    return os.getpid()


def this_executor() -> int:
    """The nearest parent that is a Java process."""
    pid = os.getpid()
    while Path(f"/proc/{pid}/comm").read_text().strip() != "java":
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid


@pytest.mark.parametrize("victim", [this_worker, this_executor])
def test_nothing_is_lost_or_twice_after_a_kill(
    spark: Any,
    frame: Any,
    model: Path,
    expected: dict[int, dict[str, Any]],
    victim: Callable[[], int],
    tmp_path: Path,
) -> None:
    if "cluster" not in spark.sparkContext.master:
        pytest.skip("Spark in one process does not try a task again")
    import pyarrow.parquet as pq

    output, mark = tmp_path / "labelled", tmp_path / "killed"
    killing = frame.mapInArrow(kill_once(mark, victim, output), frame.schema)
    answers(killing, model, add_file=True).write.parquet(str(output))
    assert mark.exists()
    files = sorted(output.glob("*.parquet"))
    assert len(files) == PARTITIONS
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    check(rows, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metadata = pq.read_schema(files[0]).metadata
    assert sentir.load(model).bundle.checksum.encode() in b"".join(metadata.values())


def test_the_page_shows_what_runs(
    spark: Any, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs" / "site" / "how-to" / "many-machines.md"
    code = page.read_text("utf-8").split("```{code-block} python\n")[1].partition("```")[0]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(model, "runs/shop")
    frame = spark.createDataFrame([("a film", 1)], "review string, id int")
    for name in ("new/", "labelled/"):  # Spark's own folder is another one
        code = code.replace(name, f"{tmp_path}/{name}")
    frame.write.parquet(f"{tmp_path}/new/")
    exec(compile(code, str(page), "exec"), {"spark": spark})
    assert spark.read.parquet(f"{tmp_path}/labelled/").columns == [
        "review", "id", "prediction", "probability",
    ]  # fmt: skip
