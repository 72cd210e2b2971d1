from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fixtures.tiny_runs import write_fasttext
from sentir.cli import app
from sentir.errors import UsageError
from sentir.training.run import Run

RUNNER = CliRunner()


def run(*arguments: str) -> str:
    result = RUNNER.invoke(app, ["lesson", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(message: str, *arguments: str) -> None:
    with pytest.raises(UsageError, match=message):
        RUNNER.invoke(app, ["lesson", *arguments], catch_exceptions=False)


QUICK = ("--gaps", "2,3", "--seeds", "0", "--steps", "3", "--task", "recall")


def test_memory(tmp_path: Path) -> None:
    picture = tmp_path / "memory.png"
    told = run("memory", *QUICK, "--language", "es", "--picture", str(picture))
    assert "azar" in told
    assert "LSTM, sesgo de olvido 1" in told
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(run("memory", *QUICK, "--json"))
    assert {one["cell"] for one in found["recalled"]} == {"rnn", "gru", "lstm"}


def test_memory_refuses_before_it_works(tmp_path: Path) -> None:
    refused("no picture format '.gif'", "memory", "--picture", str(tmp_path / "memory.gif"))
    refused("--gaps: 'five' are no numbers; part them by commas", "memory", "--gaps", "five")
    refused("does not speak 'fr'", "memory", "--language", "fr")


def test_step() -> None:
    assert "σ(1.25) = 0.7773" in run("step")
    assert "Puerta de olvido" in run("step", "--language", "es")
    found = json.loads(run("step", "--x", "0,0", "--hidden", "0", "--cell", "2", "--json",
                           "--forget=0,0,0,0", "--candidate=0,0,0,0"))  # fmt: skip
    assert found["gates"]["forget"]["value"] == 0.5
    assert found["cell"] == 1.0
    refused("1 numbers for a gate", "step", "--input", "3")


def test_exercise() -> None:
    assert len(run("exercise").splitlines()) == 15
    assert run("exercise", "--chapter", "4").count("forget-gate") == 1
    assert "puerta de olvido" in run("exercise", "forget-gate", "--language", "es")
    assert "Right: 0.78" in run("exercise", "forget-gate", "--answer", "0.777")
    assert "forget: 0, 0, 10" in run("exercise", "counter", "--solution")
    wrong = RUNNER.invoke(app, ["lesson", "exercise", "forget-gate", "--answer", "2"])
    assert wrong.exit_code == 1
    assert "Multiply, add" in wrong.stdout


def test_faults(tmp_path: Path) -> None:
    train = write_fasttext(tmp_path / "train.ft.txt", 300)
    test = write_fasttext(tmp_path / "test.ft.txt", 40, seed=1)
    picture = tmp_path / "pitfalls.svg"
    small = ("--count", "200", "--hidden", "4", "--epochs", "1", "--only", "fixed, carried")
    told = run("faults", str(train), "--test", str(test), *small, "--picture", str(picture))
    assert "state carried between batches" in told
    assert picture.read_text("utf-8").startswith("<?xml")
    told = run("faults", *small, "--language", "es")
    assert "estado arrastrado entre lotes" in told
    found = json.loads(run("faults", *small, "--json"))
    assert [curve["fault"] for curve in found["curves"]] == ["fixed", "carried"]
    assert found["recipe"]["hidden_size"] == 4
    refused("no reviews to measure on; give some with --test", "faults", str(train))


def test_horizon(tiny_run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "horizon.png"
    told = run("horizon", str(tiny_run.folder), "sample:test", "--count", "20", "--language", "es",
               "--picture", str(picture))  # fmt: skip
    assert "20 textos" in told
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(
        run("horizon", str(tiny_run.folder), "sample:test", "--count", "20", "--json")
    )
    assert found["agreement"]["last"][-1] == 1.0
