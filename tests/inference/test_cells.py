"""The cells in NumPy compute what the readable ones in PyTorch do, gates included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from sentir.inference.cells import STEPS, unroll
from sentir.inference.network import QrnnWeights, RnnWeights
from sentir.nn import cells
from sentir.nn.qrnn import QRNN

# Both compute in float32, and add in another order.
TOLERANCE = 1e-6
T, B, E, H = 9, 3, 5, 4


def layer_and_text(cell: str, scale: float = 1) -> tuple[nn.RNNBase | QRNN, np.ndarray]:
    torch.manual_seed(0)
    return cells.MODULES[cell](E, H), (scale * torch.randn(T, B, E)).numpy()


def arrays(layer: nn.RNNBase | QRNN) -> RnnWeights | QrnnWeights:
    kind = QrnnWeights if isinstance(layer, QRNN) else RnnWeights
    return kind(*(weight.detach().numpy() for weight in cells.weights_of(layer)))


@pytest.mark.parametrize("cell", cells.STEPS)
@pytest.mark.parametrize("scale", [1, 1000])
def test_states_and_gates_are_those_of_the_readable_cells(cell: str, scale: float) -> None:
    assert list(STEPS) == list(cells.STEPS)
    tolerance = scale * TOLERANCE  # of sums that are so much larger
    layer, x_TBE = layer_and_text(cell, scale)
    trace = unroll(cell, x_TBE, arrays(layer))
    with torch.no_grad():
        expected = cells.unroll(cell, torch.from_numpy(x_TBE), cells.weights_of(layer))
    assert trace.hidden_TBH.dtype == np.float32
    assert trace.hidden_TBH.std() > 0.1
    np.testing.assert_allclose(trace.hidden_TBH, expected.hidden_TBH, rtol=0, atol=tolerance)
    assert (trace.cell_TBH is None) == (expected.cell_TBH is None)
    if trace.cell_TBH is not None:
        np.testing.assert_allclose(trace.cell_TBH, expected.cell_TBH, rtol=1e-6, atol=tolerance)
    assert list(trace.gates) == list(expected.gates)
    for name, gate_TBH in trace.gates.items():
        np.testing.assert_allclose(gate_TBH, expected.gates[name], rtol=0, atol=tolerance)


@pytest.mark.parametrize("cell", STEPS)
def test_a_text_is_read_on_from_the_last_state(cell: str) -> None:
    layer, x_TBE = layer_and_text(cell)
    whole = unroll(cell, x_TBE, arrays(layer))
    first = unroll(cell, x_TBE[:4], arrays(layer))
    rest = unroll(cell, x_TBE[4:], arrays(layer), first.last)
    assert np.array_equal(rest.hidden_TBH, whole.hidden_TBH[4:])


@pytest.mark.parametrize("cell", STEPS)
def test_backwards_is_the_last_token_first(cell: str) -> None:
    layer, x_TBE = layer_and_text(cell)
    trace = unroll(cell, x_TBE, arrays(layer))
    turned = trace.backwards()
    assert np.array_equal(turned.hidden_TBH[0], trace.hidden_TBH[-1])
    assert (turned.cell_TBH is None) == (trace.cell_TBH is None)
    for name, gate_TBH in trace.gates.items():
        assert np.array_equal(turned.gates[name][::-1], gate_TBH)
