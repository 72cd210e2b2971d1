from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sentir.errors import UsageError
from sentir.lesson.step.step import DEFAULT, GateWeights, gate_weights, read, stacked, step

SMALL = st.floats(-3, 3)
WEIGHTS = st.builds(GateWeights, st.tuples(SMALL, SMALL), SMALL, SMALL)
ALL_FOUR = st.fixed_dictionaries(dict.fromkeys(DEFAULT, WEIGHTS))


def squashed(gate_sum: float, activation: str) -> float:
    return math.tanh(gate_sum) if activation == "tanh" else 1 / (1 + math.exp(-gate_sum))


@given(
    st.tuples(SMALL, SMALL), SMALL, SMALL, st.fixed_dictionaries(dict.fromkeys(DEFAULT, WEIGHTS))
)
def test_the_parts_add_up_to_the_values_of_the_cell(
    x_E: tuple[float, float], hidden: float, cell: float, weights: dict[str, GateWeights]
) -> None:
    done = step(x_E, hidden=hidden, cell=cell, weights=weights)
    for gate in done.gates.values():
        assert gate.value == pytest.approx(squashed(gate.sum, gate.activation), abs=1e-12)
    assert done.cell == pytest.approx(done.kept + done.taken_in, abs=1e-12)
    shown = done.gates["output"].value * math.tanh(done.cell)
    assert done.hidden == pytest.approx(shown, abs=1e-12)


def test_steps_agree_with_pytorchs_lstm() -> None:
    layer = nn.LSTM(2, 1).double()
    with torch.no_grad():
        for weight, ours in zip(layer.parameters(), stacked(DEFAULT), strict=True):
            weight.copy_(ours)
    tokens = [(1.0, 0.5), (0.0, -1.0), (2.0, 0.25)]
    states_TBH, (_, cell_LBH) = layer(torch.tensor(tokens, dtype=torch.float64)[:, None])
    steps = read(tokens)
    assert [done.hidden for done in steps] == pytest.approx(states_TBH.flatten().tolist())
    assert steps[-1].cell == pytest.approx(cell_LBH.item())


def test_json_has_products_and_sums() -> None:
    data = json.loads(json.dumps(step().to_dict()))
    forget = data["gates"]["forget"]
    assert sum(term["product"] for term in forget["terms"]) + forget["bias"] == forget["sum"]
    assert data["kept"] + data["taken_in"] == pytest.approx(data["cell"])


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="forget: 1 numbers for 2 input weights"):
        step((1.0,))
    with pytest.raises(UsageError, match="a number that is not finite"):
        step(hidden=math.nan)
    with pytest.raises(UsageError, match="no weights for output"):
        step(weights={name: DEFAULT[name] for name in ("forget", "input", "candidate")})
    with pytest.raises(UsageError, match="2 numbers for a gate"):
        gate_weights([1, 2])
