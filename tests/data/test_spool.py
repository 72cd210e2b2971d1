from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sentir.config import TextConfig
from sentir.data import spool
from sentir.data.spool import chunked, finalize_tokenizer, flatten, offsets, open_spool, word_ids
from sentir.io.reader import Review
from sentir.text.batch import BatchTokenizer
from sentir.text.tokenizer import UNK, WordTokenizer


def reviews(*lengths: int) -> list[Review]:
    return [Review("x" * length, "pos", "a.csv", 1, None) for length in lengths]


def test_the_spool_keeps_labels_in_order_and_is_deleted(tmp_path: Path) -> None:
    rows = [("good good film", "pos"), ("a film", None), ("bad", "neg"), ("good", "pos")]
    read = [Review(text, label, "a.csv", i, None) for i, (text, label) in enumerate(rows, 2)]
    text = TextConfig(min_count=2, clean=("lower",))
    with open_spool(read, tmp_path, text, None, lambda count: None, 1) as opened:
        assert opened.path.exists()
        assert {name: label.count for name, label in opened.labels.items()} == {"pos": 2, "neg": 1}
        assert opened.labels["neg"].where == "a.csv:4"
        assert opened.label_codes_N.tolist() == [0, -1, 1, 0]
        labelled_N = opened.label_codes_N >= 0
        classes_N = np.array([1, -1, 0, 1], np.int32)
        ((batch, selected),) = opened.select(labelled_N, classes_N, texts=True)
        assert batch.column("text").to_pylist() == ["good good film", "bad", "good"]
        assert selected.tolist() == [1, 0, 1]
        # "film" occurs once in the labelled reviews, so it gets no id.
        tokenizer, finalize = finalize_tokenizer(opened, labelled_N, text, None)
        assert list(tokenizer.vocabulary[2:]) == ["good"]
        ids, lengths_N = finalize(batch)
        assert (ids.tolist(), lengths_N.tolist()) == ([2, 2, UNK, UNK, 2], [3, 1, 1])
    assert list(tmp_path.iterdir()) == []


def test_a_tokenizer_gives_a_batch_its_ids() -> None:
    tokenizer = WordTokenizer(["good", "film"], ["lower"])
    batch = BatchTokenizer(tokenizer.steps)(pa.array(["A good FILM", "", "film"]))
    assert word_ids(tokenizer, batch).tolist() == [UNK, 2, 3, 3]


@pytest.mark.parametrize(
    ("lengths", "chunks"),
    [
        ([], []),
        ([1, 2, 3], [[1, 2, 3]]),
        ([1] * 9, [[1] * 4, [1] * 4, [1]]),
        ([6, 6, 1, 1, 9], [[6], [6, 1, 1], [9]]),
        ([50, 1, 50, 50], [[50], [1], [50], [50]]),  # a longer review is a chunk of its own
        ([0, 0, 10, 0], [[0, 0, 10, 0]]),
    ],
)
def test_chunks_are_bounded_by_reviews_and_by_characters(
    monkeypatch: pytest.MonkeyPatch, lengths: list[int], chunks: list[list[int]]
) -> None:
    monkeypatch.setattr(spool, "BATCH_ROWS", 4)
    monkeypatch.setattr(spool, "CHUNK_CHARACTERS", 10)
    counts: list[int] = []
    result = list(chunked(reviews(*lengths), counts.append))
    assert [[len(review.text) for review in chunk] for chunk in result] == chunks
    assert counts == [*map(len, chunks), 0]


def test_ids_are_flattened_with_their_offsets() -> None:
    ids, lengths_N = flatten([[2, 3], [], [4]])
    assert (ids.tolist(), lengths_N.tolist()) == ([2, 3, 4], [2, 0, 1])
    assert offsets(lengths_N).tolist() == [0, 2, 2, 3]
    assert offsets(flatten([])[1]).tolist() == [0]
