"""A layer of the engine numba computes the states that PyTorch's layer computes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sentir.data.batching import pad_arrays
from sentir.inference.int8_product import MAX_INT8_WEIGHT
from sentir.inference.network import RnnWeights
from sentir.inference.numba_layer import CELLS, Int8Layer, NumbaLayer, _Int8Weights
from sentir.inference.packed import PackedBatch
from sentir.nn.cells import weights_of
from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.rnn_inference import INT8_STEPS
from sentir.nn.padding import reversal_index
from sentir.nn.recurrent import RecurrentLayer

LENGTHS = [3, 9, 1, 9, 5]
E = 7


def layer_of(cell: str, hidden_size: int, *, bidirectional: bool) -> RecurrentLayer:
    torch.manual_seed(0)
    return RecurrentLayer(cell, E, hidden_size, bidirectional=bidirectional).eval()


def weights(layer: RecurrentLayer) -> list[RnnWeights]:
    """The weights of each direction."""
    return [
        RnnWeights(*(weight.detach().numpy() for weight in weights_of(rnn)))
        for rnn in (layer.forward_rnn, layer.backward_rnn)
        if rnn is not None
    ]


def states_of_both(
    layer: RecurrentLayer, states: Callable[[np.ndarray, PackedBatch], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The states at all tokens, (N, F): of PyTorch, and of what computes them without padding."""
    batch = pad_arrays([range(2, 2 + length) for length in LENGTHS], 40)
    texts = PackedBatch.of(batch)
    inputs_BTE = torch.empty(*batch.ids_BT.shape, E).uniform_(-1, 1)  # as states of a layer are
    mask_BT = np.arange(batch.ids_BT.shape[1]) < texts.lengths_B[:, None]
    reversal_index_TB = reversal_index(torch.from_numpy(texts.lengths_B), mask_BT.shape[1])
    with torch.inference_mode():
        expected_BTF = layer(inputs_BTE.transpose(0, 1), reversal_index_TB).transpose(0, 1)
    return expected_BTF.numpy()[mask_BT], states(inputs_BTE.numpy()[mask_BT], texts)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("hidden_size", [1, TILE_UNITS, TILE_UNITS + 1])
def test_states_are_those_of_pytorch(cell: str, bidirectional: bool, hidden_size: int) -> None:
    layer = layer_of(cell, hidden_size, bidirectional=bidirectional)
    numba = NumbaLayer(weights(layer), cell, is_upper=False)
    assert numba.units % TILE_UNITS == 0
    assert 0 <= numba.units - hidden_size < TILE_UNITS
    for states in (numba.states_of_input, numba.states_of_states):
        expected_NF, actual_NF = states_of_both(layer, states)
        assert actual_NF.shape == expected_NF.shape
        np.testing.assert_allclose(actual_NF, expected_NF, rtol=0, atol=1e-6)
    assert expected_NF.std() > 0.01


@pytest.mark.parametrize("is_upper", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_in_int8_are_near_to_those_of_pytorch(is_upper: bool, bidirectional: bool) -> None:
    layer = layer_of("lstm", 40, bidirectional=bidirectional)
    int8 = Int8Layer(weights(layer), "lstm", is_upper=is_upper)
    states = int8.states_of_states if is_upper else int8.states_of_input
    expected_NF, actual_NF = states_of_both(layer, states)
    np.testing.assert_allclose(actual_NF, expected_NF, rtol=0, atol=0.01)
    assert not np.array_equal(actual_NF, expected_NF)


def test_rows_of_inputs_may_be_shared() -> None:
    """A table of words has one row per word, which all tokens of that word take."""
    layer = layer_of("gru", 5, bidirectional=True)
    numba = NumbaLayer(weights(layer), "gru", is_upper=False)
    texts = PackedBatch.of(pad_arrays([[2, 3, 2], [3]], 40))
    words_VE = np.random.default_rng(0).normal(size=(4, E)).astype(np.float32)
    by_word = numba.states(numba.input_sums(words_VE), texts.ids_N, texts)
    by_token = numba.states_of_input(words_VE[texts.ids_N], texts)
    np.testing.assert_allclose(by_word, by_token, rtol=0, atol=1e-6)


def test_int8_weights_times_their_scale_are_the_weights() -> None:
    weights_QG = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    weights_QG[:, 2] = 0  # a unit that reads nothing
    rounded = _Int8Weights.of(weights_QG)
    assert np.abs(rounded.int8_QG).max(axis=0).tolist() == [
        0 if column == 2 else MAX_INT8_WEIGHT for column in range(6)
    ]
    step_G = np.abs(weights_QG).max(axis=0) / MAX_INT8_WEIGHT
    difference_QG = np.abs(rounded.int8_QG * rounded.scale_G * INT8_STEPS - weights_QG)
    assert (difference_QG <= step_G / 2 + 1e-6).all()
