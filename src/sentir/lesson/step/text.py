"""One LSTM step written out line by line, as on paper."""

from __future__ import annotations

from collections.abc import Sequence

from sentir.lesson.language import localized, tr
from sentir.lesson.step.step import Gate, StepByStep

TEXTS = {
    "en": {
        "before": "Before: input x = ({x}), hidden state h = {h}, cell state C = {c}",
        "forget": "1. Forget gate: how much of the cell state is kept?",
        "input": "2. Input gate: how much of the candidate is added?",
        "candidate": "3. Candidate: what could be added?",
        "update": "4. The cell state is updated.",
        "output": "5. Output gate: how much of the cell state is shown?",
        "hidden": "6. The hidden state, which is the output of this step.",
        "kept": "kept",
        "taken": "added",
        "after": "After: hidden state h = {h}, cell state C = {c}",
    },
    "es": {
        "before": "Antes: entrada x = ({x}), estado oculto h = {h}, estado de celda C = {c}",
        "forget": "1. Puerta de olvido: ¿cuánto se conserva del estado de celda?",
        "input": "2. Puerta de entrada: ¿cuánto se añade del candidato?",
        "candidate": "3. Candidato: ¿qué se podría añadir?",
        "update": "4. Se actualiza el estado de celda.",
        "output": "5. Puerta de salida: ¿cuánto se muestra del estado de celda?",
        "hidden": "6. El estado oculto, que es la salida de este paso.",
        "kept": "se conserva",
        "taken": "se añade",
        "after": "Después: estado oculto h = {h}, estado de celda C = {c}",
    },
}
#: Letters of the gates in formulas, and signs of the activations.
LETTERS = {"forget": "f", "input": "i", "candidate": "g", "output": "o"}
_SIGNS = {"sigmoid": "σ", "tanh": "tanh"}


def lines(step: StepByStep, language: str = "en") -> list[str]:
    """The step as lines: headings flush left, arithmetic indented.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    x = tr({"en": ", ", "es": "; "}, language).join(map(number, step.x_E))
    written = [
        words["before"].format(x=x, h=number(step.hidden_before), c=number(step.cell_before))
    ]
    for name in ("forget", "input", "candidate"):
        written += ["", words[name], *_gate(step.gates[name])]
    f, i, o = (number(step.gates[name].value) for name in ("forget", "input", "output"))
    written += [
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
    return [localized(line, language) for line in written]


def _gate(gate: Gate) -> Sequence[str]:
    """Products, sum and activation of a gate, one line each."""
    named = " + ".join(f"w{term.input} · {term.input}" for term in gate.terms)
    products = " + ".join(f"{factor(term.weight)} · {factor(term.value)}" for term in gate.terms)
    first, *rest = [term.product for term in gate.terms]
    letter = LETTERS[gate.name]
    sign = _SIGNS[gate.activation]
    return (
        f"  {letter} = {sign}({named} + b)",
        f"    = {sign}({products} {_added([gate.bias])})",
        f"    = {sign}({number(first)} {_added([*rest, gate.bias])})",
        f"    = {sign}({number(gate.sum)}) = {number(gate.value)}",
    )


def number(value: float) -> str:
    """A number with up to four decimals, without trailing zeros, with a real minus."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def factor(value: float) -> str:
    """A number as a factor: in brackets if it is negative."""
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def _added(values: Sequence[float]) -> str:
    """The numbers as further terms of a sum: ``+ a − b``."""
    return " ".join(f"{'−' if value < 0 else '+'} {number(abs(value))}" for value in values)
