from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.data.dataset import (
    CorpusWriter,
    EncodedCorpus,
    JoinedCorpora,
    identity,
    mean_1,
    weighted_targets,
)
from sentir.data.spool import flatten, offsets
from sentir.errors import DataError
from sentir.text.batch import text_hash

Row = tuple[list[int], int, str]
rows = st.tuples(st.lists(st.integers(0, 2**31 - 1)), st.integers(-1, 99), st.text())
batches = st.lists(st.lists(rows, max_size=4), max_size=4)


def write(path: Path, batches: list[list[Row]], *, texts: bool = True) -> None:
    with CorpusWriter(path, texts=texts) as writer:
        for batch in batches:
            write_batch(writer, batch, texts=texts)


def write_batch(writer: CorpusWriter, batch: list[Row], *, texts: bool = True) -> None:
    ids = [ids for ids, _, _ in batch]
    writer.write(
        np.array([i for row in ids for i in row], np.int32),
        np.cumsum([0, *map(len, ids)]).astype(np.int32),
        np.array([label for _, label, _ in batch], np.int32),
        np.array([text_hash(text) for _, _, text in batch], np.uint64),
        [text for _, _, text in batch] if texts else None,
    )


BATCHES: list[list[Row]] = [
    [([2, 3, 4], 0, "a b c"), ([], 1, "")],
    [([], 0, "ñ")],
    [([5], 1, "d"), ([6, 7], 0, "e f")],
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.arrow"
    write(path, BATCHES)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches)
def test_what_is_written_is_read(tmp_path: Path, batches: list[list[Row]]) -> None:
    path = tmp_path / "corpus.arrow"
    write(path, batches)
    corpus = EncodedCorpus(path)
    written = [row for batch in batches for row in batch]
    assert len(corpus) == len(written)
    assert [ids.tolist() for ids in corpus] == [ids for ids, _, _ in written]
    assert [corpus[i].tolist() for i in range(len(corpus))] == [ids for ids, _, _ in written]
    assert corpus.labels_N.tolist() == [label for _, label, _ in written]
    assert corpus.hashes_N.tolist() == [text_hash(text) for _, _, text in written]
    assert corpus.lengths_N.tolist() == [len(ids) for ids, _, _ in written]
    everyone = list(range(len(written)))[::-1]
    assert corpus.texts(everyone) == [written[i][2] for i in everyone]


def test_types(path: Path) -> None:
    corpus = EncodedCorpus(path)
    assert corpus[0].dtype == corpus.labels_N.dtype == corpus.lengths_N.dtype == np.int32
    assert corpus.hashes_N.dtype == np.uint64


def test_another_arrow_reader_opens_it(path: Path) -> None:
    with pa.ipc.open_file(str(path)) as reader:
        table = reader.read_all()
    assert table.column_names == ["ids", "label", "text_hash", "weight", "text"]
    assert table["ids"].to_pylist() == [[2, 3, 4], [], [], [5], [6, 7]]
    assert table["label"].to_pylist() == [0, 1, 0, 1, 0]
    assert table["text"].to_pylist() == ["a b c", "", "ñ", "d", "e f"]


def test_reviews_are_views_into_the_file(path: Path) -> None:
    corpus = EncodedCorpus(path)

    def owner(array: npt.NDArray[np.int32]) -> object:
        while isinstance(array.base, np.ndarray):
            array = array.base
        return array.base

    flat = corpus._shards[0]._flat
    assert np.shares_memory(corpus[0], flat)
    assert np.shares_memory(corpus[4], flat)
    assert owner(corpus[0]) is owner(corpus[4])
    assert flat.nbytes == path.stat().st_size // 8 * 8  # the whole file is the one view
    assert not corpus[0].flags.writeable


