"""The modules: what they show, and that a step stands out from the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from sentir.lesson.figures.modules import (
    STEPS,
    Step,
    attention,
    gru_module,
    lstm_module,
    notation,
    rnn_module,
)
from sentir.lesson.figures.pictures import Picture

NAMES = {
    "forget": "olvido", "input": "entrada", "candidate": "candidato", "output": "salida",
    "reset": "reinicio", "update": "actualización",
}  # fmt: skip
SIGNS = {name: f"the {name}" for name in ("layer", "operation", "wire", "join", "copy")}
#: The widest picture that a phone of 390 pixels shows with text of at least two thirds its size.
WIDEST_PIXELS = 500

ALL: dict[str, Callable[[], Picture]] = {
    "rnn": lambda: rnn_module(alt="described"),
    "lstm": lambda: lstm_module(names=NAMES, alt="described"),
    "gru": lambda: gru_module(names=NAMES, alt="described"),
    "notation": lambda: notation(SIGNS, alt="described"),
    "attention": lambda: attention(
        ["a", "b", "c"], [0.25, 0.5, 0.25], names={"query": "q", "mean": "m"}, alt="described"
    ),
}


def words(drawn: Picture) -> list[tuple[str, str]]:
    """The texts and their colours."""
    root = ET.fromstring(drawn.svg)
    found = []
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        style = " ".join(each.attrib.get("style", "") for each in (text, *text))
        found.append(("".join(text.itertext()).strip(), style))
    return found


@pytest.mark.parametrize("name", ALL)
def test_a_module_is_described_and_fits_a_phone(name: str) -> None:
    root = ET.fromstring(ALL[name]().svg)
    assert root.attrib["aria-label"] == "described"
    assert float(root.attrib["width"]) <= WIDEST_PIXELS
    assert not re.search(r"var\(--[\w-]+\)", ALL[name]().svg), "a colour that only the page knows"


def test_modules_have_as_many_layers_as_their_cells() -> None:
    layers = {
        name: sum(text in ("σ", "tanh") for text, _ in words(ALL[name]()))
        for name in ("rnn", "lstm", "gru")
    }
    assert layers == {"rnn": 1, "lstm": 4 + 1, "gru": 3}  # the LSTM's fifth is the belt's tanh


def coloured(step: Step | None) -> set[str]:
    """The words of the LSTM that are not pale."""
    drawn = lstm_module(names=NAMES, alt="described", step=step)
    return {text for text, style in words(drawn) if "--line" not in style}


def test_each_step_stands_out_with_its_own_gates() -> None:
    gates: dict[Step, set[str]] = {
        "forget": {"olvido"}, "input": {"entrada", "candidato"}, "update": set(),
        "output": {"salida"},
    }  # fmt: skip
    everything = coloured(None)
    names = set().union(*gates.values())
    assert names < everything
    for step in STEPS:
        assert coloured(step) & names == gates[step]
        assert coloured(step) < everything
    assert everything == set().union(*(coloured(step) for step in STEPS))


def test_the_update_is_a_product_and_a_sum() -> None:
    assert {"×", "+"} <= coloured("update")
    assert "+" not in coloured("forget") | coloured("input") | coloured("output")


def test_attention_writes_its_weights_as_the_language_does() -> None:
    names = {"query": "q", "mean": "m"}
    for language, written in (("en", "0.50"), ("es", "0,50")):
        drawn = attention(["a", "b"], [0.5, 0.5], names=names, alt="d", language=language)
        assert [text for text, _ in words(drawn)].count(written) == 2
