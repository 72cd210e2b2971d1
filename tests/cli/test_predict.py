"""``sentir predict``."""

from __future__ import annotations

import bz2
import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fixtures.command import sentir
from fixtures.tiny_runs import write_fasttext
from sentir import load
from sentir.training.run import Run


def test_predict_texts(tiny_run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("predict", tiny_run.folder, "One text.", "Another\ttext.", capfd=capfd)
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[2] for row in rows] == ["One text.", "Another text."]
    assert all(row[0] in ("negative", "positive") and 0.5 <= float(row[1]) <= 1 for row in rows)


def test_predict_every_probability(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = ["One text.", "", "Another text."]
    given = (*texts, "--json", "--probabilities")
    code, out, _ = sentir("predict", tiny_run.folder, *given, capfd=capfd)
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["text"] for row in rows] == texts
    classes = tiny_run.bundle.labels.names
    expected_NC = load(tiny_run.folder).predict_proba([texts[0], texts[2]])
    for row, expected_C in zip((rows[0], rows[2]), expected_NC, strict=True):
        shares = [row[f"probability_{name}"] for name in classes]
        assert shares == pytest.approx(expected_C, abs=1e-6)
        assert (row["prediction"], row["probability"]) == (
            classes[shares.index(max(shares))],
            max(shares),
        )
    assert {rows[1][name] for name in rows[1] if name != "text"} == {None}

    source, target = tmp_path / "new.csv", tmp_path / "new.ft.txt"
    source.write_text("id,text\n7,One text.\n8,Another text.\n")
    given = (source, "--json", "--probabilities")
    code, out, _ = sentir("predict", tiny_run.folder, *given, capfd=capfd)
    assert code == 0
    of_file = [json.loads(line) for line in out.splitlines()]
    assert [{**row, "id": 0} for row in of_file] == [{**row, "id": 0} for row in (rows[0], rows[2])]
    given = (texts[0], "-o", target, "--probabilities")
    assert sentir("predict", tiny_run.folder, *given, capfd=capfd)[0] == 0
    assert target.read_text() == f"__label__{rows[0]['prediction']} One text.\n"
    code, _, err = sentir("predict", tiny_run.folder, "", "-o", target, capfd=capfd)
    assert (code, "no blank in a label, and one is ''" in err) == (2, True)
    given = (source, "--json", "-o", tmp_path / "out.csv")
    code, _, err = sentir("predict", tiny_run.folder, *given, capfd=capfd)
    assert (code, "out.csv: --json, and a name that asks for csv; leave one" in err) == (2, True)


def test_predict_csv_keeps_its_columns(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.csv"
    source.write_text('id,text\n7,"a, ""quoted"" text"\n8,plain\n')
    code, out, _ = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["id"] for row in rows] == ["7", "8"]
    assert list(rows[0]) == ["id", "text", "prediction", "probability"]
    assert rows[0]["text"] == 'a, "quoted" text'


def test_predict_tsv_keeps_its_header(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.tsv"
    source.write_text('id\ttext\n7\t"a\ttab"\n8\tplain\n')
    code, out, _ = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out), delimiter="\t"))
    assert [(row["id"], row["text"]) for row in rows] == [("7", "a\ttab"), ("8", "plain")]
    assert list(rows[0]) == ["id", "text", "prediction", "probability"]


def test_predict_fasttext_lines(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.ft.txt"
    source.write_text("__label__2 one text\n__label__1 another\n")
    code, out, _ = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[2] for row in rows] == ["one text", "another"]
    relabelled = tmp_path / "out.ft.txt"
    assert sentir("predict", tiny_run.folder, source, "-o", relabelled, capfd=capfd)[0] == 0
    assert relabelled.read_text().splitlines() == [f"__label__{row[0]} {row[2]}" for row in rows]


