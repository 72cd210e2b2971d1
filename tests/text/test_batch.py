from __future__ import annotations

import sys
from itertools import chain

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.config import CLEAN_STEPS
from sentir.text.batch import BatchTokenizer, TokenizedBatch, text_hash
from sentir.text.treebank import WordSplitter


def cut_by(cutter: BatchTokenizer, texts: list[str]) -> TokenizedBatch:
    return cutter(pa.array(texts, pa.string()))


def words_of(cut: TokenizedBatch) -> list[list[str]]:
    rows = np.split(cut.flat, np.cumsum(cut.lengths_N))[:-1]
    return [[cut.words[at] for at in row] for row in rows]


texts = st.lists(
    st.text(st.sampled_from("aB'.,! \t\n\x1c\x85\u3000ñ&;<br/>")) | st.text(), max_size=8
).filter(lambda found: not any("\ud800" <= sign <= "\udfff" for sign in "".join(found)))


@given(st.lists(texts, max_size=3))
def test_chunks_are_cut_as_texts_are_one_by_one(chunks: list[list[str]]) -> None:
    cutter, split = BatchTokenizer(CLEAN_STEPS), WordSplitter(CLEAN_STEPS, tuple)
    for chunk in chunks:
        cut = cut_by(cutter, chunk)
        rows = [list(split(text)) for text in chunk]
        assert words_of(cut) == rows
        assert cut.words == list(dict.fromkeys(chain.from_iterable(rows)))
        assert cut.hashes_N.tolist() == list(map(text_hash, chunk))


def test_every_blank_of_python_parts_pieces() -> None:
    blanks = [sign for sign in map(chr, range(sys.maxunicode + 1)) if sign.isspace()]
    assert words_of(cut_by(BatchTokenizer(()), [f"{sign}a{sign}b" for sign in blanks])) == [
        ["a", "b"]
    ] * len(blanks)


def test_what_is_remembered_changes_nothing() -> None:
    cutter = BatchTokenizer(("lower",))
    cut_by(cutter, ["Film good, so good"])
    assert cut_by(cutter, ["a Film"]).words == ["a", "film"]


@pytest.mark.parametrize("chunk", [[], ["", " "]])
def test_nothing_to_cut(chunk: list[str]) -> None:
    cut = cut_by(BatchTokenizer(CLEAN_STEPS), chunk)
    assert (cut.words, cut.flat.tolist()) == ([], [])
    assert cut.lengths_N.tolist() == [0] * len(chunk)


def test_without_steps_texts_are_only_hashed() -> None:
    cut = cut_by(BatchTokenizer(None), ["Good film"])
    assert (cut.words, len(cut.flat), cut.lengths_N.tolist()) == ([], 0, [0])
    assert cut.hashes_N.tolist() == [text_hash("good  film")]
