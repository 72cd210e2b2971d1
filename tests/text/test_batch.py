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


def tokenize(tokenizer: BatchTokenizer, texts: list[str]) -> TokenizedBatch:
    return tokenizer(pa.array(texts, pa.string()))


def words_of(batch: TokenizedBatch) -> list[list[str]]:
    rows = np.split(batch.indices_T, np.cumsum(batch.lengths_N))[:-1]
    return [[batch.words[i] for i in row] for row in rows]


texts = st.lists(
    st.text(st.sampled_from("aB'.,! \t\n\x1c\x85\u3000ñ&;<br/>\\n😡🏽\u200b\u2800")) | st.text(),
    max_size=8,
).filter(lambda texts: not any("\ud800" <= sign <= "\udfff" for sign in "".join(texts)))


@given(st.lists(texts, max_size=3))
def test_a_batch_gives_the_words_of_its_texts_one_by_one(chunks: list[list[str]]) -> None:
    tokenizer, split = BatchTokenizer(CLEAN_STEPS), WordSplitter(CLEAN_STEPS, tuple)
    for chunk in chunks:
        batch = tokenize(tokenizer, chunk)
        rows = [list(split(text)) for text in chunk]
        assert words_of(batch) == rows
        assert batch.words == list(dict.fromkeys(chain.from_iterable(rows)))
        assert batch.hashes_N.tolist() == list(map(text_hash, chunk))


def test_every_white_space_of_python_separates_words() -> None:
    blanks = [sign for sign in map(chr, range(sys.maxunicode + 1)) if sign.isspace()]
    assert words_of(tokenize(BatchTokenizer(()), [f"{sign}a{sign}b" for sign in blanks])) == [
        ["a", "b"]
    ] * len(blanks)


def test_the_result_does_not_depend_on_earlier_batches() -> None:
    tokenizer = BatchTokenizer(("lower",))
    tokenize(tokenizer, ["Film good, so good"])
    assert tokenize(tokenizer, ["a Film"]).words == ["a", "film"]


@pytest.mark.parametrize("chunk", [[], ["", " "]])
def test_texts_without_words(chunk: list[str]) -> None:
    batch = tokenize(BatchTokenizer(CLEAN_STEPS), chunk)
    assert (batch.words, batch.indices_T.tolist()) == ([], [])
    assert batch.lengths_N.tolist() == [0] * len(chunk)


def test_without_steps_texts_are_only_hashed() -> None:
    batch = tokenize(BatchTokenizer(None), ["Good film"])
    assert (batch.words, len(batch.indices_T), batch.lengths_N.tolist()) == ([], 0, [0])
    assert batch.hashes_N.tolist() == [text_hash("good  film")]


def test_a_hash_is_shared_by_texts_that_differ_in_case_and_white_space() -> None:
    assert text_hash("Good  film\n") == text_hash(" good film")
    assert text_hash("good film") != text_hash("goodfilm")
    assert text_hash("\ud83d") != text_hash("\ud83e")  # halves of a surrogate pair are hashed too
    assert 0 <= text_hash("") < 2**64
    assert text_hash("sentir") == 2558438323292730584  # the same on every machine, in every run
