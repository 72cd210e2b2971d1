"""The kernels of the Numba engine compute what the readable cells and the pooling do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sentir.nn.cells import MODULES, unroll, weights_of
from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.primitives import TILE_SUMS, Floats, pack_weights
from sentir.nn.kernels.rnn_inference import (
    INT8_STEPS,
    ZERO_POINT,
    attend,
    quantize,
    quantized_step,
    run_rnn,
)
from sentir.nn.pooling import Pooling

TOLERANCE = 1e-5
E, LENGTHS_B = 5, np.array([7, 4, 4, 2, 1, 1])
STARTS_B = np.cumsum(LENGTHS_B) - LENGTHS_B
#: Which of a unit's four sums PyTorch's gates add to, from the input and from the previous state,
#: and which are sigmoids.
SUMS = {"lstm": ([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 3]), "gru": ([0, 1, 3], [0, 1, 2], [0, 1])}


def four_sums(weight: Floats, places: list[int], sigmoids: list[int]) -> Floats:
    """A row per gate of PyTorch's to a row per sum, tile by tile, sigmoids halved, (4 H, X)."""
    gates_GHX = weight.reshape(len(places), -1, weight.shape[-1])
    sums_4HX = np.zeros((4, *gates_GHX.shape[1:]), np.float32)
    sums_4HX[places] = gates_GHX
    sums_4HX[sigmoids] /= 2
    tiles_4IUX = sums_4HX.reshape(4, -1, TILE_UNITS, weight.shape[-1])
    return tiles_4IUX.swapaxes(0, 1).reshape(-1, weight.shape[-1])


def layer(cell: str, units: int) -> tuple[torch.nn.RNNBase, Floats, Floats]:
    """A module, its inputs to all sums of random tokens, (N, G), and its recurrent weights."""
    torch.manual_seed(0)
    module = MODULES[cell](E, units)
    weights = [weight.detach().numpy() for weight in weights_of(module)]
    from_input, from_hidden, sigmoids = SUMS[cell]
    x_NE = torch.randn(int(LENGTHS_B.sum()), E).numpy()
    inputs_NG = (
        x_NE @ four_sums(weights[0], from_input, sigmoids).T
        + four_sums(weights[2][:, None], from_input, sigmoids)[:, 0]
        + four_sums(weights[3][:, None], from_hidden, sigmoids)[:, 0]
    )
    recurrent_KG = np.ascontiguousarray(four_sums(weights[1], from_hidden, sigmoids).T)
    module.register_buffer("x_NE", torch.from_numpy(x_NE))
    return module, inputs_NG.astype(np.float32), recurrent_KG


def readable_states(module: torch.nn.RNNBase, cell: str, backward: bool = False) -> Floats:
    """The states after all tokens by the readable cell, text by text, (N, H)."""
    parts = []
    for start, length in zip(STARTS_B, LENGTHS_B, strict=True):
        x_TBE = module.get_buffer("x_NE")[start : start + length, None]
        x_TBE = x_TBE.flip(0) if backward else x_TBE
        states_TH = unroll(cell, x_TBE, weights_of(module)).hidden_TBH[:, 0].detach()
        parts.append(states_TH.flip(0) if backward else states_TH)
    return torch.cat(parts).numpy()


@pytest.mark.parametrize("units", [TILE_UNITS, 2 * TILE_UNITS])
@pytest.mark.parametrize("cell", SUMS)
def test_states_of_both_directions(cell: str, units: int) -> None:
    module, inputs_NG, recurrent_KG = layer(cell, units)
    used = len(SUMS[cell][1]) * TILE_UNITS
    packed_IJW = pack_weights(recurrent_KG.reshape(units, -1, TILE_SUMS)[:, :, :used])
    states_NDK = np.full((len(inputs_NG), 2, units), np.nan, np.float32)
    run_rnn(
        cell == "gru", np.stack([inputs_NG, inputs_NG], axis=1), np.arange(len(inputs_NG)),
        STARTS_B, LENGTHS_B, np.stack([packed_IJW, packed_IJW]), states_NDK,
    )  # fmt: skip
    for direction in range(2):
        expected_NH = readable_states(module, cell, backward=direction == 1)
        np.testing.assert_allclose(states_NDK[:, direction], expected_NH, rtol=0, atol=TOLERANCE)


