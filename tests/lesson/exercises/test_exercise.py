"""The three kinds of exercise, on small ones made here."""

from __future__ import annotations

import pytest

from sentir.lesson.exercises.exercise import Exercise, UnitWeights, choice, numeric, weights

QUESTION = {"en": "How much?", "es": "¿Cuánto?"}
HINT = {"en": "Think.", "es": "Piense."}


def share(value: float = 0.777) -> Exercise:
    slip = (lambda: 1.25, {"en": "That is the sum.", "es": "Esa es la suma."})
    return numeric("share", 1, question=QUESTION, hint=HINT, value=lambda _: value, slips=(slip,))


@pytest.mark.parametrize("text", ["0.78", "0,78", " .78 ", "78 %", "78%", "7.8e-1", "0.7773"])
def test_numbers_may_be_written_as_people_do(text: str) -> None:
    assert share().judge(text, "en").right


def test_a_real_minus_is_a_minus() -> None:
    assert share(-0.5).judge("−0.5", "en").right
    assert not share(-0.5).judge("0.5", "en").right


def test_a_numeric_answer_is_shown_as_the_language_writes_it() -> None:
    assert share().answer("en") == "0.78"
    assert share().answer("es") == "0,78"
    assert share().judge("0.78", "es").message == "Correcto: 0,78."


def test_a_common_mistake_is_named_and_any_other_gets_the_hint() -> None:
    assert share().judge("1.25", "en").message == "That is the sum."
    assert share().judge("0.5", "es").message == "Piense."
    assert "0,25 o 40 %" in share().judge("mucho", "es").message


def test_a_choice_lists_its_options_and_takes_a_letter() -> None:
    options = {"en": ("first", "second"), "es": ("primera", "segunda")}
    which = choice("which", 1, question=QUESTION, options=options, hint=HINT, right=lambda: 1)
    assert which.question["es"].splitlines() == ["¿Cuánto?", "  a) primera", "  b) segunda"]
    assert which.answer("en") == "b"
    for text in ("b", "B)", " b. "):
        assert which.judge(text, "en").message == "Right: second."
    assert which.judge("a", "en") == (False, "Think.")
    for text in ("c", "ab", ""):
        assert which.judge(text, "en").message == "Answer with one letter: a, b."


def gates(received: list[UnitWeights]) -> Exercise:
    def run(unit: UnitWeights) -> dict[str, str] | None:
        received.append(unit)
        return None if unit["forget"][0] > 0 else {"en": "It forgets.", "es": "Olvida."}

    return weights(
        "gates", 1, question=QUESTION, hint=HINT, gates=("forget", "input"), count=2,
        example={"en": "forget: 1, 0; input: 0, 0", "es": "olvido: 1, 0; entrada: 0, 0"},
        done={"en": "it keeps", "es": "conserva"}, run=run,
    )  # fmt: skip


def test_gates_may_be_named_in_either_language_and_in_any_order() -> None:
    received: list[UnitWeights] = []
    mixed = "Entrada: 3 −4\nforget: 1, 2"
    assert gates(received).judge(mixed, "en").message == "Right: it keeps."
    assert received == [{"input": (3.0, -4.0), "forget": (1.0, 2.0)}]
    assert gates(received).judge("forget: 0, 0; input: 0, 0", "es").message == "Olvida. Piense."


@pytest.mark.parametrize(
    "text",
    ["1", "forget: 1, 2", "forget: 1; input: 1", "forget: 1, 2; input: 1, 2; olvido: 1, 2",
     "forget: 1, 2; input: 1, 1e6", "forget: 1, 2; output: 1, 2", "forget: 1, x; input: 1, 2"],
)  # fmt: skip
def test_weights_in_another_form_get_the_form(text: str) -> None:
    received: list[UnitWeights] = []
    verdict = gates(received).judge(text, "es")
    assert not verdict.right
    assert "con esta forma: olvido: 0, 0; entrada: 0, 0" in verdict.message
    assert not received
