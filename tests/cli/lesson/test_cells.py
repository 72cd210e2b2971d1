from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.answered_notebook import answered_notebook, empty_notebook
from fixtures.lesson_command import RUNNER, expect_refusal, run_lesson
from sentir.cli import app
from sentir.errors import DataError

QUICK = ("--gaps", "2,3", "--seeds", "0", "--steps", "3", "--task", "recall")


def test_memory_prints_tables_and_saves_a_figure(tmp_path: Path) -> None:
    picture = tmp_path / "memory.png"
    output = run_lesson("memory", *QUICK, "--language", "es", "--picture", str(picture))
    assert "azar" in output
    assert "LSTM, sesgo de olvido 1" in output
    assert picture.read_bytes().startswith(b"\x89PNG")
    data = json.loads(run_lesson("memory", *QUICK, "--json"))
    assert {recall["cell"] for recall in data["recalls"]} == {"rnn", "gru", "lstm"}


def test_memory_refuses_bad_options_before_it_trains(tmp_path: Path) -> None:
    picture = str(tmp_path / "memory.gif")
    expect_refusal(r"no picture format '\.gif'", "memory", "--picture", picture)
    expect_refusal(
        "--gaps: 'five' is not a list of numbers; use commas", "memory", "--gaps", "five"
    )
    expect_refusal("does not speak 'fr'", "memory", "--language", "fr")


def test_step_shows_every_product_and_sum() -> None:
    assert "σ(1.25) = 0.7773" in run_lesson("step")
    spanish = run_lesson("step", "--language", "es")
    assert "Puerta de olvido" in spanish
    assert "σ(1,25) = 0,7773" in spanish
    data = json.loads(run_lesson("step", "--x", "0,0", "--hidden", "0", "--cell", "2", "--json",
                                 "--forget=0,0,0,0", "--candidate=0,0,0,0"))  # fmt: skip
    assert data["gates"]["forget"]["value"] == 0.5
    assert data["cell"] == 1.0
    expect_refusal("1 numbers for a gate", "step", "--input", "3")


def test_exercise_lists_asks_and_checks() -> None:
    assert len(run_lesson("exercise").splitlines()) == 50
    assert run_lesson("exercise", "--chapter", "4").count("forget-gate") == 1
    assert "puerta de olvido" in run_lesson("exercise", "forget-gate", "--language", "es")
    assert "Right: 0.78" in run_lesson("exercise", "forget-gate", "--answer", "0.777")
    assert "forget: 0, 0, 10" in run_lesson("exercise", "counter", "--solution")


def test_a_wrong_answer_gets_a_hint_and_exit_code_1() -> None:
    wrong = RUNNER.invoke(app, ["lesson", "exercise", "forget-gate", "--answer", "2"])
    assert wrong.exit_code == 1
    assert "Multiply, add" in wrong.stdout


def test_grade_prints_a_sheet_for_every_notebook(tmp_path: Path) -> None:
    right = answered_notebook(tmp_path / "ana.ipynb", {"rnn-step": "0,76", "rnn-order": ""}, "es")
    wrong = answered_notebook(tmp_path / "luis.ipynb", {"rnn-step": "1.0"}, "en")
    output = run_lesson("grade", str(right), str(wrong))
    assert f"{right}: 1 de 5 correctas" in output
    assert "Correcto: 0,76." in output
    assert "that is the sum" in output.lower()
    data = json.loads(run_lesson("grade", str(right), "--language", "en", "--json"))
    assert (data[0]["right"], data[0]["exercises"]) == (1, 5)
    assert data[0]["answers"][0]["message"] == "Right: 0.76."
    with pytest.raises(DataError, match="no cell assigns answers"):
        run_lesson("grade", str(empty_notebook(tmp_path / "no.ipynb")))
