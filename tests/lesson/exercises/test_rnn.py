from __future__ import annotations

import pytest
import torch

from sentir.lesson.exercises.catalogue import check
from sentir.lesson.exercises.rnn import states


def test_states_are_those_of_pytorchs_rnn() -> None:
    layer = torch.nn.RNN(1, 1).double()
    with torch.no_grad():
        for weight, value in zip(layer.parameters(), (1.5, 0.5, -0.5, 0.0), strict=True):
            weight.fill_(value)
        x_TBE = torch.tensor([1.0, 0.0, -2.0], dtype=torch.float64)[:, None, None]
        hidden_T = layer(x_TBE)[0].flatten().tolist()
    assert states([1.0, 0.0, -2.0], input=1.5, hidden=0.5, bias=-0.5) == pytest.approx(hidden_T)


def test_several_weights_hold_the_bit() -> None:
    assert check("rnn-bit", "5, 3, 0").right
    assert "After −1 and 0 zeros the state is 0" in check("rnn-bit", "3, 2, 3.1").message
    assert "el estado es 0,00" in check("rnn-bit", "0, 2, 0", "es").message
