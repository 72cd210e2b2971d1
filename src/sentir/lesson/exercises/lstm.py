"""Questions on the LSTM step by step (chapter 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentir.lesson.exercises.exercise import Exercise, Texts, UnitWeights, numeric, weights
from sentir.lesson.language import localized
from sentir.lesson.step.step import DEFAULT, GateWeights, gate_weights, read, step

#: Sum before the sigmoid that opens (positive) or shuts (negative) a gate fully.
SATURATED = 20.0
#: A gate that is always open, for a cell of two inputs.
OPEN = GateWeights((0.0, 0.0), 0.0, SATURATED)
#: Gates for the inputs "a subject is read" (0 or 1) and "its gender" (-1 or 1): the input gate
#: opens for a subject, the candidate is the gender.
SUBJECT = {
    "input": GateWeights((2 * SATURATED, 0.0), 0.0, -SATURATED),
    "candidate": GateWeights((0.0, SATURATED), 0.0, 0.0),
    "output": OPEN,
}
LONGEST = 12
#: The largest accepted error of a cell state.
NEAR = 0.2
_NEAR_ES = localized(f"{NEAR:g}", "es")
#: The step that the first two questions ask about: `sentir lesson step` without options.
STEP = step()


def _cells(tokens: Sequence[Sequence[float]], gates: dict[str, GateWeights]) -> list[float]:
    return [done.cell for done in read(tokens, gates)]


def _wrong_cell(cell: float, right: float, en: str, es: str) -> Texts:
    """The message for a cell state that should be `right`; `en` and `es` say where."""
    spanish = localized(f"{cell:.2f}", "es")
    return {
        "en": f"{en} the cell state is {cell:.2f}, not {right:.0f}.",
        "es": f"{es} el estado de celda es {spanish}, no {right:.0f}.",
    }


def _counts(unit: UnitWeights) -> Texts | None:
    """Whether the cell state is the number of ones read so far."""
    gates = {name: gate_weights(numbers) for name, numbers in unit.items()}
    gates["output"] = GateWeights((0.0,), 0.0, 0.0)
    for bits in ((1,) * LONGEST, (1, 0, 0, 1, 0, 1), (0,) * LONGEST, (0, 1) * (LONGEST // 2)):
        cells = _cells([(float(bit),) for bit in bits], gates)
        for count, cell in enumerate(cells, start=1):
            right = sum(bits[:count])
            if abs(cell - right) > NEAR:
                sequence = ", ".join(map(str, bits[:count]))
                return _wrong_cell(cell, right, f"After {sequence}", f"Tras {sequence}")
    return None


def _subject_sequences() -> Iterator[list[tuple[float, float]]]:
    """Sequences of (subject read, its gender) with other words between two subjects."""
    for first in (-1.0, 1.0):
        for second in (-1.0, 1.0):
            for fillers in (1, LONGEST):
                yield [(1, first), *[(0.0, 0.0)] * fillers, (1, second), *[(0.0, 0.0)] * fillers]


def _replaces(unit: UnitWeights) -> Texts | None:
    """Whether the cell state is the gender of the last subject alone."""
    for sequence in _subject_sequences():
        cells = _cells(sequence, {**SUBJECT, "forget": gate_weights(unit["forget"])})
        gender = 0.0
        for index, ((is_subject, read_gender), cell) in enumerate(
            zip(sequence, cells, strict=True)
        ):
            gender = read_gender if is_subject else gender
            if abs(cell - gender) > NEAR:
                place, excerpt = index + 1, _excerpt(sequence)
                return _wrong_cell(
                    cell,
                    gender,
                    f"At token {place} of {excerpt}",
                    f"En el token {place} de {excerpt}",
                )
    return None


def _one_bit(unit: UnitWeights) -> Texts | None:
    """Whether the bit is stored on command and noise is ignored."""
    gates = {name: gate_weights(numbers) for name, numbers in unit.items()} | {"output": OPEN}
    noise = [(0.0, (-1.0) ** index) for index in range(LONGEST)]
    for bit in (-1.0, 1.0):
        for sequence in (
            [(1.0, bit), *noise],
            [(1.0, -bit), *noise, (1.0, bit), *noise],
            [(1.0, bit), *[(0.0, -bit)] * LONGEST],
        ):
            cell = _cells(sequence, gates)[-1]
            if abs(cell - bit) > NEAR:
                excerpt = _excerpt(sequence)
                return _wrong_cell(cell, bit, f"After {excerpt}", f"Tras {excerpt}")
    return None


def _excerpt(sequence: Sequence[tuple[float, float]]) -> str:
    """The first tokens of a sequence."""
    shown = [f"({first:.0f}, {second:.0f})" for first, second in sequence[:4]]
    return " ".join(shown) + (" …" if len(sequence) > 4 else "")


def _sum(gate: str, language: str) -> str:
    """The weighted sum of a gate of the default step, as a formula."""
    (first, second), hidden, bias = DEFAULT[gate]
    formula = f"{first:g}·x1 + {second:g}·x2 + {hidden:g}·h + {bias:g}"
    return localized(formula.replace("+ -", "− ").replace("-", "−"), language)


def _state(language: str) -> str:
    """The input and the state before the default step."""
    form, mark = {
        "en": ("x = ({}), h = {} and C = {}", ", "),
        "es": ("x = ({}), h = {} y C = {}", "; "),
    }[language]
    x = mark.join(localized(f"{value:g}", language) for value in STEP.x_E)
    before = (localized(f"{value:g}", language) for value in (STEP.hidden_before, STEP.cell_before))
    return form.format(x, *before)


def _gate(name: str, language: str) -> str:
    return localized(f"{STEP.gates[name].value:.2f}", language)


EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "forget-gate", 4,
        question={
            "en": f"The forget gate of an LSTM unit is σ({_sum('forget', 'en')}). With "
            f"{_state('en')}, what is its value? (two decimals)",
            "es": f"La puerta de olvido de una unidad LSTM es σ({_sum('forget', 'es')}). Con "
            f"{_state('es')}, ¿cuánto vale? (dos decimales)",
        },
        hint={
            "en": "Multiply, add, then σ(s) = 1 / (1 + e^−s). `sentir lesson step` shows each "
            "step.",
            "es": "Multiplique, sume, y luego σ(s) = 1 / (1 + e^−s). `sentir lesson step -l es` lo "
            "muestra paso a paso.",
        },
        value=lambda language: STEP.gates["forget"].value,
        slips=(
            (
                lambda: STEP.gates["forget"].sum,
                {
                    "en": "That is the sum; the sigmoid still has to squash it between 0 and 1.",
                    "es": "Esa es la suma; la sigmoide todavía debe llevarla entre 0 y 1.",
                },
            ),
            (
                lambda: 1 - STEP.gates["forget"].value,
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
            f"{_gate('forget', 'en')}, the input gate {_gate('input', 'en')}, the candidate "
            f"{_gate('candidate', 'en')}, and C was {STEP.cell_before:g}. "
            "What is the new cell state? (two decimals)",
            "es": "En el mismo paso (`sentir lesson step -l es`) la puerta de olvido vale "
            f"{_gate('forget', 'es')}, la de entrada {_gate('input', 'es')}, el candidato "
            f"{_gate('candidate', 'es')}, y C era {localized(f'{STEP.cell_before:g}', 'es')}. "
            "¿Cuál es el nuevo estado de celda? (dos decimales)",
        },
        hint={
            "en": "C' = f · C + i · g. Mind the sign of C.",
            "es": "C' = f · C + i · g. Cuidado con el signo de C.",
        },
        value=lambda language: STEP.cell,
        slips=(
            (
                lambda: STEP.cell_before + STEP.taken_in,
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
            "else. After every token the cell state C must be the number of ones read so far, "
            f"to within {NEAR:g}. Give for the forget gate, the input gate and the candidate the "
            "weight of x, the weight of h and the bias. Form: forget: 0, 0, 0; input: 0, 0, 0; "
            "candidate: 0, 0, 0",
            "es": "Haga que una celda cuente. Una entrada, x = 1 para lo que se cuenta y 0 para "
            "lo demás. Tras cada token el estado de celda C debe ser el número de unos leídos, "
            f"con un error de {_NEAR_ES} como mucho. Dé para la puerta de olvido, la de entrada "
            "y el candidato el peso de x, el peso de h y el sesgo. Forma: olvido: 0, 0, 0; "
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
            "en": f"it counts to {LONGEST} and ignores the zeros",
            "es": f"cuenta hasta {LONGEST} e ignora los ceros",
        },
        run=_counts,
    ),
    weights(
        "new-subject", 4,
        question={
            "en": "A unit carries the gender of the subject. x1 is 1 when a subject is read, "
            "else 0; x2 is its gender, −1 or 1, else 0. The input gate opens for a subject and "
            "the candidate is its gender. Choose the forget gate so that a new subject replaces "
            f"the old one and all other words leave it alone, for at least {LONGEST} words: the "
            "weights of x1, x2 and h, and the bias. Form: forget: 0, 0, 0, 0",
            "es": "Una unidad lleva el género del sujeto. x1 es 1 cuando se lee un sujeto y si "
            "no 0; x2 es su género, −1 o 1, y si no 0. La puerta de entrada se abre con un "
            "sujeto y el candidato es su género. Elija la puerta de olvido para que un sujeto "
            "nuevo sustituya al anterior y las demás palabras lo dejen en paz, al menos "
            f"{LONGEST} palabras: los pesos de x1, x2 y h, y el sesgo. Forma: olvido: 0, 0, 0, 0",
        },
        hint={
            "en": "Open by default (a large bias), shut when x1 is 1 (a larger negative weight).",
            "es": "Abierta de por sí (un sesgo grande), cerrada si x1 es 1 (un peso negativo "
            "mayor).",
        },
        gates=("forget",),
        count=4,
        example={"en": "forget: -20, 0, 0, 10", "es": "olvido: -20, 0, 0, 10"},
        done={
            "en": "the gender stays until a new subject comes, and is then replaced",
            "es": "el género se queda hasta que llega otro sujeto, y entonces se sustituye",
        },
        run=_replaces,
    ),
    weights(
        "one-bit", 4,
        question={
            "en": "Make a cell remember one bit. x1 is 1 when the bit is to be stored, else 0; "
            "x2 is the bit, −1 or 1, and when x1 is 0 it is noise, −1 or 1 as well. The cell "
            f"state C must be the bit last stored, to within {NEAR:g}. Give forget gate, input "
            "gate and candidate, for each the weights of x1, x2 and h, and the bias. Form: "
            "forget: 0, 0, 0, 0; input: 0, 0, 0, 0; candidate: 0, 0, 0, 0",
            "es": "Haga que una celda recuerde un bit. x1 es 1 cuando hay que guardarlo y si no "
            "0; x2 es el bit, −1 o 1, y cuando x1 es 0 es ruido, también −1 o 1. El estado de "
            f"celda C debe ser el último bit guardado, con un error de {_NEAR_ES} "
            "como mucho. Dé la puerta de olvido, la de entrada y el candidato, con los pesos de "
            "x1, x2 y h, y el sesgo de cada una. Forma: olvido: 0, 0, 0, 0; entrada: 0, 0, 0, 0; "
            "candidato: 0, 0, 0, 0",
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
            "en": "it stores the bit on command, holds it and ignores noise",
            "es": "guarda el bit cuando se le manda, lo retiene e ignora el ruido",
        },
        run=_one_bit,
    ),
)  # fmt: skip
