from __future__ import annotations

import pytest

from sentir.data import spool
from sentir.data.spool import chunked, flatten, offsets
from sentir.io.reader import Review


def reviews(*lengths: int) -> list[Review]:
    return [Review("x" * length, "pos", "a.csv", 1, None) for length in lengths]


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
    assert counts == [len(chunk) for chunk in chunks]


def test_ids_are_flattened_with_their_offsets() -> None:
    ids, lengths_N = flatten([[2, 3], [], [4]])
    assert (ids.tolist(), lengths_N.tolist()) == ([2, 3, 4], [2, 0, 1])
    assert offsets(lengths_N).tolist() == [0, 2, 2, 3]
    assert offsets(flatten([])[1]).tolist() == [0]