def test_predict_from_one_format_to_another(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.jsonl.bz2"
    source.write_bytes(bz2.compress(b'{"text": "one", "n": 1}\n{"text": "two", "n": 2}\n'))
    target = tmp_path / "out.parquet"
    assert sentir("predict", tiny_run.folder, source, "-o", target, capfd=capfd)[0] == 0
    assert pq.read_table(target).column("n").to_pylist() == [1, 2]
    back = tmp_path / "back.jsonl.gz"
    code, _, err = sentir("predict", tiny_run.folder, target, "-o", back, capfd=capfd)
    assert code == 2
    assert "has a column 'prediction' already" in err
    assert not back.exists()


def test_predict_keeps_the_types_of_parquet(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    columns = {
        "id": pa.array([1, None], pa.int16()),
        "text": pa.array(["one", "two"], pa.large_string()),
        "price": pa.array([Decimal("1.50"), None], pa.decimal128(6, 2)),
        "seen": pa.array([0, 86_400_000], pa.timestamp("ms", "UTC")),
        "none": pa.array([None, None], pa.float32()),
        "more": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
    }
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table(columns), source)
    assert sentir("predict", tiny_run.folder, source, "-o", target, capfd=capfd)[0] == 0
    written = pq.read_table(target)
    assert written.column_names == [*columns, "prediction", "probability"]
    assert written.select([*columns]).equals(pq.read_table(source))
    wide = pa.table({"id": pa.array([1 << 40]), "text": ["three"]})  # another file, wider numbers
    pq.write_table(wide, tmp_path / "in2.parquet")
    pattern = tmp_path / "in*.parquet"
    assert sentir("predict", tiny_run.folder, pattern, "-o", target, capfd=capfd)[0] == 0
    assert pq.read_table(target)["id"].to_pylist() == [1, None, 1 << 40]


def test_predict_standard_input(tiny_run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("predict", tiny_run.folder, "-", stdin=b"one\ntwo\n", capfd=capfd)
    assert code == 0
    assert [line.split("\t")[2] for line in out.splitlines()] == ["one", "two"]


def test_a_missing_file_is_not_taken_for_a_text(
    tiny_run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("predict", tiny_run.folder, "nowhere.csv", capfd=capfd)
    assert code == 2
    assert "nowhere.csv: no such file" in err
    assert sentir("predict", tiny_run.folder, "nowhere.csv", "--text", capfd=capfd)[0] == 0


@pytest.mark.parametrize(
    ("engine", "precision"),
    [(engine, "float32") for engine in ("auto", "torch", "onnx", "numba")]
    + [(engine, "int8") for engine in ("auto", "onnx", "numba")],
)
def test_the_engine_and_the_precision_are_chosen(
    tiny_run: Run, engine: str, precision: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    test_file = write_fasttext(tmp_path / "test.ft.txt", 30, seed=2)
    options = ("--engine", engine, "--precision", precision)
    code, out, _ = sentir("evaluate", tiny_run.folder, test_file, "--json", *options, capfd=capfd)
    assert code == 0
    assert json.loads(out)["examples"] == 30
    assert sentir("predict", tiny_run.folder, "a", *options, capfd=capfd)[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--engine", "gpu"), "no engine 'gpu'; take one of auto, torch, onnx, numba"),
        (("--precision", "int4"), "no precision 'int4'; take float32 or int8"),
        (("--engine", "torch", "--precision", "int8"), "engine torch has no precision int8"),
    ],
)
def test_an_engine_or_precision_that_there_is_not(
    tiny_run: Run, options: tuple[str, ...], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("predict", tiny_run.folder, "a", *options, capfd=capfd)
    assert code == 2
    assert message in err


def test_a_closed_pipe_is_no_traceback(tiny_run: Run, tmp_path: Path) -> None:
    lines = tmp_path / "many.txt"
    lines.write_text("a text\n" * 20_000)
    command = f'"{sys.executable}" -m sentir predict "{tiny_run.folder}" "{lines}" | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("given", [["a text"], ["-"]])
def test_a_full_disk_is_no_traceback(tiny_run: Run, given: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sentir", "predict", tiny_run.folder, *given],
            input="a text\n" * 20, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: standard output: cannot be written (No space left on device); check the disk"
    )
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_predict_knows_files_from_texts(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [write_fasttext(tmp_path / name, 5) for name in ("a.ft.txt", "b.ft.txt")]
    (tmp_path / "empty").mkdir()
    for given, why in (
        (files, "2 arguments, and some are files"),
        ([tmp_path / "empty"], "holds no file"),
        (["./absent"], "no such file"),
        (["absent.pq"], "no such file"),
    ):
        code, out, err = sentir("predict", tiny_run.folder, *given, capfd=capfd)
        assert (code, out) == (2, ""), given
        assert why in err
    for given in (["https://shop.example/x was down."], ["--text", *files]):
        code, out, err = sentir("predict", tiny_run.folder, *given, capfd=capfd)
        assert code == 0, err
        assert len(out.splitlines()) == len(given) - (given[0] == "--text")
    code, out, err = sentir(
        "predict", tiny_run.folder, str(tmp_path / "*.txt"), "--on-error", "skip", capfd=capfd
    )
    assert code == 0, err
    assert len(out.splitlines()) == 10
    code, of_folder, err = sentir("predict", tiny_run.folder, tmp_path, capfd=capfd)
    assert (code, of_folder) == (0, out), err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes by name here")
def test_a_pipe_by_name_is_not_half_read(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code, _, err = sentir("evaluate", tiny_run.folder, pipe, capfd=capfd)
    assert code == 2
    assert "a pipe, which can be read only once" in err


def test_predict_keeps_the_place_of_a_row_without_text(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = ["", "a film", "  ", "", "another", ""]
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps({"id": at, "text": text}) + "\n"
                              for at, text in enumerate(texts)))  # fmt: skip
    code, out, err = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in rows] == list(range(6))
    assert [row["prediction"] is None for row in rows] == [not text.strip() for text in texts]
    assert [row["probability"] is None for row in rows] == [not text.strip() for text in texts]
    target = tmp_path / "b.parquet"
    assert sentir("predict", tiny_run.folder, source, "-o", target, capfd=capfd)[0] == 0
    assert pq.read_table(target).column("prediction").null_count == 4
    lines = tmp_path / "a.txt"
    lines.write_text("a film\n\nanother\n")
    code, out, err = sentir("predict", tiny_run.folder, lines, capfd=capfd)
    assert code == 0, err
    assert [line.count("\t") for line in out.splitlines()] == [2, 2, 2]


def test_a_reading_option_out_of_range(tiny_run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    for command in ("predict", "evaluate"):
        code, _, err = sentir(command, tiny_run.folder, "a.csv", "--delimiter", "ab", capfd=capfd)
        assert code == 2
        assert err.endswith("is not one character, nor tab; choose another value\n")


def test_an_address_is_fetched_only_on_request(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a.csv"
    source.write_text("text\none\n")
    address = source.as_uri()
    for command in ("predict", "explain"):
        code, out, err = sentir(command, tiny_run.folder, address, "--json", capfd=capfd)
        if command == "predict":
            assert (code, out) == (2, "")
            assert f"{address}: an address; pass --file to read what is there, or --text" in err
        else:
            assert json.loads(out)["tokens"] != ["one"]
    code, out, _ = sentir("predict", tiny_run.folder, address, "--file", "--json", capfd=capfd)
    assert (code, json.loads(out)["text"]) == (0, "one")
    code, out, _ = sentir("predict", tiny_run.folder, address, "--text", "--json", capfd=capfd)
    assert (code, json.loads(out)["text"]) == (0, address)
    for given in ((address, "--file", "--text"), (source, source, "--file")):
        code, _, err = sentir("predict", tiny_run.folder, *given, capfd=capfd)
        assert (code, "--file is for one argument" in err) == (2, True)


def test_each_sentence_with_a_score(tiny_run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    text = "The film was dull. But we loved it!"
    code, out, _ = sentir(
        "predict", tiny_run.folder, text, "--by", "sentence", "--score", "--json", capfd=capfd
    )
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["text"] for row in rows] == ["The film was dull.", "But we loved it!"]
    assert [row["sentence_number"] for row in rows] == [1, 2]
    for row in rows:
        sign = 1 if row["prediction"] == "positive" else -1
        assert row["score"] == pytest.approx(sign * (2 * row["probability"] - 1))
    code, _, err = sentir("predict", tiny_run.folder, text, "--by", "word", capfd=capfd)
    assert code == 2
    assert "sentence" in err
