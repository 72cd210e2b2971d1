"""Addresses of stores: reading, patterns, folders, writing whole, and what is said of failures."""

from __future__ import annotations

import bz2
import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from fixtures.command import TINY
from fixtures.command import sentir as command
from fixtures.toy_bundle import toy
from sentir import answering, load
from sentir.bundle import FILES, save_bundle
from sentir.data.cache import fingerprint, is_volatile
from sentir.errors import BundleError, DataError, MissingExtraError, UsageError
from sentir.io import stores
from sentir.io.first_rows import check_first_rows
from sentir.io.paths import expand_sources, split_part
from sentir.io.reader import ReadOptions, read_reviews
from sentir.io.writer import check_output, open_output, write_records
from sentir.synthetic.reviews import sample_reviews

CSV = b"label,text\npos,a good film\nneg,a bad film\n"


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryFileSystem]:
    """The store ``memory://``, empty."""
    system = MemoryFileSystem()
    system.rm("/", recursive=True)
    yield system
    system.rm("/", recursive=True)


def put(address: str, content: bytes = CSV) -> str:
    with fsspec.open(address, "wb") as stream:
        stream.write(content)
    return address


def texts(*sources: str, **options: Any) -> list[tuple[str | None, str]]:
    return [(one.label, one.text) for one in read_reviews(sources, ReadOptions(**options))]


ROWS = [("pos", "a good film"), ("neg", "a bad film")]


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_patterns_folders_and_parts(scheme: str, tmp_path: Path) -> None:
    base = f"{scheme}://{tmp_path}" if scheme == "file" else "memory://bucket"
    for name in ("b.csv", "a.csv", "deep/c.csv", "c[1].csv"):
        put(f"{base}/in/{name}")
    put(f"{base}/in/notes.md", b"x")
    expanded = expand_sources([f"{base}/in/*.csv"])
    assert expanded == [f"{base}/in/a.csv", f"{base}/in/b.csv", f"{base}/in/c[1].csv"]
    assert expand_sources([f"{base}/in/c[1].csv"]) == [f"{base}/in/c[1].csv"]
    assert len(expand_sources([f"{base}/in/**/*.csv"])) == 4
    if scheme == "file":
        assert texts(f"{base}//in/a.c?v") == ROWS
    assert texts(f"{base}/in/*.csv") == 3 * ROWS
    assert texts(f"{base}/in") == texts(f"{base}/in/") == 4 * ROWS
    assert texts(f"{base}/in:deep") == ROWS
    with pytest.raises(DataError, match=r"in/\*\.tsv: no file matches; check the folder"):
        expand_sources([f"{base}/in/*.tsv"])
    with pytest.raises(DataError, match=r"in/gone\.csv: no such file; check the name"):
        texts(f"{base}/in/gone.csv")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", CSV)
        archive.writestr("two.csv", CSV)
    put(f"{base}/reviews.zip", packed.getvalue())
    assert texts(f"{base}/reviews.zip") == 2 * ROWS
    assert texts(f"{base}/reviews.zip:two.csv") == ROWS


def test_a_colon_may_be_part_of_a_name() -> None:
    address = put("memory://bucket/2026-01-01T00:00:00.csv")
    assert split_part(address) == (address, "")
    assert texts(address) == ROWS
    assert split_part("https://a.example:80/x:y") == ("https://a.example:80/x:y", "")
    assert split_part("memory://bucket:80") == ("memory://bucket:80", "")


def test_a_folder_per_class_in_a_store() -> None:
    for label in ("pos", "neg"):
        for number in range(2):
            put(f"memory://imdb/{label}/{number}.txt", f"{label} text {number}".encode())
    found = texts("memory://imdb")
    assert sorted(found) == [
        (label, f"{label} text {number}") for label in ("neg", "pos") for number in (0, 1)
    ]


def test_what_tells_versions_apart() -> None:
    one, folder = put("memory://bucket/in/a.csv"), "memory://bucket/in"
    before = fingerprint([one]), fingerprint([folder])
    assert not is_volatile([one, folder])
    assert (fingerprint([one]), fingerprint([folder])) == before
    put(one, CSV.replace(b"good", b"fine"))  # of the same size
    assert fingerprint([one]) != before[0]
    assert fingerprint([folder]) != before[1]
    json.dumps(before)
    with pytest.raises(DataError, match="no such file"):
        fingerprint(["memory://bucket/gone.csv"])


