"""One LSTM step of one unit, with numbers that can be checked by hand.

Shapes: E input features, H hidden units, B batch, G the four gates stacked.

The values are those of `sentir.nn.cells.lstm_step`; this module adds the products and sums on the
way to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch

from sentir.errors import UsageError
from sentir.nn.cells import State, Weights, lstm_step

#: The gates in the lesson's order, and their positions in PyTorch's weights.
GATES = ("forget", "input", "candidate", "output")
_POSITIONS = {"input": 0, "forget": 1, "candidate": 2, "output": 3}


class GateWeights(NamedTuple):
    """The weights of one gate of one unit: of the inputs, of the hidden state, and the bias."""

    input_E: tuple[float, ...]
    hidden: float
    bias: float


#: No gate is fully open or shut, and the candidate outweighs the old cell state.
DEFAULT = {
    "forget": GateWeights((0.5, -1.0), 0.5, 1.0),
    "input": GateWeights((1.0, 0.5), -0.5, 0.0),
    "candidate": GateWeights((2.0, -0.5), 1.0, 0.0),
    "output": GateWeights((-0.5, 1.0), 0.5, 0.5),
}


class Term(NamedTuple):
    """A weight times an input: the name of the input and its value."""

    weight: float
    input: str
    value: float

    @property
    def product(self) -> float:
        return self.weight * self.value


@dataclass(frozen=True, kw_only=True)
class Gate:
    """How one gate is computed: products, their sum, the activation.

    Attributes:
        activation: ``sigmoid`` or ``tanh``.
        value: the gate as `lstm_step` computed it.
    """

    name: str
    terms: tuple[Term, ...]
    bias: float
    activation: str
    value: float

    @property
    def sum(self) -> float:
        return math.fsum([*(term.product for term in self.terms), self.bias])


@dataclass(frozen=True, kw_only=True)
class StepByStep:
    """A whole step: the input and the state before, the gates, the state after."""

    x_E: tuple[float, ...]
    hidden_before: float
    cell_before: float
    gates: dict[str, Gate]
    cell: float
    hidden: float

    @property
    def kept(self) -> float:
        """The part of the old cell state that is kept."""
        return self.gates["forget"].value * self.cell_before

    @property
    def taken_in(self) -> float:
        """The part of the candidate that is added."""
        return self.gates["input"].value * self.gates["candidate"].value

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        data = asdict(self)
        for name, gate in self.gates.items():
            data["gates"][name]["sum"] = gate.sum
            data["gates"][name]["terms"] = [
                {**term._asdict(), "product": term.product} for term in gate.terms
            ]
        return {**data, "kept": self.kept, "taken_in": self.taken_in}


def step(
    x_E: Sequence[float] = (1.0, 0.5),
    *,
    hidden: float = 0.5,
    cell: float = -0.5,
    weights: Mapping[str, GateWeights] = DEFAULT,
) -> StepByStep:
    """One step of an LSTM with one unit, with all intermediate results.

    Args:
        x_E: the input, one number per input weight of a gate.
        hidden: the hidden state before the step, -1 to 1.
        cell: the cell state before the step.
        weights: of each gate.

    Raises:
        UsageError: too few or too many numbers, a number that is not finite, or a missing gate.
    """
    if missing := [name for name in GATES if name not in weights]:
        raise UsageError(f"no weights for {', '.join(missing)}", todo="give all four gates")
    for name in GATES:
        if len(weights[name].input_E) != len(x_E):
            raise UsageError(
                f"{len(x_E)} numbers for {len(weights[name].input_E)} input weights", where=name,
                todo="give as many numbers as weights",
            )  # fmt: skip
    numbers = [*x_E, hidden, cell, *(n for w in weights.values() for n in (*w[0], w[1], w[2]))]
    if not all(map(math.isfinite, numbers)):
        raise UsageError("a number that is not finite", todo="give finite numbers")
    done = lstm_step(
        torch.tensor([list(x_E)], dtype=torch.float64),
        State(_tensor(hidden), _tensor(cell)),
        stacked(weights),
    )
    assert done.state.cell_BH is not None
    inputs = [*((f"x{index}", value) for index, value in enumerate(x_E, start=1)), ("h", hidden)]
    gates = {
        name: Gate(
            name=name,
            terms=tuple(
                Term(weight, name, value)
                for weight, (name, value) in zip(
                    (*weights[name].input_E, weights[name].hidden), inputs, strict=True
                )
            ),
            bias=weights[name].bias,
            activation="tanh" if name == "candidate" else "sigmoid",
            value=done.gates[name].item(),
        )
        for name in GATES
    }
    return StepByStep(
        x_E=tuple(x_E),
        hidden_before=hidden,
        cell_before=cell,
        gates=gates,
        cell=done.state.cell_BH.item(),
        hidden=done.state.hidden_BH.item(),
    )


def gate_weights(numbers: Sequence[float]) -> GateWeights:
    """The weights of a gate from a list: those of the inputs, of h, and the bias.

    Raises:
        UsageError: fewer than three.
    """
    if len(numbers) < 3:
        raise UsageError(
            f"{len(numbers)} numbers for a gate",
            todo="give one per input, one of h, and the bias",
        )
    *inputs, hidden, bias = numbers
    return GateWeights(tuple(inputs), hidden, bias)


def stacked(weights: Mapping[str, GateWeights]) -> Weights:
    """The gates of one unit in the form that `sentir.nn.cells` takes."""
    ordered = sorted(GATES, key=_POSITIONS.__getitem__)
    zero_G = torch.zeros(len(GATES), dtype=torch.float64)
    return Weights(
        torch.tensor([weights[name].input_E for name in ordered], dtype=torch.float64),
        torch.tensor([[weights[name].hidden] for name in ordered], dtype=torch.float64),
        torch.tensor([weights[name].bias for name in ordered], dtype=torch.float64),
        zero_G,
    )


def read(
    tokens: Sequence[Sequence[float]], weights: Mapping[str, GateWeights] = DEFAULT
) -> list[StepByStep]:
    """Several steps, each from the state of the one before, the first from zero.

    Raises:
        UsageError: as `step`.
    """
    steps: list[StepByStep] = []
    for x_E in tokens:
        hidden, cell = (steps[-1].hidden, steps[-1].cell) if steps else (0.0, 0.0)
        steps.append(step(x_E, hidden=hidden, cell=cell, weights=weights))
    return steps


def _tensor(value: float) -> torch.Tensor:
    return torch.tensor([[value]], dtype=torch.float64)
