from __future__ import annotations

import json
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sentir.errors import UsageError
from sentir.lesson.step.step import DEFAULT, GateWeights, gate_weights, read, stacked, step
from sentir.lesson.step.text import lines, number

SMALL = st.floats(-3, 3)
WEIGHTS = st.builds(GateWeights, st.tuples(SMALL, SMALL), SMALL, SMALL)
ALL_FOUR = st.fixed_dictionaries(dict.fromkeys(DEFAULT, WEIGHTS))


def squashed(gate_sum: float, squash: str) -> float:
    return math.tanh(gate_sum) if squash == "tanh" else 1 / (1 + math.exp(-gate_sum))


@given(
    st.tuples(SMALL, SMALL), SMALL, SMALL, st.fixed_dictionaries(dict.fromkeys(DEFAULT, WEIGHTS))
)
def test_what_is_laid_out_gives_the_values_of_the_cell(
    x_E: tuple[float, float], hidden: float, cell: float, weights: dict[str, GateWeights]
) -> None:
    done = step(x_E, hidden=hidden, cell=cell, weights=weights)
    for gate in done.gates.values():
        assert gate.value == pytest.approx(squashed(gate.sum, gate.squash), abs=1e-12)
    assert done.cell == pytest.approx(done.kept + done.taken_in, abs=1e-12)
    shown = done.gates["output"].value * math.tanh(done.cell)
    assert done.hidden == pytest.approx(shown, abs=1e-12)


def test_it_is_pytorchs_lstm() -> None:
    layer = nn.LSTM(2, 1).double()
    with torch.no_grad():
        for weight, ours in zip(layer.parameters(), stacked(DEFAULT), strict=True):
            weight.copy_(ours)
    tokens = [(1.0, 0.5), (0.0, -1.0), (2.0, 0.25)]
    states_TBH, (_, cell_LBH) = layer(torch.tensor(tokens, dtype=torch.float64)[:, None])
    found = read(tokens)
    assert [one.hidden for one in found] == pytest.approx(states_TBH.flatten().tolist())
    assert found[-1].cell == pytest.approx(cell_LBH.item())


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_line_of_arithmetic_is_true(language: str) -> None:
    """What stands left of an = is computed and compared with what stands right of it."""
    told = [line.split("  (")[0] for line in lines(step(), language) if line.startswith("  ")]
    checked = 0
    for line in told:
        left, right = line.replace("−", "-").split(" = ")[-2:]
        if re.fullmatch(r"-?[\d.]+", right) and not re.search("[A-Zw]", left):
            python = left.removeprefix("    = ").replace(" · ", "*").replace("σ", "sigma")
            found = eval(python, {"sigma": lambda s: squashed(s, "sigmoid"), "tanh": math.tanh})
            assert found == pytest.approx(float(right), abs=2e-4), line
            checked += 1
    assert checked == 8


def test_the_words_are_in_the_language() -> None:
    assert any("Forget gate" in line for line in lines(step(), "en"))
    assert any("Puerta de olvido" in line for line in lines(step(), "es"))
    with pytest.raises(UsageError, match="does not speak 'la'"):
        lines(step(), "la")


def test_json_holds_products_and_sums() -> None:
    told = json.loads(json.dumps(step().to_dict()))
    forget = told["gates"]["forget"]
    assert sum(term["product"] for term in forget["terms"]) + forget["bias"] == forget["sum"]
    assert told["kept"] + told["taken_in"] == pytest.approx(told["cell"])


@pytest.mark.parametrize(
    ("value", "written"), [(0.5, "0.5"), (-1.0, "−1"), (-0.00001, "0"), (0.12345, "0.1235")]
)
def test_numbers_are_short(value: float, written: str) -> None:
    assert number(value) == written


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="forget: 1 numbers for 2 input weights"):
        step((1.0,))
    with pytest.raises(UsageError, match="a number that is not finite"):
        step(hidden=math.nan)
    with pytest.raises(UsageError, match="no weights for output"):
        step(weights={name: DEFAULT[name] for name in ("forget", "input", "candidate")})
    with pytest.raises(UsageError, match="2 numbers for a gate"):
        gate_weights([1, 2])