def test_a_step_in_8_bits_without_rounding_is_that_of_the_lstm() -> None:
    """The first step, whose previous states are zero, has no integer sums to round."""
    units = 2 * TILE_UNITS
    module, inputs_NG, _ = layer("lstm", units)
    count = len(inputs_NG)
    states_NDK = np.zeros((count, 1, units), np.float32)
    cell_BK, state_BK = np.zeros((count, units), np.float32), np.empty((count, units), np.uint8)
    quantized_step(
        inputs_NG[:, None], np.arange(count), np.arange(count), 0,
        np.zeros((count, 4 * units), np.int32), np.ones(4 * units, np.float32),
        cell_BK, state_BK, states_NDK,
    )  # fmt: skip
    trace = unroll("lstm", module.get_buffer("x_NE")[None], weights_of(module))
    assert trace.cell_TBH is not None
    np.testing.assert_allclose(
        states_NDK[:, 0], trace.hidden_TBH[0].detach(), rtol=0, atol=TOLERANCE
    )
    np.testing.assert_allclose(cell_BK, trace.cell_TBH[0].detach(), rtol=0, atol=TOLERANCE)
    steps_BK = state_BK.astype(int) - ZERO_POINT
    assert np.abs(steps_BK - states_NDK[:, 0] * INT8_STEPS).max() <= 0.501


def test_integer_sums_count_by_their_scale() -> None:
    units = TILE_UNITS
    random = np.random.default_rng(0)
    inputs_NG = random.standard_normal((3, 4 * units)).astype(np.float32)
    sums_BG = random.integers(-1000, 1000, (3, 4 * units)).astype(np.int32)
    scale_G = random.uniform(1e-4, 1e-3, 4 * units).astype(np.float32)

    def states(inputs_NG: Floats, sums_BG: np.ndarray) -> Floats:
        states_NDK, state_BK = np.zeros((3, 1, units), np.float32), np.empty((3, units), np.uint8)
        quantized_step(
            inputs_NG[:, None], np.arange(3), np.arange(3), 0, sums_BG, scale_G,
            np.zeros((3, units), np.float32), state_BK, states_NDK,
        )  # fmt: skip
        return states_NDK

    whole = states(inputs_NG + sums_BG * scale_G, np.zeros_like(sums_BG))
    np.testing.assert_allclose(states(inputs_NG, sums_BG), whole, rtol=0, atol=TOLERANCE)


def test_states_are_rounded_to_the_nearest_step() -> None:
    states_K = np.array([-1, -0.5, 0, 1 / 127, 0.6 / 127, 0.4 / 127, 1], np.float32)
    int8_K = np.empty(len(states_K), np.uint8)
    quantize(states_K, int8_K)
    assert (int8_K.astype(int) - ZERO_POINT).tolist() == [-127, -63, 0, 1, 1, 0, 127]


def test_attention_is_that_of_the_pooling() -> None:
    torch.manual_seed(0)
    features = 6
    pooling = Pooling("attention", features, bidirectional=False)
    assert pooling.score is not None
    states_NF = 3 * torch.randn(int(LENGTHS_B.sum()), features)
    pooled_BF = np.full((len(LENGTHS_B), features), np.nan, np.float32)
    query_F = pooling.score.weight[0].detach().numpy()
    attend(states_NF.numpy(), STARTS_B, LENGTHS_B, query_F, pooled_BF)
    texts = torch.split(states_NF, LENGTHS_B.tolist())
    padded_TBF = torch.nn.utils.rnn.pad_sequence(list(texts), padding_value=torch.nan)
    padded_TBF = torch.where(padded_TBF.isnan(), 7.0, padded_TBF)
    expected_BF = pooling(padded_TBF, torch.from_numpy(LENGTHS_B)).detach()
    np.testing.assert_allclose(pooled_BF, expected_BF, rtol=0, atol=TOLERANCE)
