from __future__ import annotations

import tracemalloc
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.pieces import CACHE_KINDS, distinct_pieces
from sentir.config import CLEAN_STEPS, CleanStep
from sentir.text import treebank_batch
from sentir.text.treebank import MAX_PIECE_CHARACTERS, WordSplitter
from sentir.text.treebank_batch import BatchWordSplitter, Ragged

LOCAL = [step for step in CLEAN_STEPS if step != "html"]
SIGNS = [
    *"aZé7.,:;'`\"“’«¡¿!?-—()[]{}<>&%$#@*/_…~+\u0301ñİßΣ\x00\x1a\x92\x97\x9d\\😡🏽🇪🇸❤•。\u200b\ufe0f\ufffd",
    *"<url> n't 's ' '' `` cannot GONNA 'tis Mr. mr j.r. e.g ... -- U.S. it'd've".split(),
    *"more'n d'ye www.x.com a.es http://b x@y.org end.The".split(),
]
one_piece = st.lists(st.sampled_from(SIGNS), max_size=12).map("".join) | st.text().map(
    lambda text: "".join(text.encode("utf-8", "replace").decode().split())
)


def words(splitter: BatchWordSplitter, chunk: list[str]) -> list[list[str]]:
    numbers, sizes = splitter.split([f"{piece} " for piece in chunk])
    rows = np.split(numbers, np.cumsum(sizes))[: len(chunk)]
    return [[splitter.words[number] for number in row] for row in rows]


@pytest.mark.parametrize("steps", [LOCAL, []])
@settings(deadline=None)  # the first call starts Arrow
@given(chunks=st.lists(st.lists(one_piece, unique=True, max_size=12), max_size=3))
def test_many_pieces_at_once_equal_each_alone(
    steps: list[CleanStep], chunks: list[list[str]]
) -> None:
    splitter, reference = BatchWordSplitter(steps), WordSplitter(steps, list)
    for chunk in chunks:
        assert words(splitter, chunk) == [reference.of_piece(piece) for piece in chunk]


@settings(deadline=None)
@given(st.lists(one_piece, unique=True, min_size=1, max_size=12), st.integers(1, 4000))
def test_emptying_the_cache_changes_no_result(chunk: list[str], room: int) -> None:
    reference = WordSplitter(LOCAL, list)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treebank_batch, "MAX_CACHE_BYTES", room)
        splitter = BatchWordSplitter(LOCAL)
        for _ in range(2):
            for half in (chunk[::2], chunk[1::2]):
                assert words(splitter, half) == [reference.of_piece(piece) for piece in half]


@pytest.mark.parametrize("kind", CACHE_KINDS)
def test_the_cache_is_bounded_by_bytes(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, chunk_size = 200_000, 20
    monkeypatch.setattr(treebank_batch, "MAX_CACHE_BYTES", limit)
    splitter = BatchWordSplitter(LOCAL)
    pieces = distinct_pieces(kind, 2_000)
    memory = []
    tracemalloc.start()
    try:
        while chunk := [f"{piece} " for piece in islice(pieces, chunk_size)]:
            splitter.split(chunk)
            memory.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert limit / 10 < max(memory) < 1.5 * limit


def test_long_pieces_count_towards_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(treebank_batch, "MAX_CACHE_BYTES", 12_000)
    splitter = BatchWordSplitter(["lower"])
    long = "QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 50
    parts = words(splitter, ["so", long])[1]
    assert "".join(parts) == long.lower()
    assert max(map(len, parts)) == MAX_PIECE_CHARACTERS
    words(splitter, [f"{long}a"])
    assert len(splitter._piece_number) == 3
    assert splitter.size_bytes < 12_000
    words(splitter, [f"{long}{letter}" for letter in "bcdef"])
    assert len(splitter._piece_number) == 5


def test_a_known_piece_is_not_split_again(monkeypatch: pytest.MonkeyPatch) -> None:
    splitter = BatchWordSplitter(["lower"])
    first = words(splitter, ["So", "don't", "so"])
    monkeypatch.setattr(splitter, "_learn", None)
    assert words(splitter, ["so", "So", "don't"]) == [first[2], first[0], first[1]]


def test_ragged_rows() -> None:
    rows = Ragged()
    assert rows.take(np.empty(0, np.int32)).tolist() == []
    rows.append(np.array([5, 6, 7], np.int32), np.array([1, 0, 2], np.int32))
    rows.append(np.array([8], np.int32), np.array([1], np.int32))
    assert rows.take(np.array([3, 2, 1, 2], np.int32)).tolist() == [8, 6, 7, 6, 7]
    assert rows.sizes.tolist() == [1, 0, 2, 1]
