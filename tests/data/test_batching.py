from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.data import batching
from sentir.data.batching import (
    LENGTH_STEP,
    Batch,
    batches_per_epoch,
    concatenate,
    pad,
    pad_arrays,
    shuffled_batches,
    shuffled_rows,
    sorted_batches,
    truncate,
)
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.text.tokenizer import PAD, UNK

Make = Callable[[list[int]], EncodedCorpus]
same_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def make_corpus(tmp_path: Path) -> Make:
    """Makes a corpus of reviews of these lengths; each id tells its review."""

    def make(lengths: list[int]) -> EncodedCorpus:
        path = tmp_path / "corpus.arrow"
        with CorpusWriter(path, texts=False) as writer:
            writer.write(
                np.repeat(np.arange(len(lengths)) + 2, lengths).astype(np.int32),
                np.cumsum([0, *lengths]).astype(np.int32),
                np.zeros(len(lengths), np.int32),
                np.zeros(len(lengths), np.uint64),
            )
        return EncodedCorpus(path)

    return make


reviews = st.lists(st.lists(st.integers(1, 99), max_size=50), max_size=8)


@given(reviews, st.integers(1, 60))
def test_padding(reviews: list[list[int]], max_length: int) -> None:
    batch = pad(reviews, max_length)
    assert batch.ids_BT.dtype == batch.lengths_B.dtype == torch.int64
    assert batch.ids_BT.shape[0] == len(batch.lengths_B) == len(batch.rows_B) == len(reviews)
    longest = batch.ids_BT.shape[1]
    assert longest <= max_length
    assert longest % LENGTH_STEP == 0 or longest == max_length
    for row, review in enumerate(reviews):
        length = int(batch.lengths_B[row])
        if len(review) > max_length:
            assert length == max_length
            review = (
                review[: max_length // 4] + review[len(review) - max_length + max_length // 4 :]
            )
        assert batch.ids_BT[row, :length].tolist() == (review or [UNK])
        assert set(batch.ids_BT[row, length:].tolist()) <= {PAD}
    if reviews:
        assert longest - int(batch.lengths_B.max()) < LENGTH_STEP  # no more than the rounding


def test_a_long_review_keeps_both_ends() -> None:
    review = np.arange(10, dtype=np.int32)
    assert truncate(review, 8).tolist() == [0, 1, 4, 5, 6, 7, 8, 9]
    assert truncate(review, 1).tolist() == [9]
    assert truncate(review, 10) is review


def test_an_empty_review_is_one_unknown_word() -> None:
    batch = pad([[], [5, 6]], 200)
    assert batch.lengths_B.tolist() == [1, 2]
    assert batch.ids_BT[:, :3].tolist() == [[UNK, PAD, PAD], [5, 6, PAD]]


def test_lengths_are_few() -> None:
    batches = {pad([[1] * length], 200).ids_BT.shape[1] for length in range(1, 300)}
    assert batches == {*range(16, 200, 16), 200}


@given(reviews, st.integers(1, 60))
def test_tensors_and_arrays_are_padded_alike(reviews: list[list[int]], max_length: int) -> None:
    batch, arrays = pad(reviews, max_length), pad_arrays(reviews, max_length)
    assert arrays.ids_BT.dtype == arrays.lengths_B.dtype == np.int64
    assert np.array_equal(arrays.ids_BT, batch.ids_BT.numpy())
    assert np.array_equal(arrays.lengths_B, batch.lengths_B.numpy())


def test_to_a_device() -> None:
    batch = pad([[1, 2]], 5).to(torch.device("meta"))
    assert isinstance(batch, Batch)
    assert batch.ids_BT.device.type == batch.lengths_B.device.type == "meta"
    assert batch.rows_B.tolist() == [0]


def every(corpus: EncodedCorpus, start: int = 0, **changes: int) -> list[Batch]:
    given = {"batch_size": 3, "max_length": 20, "seed": 1, "epoch": 0, **changes}
    return list(shuffled_batches(corpus, **given, start=start))


def rows_of(batches: list[Batch]) -> list[list[int]]:
    return [batch.rows_B.tolist() for batch in batches]


lengths = st.lists(st.integers(0, 30), max_size=40)


@same_fixtures
@given(lengths=lengths, batch_size=st.integers(1, 7), pool=st.integers(1, 3), epoch=st.integers(0))
def test_every_review_once_an_epoch(
    make_corpus: Make, lengths: list[int], batch_size: int, pool: int, epoch: int
) -> None:
    corpus = make_corpus(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching, "POOL_BATCHES", pool)
        batches = every(corpus, batch_size=batch_size, epoch=epoch)
    assert len(batches) == batches_per_epoch(corpus, batch_size)
    assert sorted(row for batch in batches for row in batch.rows_B.tolist()) == [
        *range(len(corpus))
    ]
    check_content(batches, lengths, max_length=20)
    assert all(len(batch.rows_B) <= batch_size for batch in batches)


def check_content(batches: list[Batch], lengths: list[int], max_length: int) -> None:
    for batch in batches:
        for row, ids, length in zip(batch.rows_B, batch.ids_BT, batch.lengths_B, strict=True):
            expected = [int(row) + 2] * min(lengths[row], max_length) or [UNK]
            assert ids[:length].tolist() == expected


def test_the_order_follows_from_seed_and_epoch_alone(make_corpus: Make) -> None:
    corpus = make_corpus([i % 30 for i in range(50)])
    first = rows_of(every(corpus))
    torch.manual_seed(99)
    np.random.seed(99)
    assert rows_of(every(corpus)) == first
    assert rows_of(every(corpus, epoch=1)) != first
    assert rows_of(every(corpus, seed=2)) != first
    assert rows_of(every(corpus, seed=0, epoch=1)) != first  # not their sum


def test_short_and_long_batches_take_turns(make_corpus: Make) -> None:
    # within a pool reviews are sorted by length, but training must not meet them that way
    batches = every(make_corpus([i % 20 for i in range(60)]))
    longest = [int(batch.lengths_B.max()) for batch in batches]
    assert longest != sorted(longest)


@same_fixtures
@given(lengths=lengths, start=st.integers(0, 20))
def test_start_skips_exactly(make_corpus: Make, lengths: list[int], start: int) -> None:
    corpus = make_corpus(lengths)
    assert rows_of(every(corpus, start=start)) == rows_of(every(corpus))[start:]


@same_fixtures
@given(lengths=lengths, batch_size=st.integers(1, 7))
def test_sorted_batches_cover_all_from_the_shortest(
    make_corpus: Make, lengths: list[int], batch_size: int
) -> None:
    corpus = make_corpus(lengths)
    batches = list(sorted_batches(corpus, batch_size=batch_size, max_length=20))
    assert sorted(row for batch in batches for row in batch.rows_B.tolist()) == [
        *range(len(corpus))
    ]
    check_content(batches, lengths, max_length=20)
    ordered = [int(length) for batch in batches for length in batch.lengths_B]
    assert all(shorter <= longer for shorter, longer in pairwise(ordered))


def padding(batches: list[Batch]) -> float:
    cells = sum(batch.ids_BT.numel() for batch in batches)
    return 1 - sum(int(batch.lengths_B.sum()) for batch in batches) / cells


def test_little_padding(make_corpus: Make) -> None:
    # many short reviews and a long tail, as reviews are: a quarter below 40 tokens, some at 200
    skewed = np.random.default_rng(0).lognormal(4.3, 0.8, 5000).clip(1, 1000).astype(int)
    corpus = make_corpus(skewed.tolist())
    settings = {"batch_size": 64, "max_length": 200}
    assert padding(every(corpus, **settings)) < 0.15
    assert padding(list(sorted_batches(corpus, **settings))) < 0.12
    at_random = np.random.default_rng(0).permutation(5000)
    blind = [pad([corpus[row] for row in at_random[i : i + 64]], 200) for i in range(0, 5000, 64)]
    assert padding(blind) > 0.5


@given(
    count=st.integers(0, 90),
    window=st.integers(1, 25),
    block=st.integers(1, 9),
    first=st.integers(0, 9),
)
def test_windows_hold_every_row_once(count: int, window: int, block: int, first: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching, "BLOCK", block)
        windows = [rows.tolist() for rows, _ in shuffled_rows(count, (1, 2), window=window)]
        again = [rows.tolist() for rows, _ in shuffled_rows(count, (1, 2), window=window)]
        rest = shuffled_rows(count, (1, 2), window=window, first=first)
        assert [rows.tolist() for rows, _ in rest] == windows[first:]
    assert windows == again
    assert sorted(row for rows in windows for row in rows) == [*range(count)]
    assert {len(rows) for rows in windows[:-1]} <= {window}


def test_windows_are_of_blocks_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BLOCK", 5)
    windows = [rows for rows, _ in shuffled_rows(1000, (0, 0), window=100)]
    for rows in windows:
        assert len({*(rows // 100)}) > 5
        assert rows.tolist() != sorted(rows.tolist())
        assert len({*(rows // 5)}) <= 21  # whole blocks, but for the two that a window cuts


@same_fixtures
@given(lengths=lengths, batch_size=st.integers(1, 7), start=st.integers(0, 20))
def test_a_corpus_of_several_windows(
    make_corpus: Make, lengths: list[int], batch_size: int, start: int
) -> None:
    corpus = make_corpus(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching, "POOL_BATCHES", 2)
        patch.setattr(batching, "WINDOW", 9)
        patch.setattr(batching, "BLOCK", 2)
        batches = every(corpus, batch_size=batch_size)
        assert rows_of(every(corpus, batch_size=batch_size, start=start)) == rows_of(
            batches[start:]
        )
    assert len(batches) == batches_per_epoch(corpus, batch_size)
    assert sorted(row for batch in batches for row in batch.rows_B.tolist()) == [
        *range(len(corpus))
    ]
    check_content(batches, lengths, max_length=20)


def test_concatenated_reviews_are_kept_apart_by_padding() -> None:
    ids_T, owner_T = concatenate([np.array([5, 6], np.int32), np.array([], np.int32), [7]])
    assert ids_T.tolist() == [5, 6, PAD, PAD, 7, PAD]
    assert owner_T.tolist() == [0, 0, 0, 1, 2, 2]