def test_a_missing_file_is_found_before_any_work() -> None:
    put("memory://bucket/a.csv")
    check_first_rows(["memory://bucket/a.csv", "memory://bucket"], ReadOptions())
    with pytest.raises(DataError, match=r"memory://bucket/b\.csv: no such file"):
        check_first_rows(["memory://bucket/a.csv", "memory://bucket/b.csv"], ReadOptions())


class _Hadoop(LocalFileSystem):  # type: ignore[misc]
    """A store whose files are there while they are written, as those of HDFS are."""

    protocol = "hdfs"
    fail = False

    def put_file(self, lpath: str, rpath: str, *args: Any, **kwargs: Any) -> None:
        super().put_file(lpath, rpath, *args, **kwargs)
        if self.fail:
            raise RuntimeError("the name node is in safe mode")


@pytest.fixture
def hadoop(monkeypatch: pytest.MonkeyPatch) -> type[_Hadoop]:
    registry: Any = sys.modules["fsspec.registry"]
    monkeypatch.setitem(registry._registry, "hdfs", _Hadoop)
    monkeypatch.setattr(_Hadoop, "fail", False)
    return _Hadoop


@pytest.mark.parametrize("scheme", ["memory", "file", "hdfs"])
def test_what_is_written_is_whole_or_not_there(
    scheme: str, tmp_path: Path, hadoop: type[_Hadoop]
) -> None:
    base = "memory://bucket" if scheme == "memory" else f"{scheme}://{tmp_path}"
    address = f"{base}/new/out.csv.bz2"
    check_output(address)
    rows = [{"label": "pos", "text": "a"}, {"label": "neg", "text": "b"}]
    with pytest.raises(ZeroDivisionError), open_output(address) as stream:  # noqa: PT012
        stream.write(b"half")
        raise ZeroDivisionError
    assert not stores.exists(address)
    write_records(rows, address, "csv")
    with fsspec.open(address, "rb") as stored:
        assert bz2.decompress(stored.read()) == b"label,text\npos,a\nneg,b\n"
    write_records(rows[:1], address, "csv")  # in place of the old one
    assert texts(address) == [("pos", "a")]
    assert {*(stores.file_sizes(f"{base}/new") or {})} == {"out.csv.bz2"}


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, hadoop: type[_Hadoop]) -> None:
    address = f"hdfs://{tmp_path}/out.csv"
    write_records([{"text": "old"}], address, "csv")
    hadoop.fail = True
    with pytest.raises(DataError, match=r"out\.csv: cannot be written \(the name node is in safe"):
        write_records([{"text": "new"}], address, "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "text\nold\n"


def _failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr("sentir.io.stores.require", lambda *args: None)
    monkeypatch.setattr(fsspec, "open", fail)
    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)


NO_CREDENTIALS = type("NoCredentialsError", (Exception,), {})("Unable to locate credentials")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NO_CREDENTIALS, r"there are no credentials for it \(Unable to locate.*; log in to the st"),
        (PermissionError("Access Denied"), r"the store refuses \(Access Denied\); use credentials"),
        (FileNotFoundError("bucket/a.csv"), "no such file; check the name"),
        (FileNotFoundError("a.csv"), "no such file; check the name"),
        (
            OSError("Unable to load libjvm"),
            "cannot be opened .*libjvm.*; install Java and Hadoop's",
        ),
        (OSError("Unable to load libhdfs: not found"), "cannot be opened .*libhdfs.*; install"),
        (RuntimeError("reset"), r"cannot be opened \(reset\); check the name, its permissions and"),
    ],
)
def test_failures_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    _failing(monkeypatch, error)
    address = "hdfs://host/a.csv" if "to load lib" in str(error) else "s3://b/a.csv"
    for ask in (stores.open_address, stores.file_sizes, stores.identity, check_output):
        with pytest.raises(DataError, match=message):
            ask(address)


class _Bucket:
    """A store of buckets of which there is one, ``b``, that may not be listed."""

    def info(self, path: str) -> None:
        if path == "b":
            raise PermissionError("Access Denied")
        raise FileNotFoundError(path)

    def exists(self, path: str) -> bool:
        return path == "b"


