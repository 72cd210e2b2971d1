"""A folder in, a folder out, in parts; kills, and folders of another model."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from fixtures.command import sentir as command
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import save_bundle
from sentir.errors import DataError, UsageError
from sentir.inference.folder_files import (
    ALL,
    FolderJob,
    Part,
    files_of_part,
    input_files,
    output_names,
)
from sentir.inference.manifest import MANIFEST

NAMES = st.dictionaries(st.text("abc/", min_size=1, max_size=6), st.integers(0, 50), max_size=30)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_bundle(toy(), tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of tables, with ids that are all different."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for number in range(7):
        name = f"deep/{number}.csv" if number % 2 else f"{number}.csv"
        write_rows(folder / name, 20 + number, seed=number)
    return folder


def write_rows(path: Path, count: int, seed: int = 0) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        texts = [text or "a film" for text in random_texts(count, seed=seed)]
        writer.writerows([f"{seed}-{row}", text] for row, text in enumerate(texts))


def rows_of(folder: Path) -> list[dict[str, str]]:
    return [row for path in sorted(folder.rglob("*.csv"))
            for row in csv.DictReader(path.read_text().splitlines())]  # fmt: skip


def run(*arguments: object, capfd: pytest.CaptureFixture[str]) -> str:
    code, out, err = command("predict", *arguments, capfd=capfd)
    assert (code, out) == (0, ""), err
    return err


def refused(*arguments: object, capfd: pytest.CaptureFixture[str]) -> str:
    code, out, err = command("predict", *arguments, capfd=capfd)
    assert (code, out) == (2, ""), err
    return " ".join(err.split())


@given(NAMES, st.integers(1, 9))
def test_each_file_is_in_one_part_and_parts_are_even(sizes: dict[str, int], total: int) -> None:
    parts = [files_of_part(sizes, Part(number, total)) for number in range(total)]
    assert Counter(name for part in parts for name in part) == Counter([*sizes])
    reversed_sizes = dict(reversed(sizes.items()))
    assert [files_of_part(reversed_sizes, Part(n, total)) for n in range(total)] == parts
    loads = [sum(max(1, sizes[name]) for name in part) for part in parts]
    assert max(loads) - min(loads) <= max([1, *sizes.values()])


@pytest.mark.parametrize("text", ["64/64", "-1/4", "1", "1/", "/4", "1/0", "a/b", "1/4/5", ""])
def test_what_is_no_part(text: str) -> None:
    with pytest.raises(UsageError, match="parts are counted from 0: 0/"):
        Part.parse(text)
    assert Part.parse("3/64") == Part(3, 64)
    assert Part.parse("0/1") == ALL


def test_parts_together_answer_what_one_command_does(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(model, source, "-o", f"{tmp_path}/whole/", capfd=capfd)
    for number in (2, 0, 1):
        run(model, source, "-o", f"{tmp_path}/parts/", "--part", f"{number}/3", capfd=capfd)
    whole, parts = rows_of(tmp_path / "whole"), rows_of(tmp_path / "parts")
    assert whole == parts
    assert Counter(row["id"] for row in whole) == Counter(row["id"] for row in rows_of(source))
    names = sorted(path.relative_to(source) for path in source.rglob("*.csv"))
    assert sorted(p.relative_to(tmp_path / "parts") for p in (tmp_path / "parts").rglob("*.csv")) \
        == names  # fmt: skip
    code, out, _ = command("predict", model, source / "0.csv", capfd=capfd)
    assert (code, out) == (0, (tmp_path / "parts" / "0.csv").read_bytes().decode())


def test_what_is_there_is_skipped(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    said = run(model, source, "-o", f"{output}/", capfd=capfd)
    assert "files: 7 written, 0 there already, 0 without reviews, 0 failed" in said
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.csv")}
    (output / "2.csv").unlink()
    said = run(model, source, "-o", output, capfd=capfd)  # a folder that is there needs no slash
    assert "files: 1 written, 6 there already" in said
    after = {path: path.stat().st_mtime_ns for path in output.rglob("*.csv")}
    assert {path for path in after if after[path] != before[path]} == {output / "2.csv"}
    os.utime(source / "0.csv", (time.time() + 60, time.time() + 60))
    said = run(model, source, "-o", output, capfd=capfd)
    assert f"warning: {source}/0.csv: newer than its answers; remove {output}/0.csv" in said


def test_formats_that_are_read_and_not_written(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_rows(folder / "a.csv", 3)
    (folder / "b.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
    (folder / "c.json").write_text('[{"text": "a"}, {"text": "b"}]')
    book = openpyxl.Workbook()
    for row in (["text"], ["good"]):
        book.active.append(row)
    book.save(folder / "d.xlsx")
    table = pa.table({"text": ["good", None], "n": pa.array([1, None], pa.int8())})
    pq.write_table(table, folder / "e.parquet")
    with pa.OSFile(str(folder / "f.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as w:
        w.write_table(table)
    output = tmp_path / "out"
    run(model, folder, "-o", f"{output}/", capfd=capfd)
    assert sorted(path.name for path in output.iterdir()) == [
        MANIFEST, "a.csv", "b.csv.gz", "c.json", "d.xlsx.csv", "e.parquet", "f.arrow.jsonl",
    ]  # fmt: skip
    assert gzip.decompress((output / "b.csv.gz").read_bytes()) == (output / "a.csv").read_bytes()
    assert pq.read_schema(output / "e.parquet").field("n").type == pa.int8()
    assert len((output / "f.arrow.jsonl").read_text().splitlines()) == 2
    run(model, folder, "-o", f"{tmp_path}/json/", "--json", capfd=capfd)
    assert (tmp_path / "json" / "a.csv.jsonl").exists()


def test_names_of_answers() -> None:
    names = ["a.ft.txt.bz2", "b.txt", "c", "d.zip", "e.tab"]
    assert [*output_names(dict.fromkeys(names), FolderJob(source="", output="")).values()] == [
        "a.ft.txt.bz2.txt", "b.txt", "c", "d.zip.jsonl", "e.tab",
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"out: a\.xlsx and a\.xlsx\.csv would both become a\.xls"):
        output_names(dict.fromkeys(["a.xlsx", "a.xlsx.csv"]), FolderJob(source="", output="out"))


def test_patterns_and_single_files(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert input_files(f"{source}/**/*.csv") == input_files(str(source))
    assert input_files(f"{source}/deep/*.csv")[0] == f"{source}/deep"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(source / "0.csv", "0.csv")
    run(model, tmp_path / "*.zip", "-o", f"{tmp_path}/out/", capfd=capfd)
    rows = (tmp_path / "out" / "a.zip.jsonl").read_text().splitlines()
    assert [json.loads(row)["id"] for row in rows] == [row["id"] for row in rows_of(source)[:20]]
    monkeypatch.chdir(source)
    run(model, "0.csv", "-o", "../one/", capfd=capfd)
    assert (tmp_path / "one" / "0.csv").exists()


def test_a_file_that_fails_does_not_stop_the_others(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (source / "1.csv").write_text("id,text\n1,one\n2,two,more\n")
    (source / "empty.csv").write_text("id,text\n")
    (source / "notes.txt").write_text("not a table")
    (source / "none.csv").write_text("")
    output = f"{tmp_path}/out/"
    said = refused(model, source, "-o", output, "--quoting", "standard", capfd=capfd)
    assert f"{source}/1.csv:3: 3 fields where the header has 2" in said
    assert "files: 7 written, 0 there already, 1 without reviews, 1 failed" in said
    assert "error: 1 of 9 files could not be answered; the others were; fix what is" in said
    assert "8 files of reviews" in said or "9 files of reviews" in said
    assert "not read: none.csv, notes.txt" in said
    assert not (tmp_path / "out" / "1.csv").exists()
    given = (model, source, "-o", output, "--quoting", "standard", "--on-error", "skip")
    said = run(*given, capfd=capfd)
    assert "files: 1 written, 7 there already" in said


def test_an_option_that_is_not_for_a_file(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(pa.table({"text": ["good"]}), source / "a.parquet")
    given = (model, source, "-o", f"{tmp_path}/out/", "--neutralise-formulas")
    said = refused(*given, capfd=capfd)
    assert f"{source}/a.parquet: --neutralise-formulas for parquet" in said
    assert "files: 7 written, 0 there already, 0 without reviews, 1 failed" in said


def test_answers_of_another_model_are_not_mixed(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    run(model, source, "-o", f"{output}/", "--part", "0/2", capfd=capfd)
    save_bundle(toy(seed=1), tmp_path / "other")
    before = sorted(output.rglob("*"))
    for arguments, what in (
        ((tmp_path / "other", source), "made by the model sha256:"),
        ((model, source, "--probabilities"), "made with columns = ['prediction', 'probability']"),
        ((model, source, "--by", "sentence"), "made with by = 'review', and now it is 'sentence'"),
        ((model, source, "--json"), "made with json = False, and now it is True"),
        ((model, source, "--text-column", "id"), "made with reading = "),
        ((model, source, "--precision", "int8"), "made by the model sha256:"),
    ):
        said = refused(*arguments, "-o", f"{output}/", "--part", "1/2", capfd=capfd)
        assert f"{output}/: {what}" in said
        assert said.endswith("choose another folder, or remove it")
    assert sorted(output.rglob("*")) == before
    run(model, source, "-o", f"{output}/", "--engine", "torch", "--part", "1/2", capfd=capfd)
    (output / MANIFEST).write_text("{")
    assert "damaged" in refused(model, source, "-o", output, capfd=capfd)


def test_folders_that_are_not_ours(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = refused(model, source, "-o", f"{source}/", capfd=capfd)
    assert "are in one another; choose another --output" in said
    for inside in (f"{source}/out/", f"{tmp_path}/"):
        assert "are in one another" in refused(model, source, "-o", inside, capfd=capfd)
    assert "are in one another" in refused(model, source / "0.csv", "-o", source, capfd=capfd)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0.csv").write_text("mine")
    (tmp_path / "out" / ".hidden").write_text("")
    said = refused(model, source, "-o", tmp_path / "out", capfd=capfd)
    assert "out: holds files (0.csv) and no _sentir.json, so sentir did not write them" in said
    assert (tmp_path / "out" / "0.csv").read_text() == "mine"
    (tmp_path / "out" / "0.csv").unlink()
    run(model, source, "-o", tmp_path / "out", capfd=capfd)


def test_files_that_come_between_parts(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = f"{tmp_path}/out/"
    said = run(model, source, "-o", output, "--part", "0/2", capfd=capfd)
    assert "warning" not in said
    write_rows(source / "new.csv", 500, seed=99)
    said = run(model, source, "-o", output, "--part", "1/2", capfd=capfd)
    assert "warning" in said
    assert "run it once without --part at the end" in " ".join(said.split())
    assert "warning" not in run(model, source, "-o", output, capfd=capfd)
    ids = Counter(row["id"] for row in rows_of(tmp_path / "out"))
    assert ids == Counter(row["id"] for row in rows_of(source))


def test_calls_that_cannot_be_meant(
    model: Path, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for arguments, what in (
        ((source, "--part", "0/2"), "--part without a folder to write; name it with a slash"),
        ((source, "--part", "0/2", "-o", "x.csv"), "--part without a folder to write"),
        (("a text", "another", "-o", f"{tmp_path}/out/"), "for one folder, file or pattern to re"),
        (("a text", "--text", "-o", f"{tmp_path}/out/"), "for one folder, file or pattern to re"),
        (("-", "-o", f"{tmp_path}/out/"), "standard input: no file whose answers can be a file"),
        ((source / "gone", "-o", f"{tmp_path}/out/"), "no such file"),
        ((source, "--part", "2/2", "-o", f"{tmp_path}/out/"), "counted from 0: 0/2 to 1/2"),
    ):
        assert what in refused(model, *arguments, capfd=capfd)
    for label in ("pos", "neg"):
        (tmp_path / "imdb" / label).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "imdb" / label / f"{number}.txt").write_text("a film")
    said = refused(model, tmp_path / "imdb", "-o", f"{tmp_path}/out/", capfd=capfd)
    assert "a file for each review, which would be a file for each answer" in said
    assert not (tmp_path / "out").exists()


def test_stores(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    system = MemoryFileSystem()
    system.rm("/", recursive=True)
    for number in range(3):
        lines = "".join(json.dumps({"id": f"{number}-{row}", "text": text}) + "\n"
                        for row, text in enumerate(random_texts(5, seed=number)))  # fmt: skip
        system.pipe_file(f"/bucket/in/{number}.jsonl", lines.encode())
    for pattern in ("memory://bucket/in/*.jsonl", "memory://bucket/in"):
        for number in range(2):
            run(model, pattern, "-o", "memory://bucket/out/", "--part", f"{number}/2", capfd=capfd)
    said = run(model, "memory://bucket/in/1.jsonl", "-o", "memory://bucket/out/", capfd=capfd)
    assert "files: 0 written, 1 there already" in said
    assert sorted(system.find("/bucket/out")) == [
        "/bucket/out/0.jsonl", "/bucket/out/1.jsonl", "/bucket/out/2.jsonl",
        f"/bucket/out/{MANIFEST}",
    ]  # fmt: skip
    ids = [json.loads(line)["id"] for name in system.find("/bucket/out") if MANIFEST not in name
           for line in system.cat_file(name).splitlines()]  # fmt: skip
    assert Counter(ids) == Counter(f"{number}-{row}" for number in range(3) for row in range(5))
    said = refused(model, "memory://bucket/in", "-o", "memory://bucket/in/out/", capfd=capfd)
    assert "are in one another" in said
    system.rm("/", recursive=True)


#: Ends itself with SIGKILL when so many bytes of a file are written.
_KILLED = """
import os, signal, sys
from sentir.inference import files
written, write_records = [], files.write_records