def test_only_empty_reviews(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", [[([], 0, ""), ([], 1, "")]])
    corpus = EncodedCorpus(tmp_path / "a.arrow")
    assert [ids.tolist() for ids in corpus] == [[], []]


@pytest.mark.parametrize("batches", [[], [[]]])
def test_no_reviews(tmp_path: Path, batches: list[list[Row]]) -> None:
    write(tmp_path / "a.arrow", batches)
    corpus = EncodedCorpus(tmp_path / "a.arrow")
    assert len(corpus) == len(corpus.labels_N) == len(list(corpus)) == 0
    assert corpus.texts([]) == []


def test_texts_are_kept_only_when_asked(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", BATCHES, texts=False)
    corpus = EncodedCorpus(tmp_path / "a.arrow")
    assert corpus[0].tolist() == [2, 3, 4]
    assert corpus._shards[0].schema.names == ["ids", "label", "text_hash", "weight"]


def test_texts_may_come_as_an_arrow_array(tmp_path: Path) -> None:
    with CorpusWriter(tmp_path / "a.arrow", texts=True) as writer:
        id, label = np.array([0], np.int32), np.array([0], np.int32)
        offsets, hashes = np.array([0, 1], np.int32), np.array([7], np.uint64)
        writer.write(id, offsets, label, hashes, pa.array(["x"]))
    assert EncodedCorpus(tmp_path / "a.arrow").texts([0]) == ["x"]


def half_written(path: Path) -> None:
    with CorpusWriter(path, texts=True) as writer:
        write_batch(writer, BATCHES[0])
        raise KeyError


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        half_written(tmp_path / "a.arrow")
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_writing_keeps_the_old_one(path: Path) -> None:
    with pytest.raises(KeyError):
        half_written(path)
    assert list(path.parent.iterdir()) == [path]
    assert len(EncodedCorpus(path)) == 5


def refused(path: Path) -> str:
    with pytest.raises(
        DataError, match=r"not an encoded corpus \(.*\); delete it and run"
    ) as error:
        EncodedCorpus(path)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


def test_a_file_that_is_absent(tmp_path: Path) -> None:
    refused(tmp_path / "none.arrow")
    refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", b"ARROW1\0\0", b"no Arrow file " * 99])
def test_a_file_of_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(content)
    refused(path)


def test_a_truncated_file(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        refused(path)


def test_a_file_with_its_middle_overwritten(path: Path) -> None:
    whole = path.read_bytes()
    start = whole.index(b"ids") + 400  # past the schema, in the first record batch's description
    path.write_bytes(whole[:start] + b"\xff" * 64 + whole[start + 64 :])
    refused(path)


def test_a_file_whose_texts_lie_outside_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write(path, [[([7], 0, "x" * 333), ([8], 1, "y" * 444)]])
    whole, places = path.read_bytes(), np.array([0, 333, 777], np.int32).tobytes()
    assert whole.count(places) == 1
    path.write_bytes(whole.replace(places, np.array([0, 333, 10**9], np.int32).tobytes()))
    refused(path)


def arrow_file(path: Path, table: pa.Table, **options: object) -> None:
    with pa.ipc.new_file(str(path), table.schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        out.write_table(table)


def test_an_arrow_file_of_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    arrow_file(path, pa.table({"text": ["a"], "label": [1]}))
    assert "the columns are text, label" in refused(path)


def test_an_arrow_file_that_cannot_be_mapped(path: Path) -> None:
    with pa.ipc.open_file(str(path)) as reader:
        table = reader.read_all()
    arrow_file(path, pa.concat_tables([table] * 999), compression="zstd")
    refused(path)


id_lists = st.lists(st.lists(st.integers(1, 99), max_size=6), max_size=5)


def written(path: Path, texts: list[list[int]], label: int) -> EncodedCorpus:
    flat, lengths = flatten(texts)
    count = len(texts)
    with CorpusWriter(path, texts=False) as writer:
        labels = np.full(count, label, np.int32)
        writer.write(flat, offsets(lengths), labels, np.zeros(count, np.uint64))
    return EncodedCorpus(path)


@given(st.lists(id_lists, min_size=1, max_size=3))
@settings(deadline=None)
def test_all_reviews_are_there_in_their_order(parts: list[list[list[int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        corpora = [written(Path(folder) / f"{i}.arrow", part, i) for i, part in enumerate(parts)]
        joined = JoinedCorpora(corpora, np.concatenate([corpus.labels_N for corpus in corpora]))
        expected = [ids for part in parts for ids in part]
        assert len(joined) == len(expected)
        assert [joined[row].tolist() for row in range(len(joined))] == expected
        assert joined.lengths_N.tolist() == [len(ids) for ids in expected]
        assert joined.targets.tolist() == [i for i, part in enumerate(parts) for _ in part]


def test_the_identity_is_that_of_the_reviews_whatever_their_order(tmp_path: Path) -> None:
    def corpus(name: str, reviews: list[tuple[int, int]]) -> EncodedCorpus:
        with CorpusWriter(tmp_path / name, texts=False) as writer:
            size = len(reviews)
            writer.write(
                np.arange(size, dtype=np.int32),
                np.arange(size + 1, dtype=np.int32),
                np.array([label for _, label in reviews], np.int32),
                np.array([hash for hash, _ in reviews], np.uint64),
            )
        return EncodedCorpus(tmp_path / name)

    names = ["negative", "positive"]
    whole = identity(names, [corpus("a", [(7, 0), (2**63, 1), (7, 1)])])
    assert whole["reviews"] == 3
    assert identity(names, [corpus("b", [(7, 1)]), corpus("c", [(2**63, 1), (7, 0)])]) == whole
    for other in ([(7, 0), (2**63, 1)], [(7, 0), (2**63, 0), (7, 1)], [(8, 0), (2**63, 1), (7, 1)]):
        assert identity(names, [corpus("d", other)])["digest"] != whole["digest"]
    assert identity(names[::-1], [corpus("a", [(7, 0), (2**63, 1), (7, 1)])]) != whole
    # The same on every machine: runs of several are compared by it.
    assert whole["digest"] == "7939339a18f95d97"


def weighted(path: Path, weights: list[float]) -> EncodedCorpus:
    """A corpus of reviews of one token with these weights and the classes 0, 1, 0, 1, ..."""
    count = len(weights)
    with CorpusWriter(path, texts=False) as writer:
        writer.write(
            np.full(count, 2, np.int32),
            np.arange(count + 1, dtype=np.int32),
            (np.arange(count) % 2).astype(np.int32),
            np.arange(count).astype(np.uint64),
            weights=np.array(weights, np.float32),
        )
    return EncodedCorpus(path)


def test_weights_have_the_mean_1(tmp_path: Path) -> None:
    corpus = weighted(tmp_path / "a.arrow", [1, 2, 3])
    assert corpus.weights_N.tolist() == [0.5, 1, 1.5]
    joined = JoinedCorpora([corpus, weighted(tmp_path / "b.arrow", [5])], np.array([0, 1, 0, 0]))
    assert joined.weights_N.tolist() == [0.5, 1, 1.5, 1]


@given(st.floats(2**-60, 2**60, width=32), st.integers(1, 50))
def test_equal_weights_are_none(weight: float, count: int) -> None:
    assert (mean_1(np.full(count, weight, np.float32)) == 1).all()


def test_weights_of_0_alone_are_none() -> None:
    assert mean_1(np.zeros(3, np.float32)).tolist() == [1, 1, 1]
    assert mean_1(np.empty(0, np.float32)).tolist() == []


def test_targets_times_weights(tmp_path: Path) -> None:
    corpus = weighted(tmp_path / "a.arrow", [1, 3])
    assert weighted_targets(corpus, 3).tolist() == [[0.5, 0, 0], [0, 1.5, 0]]
    soft = JoinedCorpora([corpus], np.array([[0.5, 0.5], [0.25, 0.75]], np.float32))
    assert weighted_targets(soft, 2).tolist() == [[0.25, 0.25], [0.375, 1.125]]
    same = weighted(tmp_path / "b.arrow", [2, 2])
    assert weighted_targets(same, 2) is same.targets


@given(st.lists(st.lists(id_lists, max_size=3), min_size=1, max_size=3), st.data())
@settings(deadline=None)
def test_several_files_are_one_corpus(
    parts: list[list[list[list[int]]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.arrow" for i in range(len(parts))]
        for path, batches in zip(paths, parts, strict=True):
            write(path, [[(ids, len(ids), f"{ids}") for ids in batch] for batch in batches])
        corpus = EncodedCorpus(*paths)
        expected = [ids for part in parts for batch in part for ids in batch]
        assert [ids.tolist() for ids in corpus] == expected
        assert [corpus[row].tolist() for row in range(len(corpus))] == expected
        lengths = [len(ids) for ids in expected]
        assert corpus.lengths_N.tolist() == corpus.labels_N.tolist() == lengths
        rows = data.draw(
            st.lists(st.integers(0, max(len(expected) - 1, 0))) if expected else st.just([])
        )
        chosen = np.array(rows, np.int64)
        assert corpus.lengths_of(chosen).tolist() == [lengths[row] for row in rows]
        assert corpus.targets_of(chosen).tolist() == [lengths[row] for row in rows]
        assert corpus.weights_of(chosen).tolist() == [1] * len(rows)
        assert corpus.texts(rows) == [f"{expected[row]}" for row in rows]


def test_targets_of_some_reviews(tmp_path: Path) -> None:
    one, other = weighted(tmp_path / "a.arrow", [1, 3]), weighted(tmp_path / "b.arrow", [2])
    assert (one.is_weighted, other.is_weighted) == (True, False)
    corpus = EncodedCorpus(one.path, other.path)
    rows = np.array([2, 1])
    assert corpus.weights_of(rows).tolist() == [1, 1.5]
    assert weighted_targets(corpus, 2, rows).tolist() == [[1, 0], [0, 1.5]]
    assert weighted_targets(other, 2, np.array([0])).tolist() == [0]
    soft = JoinedCorpora([corpus], np.array([[0.5, 0.5], [0.25, 0.75], [1, 0]], np.float32))
    assert weighted_targets(soft, 2, rows).tolist() == [[1, 0], [0.375, 1.125]]
    assert soft.lengths_of(rows).tolist() == [1, 1]


def test_memory_of_an_open_corpus_does_not_grow_with_it(tmp_path: Path) -> None:
    def opened(count: int) -> int:
        path = tmp_path / f"{count}.arrow"
        with CorpusWriter(path, texts=False) as writer:
            ones = np.ones(2000, np.int32)
            for _ in range(count // 2000):
                hashes = np.arange(2000, dtype=np.uint64)
                writer.write(ones, np.arange(2001, dtype=np.int32), ones, hashes)
        tracemalloc.start()
        try:
            corpus = EncodedCorpus(path)
            rows = np.arange(0, count, count // 64)
            corpus.lengths_of(rows), weighted_targets(corpus, 2, rows), corpus[count - 1]
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    opened(2000)  # what is imported and made once is not counted
    assert (opened(200_000) - opened(20_000)) / 180_000 < 0.2  # bytes a review
