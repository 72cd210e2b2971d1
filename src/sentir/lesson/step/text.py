"""A step of the LSTM written out, line by line, as one would on paper."""

from __future__ import annotations

from collections.abc import Sequence

from sentir.lesson.language import tr
from sentir.lesson.step.step import Gate, StepByStep

TEXTS = {
    "en": {
        "before": "Before: input x = ({x}), hidden state h = {h}, cell state C = {c}",
        "forget": "1. Forget gate: how much of the cell state stays?",
        "input": "2. Input gate: how much of the candidate is taken in?",
        "candidate": "3. Candidate: what is there to take in?",
        "update": "4. The cell state is brought up to date.",
        "output": "5. Output gate: how much of the cell state is shown?",
        "hidden": "6. The hidden state, which is the answer of this step.",
        "kept": "kept",
        "taken": "taken in",
        "after": "After: hidden state h = {h}, cell state C = {c}",
    },
    "es": {
        "before": "Antes: entrada x = ({x}), estado oculto h = {h}, estado de celda C = {c}",
        "forget": "1. Puerta de olvido: ¿cuánto queda del estado de celda?",
        "input": "2. Puerta de entrada: ¿cuánto se toma del candidato?",
        "candidate": "3. Candidato: ¿qué hay que tomar?",
        "update": "4. Se actualiza el estado de celda.",
        "output": "5. Puerta de salida: ¿cuánto se muestra del estado de celda?",
        "hidden": "6. El estado oculto, que es la respuesta de este paso.",
        "kept": "queda",
        "taken": "se toma",
        "after": "Después: estado oculto h = {h}, estado de celda C = {c}",
    },
}
#: What a gate is called in a formula, and its squashing.
LETTERS = {"forget": "f", "input": "i", "candidate": "g", "output": "o"}
_SIGNS = {"sigmoid": "σ", "tanh": "tanh"}


def lines(step: StepByStep, language: str = "en") -> list[str]:
    """The step's lines: headings flush left, arithmetic set in by two spaces.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    x = ", ".join(map(number, step.x_E))
    told = [words["before"].format(x=x, h=number(step.hidden_before), c=number(step.cell_before))]
    for name in ("forget", "input", "candidate"):
        told += ["", words[name], *_gate(step.gates[name])]
    f, i, o = (number(step.gates[name].value) for name in ("forget", "input", "output"))
    told += [
        "",
        words["update"],
        f"  f · C = {f} · {number(step.cell_before)} = {number(step.kept)}  ({words['kept']})",
        f"  i · g = {i} · {factor(step.gates['candidate'].value)} = {number(step.taken_in)}"
        f"  ({words['taken']})",
        f"  C' = {number(step.kept)} {_added([step.taken_in])} = {number(step.cell)}",
        "",
        words["output"],
        *_gate(step.gates["output"]),
        "",
        words["hidden"],
        f"  h' = o · tanh(C') = {o} · tanh({number(step.cell)}) = {number(step.hidden)}",
        "",
        words["after"].format(h=number(step.hidden), c=number(step.cell)),
    ]
    return told


def _gate(gate: Gate) -> Sequence[str]:
    """Products, sum and squashing of a gate, a line each."""
    named = " + ".join(f"w{term.times} · {term.times}" for term in gate.terms)
    products = " + ".join(f"{factor(term.weight)} · {factor(term.value)}" for term in gate.terms)
    first, *rest = [term.product for term in gate.terms]
    letter = LETTERS[gate.name]
    sign = _SIGNS[gate.squash]
    return (
        f"  {letter} = {sign}({named} + b)",
        f"    = {sign}({products} {_added([gate.bias])})",
        f"    = {sign}({number(first)} {_added([*rest, gate.bias])})",
        f"    = {sign}({number(gate.sum)}) = {number(gate.value)}",
    )


def number(value: float) -> str:
    """To four places at most, without empty ones, with a real minus."""
    written = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written.replace("-", "−")


def factor(value: float) -> str:
    """A number within a product: in brackets if it is negative."""
    written = number(value)
    return f"({written})" if written.startswith("−") else written


def _added(values: Sequence[float]) -> str:
    """``+ a − b`` and so on."""
    return " ".join(f"{'−' if value < 0 else '+'} {number(abs(value))}" for value in values)