def dying(records, path, *arguments, **options):
    def some():
        for number, record in enumerate(records):
            if len(written) == {after} and number == 12:
                os.kill(os.getpid(), signal.SIGKILL)
            yield record
    write_records(some(), path, *arguments, **options)
    written.append(path)

files.write_records = dying
from sentir.cli import main
main()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
@pytest.mark.parametrize("after", [0, 2])
def test_a_part_that_was_killed_is_started_again(
    model: Path, source: Path, tmp_path: Path, after: int, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    arguments: list[Any] = [model, source, "-o", f"{output}/", "--part", "0/2"]
    program = [sys.executable, "-c", _KILLED.format(after=after), "predict", *arguments]
    done = subprocess.run(program, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(rows_of(output)) < len(rows_of(source))
    whole = {path: path.stat().st_mtime_ns for path in output.rglob("*.csv")
             if ".part" not in str(path)}  # fmt: skip
    assert len(whole) == after
    run(*arguments, capfd=capfd)
    run(*arguments[:-1], "1/2", capfd=capfd)
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in whole.items())
    ids = Counter(row["id"] for row in rows_of(output))
    assert ids == Counter(row["id"] for row in rows_of(source))
    assert all(row["prediction"] for row in rows_of(output))
    assert not [path for path in output.rglob("*") if ".part" in str(path)]
