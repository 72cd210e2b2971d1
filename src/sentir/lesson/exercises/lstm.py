"""Questions on the LSTM step by step (chapter 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentir.lesson.exercises.exercises import Exercise, Given, Texts, numeric, weights
from sentir.lesson.step.step import DEFAULT, GateWeights, StepByStep, gate_weights, read, step

SHUT_OR_OPEN = 20.0
#: A gate that is always open, whatever is read, for a cell of two inputs.
OPEN = GateWeights((0.0, 0.0), 0.0, SHUT_OR_OPEN)
#: Reads "a subject came" (0 or 1) and its gender (-1 or 1): takes the gender in when one came.
SUBJECT = {
    "input": GateWeights((2 * SHUT_OR_OPEN, 0.0), 0.0, -SHUT_OR_OPEN),
    "candidate": GateWeights((0.0, SHUT_OR_OPEN), 0.0, 0.0),
    "output": OPEN,
}
LONGEST = 12
#: How far a cell state may be from what was asked for.
NEAR = 0.2


def _cells(tokens: Sequence[Sequence[float]], gates: dict[str, GateWeights]) -> list[float]:
    return [one.cell for one in read(tokens, gates)]


def _counts(given: Given) -> Texts | None:
    """Whether the cell state is the number of ones read so far."""
    gates = {name: gate_weights(numbers) for name, numbers in given.items()}
    gates["output"] = GateWeights((0.0,), 0.0, 0.0)
    for ones in ((1,) * LONGEST, (1, 0, 0, 1, 0, 1), (0,) * LONGEST, (0, 1) * (LONGEST // 2)):
        cells = _cells([(float(one),) for one in ones], gates)
        for at, cell in enumerate(cells, start=1):
            if abs(cell - sum(ones[:at])) > NEAR:
                read_so_far, right = ", ".join(map(str, ones[:at])), sum(ones[:at])
                return {
                    "en": f"After {read_so_far} the cell state is {cell:.2f}, not {right}.",
                    "es": f"Tras {read_so_far} el estado de celda es {cell:.2f}, no {right}.",
                }
    return None


def _stories() -> Iterator[list[tuple[float, float]]]:
    """What is read: (a subject came, its gender), fillers between them."""
    for first in (-1.0, 1.0):
        for second in (-1.0, 1.0):
            for fillers in (1, LONGEST):
                yield [(1, first), *[(0.0, 0.0)] * fillers, (1, second), *[(0.0, 0.0)] * fillers]


def _replaces(given: Given) -> Texts | None:
    """Whether the gender of the last subject, and of no earlier one, is on the belt."""
    for story in _stories():
        cells = _cells(story, {**SUBJECT, "forget": gate_weights(given["forget"])})
        gender = 0.0
        for at, ((came, read_gender), cell) in enumerate(zip(story, cells, strict=True), start=1):
            gender = read_gender if came else gender
            if abs(cell - gender) > NEAR:
                return {
                    "en": f"At token {at} of {_told(story)} the cell state is {cell:.2f}, not "
                    f"{gender:.0f}.",
                    "es": f"En el token {at} de {_told(story)} el estado de celda es {cell:.2f}, "
                    f"no {gender:.0f}.",
                }
    return None


def _one_bit(given: Given) -> Texts | None:
    """Whether the bit is stored when it is to be, and noise is passed over."""
    gates = {name: gate_weights(numbers) for name, numbers in given.items()} | {"output": OPEN}
    noise = [(0.0, (-1.0) ** at) for at in range(LONGEST)]
    for first in (-1.0, 1.0):
        for story in (
            [(1.0, first), *noise],
            [(1.0, -first), *noise, (1.0, first), *noise],
            [(1.0, first), *[(0.0, -first)] * LONGEST],
        ):
            cell = _cells(story, gates)[-1]
            if abs(cell - first) > NEAR:
                return {
                    "en": f"After {_told(story)} the cell state is {cell:.2f}, not {first:.0f}.",
                    "es": f"Tras {_told(story)} el estado de celda es {cell:.2f}, no {first:.0f}.",
                }
    return None


def _told(story: Sequence[tuple[float, float]]) -> str:
    """A story, cut where it repeats itself."""
    shown = [f"({came:.0f}, {value:.0f})" for came, value in story[:4]]
    return " ".join(shown) + (" …" if len(story) > 4 else "")


def _numbers(gate: str) -> str:
    weights = DEFAULT[gate]
    first, second = weights.input_E
    return f"{first:g}·x1 + {second:g}·x2 + {weights.hidden:g}·h + {weights.bias:g}".replace(
        "+ -", "− "
    ).replace("-", "−")


def _before() -> StepByStep:
    return step()


def _state(language: str) -> str:
    now = _before()
    x = ", ".join(f"{value:g}" for value in now.x_E)
    named = {"en": "x = ({}), h = {:g} and C = {:g}", "es": "x = ({}), h = {:g} y C = {:g}"}
    return named[language].format(x, now.hidden_before, now.cell_before)


def _slip_add() -> float:
    """The cell state of who forgets to forget."""
    now = _before()
    return now.cell_before + now.taken_in


EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "forget-gate", 4,
        question={
            "en": f"The forget gate of an LSTM unit is σ({_numbers('forget')}). With {_state('en')}"
            ", what is its value? (two decimals)",
            "es": f"La puerta de olvido de una unidad LSTM es σ({_numbers('forget')}). Con "
            f"{_state('es')}, ¿cuánto vale? (dos decimales)",
        },
        hint={
            "en": "Multiply, add, then σ(s) = 1 / (1 + e^−s). `sentir lesson step` lays it out.",
            "es": "Multiplique, sume, y luego σ(s) = 1 / (1 + e^−s). `sentir lesson step -l es` lo "
            "muestra paso a paso.",
        },
        value=lambda language: _before().gates["forget"].value,
        slips=(
            (
                lambda: _before().gates["forget"].sum,
                {
                    "en": "That is the sum; the sigmoid still has to squash it between 0 and 1.",
                    "es": "Esa es la suma; la sigmoide todavía debe llevarla entre 0 y 1.",
                },
            ),
            (
                lambda: 1 - _before().gates["forget"].value,
                {
                    "en": "The forget gate says what is kept, not what is lost.",
                    "es": "La puerta de olvido dice lo que se conserva, no lo que se pierde.",
                },
            ),
        ),
    ),
    numeric(
        "cell-state", 4,
        question={
            "en": "In the same step (`sentir lesson step`) the forget gate is "
            f"{_before().gates['forget'].value:.2f}, the input gate "
            f"{_before().gates['input'].value:.2f}, the candidate "
            f"{_before().gates['candidate'].value:.2f}, and C was {_before().cell_before:g}. "
            "What is the new cell state? (two decimals)",
            "es": "En el mismo paso (`sentir lesson step -l es`) la puerta de olvido vale "
            f"{_before().gates['forget'].value:.2f}, la de entrada "
            f"{_before().gates['input'].value:.2f}, el candidato "
            f"{_before().gates['candidate'].value:.2f}, y C era {_before().cell_before:g}. ¿Cuál "
            "es el nuevo estado de celda? (dos decimales)",
        },
        hint={
            "en": "C' = f · C + i · g. Mind the sign of C.",
            "es": "C' = f · C + i · g. Cuidado con el signo de C.",
        },
        value=lambda language: _before().cell,
        slips=(
            (
                _slip_add,
                {
                    "en": "The old cell state goes through the forget gate first.",
                    "es": "El estado de celda anterior pasa antes por la puerta de olvido.",
                },
            ),
        ),
    ),
    weights(
        "counter", 4,
        question={
            "en": "Make a cell count. One input, x = 1 for what is to be counted and 0 for all "
            "else. After every token the cell state C shall be the number of ones read so far, "
            f"to within {NEAR:g}. Give for the forget gate, the input gate and the candidate the "
            "weight of x, the weight of h and the bias. Form: forget: 0, 0, 0; input: 0, 0, 0; "
            "candidate: 0, 0, 0",
            "es": "Haga que una celda cuente. Una entrada, x = 1 para lo que se cuenta y 0 para "
            "lo demás. Tras cada token el estado de celda C debe ser el número de unos leídos, "
            f"con un error de {NEAR:g} como mucho. Dé para la puerta de olvido, la de entrada y "
            "el candidato el peso de x, el peso de h y el sesgo. Forma: olvido: 0, 0, 0; "
            "entrada: 0, 0, 0; candidato: 0, 0, 0",
        },
        hint={
            "en": "Keep everything (a large forget bias), and put 1 on the belt only when x is 1.",
            "es": "Consérvelo todo (un sesgo de olvido grande) y ponga 1 en la cinta solo si x "
            "es 1.",
        },
        gates=("forget", "input", "candidate"),
        count=3,
        example={
            "en": "forget: 0, 0, 10; input: 20, 0, -10; candidate: 0, 0, 10",
            "es": "olvido: 0, 0, 10; entrada: 20, 0, -10; candidato: 0, 0, 10",
        },
        done={
            "en": f"it counts to {LONGEST} and passes over the zeros",
            "es": f"cuenta hasta {LONGEST} y pasa por alto los ceros",
        },
        run=_counts,
    ),
    weights(
        "new-subject", 4,
        question={
            "en": "A unit carries the gender of the subject. x1 is 1 when a subject is read, "
            "else 0; x2 is its gender, −1 or 1, else 0. The input gate opens for a subject and "
            "the candidate is its gender. Choose the forget gate so that a new subject replaces "
            f"the old one and all other words leave it alone, for {LONGEST} words at least: the "
            "weights of x1, x2 and h, and the bias. Form: forget: 0, 0, 0, 0",
            "es": "Una unidad lleva el género del sujeto. x1 es 1 cuando se lee un sujeto y si "
            "no 0; x2 es su género, −1 o 1, y si no 0. La puerta de entrada se abre con un "
            "sujeto y el candidato es su género. Elija la puerta de olvido para que un sujeto "
            "nuevo sustituya al anterior y las demás palabras lo dejen en paz, al menos "
            f"{LONGEST} palabras: los pesos de x1, x2 y h, y el sesgo. Forma: olvido: 0, 0, 0, 0",
        },
        hint={
            "en": "Open (a large bias) by itself, shut (a larger negative weight) when x1 is 1.",
            "es": "Abierta de por sí (un sesgo grande), cerrada (un peso negativo mayor) si x1 "
            "es 1.",
        },
        gates=("forget",),
        count=4,
        example={"en": "forget: -20, 0, 0, 10", "es": "olvido: -20, 0, 0, 10"},
        done={
            "en": "the old subject's gender goes when a new one comes, and stays until then",
            "es": "el género del sujeto se va cuando llega otro, y hasta entonces se queda",
        },
        run=_replaces,
    ),
    weights(
        "one-bit", 4,
        question={
            "en": "Make a cell remember one bit. x1 is 1 when the bit is to be stored, else 0; "
            "x2 is the bit, −1 or 1, and when x1 is 0 it is noise, −1 or 1 as well. The cell "
            f"state C shall be the bit last stored, to within {NEAR:g}. Give forget gate, input "
            "gate and candidate, for each the weights of x1, x2 and h, and the bias. Form: "
            "forget: 0, 0, 0, 0; input: 0, 0, 0, 0; candidate: 0, 0, 0, 0",
            "es": "Haga que una celda recuerde un bit. x1 es 1 cuando hay que guardarlo y si no "
            "0; x2 es el bit, −1 o 1, y cuando x1 es 0 es ruido, también −1 o 1. El estado de "
            f"celda C debe ser el último bit guardado, con un error de {NEAR:g} como mucho. Dé "
            "la puerta de olvido, la de entrada y el candidato, con los pesos de x1, x2 y h, y "
            "el sesgo de cada una. Forma: olvido: 0, 0, 0, 0; entrada: 0, 0, 0, 0; candidato: 0, "
            "0, 0, 0",
        },
        hint={
            "en": "The input gate opens and the forget gate shuts only where x1 is 1; the "
            "candidate is x2.",
            "es": "La puerta de entrada se abre y la de olvido se cierra solo si x1 es 1; el "
            "candidato es x2.",
        },
        gates=("forget", "input", "candidate"),
        count=4,
        example={
            "en": "forget: -20, 0, 0, 10; input: 20, 0, 0, -10; candidate: 0, 10, 0, 0",
            "es": "olvido: -20, 0, 0, 10; entrada: 20, 0, 0, -10; candidato: 0, 10, 0, 0",
        },
        done={
            "en": "it stores on command, holds, and is deaf to noise",
            "es": "guarda cuando se le manda, retiene, y es sorda al ruido",
        },
        run=_one_bit,
    ),
)  # fmt: skip