def test_a_missing_bucket_is_told_from_a_missing_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentir.io.stores.require", lambda *args: None)
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda at: (_Bucket(), at.partition("://")[2]))
    check_output("gs://b/a.csv")  # who may write need not be allowed to list
    for address, what in (("gs://b/a.csv", "file"), ("gs://c/a.csv", "bucket")):
        with pytest.raises(DataError, match=f"{address}: no such {what}; check"):
            stores.file_size(address)
    with pytest.raises(DataError, match=r"gs://c/a\.csv: no such bucket; check its name"):
        check_output("gs://c/a.csv")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentir.extras.is_installed", lambda name: name in ("fsspec", "aiohttp"))
    for scheme, package, extra in (
        ("s3", "s3fs", "s3"), ("gs", "gcsfs", "gcs"), ("hdfs", "pyarrow", "parquet"),
    ):  # fmt: skip
        message = rf"an address \({scheme}://\) needs the package {package}, .*sentir\[{extra}\]"
        with pytest.raises(MissingExtraError, match=message):
            texts(f"{scheme}://bucket/a.csv")
        with pytest.raises(MissingExtraError, match=message):
            check_output(f"{scheme}://bucket/a.csv")


def test_paths_where_an_address_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_bundle(toy(), tmp_path / "model")
    (tmp_path / "a.csv").write_bytes(CSV)
    for arguments in (
        ("train", "a.csv", "--output", "s3://bucket/run", *TINY),
        ("export", "model", "--to", "onnx", "--output", "s3://bucket/a.onnx"),
        ("explain", "model", "a film", "--picture", "s3://bucket/a.svg"),
    ):
        code, _, err = command(*arguments, capfd=capfd)
        assert code == 2, err
        assert "an address, and this is written to a path; write it here, and copy it" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "model"]
    with pytest.raises(UsageError, match="s3://b/x: an address, and this is written to a path"):
        check_output(str(Path("s3://b/x")))


def test_a_model_in_a_store(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    save_bundle(toy(), tmp_path / "model")
    for file in (tmp_path / "model").iterdir():
        put(f"memory://models/shop/model/{file.name}", file.read_bytes())
    put("memory://models/shop/checkpoint.pt", b"not for answering")
    expected = load(tmp_path / "model").predict(["a good film"])
    for path in (
        "memory://models/shop",
        "memory://models/shop/model",
        Path("memory://models/shop"),
    ):
        assert load(path).predict(["a good film"]) == expected
        assert answering(path).model == str(path).replace(":/m", "://m")
    folders = {str(path) for path in Path(tempfile.gettempdir()).glob("sentir-model-*")}
    code, out, err = command("predict", "memory://models/shop", "a good film", capfd=capfd)
    assert (code, out.split("\t")[0]) == (0, expected[0].label), err
    (new,) = {str(path) for path in Path(tempfile.gettempdir()).glob("sentir-model-*")} - folders
    assert {path.name for path in Path(new).iterdir()} == {*FILES}
    code, _, err = command("serve", "memory://models/shop", "--watch", capfd=capfd)
    assert (code, "--watch of memory://models/shop, which is no folder" in err) == (2, True)
    with pytest.raises(BundleError, match=r"memory://models/gone: no model here; give the folder"):
        load("memory://models/gone")
    with pytest.raises(BundleError, match=r"https://a\.example/model: no model here"):
        load("https://a.example/model")
    put("memory://models/shop/model/metrics.json", b"{}")
    with pytest.raises(BundleError, match=r"metrics\.json: damaged \(its checksum differs\)"):
        load("memory://models/shop")


def test_train_predict_and_evaluate(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], memory: MemoryFileSystem
) -> None:
    """The whole product, from a store and back to it."""
    lines = [json.dumps({"label": label, "text": text}) for label, text in sample_reviews(200)]
    put("memory://bucket/train/a.jsonl", "\n".join(lines[:100]).encode())
    put("memory://bucket/train/b.jsonl", "\n".join(lines[100:]).encode())
    put("memory://bucket/test.jsonl.bz2", bz2.compress(lines[0].encode()))
    run = tmp_path / "run"
    given = ("memory://bucket/train/*.jsonl", "--test", "memory://bucket/test.jsonl.bz2")
    code, _, err = command("train", *given, "--output", run, *TINY, capfd=capfd)
    assert code == 0, err
    code, out, err = command("evaluate", run, "memory://bucket/train", "--json", capfd=capfd)
    assert code == 0, err
    assert json.loads(out)["examples"] == 200
    target = "memory://bucket/out/labelled.csv.gz"
    code, _, err = command("predict", run, "--file", given[0], "-o", target, capfd=capfd)
    assert code == 0, err
    assert len(list(read_reviews([target]))) == 200
    assert {*memory.store} == {
        "/bucket/train/a.jsonl", "/bucket/train/b.jsonl", "/bucket/test.jsonl.bz2",
        "/bucket/out/labelled.csv.gz",
    }  # fmt: skip
