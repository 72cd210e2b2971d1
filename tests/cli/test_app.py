"""What all commands share: help, errors, Ctrl-C, the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.command import TINY, sentir
from fixtures.tiny_runs import write_fasttext
from sentir.training import run as run_module
from sentir.training.callbacks import Event, ProgressBar
from sentir.training.run import Run


def test_help_has_examples_for_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    for command in ("train", "evaluate", "predict", "explain", "export", "sample", "doctor",
                    "pretrain", "complete"):  # fmt: skip
        code, out, _ = sentir(command, "--help", capfd=capfd)
        assert code == 0
        assert "Examples" in out
        assert f"sentir {command} " in out


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
        patched.setattr(run_module, "fit_ngram_linear", interrupt)
        code, _, err = sentir(*given, capfd=capfd)
    assert code == 130
    assert "interrupted: the same command with --resume goes on" in err
    code, out, _ = sentir(*given, "--resume", capfd=capfd)
    assert (code, str(run / "model") in out) == (0, True)

    with monkeypatch.context() as patched:  # nothing to go on with yet
        patched.setattr(run_module, "prepare_training", interrupt)
        code, _, err = sentir(*given, "--output", tmp_path / "other", capfd=capfd)
    assert (code, "--resume" in err) == (130, False)
