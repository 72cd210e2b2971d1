"""A packed batch holds every token of the batch, and no padding."""

from __future__ import annotations

import numpy as np
import pytest

from sentir.data.batching import pad, pad_arrays
from sentir.inference.packed import PackedBatch
from sentir.nn.bigrams import bigram_rows

TEXTS = [[5, 6], [7], [2, 3, 4], [8, 9]]


@pytest.fixture(scope="module")
def packed() -> PackedBatch:
    return PackedBatch.of(pad_arrays(TEXTS, 40))


def test_tokens_stand_one_text_after_the_other_the_longest_first(packed: PackedBatch) -> None:
    assert packed.order_B.tolist() == [2, 0, 3, 1]  # equal lengths keep their order
    assert packed.lengths_B.tolist() == [3, 2, 2, 1]
    assert packed.starts_B.tolist() == [0, 3, 5, 7]
    assert packed.ids_N.tolist() == [2, 3, 4, 5, 6, 8, 9, 7]
    for index, row in enumerate(packed.order_B):
        start, length = packed.starts_B[index], packed.lengths_B[index]
        assert packed.ids_N[start : start + length].tolist() == TEXTS[row]


def test_an_unknown_word_is_no_padding() -> None:
    packed = PackedBatch.of(pad_arrays([[1, 1, 1], [1]], 40))
    assert packed.ids_N.tolist() == [1, 1, 1, 1]


def test_bigrams_do_not_cross_texts(packed: PackedBatch) -> None:
    rows_N = packed.bigram_rows(50)
    batch = pad(TEXTS, 40)
    expected_BT = bigram_rows(batch.ids_BT.T, 50).T.numpy()
    expected = [expected_BT[row, : len(TEXTS[row])] for row in packed.order_B]
    assert rows_N.tolist() == np.concatenate(expected).tolist()
    assert (rows_N[packed.starts_B] == 0).all()
    assert (np.delete(rows_N, packed.starts_B) > 0).all()


def test_sums_are_of_each_text(packed: PackedBatch) -> None:
    values_NO = np.stack([packed.ids_N, 10 * packed.ids_N], axis=1).astype(np.float32)
    assert packed.sums(values_NO).tolist() == [[9, 90], [11, 110], [17, 170], [7, 70]]
