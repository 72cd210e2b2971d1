"""Each direction of a layer computes what PyTorch's bidirectional module does."""

from __future__ import annotations

import pytest
import torch

from fixtures.networks import CELLS, PYTORCHS
from sentir.nn.cells import MODULES
from sentir.nn.padding import reversal_index
from sentir.nn.recurrent import MAX_BFLOAT16_BATCH, RecurrentLayer

# The sums may be taken in another order, in float64.
TOLERANCE = 1e-12


@pytest.mark.parametrize("cell", PYTORCHS)
def test_two_directions_are_those_of_pytorch(cell: str) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(cell, 5, 4, bidirectional=True).double()
    whole = MODULES[cell](5, 4, bidirectional=True).double()
    assert layer.backward_rnn is not None
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            for direction, suffix in ((layer.forward_rnn, ""), (layer.backward_rnn, "_reverse")):
                weight = direction.get_parameter(name)
                weight.normal_()
                whole.get_parameter(name + suffix).copy_(weight)
    x_TBE = torch.randn(11, 1, 5, dtype=torch.float64)
    states_TBF = layer(x_TBE, reversal_index(torch.tensor([11]), 11))
    torch.testing.assert_close(states_TBF, whole(x_TBE)[0], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("cell", CELLS)
def test_bfloat16_differs_by_its_rounding_and_not_by_the_batch(cell: str) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(cell, 5, 4, bidirectional=True)
    batch = MAX_BFLOAT16_BATCH + 3  # more than is computed at a time
    x_TBE, index_TB = torch.randn(6, batch, 5), reversal_index(torch.full((batch,), 6), 6)
    expected_TBF = layer.eval()(x_TBE, index_TB)
    layer.compute_dtype = torch.bfloat16
    states_TBF = layer(x_TBE, index_TB)
    assert states_TBF.dtype == torch.float32
    assert not torch.equal(states_TBF, expected_TBF)
    torch.testing.assert_close(states_TBF, expected_TBF, rtol=0, atol=0.03)
    states_TBF.sum().backward()
    assert all(weight.grad is not None for weight in layer.parameters())
    assert all(weight.dtype == torch.float32 for weight in layer.parameters())
