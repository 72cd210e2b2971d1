"""Sources and their parts: the same rows in every container give the same reviews."""

from __future__ import annotations

import bz2
import gzip
import io
import logging
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.archives import CONTAINERS, as_csv, table_of, tar_of, zip_of
from fixtures.review_files import ROWS, Row, message, pairs, read, set_stdin, skipping, written
from sentir.io import streams
from sentir.io.reader import detect_format, read_reviews, table_types

_texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=30
)
_tricky = st.text(st.sampled_from('"\n\r\t,;\\[]{}: ñ😀\x85\u2028a'), min_size=1, max_size=12)
_rows = st.lists(
    st.tuples(
        (_texts | _tricky).filter(lambda text: bool(text) and not text.isspace()),
        st.sampled_from(["neg", "pos", "1", "sí"]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("kind", CONTAINERS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=_rows)
def test_the_same_rows_in_every_container(tmp_path: Path, kind: str, rows: list[Row]) -> None:
    path = tmp_path / f"reviews.{kind}"
    CONTAINERS[kind](path, rows)
    assert pairs(read(path)) == rows


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "feather", "arrow", "columns.json"])
def test_containers_on_standard_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    CONTAINERS[kind](tmp_path / "a", ROWS)
    set_stdin(monkeypatch, io.BytesIO((tmp_path / "a").read_bytes()))
    written_as = {"feather": "arrow", "arrow": "arrow", "columns.json": "jsonl"}
    assert detect_format("-") == written_as.get(kind, "csv")
    if kind == "feather":
        assert table_types("-").names == ["text", "label"]
    assert pairs(read("-")) == ROWS


def test_parquet_on_standard_input_and_compressed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    pq.write_table(table_of(ROWS), buffer)
    set_stdin(monkeypatch, io.BytesIO(buffer.getvalue()))
    assert pairs(read("-")) == ROWS
    assert pairs(read(written(tmp_path / "a.bz2", bz2.compress(buffer.getvalue())))) == ROWS
    zip_of(tmp_path / "a.zip", {"a.parquet": buffer.getvalue()})
    (first, *_) = read(tmp_path / "a.zip", labelled=False)
    assert (first.path, first.line) == (f"{tmp_path}/a.zip:a.parquet", 1)


def test_a_copy_has_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pq.write_table(table_of(ROWS), buffer)
    path = written(tmp_path / "a.parquet.gz", gzip.compress(buffer.getvalue()))
    monkeypatch.setattr(streams, "MAX_COPY_BYTES", 100)
    assert message(path).endswith("a temporary copy is needed; decompress it, and name the file")


def test_a_copy_without_a_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = written(tmp_path / "a.gz", gzip.compress(zip_of(tmp_path / "a", {}).read_bytes()))
    monkeypatch.setattr(streams.tempfile, "TemporaryFile", full)
    assert "(No space left on device); make room, set TMPDIR" in message(path)


def test_rows_of_members_have_their_place(tmp_path: Path) -> None:
    members = {"a.csv": "text,label\ngood,pos\n", "b.csv": "text,label\nbad,neg\nfine\n"}
    assert message(zip_of(tmp_path / "a.zip", members)).startswith(
        "a.zip:b.csv:3: 1 fields where the header has 2"
    )
    assert skipping(tmp_path / "a.zip")[0] == ["good", "bad"]
    latin = {"a.csv": "text,label\ncafé,1\n".encode("latin-1")}
    assert message(tar_of(tmp_path / "a.tar", latin)).startswith("a.tar:a.csv:2: byte 0xe9 at")
    jsonl = {"a.jsonl": '\ufeff{"text": "a", "label": 1}\n{"text": "b"}\n'}
    assert skipping(zip_of(tmp_path / "b.zip", jsonl)) == (
        ["a"],
        ["b.zip:a.jsonl:2: no label in column 'label'; add it or remove the row"],
    )


def test_parts_are_named_after_a_colon(tmp_path: Path) -> None:
    halves = {"x/p1.csv": as_csv(ROWS[:2], tmp_path), "x/p2.csv": as_csv(ROWS[2:], tmp_path)}
    path = zip_of(tmp_path / "a.zip", halves)
    for part, rows in {
        "p1.csv": ROWS[:2],
        "x/p2.csv": ROWS[2:],
        "x": ROWS,
        "*2.csv": ROWS[2:],
    }.items():
        assert pairs(read(f"{path}:{part}")) == rows
    assert message(f"{path}:p3.csv") == ("a.zip: holds no 'p3.csv'; did you mean a.zip:x/p2.csv?")
    assert message(f"{path}:zzz") == "a.zip: holds no 'zzz'; it holds x/p1.csv, x/p2.csv"
    plain = written(tmp_path / "a.csv", "text,label\na,1\n")
    assert message(f"{plain}:b").endswith(
        "a.csv: no folder, archive or spreadsheet; leave out ':b'"
    )
    named = written(tmp_path / "a.csv:b", "text,label\nc,1\n")
    assert pairs(read(named, format="csv")) == [("c", "1")]


def test_splits_are_never_mixed(tmp_path: Path) -> None:
    members = {
        "yelp/train.csv": as_csv(ROWS[:2], tmp_path),
        "yelp/test.csv": as_csv(ROWS[2:], tmp_path),
        "yelp/readme.txt": "about",
    }
    path = tar_of(tmp_path / "yelp.tgz", members, "w:gz")
    assert message(path) == (
        "yelp.tgz: holds several splits (yelp/test.csv and yelp/train.csv); "
        "name one: yelp.tgz:train"
    )
    assert pairs(read(f"{path}:train")) == ROWS[:2]
    assert pairs(read(f"{path}:test")) == ROWS[2:]
    assert len(read(path, labelled=False)) == 4  # to predict, all are wanted


def _imdb(folder: Path) -> Path:
    for split in ("train", "test"):
        for name in ("neg", "pos", *(["unsup"] if split == "train" else [])):
            (folder / split / name).mkdir(parents=True)
            for number in range(2):
                text = f"{split} {name} {number}\nline two"
                written(folder / split / name / f"{number}_9.txt", text)
        written(folder / split / "urls_neg.txt", "http://a")
        written(folder / split / "labeledBow.feat", "9 0:9")
    written(folder / "README", "about")
    return folder


def test_a_folder_per_class(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = _imdb(tmp_path / "aclImdb")
    expected = [
        (f"train {label} {number}\nline two", label)
        for label in ("neg", "pos")
        for number in range(2)
    ]
    with caplog.at_level(logging.INFO, "sentir"):
        assert pairs(read(folder / "train")) == expected
    assert caplog.messages == [
        f"{folder}/train: 4 files of reviews (2 of neg, 2 of pos), one review per file; not read: "
        "labeledBow.feat, urls_neg.txt, unsup/0_9.txt and 1 more"
    ]
    assert "holds several splits (test/neg/0_9.txt and train/neg/0_9.txt)" in message(folder)
    assert pairs(read(f"{folder}:train")) == expected
    both = [str(folder / "train" / name) for name in ("neg", "pos")]
    assert pairs(read_reviews(both)) == expected
    archive = shutil.make_archive(str(tmp_path / "acl"), "gztar", tmp_path, "aclImdb")
    assert sorted(pairs(read(f"{archive}:train"))) == expected
    (first, *_, last) = read(folder / "train", labelled=False)
    assert first.fields == {
        "file": "neg/0_9.txt", "label": "neg", "text": "train neg 0\nline two",
    }  # fmt: skip
    assert last.fields == {"file": "unsup/1_9.txt", "label": "", "text": "train unsup 1\nline two"}
    assert last.label is None
    assert detect_format(str(folder / "train")) == "files"


def test_a_review_of_many_lines_has_a_limit(tmp_path: Path) -> None:
    line = "so good\n"
    for name, text in (("pos/1.txt", line * 5), ("pos/2.txt", line * 6), ("neg/1.txt", "bad")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path / name, text)
    texts, errors = skipping(tmp_path, max_line_bytes=5 * len(line))
    assert texts == ["bad", "\n".join(["so good"] * 5)]
    place = f"{tmp_path.name}/pos/2.txt"
    assert errors == [f"{place}: a review of more than 40 bytes; raise --max-line-bytes"]


def test_a_review_that_starts_as_a_table_does(tmp_path: Path) -> None:
    text = "Story, content, acting: all fine.\nSo, text, is, fine."
    for name in ("neg/0.txt", "pos/0.txt", "pos/1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path / name, text)
    assert pairs(read(tmp_path)) == [(text, "neg"), (text, "pos"), (text, "pos")]


def test_a_file_per_class(tmp_path: Path) -> None:
    neg, pos = (
        written(tmp_path / "rt.neg", "bad\nworse\n"),
        written(tmp_path / "rt.pos", "good\r\n"),
    )
    expected = [("bad", "neg"), ("worse", "neg"), ("good", "pos")]
    written(tmp_path / "rt.README.txt", "about")
    written(tmp_path / "empty_neg.txt", "")
    assert pairs(read(tmp_path)) == expected
    assert pairs(read_reviews([str(neg), str(pos)])) == expected
    assert pairs(read(neg, labelled=False)) == [("bad", "neg"), ("worse", "neg")]
    written(tmp_path / "more.txt", "who knows")
    assert message(tmp_path / "more.txt").endswith("name it after its class (pos.txt, neg.txt)")


def test_a_saved_data_set(tmp_path: Path) -> None:
    for split in ("train", "test"):
        folder = tmp_path / "saved" / split
        folder.mkdir(parents=True)
        CONTAINERS["arrow"](folder / "data-00000-of-00001.arrow", ROWS)
        written(folder / "state.json", "{}")
        written(folder / "dataset_info.json", "{}")
    written(tmp_path / "saved" / "dataset_dict.json", '{"splits": ["train", "test"]}')
    assert pairs(read(f"{tmp_path}/saved:train")) == ROWS
    assert pairs(read(tmp_path / "saved" / "test")) == ROWS
    assert "holds several splits" in message(tmp_path / "saved")


def test_archives_within_archives_are_refused(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "in.zip", {"a.csv": as_csv(ROWS, tmp_path)}).read_bytes()
    todo = "unpack the outer one, and name this one"
    path = zip_of(tmp_path / "a.zip", {"a.csv": "text,label\na,1\n", "in.zip": inner})
    assert message(path) == f"a.zip:in.zip: an archive within another; {todo}"
    assert message(zip_of(tmp_path / "b.zip", {"in.zip": inner})) == (
        f"b.zip:in.zip: an archive within another; {todo}"
    )
    assert message(zip_of(tmp_path / "c.zip", {"in.csv": inner})) == (
        f"c.zip:in.csv: a zip archive within another; {todo}"
    )
    tar = tar_of(tmp_path / "a.tar", {"a.csv": "text,label\na,1\n"}).read_bytes()
    assert message(zip_of(tmp_path / "d.zip", {"in.csv.gz": gzip.compress(tar)})) == (
        f"d.zip:in.csv.gz: a tar archive within another; {todo}"
    )


def test_compressed_members_are_read_and_empty_ones_left_out(tmp_path: Path) -> None:
    members = {
        "part-0.csv.gz": gzip.compress(as_csv(ROWS, tmp_path)),
        "part-1.csv.gz": gzip.compress(b""),
        "part-2.csv": "",
        "_SUCCESS": "",
    }
    assert pairs(read(zip_of(tmp_path / "a.zip", members))) == ROWS
    twice = gzip.compress(gzip.compress(as_csv(ROWS, tmp_path)))
    assert message(written(tmp_path / "a.csv.gz", twice)) == (
        "a.csv.gz: compressed twice (gz); decompress it once"
    )


def test_containers_without_reviews(tmp_path: Path) -> None:
    nothing = "holds no file; check how it was written"
    assert message(zip_of(tmp_path / "a.zip", {})) == f"a.zip: {nothing}"
    assert message(zip_of(tmp_path / "b.zip", {"folder/": ""})) == f"b.zip: {nothing}"
    assert message(zip_of(tmp_path / "c.zip", {"a.pdf": "%PDF"})).startswith(
        "c.zip: holds no file of reviews (a.pdf); it may hold CSV"
    )
    (tmp_path / "empty").mkdir()
    assert message(tmp_path / "empty") == f"empty: {nothing}"
    assert message(tar_of(tmp_path / "a.tar", {})).startswith("a.tar: holds nothing but NUL bytes")
