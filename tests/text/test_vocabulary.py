from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.config import TextConfig
from sentir.text.batch import BatchTokenizer
from sentir.text.tokenizer import SPECIAL, UNK, WordTokenizer
from sentir.text.vocabulary import StreamingVocabulary


def learnt(
    chunks: list[list[str]], config: TextConfig, *, max_bytes: int = 160_000
) -> tuple[WordTokenizer, list[list[int]], StreamingVocabulary]:
    """The tokenizer learnt from chunks of texts, and the final ids of each text."""
    vocabulary = StreamingVocabulary(config, max_bytes=max_bytes)
    batch_tokenizer = BatchTokenizer(config.clean)
    rows: list[npt.NDArray[np.int32]] = []
    for chunk in chunks:
        batch = batch_tokenizer(pa.array(chunk, pa.string()))
        rows += np.split(vocabulary.encode(batch), np.cumsum(batch.lengths_N))[:-1]
    all_ids = np.concatenate([np.empty(0, np.int32), *rows])
    counts = np.bincount(all_ids, minlength=len(vocabulary))
    tokenizer, table = vocabulary.finalize(counts)
    return tokenizer, [table[row].tolist() for row in rows], vocabulary


def vocabulary_of(chunks: list[list[str]], **settings: int) -> list[str]:
    tokenizer, _, _ = learnt(chunks, TextConfig(clean=("lower",), **settings))  # type: ignore[arg-type]
    return list(tokenizer.vocabulary)


def test_words_are_ordered_by_falling_frequency_then_by_first_appearance() -> None:
    chunks = [["b a c", "C a"], ["d A b d"]]
    assert vocabulary_of(chunks, min_count=1) == [*SPECIAL, "a", "b", "c", "d"]
    assert vocabulary_of([["z z y x y w"]], min_count=1) == [*SPECIAL, "z", "y", "x", "w"]


def test_rare_words_get_no_id() -> None:
    chunks = [["a a a b b c"], ["c d"]]
    assert vocabulary_of(chunks, min_count=2) == [*SPECIAL, "a", "b", "c"]
    assert vocabulary_of(chunks, min_count=3) == [*SPECIAL, "a"]
    assert vocabulary_of(chunks, min_count=9) == [*SPECIAL]


def test_the_largest_vocabulary_counts_the_special_ids() -> None:
    chunks = [["a a a b b c c d d"]]
    assert vocabulary_of(chunks, max_vocab_size=4) == [*SPECIAL, "a", "b"]
    assert vocabulary_of(chunks, max_vocab_size=100) == [*SPECIAL, "a", "b", "c", "d"]


def test_the_special_names_are_never_words() -> None:
    vocabulary = StreamingVocabulary(TextConfig(clean=(), min_count=1))
    ids = vocabulary.encode(BatchTokenizer(())(pa.array(["_PAD _UNK a _PAD"], pa.string())))
    tokenizer, table = vocabulary.finalize(np.bincount(ids))
    assert list(tokenizer.vocabulary) == [*SPECIAL, "a"]
    assert table[ids].tolist() == [UNK, UNK, 2, UNK] == tokenizer.encode(["_PAD _UNK a _PAD"])[0]


def test_no_reviews() -> None:
    vocabulary = StreamingVocabulary(TextConfig())
    assert len(vocabulary.encode(BatchTokenizer(())(pa.array([], pa.string())))) == 0
    tokenizer, table = vocabulary.finalize(np.zeros(0, dtype=np.int64))
    assert (list(tokenizer.vocabulary), len(table), len(vocabulary)) == ([*SPECIAL], 0, 0)


words = st.lists(st.sampled_from("a b c d don't Ñ f, g. _PAD".split()), max_size=8)
chunks = st.lists(st.lists(words.map(" ".join), max_size=4), max_size=4)


@given(chunks, st.integers(1, 4), st.none() | st.integers(4, 9))
def test_it_equals_a_plain_count(
    chunks: list[list[str]], min_count: int, max_vocab_size: int | None
) -> None:
    config = TextConfig(clean=("lower",), min_count=min_count, max_vocab_size=max_vocab_size)
    tokenizer, rows, _ = learnt(chunks, config)

    plain = WordTokenizer([], config.clean)
    count = Counter(word for chunk in chunks for text in chunk for word in plain.tokens(text))
    often = [word for word, seen in count.most_common() if seen >= min_count]
    expected = [word for word in often if word not in SPECIAL]
    limit = None if max_vocab_size is None else max_vocab_size - len(SPECIAL)
    assert list(tokenizer.vocabulary) == [*SPECIAL, *expected[:limit]]
    assert rows == tokenizer.encode([text for chunk in chunks for text in chunk])


@pytest.mark.parametrize("repeats", [1, 3])
def test_memory_is_bounded_and_frequent_words_keep_their_ids(repeats: int) -> None:
    # each chunk brings 100 words never seen again, once or a few times each, and ten common ones
    common = " ".join(f"common{i}" for i in range(10))
    chunks = [
        [" ".join(f"rare{chunk}x{i}" for i in range(100) for _ in range(repeats))] + [common] * 5
        for chunk in range(20)
    ]
    config = TextConfig(clean=(), min_count=4)
    tokenizer, rows, vocabulary = learnt(chunks, config, max_bytes=150 * 160)
    assert list(tokenizer.vocabulary) == [*SPECIAL, *common.split()]
    assert len(vocabulary._id_of) <= 150 + 110
    assert len(vocabulary) > 2000
    assert rows[1] == rows[-1] == list(range(2, 12))
    assert set(rows[0]) == {UNK}


def test_a_dropped_word_is_counted_from_zero() -> None:
    chunks = [["a a b c d"], ["b b a"]]
    tokenizer, rows, _ = learnt(chunks, TextConfig(clean=(), min_count=2), max_bytes=3 * 150)
    assert list(tokenizer.vocabulary) == [*SPECIAL, "a", "b"]
    assert rows == [[2, 2, UNK, UNK, UNK], [3, 3, 2]]


@pytest.mark.parametrize(
    "letter", ["a", "\N{CJK UNIFIED IDEOGRAPH-597D}", "\N{OLD ITALIC LETTER A}"]
)
def test_memory_is_bounded_by_bytes_not_by_words(letter: str) -> None:
    limit = 1_000_000
    vocabulary = StreamingVocabulary(TextConfig(clean=()), max_bytes=limit)
    batch_tokenizer = BatchTokenizer(())
    held = []
    for start in range(0, 20_000, 100):
        text = " ".join(f"{letter * 90}{i}" for i in range(start, start + 100))
        vocabulary.encode(batch_tokenizer(pa.array([text], pa.string())))
        held.append(sum(map(sys.getsizeof, vocabulary._id_of)))
    assert limit / 10 < max(held) <= limit
