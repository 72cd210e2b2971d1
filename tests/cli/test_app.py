"""What all commands share: help, errors, Ctrl-C, the terminal."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from fixtures.command import TINY, sentir
from fixtures.tiny_runs import write_fasttext
from sentir.cli import app
from sentir.training import classifier_run
from sentir.training import run as run_module
from sentir.training.callbacks import Event, ProgressBar
from sentir.training.run import Run

GROUP: Any = typer.main.get_command(app)
LESSON: Any = GROUP.commands["lesson"]
COMMANDS = {
    **{f"sentir {name}": one for name, one in GROUP.commands.items() if one is not LESSON},
    **{f"sentir lesson {name}": one for name, one in LESSON.commands.items()},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_fit_and_are_understood(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = sentir(*name.split()[1:], "--help", capfd=capfd)
    assert code == 0
    description, _, rest = out.partition("Examples")
    shown = [line.strip() for line in rest.partition("╭")[0].splitlines() if line.strip()]
    assert any(example.startswith(name) for example in shown)
    for example in shown:
        # A line that is broken does not begin with the command, and cannot be copied.
        command = re.split(r" \| | > ", example.removeprefix("zcat reviews.txt.gz | "))[0]
        words = shlex.split(command)
        found = next(one for one in COMMANDS if words[: len(one.split())] == one.split())
        COMMANDS[found].make_context(found, words[len(found.split()) :])
    # The terminal breaks the lines of the description: none is short but the last of a paragraph.
    for paragraph in re.split(r"\n +\n", description.partition("Usage:")[2])[1:]:
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        for line, following in itertools.pairwise(lines):
            assert len(f"{line} {following.split()[0]}") > 78, line


def test_the_help_of_all_commands_has_examples(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("--help", capfd=capfd)
    assert code == 0
    assert "sentir train reviews.csv --output runs/shop" in out


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert sentir("--version", capfd=capfd)[1].startswith("sentir 0.")


def test_errors_are_one_line_and_exit_with_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("evaluate", tmp_path, tmp_path / "x.csv", capfd=capfd)
    assert code == 2
    assert err.startswith("error: ")
    assert "no model here" in err
    assert "Traceback" not in err
    code, _, err = sentir("train", "--preset", "fats", "-o", tmp_path / "r", capfd=capfd)
    assert code == 2
    assert "take one of lecture, fast, base, best" in err
    code, _, err = sentir("train", "--hidden-size", "-3", "-o", tmp_path / "r", capfd=capfd)
    assert code == 2
    assert "model.hidden_size = -3" in err
    code, _, err = sentir("train", "--max-line-bytes", "0", "-o", tmp_path / "r", capfd=capfd)
    assert code == 2
    assert "greater than or equal to 1" in err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 8388608 bytes"),
        ImportError("libopenblas.so: failed to map segment from shared object"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_too_little_memory_is_one_line(
    error: Exception,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(run_module, "run_training", fail)
    code, _, said = sentir("train", "sample", "--output", tmp_path / "run", capfd=capfd)
    assert code == 2
    assert said.startswith("error: there is not enough memory; ")
    assert said.count("\n") == 1


def test_other_failures_are_no_lack_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(run_module, "run_training", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        sentir("train", "sample", "--output", tmp_path / "run", capfd=capfd)


def test_a_terminal_without_a_sign_is_no_traceback(tiny_run: Run) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sentir", "explain", tiny_run.folder, "una película"],
        env=dict(os.environ, PYTHONIOENCODING="ascii"), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"pel?cula" in done.stdout


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_an_interrupted_run_is_no_success(
    command: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(self: ProgressBar, event: Event) -> None:
        if event["event"] == "step":
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "__call__", interrupt)
    file = write_fasttext(tmp_path / "a.ft.txt", 60)
    given = (
        command,
        file,
        "--output",
        tmp_path / "run",
        "--embedding-dim",
        "8",
        "--hidden-size",
        "8",
    )
    code, out, _ = sentir(*given, capfd=capfd)
    assert code == 130
    assert str(tmp_path / "run" / "model") in out  # told all the same


def test_an_interrupt_after_training_says_how_to_go_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    given = ("train", write_fasttext(tmp_path / "a.ft.txt", 60), "--output", run, *TINY)
    with monkeypatch.context() as patched:
        patched.setattr(classifier_run, "fit_ngram_linear", interrupt)
        code, _, err = sentir(*given, capfd=capfd)
    assert code == 130
    assert "interrupted: the same command with --resume goes on" in err
    code, out, _ = sentir(*given, "--resume", capfd=capfd)
    assert (code, str(run / "model") in out) == (0, True)

    with monkeypatch.context() as patched:  # nothing to go on with yet
        patched.setattr(classifier_run, "prepare_training", interrupt)
        code, _, err = sentir(*given, "--output", tmp_path / "other", capfd=capfd)
    assert (code, "--resume" in err) == (130, False)


@pytest.mark.parametrize("command", ["predict", "explain", "complete"])
@pytest.mark.parametrize("text", ["-5 stars, awful", "-awful", "--awful", "- great", "-hated it"])
def test_a_text_that_looks_like_an_option(
    command: str, text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir(command, tmp_path, text, capfd=capfd)
    assert code == 2
    assert f"if {text!r} is a text, write -- before the texts" in words_of(err)


def words_of(box: str) -> str:
    """The words of an error in a box, on one line."""
    return " ".join(box.replace("│", " ").split())


def test_a_text_taken_for_the_value_of_an_option(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("predict", tmp_path, "-o no", capfd=capfd)
    assert (code, "if '-o no' is a text, write --" in words_of(err)) == (2, True)
    code, _, err = sentir("predict", tiny_run.folder, "good", "-o no", capfd=capfd)
    assert (code, "--output ' no'; if it is part of a text, write --" in err) == (2, True)
    code, out, _ = sentir("predict", tiny_run.folder, "--", "-5 stars", "-o no", capfd=capfd)
    assert code == 0
    assert [line.split("\t")[2] for line in out.splitlines()] == ["-5 stars", "-o no"]
    code, _, err = sentir("train", "--bacth-size", "3", capfd=capfd)
    assert code == 2
    assert "is a text" not in words_of(err)
