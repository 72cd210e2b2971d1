from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentir.config import CLEAN_STEPS, CleanStep
from sentir.text import treebank_batch as pieces_file
from sentir.text.treebank import MAX_PIECE_CHARACTERS, WordSplitter
from sentir.text.treebank_batch import Pieces, Ragged

LOCAL = [step for step in CLEAN_STEPS if step != "html"]
SIGNS = [
    *"aZé7.,:;'`\"“’«¡¿!?-—()[]{}<>&%$#@*/_…~+\u0301ñİßΣ\x00\x1a",
    *"<url> n't 's ' '' `` cannot GONNA 'tis Mr. mr j.r. e.g ... -- U.S. it'd've".split(),
    *"more'n d'ye www.x.com a.es http://b x@y.org end.The".split(),
]
one_piece = st.lists(st.sampled_from(SIGNS), max_size=12).map("".join) | st.text().map(
    lambda text: "".join(text.encode("utf-8", "replace").decode().split())
)


def words(pieces: Pieces, chunk: list[str]) -> list[list[str]]:
    flat, sizes = pieces.words_of([f"{piece} " for piece in chunk])
    rows = np.split(flat, np.cumsum(sizes))[: len(chunk)]
    return [[pieces.words[at] for at in row] for row in rows]


@pytest.mark.parametrize("steps", [LOCAL, []])
@settings(deadline=None)  # the first call starts Arrow
@given(chunks=st.lists(st.lists(one_piece, unique=True, max_size=12), max_size=3))
def test_many_pieces_are_cut_as_each_by_itself(
    steps: list[CleanStep], chunks: list[list[str]]
) -> None:
    pieces, split = Pieces(steps), WordSplitter(steps, list)
    for chunk in chunks:
        assert words(pieces, chunk) == [split.of_piece(piece) for piece in chunk]


@settings(deadline=None)
@given(st.lists(one_piece, unique=True, min_size=1, max_size=12), st.integers(1, 8))
def test_a_bounded_memory_changes_no_answer(chunk: list[str], room: int) -> None:
    split = WordSplitter(LOCAL, list)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_file, "MAX_PIECES", room)
        pieces = Pieces(LOCAL)
        for _ in range(2):
            for half in (chunk[::2], chunk[1::2]):
                assert words(pieces, half) == [split.of_piece(piece) for piece in half]
                assert len(pieces._number_of) <= max(room, len(half))


def test_very_long_pieces_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_file, "MAX_CHARACTERS", 3000)
    pieces = Pieces(["lower"])
    long = "QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 50
    found = words(pieces, ["so", long])[1]
    assert "".join(found) == long.lower()
    assert max(map(len, found)) == MAX_PIECE_CHARACTERS
    words(pieces, [f"{long}a"])
    assert len(pieces._number_of) == 3
    words(pieces, [f"{long}b"])
    assert list(pieces._number_of) == [f"{long}b "]


def test_a_piece_met_before_is_not_cut_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = Pieces(["lower"])
    first = words(pieces, ["So", "don't", "so"])
    monkeypatch.setattr(pieces, "_learn", None)
    assert words(pieces, ["so", "So", "don't"]) == [first[2], first[0], first[1]]


def test_ragged_rows() -> None:
    rows = Ragged()
    assert rows.of(np.empty(0, np.int32)).tolist() == []
    rows.append(np.array([5, 6, 7], np.int32), np.array([1, 0, 2], np.int32))
    rows.append(np.array([8], np.int32), np.array([1], np.int32))
    assert rows.of(np.array([3, 2, 1, 2], np.int32)).tolist() == [8, 6, 7, 6, 7]
    assert rows.sizes.tolist() == [1, 0, 2, 1]
