"""The GRU kernel computes the step of `sentir.nn.cells`, and its gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sentir.nn.cells import unroll, weights_of
from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.gru import TILE_GATES, gru_backward, gru_forward
from sentir.nn.kernels.primitives import Floats, pack_weights

TOLERANCE = 1e-5
E = 5


def by_tile(gates: Tensor) -> Tensor:
    """Gates in the last dimension, from PyTorch's order to that of the kernel."""
    *leading, count = gates.shape
    tiles = gates.reshape(*leading, 3, count // TILE_GATES, TILE_UNITS)
    return tiles.transpose(-3, -2).reshape(*leading, count)


def array(tensor: Tensor) -> Floats:
    return np.ascontiguousarray(tensor.detach().numpy())


@pytest.mark.parametrize("units", [TILE_UNITS, 2 * TILE_UNITS])
@pytest.mark.parametrize(("time", "texts"), [(1, 1), (6, 1), (5, 6)])
def test_a_pass_forward_and_backward(time: int, texts: int, units: int) -> None:
    torch.manual_seed(0)
    gru = torch.nn.GRU(E, units)
    weights = weights_of(gru)
    x_TBE = torch.randn(time, texts, E)
    readable = unroll("gru", x_TBE, weights)

    bias_G = weights.hidden_bias_G.clone()
    bias_G[2 * units :] = 0  # the last gets the reset gate's scale, so the kernel takes it alone
    inputs_TBG = (x_TBE @ weights.input_GE.T + weights.input_bias_G + bias_G).detach()
    inputs_TBG.requires_grad_()
    states_M1K = np.zeros((texts * (time + 1), 1, units), np.float32)
    gates_NG = np.empty((texts * time, 3 * units), np.float32)
    hidden_NK = np.empty((texts * time, units), np.float32)
    recurrent_KG = array(by_tile(weights.hidden_GH.T))
    gru_forward(
        array(by_tile(inputs_TBG)).reshape(-1, 3 * units),
        pack_weights(recurrent_KG.reshape(units, -1, TILE_GATES)),
        array(weights.hidden_bias_G[2 * units :]),
        texts, states_M1K, gates_NG, hidden_NK,
    )  # fmt: skip
    states_TBH = torch.from_numpy(states_M1K[texts:].reshape(time, texts, units))
    torch.testing.assert_close(states_TBH, readable.hidden_TBH.detach(), rtol=0, atol=TOLERANCE)
    gates_TBG = torch.cat([readable.gates[name] for name in ("reset", "update", "candidate")], 2)
    torch.testing.assert_close(
        torch.from_numpy(gates_NG).view(time, texts, -1), by_tile(gates_TBG).detach(),
        rtol=0, atol=TOLERANCE,
    )  # fmt: skip

    slopes_TBH = torch.randn(time, texts, units)
    input_grads_NG, hidden_grads_N1G = np.empty_like(gates_NG), np.empty_like(gates_NG)[:, None]
    gru_backward(
        array(slopes_TBH).reshape(-1, units),
        pack_weights(np.ascontiguousarray(recurrent_KG.T).reshape(3 * units, -1, TILE_UNITS)),
        texts, states_M1K, gates_NG, hidden_NK, hidden_grads_N1G, input_grads_NG,
    )  # fmt: skip
    (x_grads_GE, bias_grads_G) = torch.autograd.grad(
        (readable.hidden_TBH * slopes_TBH).sum(), [weights.input_GE, weights.hidden_bias_G]
    )
    kernel_GE = torch.from_numpy(input_grads_NG).T @ x_TBE.flatten(0, 1)
    expected_GE = by_tile(x_grads_GE.T).T
    scale = float(expected_GE.abs().max())
    torch.testing.assert_close(kernel_GE, expected_GE, rtol=0, atol=TOLERANCE * scale)
    kernel_G = torch.from_numpy(hidden_grads_N1G[:, 0].sum(0))
    expected_G = by_tile(bias_grads_G)
    scale = float(expected_G.abs().max())
    torch.testing.assert_close(kernel_G, expected_G, rtol=0, atol=TOLERANCE * scale)
