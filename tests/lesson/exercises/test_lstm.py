from __future__ import annotations

from sentir.lesson.exercises.catalogue import check, find

COUNTER = "forget: 0, 0, 1; input: 20, 0, -10; candidate: 0, 0, 10"


def test_a_common_mistake_is_named() -> None:
    assert "sigmoid still has to" in check("forget-gate", "1.25").message
    assert "lo que se pierde" in check("forget-gate", "0.22", "es").message
    assert "goes through the forget gate first" in check("cell-state", "0.21").message
    assert check("cell-state", "0,33", "es").right


def test_weights_that_fail_get_the_state_they_fail_at() -> None:
    assert "After 1, 1 the cell state is 1.73, not 2." in check("counter", COUNTER).message
    assert "Tras 1, 1 el estado de celda es 1,73, no 2." in check("counter", COUNTER, "es").message
    always_open = check("new-subject", "forget: 0, 0, 0, 10").message
    assert always_open.startswith(
        "At token 3 of (1, -1) (0, 0) (1, -1) (0, 0) the cell state is -2.00, not -1."
    )


def test_several_weights_store_the_bit() -> None:
    answer = "forget: -30, 0, 0, 12; input: 25, 0, 0, -9; candidate: 0, 9, 0, 0"
    assert check("one-bit", answer).right


def test_numbers_of_the_question_are_written_as_the_language_does() -> None:
    assert "σ(0.5·x1 − 1·x2 + 0.5·h + 1). With x = (1, 0.5)" in find("forget-gate").question["en"]
    assert "σ(0,5·x1 − 1·x2 + 0,5·h + 1). Con x = (1; 0,5)" in find("forget-gate").question["es"]
