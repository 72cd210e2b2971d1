"""The kernel's sums are those of the n-gram linear model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures.toy_bundle import give_rows_owners
from sentir.nn.kernels.ngram_linear import add_ngram_linear
from sentir.nn.ngram_linear import NgramLinear
from sentir.nn.ngrams import MIN_SQUARED_SCALE
from sentir.weights import NgramTableSize

V, OUTPUTS = 9, 2


def fitted(rows: int, displacements: int) -> NgramLinear:
    torch.manual_seed(0)
    model = NgramLinear(V, OUTPUTS, NgramTableSize(rows, displacements))
    for table in (model.word_weights, model.ngram_weights):
        table.normal_()
    for table in (model.word_squared_scales, model.ngram_squared_scales):
        table.uniform_(0.5, 2)
    give_rows_owners(model, V)
    return model


@pytest.mark.parametrize(("rows", "displacements"), [(1, 1), (40, 1), (40, 7), (5000, 300)])
@given(texts=st.lists(st.lists(st.integers(1, V - 1), min_size=1, max_size=9), min_size=1))
def test_sums(rows: int, displacements: int, texts: list[list[int]]) -> None:
    model = fitted(rows, displacements)
    texts = sorted(texts, key=len, reverse=True)
    lengths_B = np.array([len(text) for text in texts])
    words_VX = torch.cat([model.word_weights, model.word_squared_scales], dim=1).numpy()
    ngrams_PX = torch.cat([model.ngram_weights, model.ngram_squared_scales], dim=1).numpy()
    sums_BX = np.zeros((len(texts), 2 * OUTPUTS), np.float32)
    add_ngram_linear(
        np.concatenate(texts), np.cumsum(lengths_B) - lengths_B, lengths_B,
        words_VX, ngrams_PX, model.ngram_fingerprints.numpy(),
        model.ngram_displacements.numpy(), sums_BX,
    )  # fmt: skip
    weights_BO, squares_BO = np.split(sums_BX, 2, axis=1)
    ids_TB = torch.nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts])
    expected_BO = model(ids_TB, torch.from_numpy(lengths_B)).numpy()
    np.testing.assert_allclose(
        weights_BO / np.sqrt(squares_BO + MIN_SQUARED_SCALE), expected_BO, rtol=1e-5, atol=1e-5
    )
