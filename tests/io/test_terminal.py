"""Escape sequences in what users wrote never reach a terminal raw."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.command import sentir
from sentir.io.terminal import TerminalStream, printable
from sentir.training.run import Run

#: Sets the title of the window, clears the screen, rings, and does so by C1 controls.
HOSTILE = "good \x1b]0;owned\x07 \x1b[2J \x9b2J \x7f film"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = printable(text, keep="\n\t")
    assert len(shown) == len(text)
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in shown)
    assert not any(0x7F <= ord(letter) < 0xA0 for letter in shown)


def test_ordinary_text_stays() -> None:
    text = "¿Qué tal? 日本語 😡 a\tb\n"
    assert printable(text, keep="\n\t") == text
    stream = io.BytesIO()
    TerminalStream(stream).write(text.encode())
    assert stream.getvalue() == text.encode()


def test_a_stream_to_a_terminal() -> None:
    stream = io.BytesIO()
    assert TerminalStream(stream).write(HOSTILE.encode()) == len(HOSTILE.encode())
    assert stream.getvalue().decode() == printable(HOSTILE)


def test_messages_and_names_of_files(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = sentir("evaluate", tiny_run.folder, tmp_path / f"{HOSTILE}.csv", capfd=capfd)
    assert code == 2
    assert not {"\x1b", "\x07", "\x9b", "\x7f"} & {*out, *err}
    file = tmp_path / "a.ft.txt"
    file.write_text(f"__label__positive {HOSTILE}\n__label__negative {HOSTILE}\n", "utf-8")
    code, out, err = sentir("evaluate", tiny_run.folder, file, "--mistakes", 5, capfd=capfd)
    assert code == 0
    assert "owned" in out
    assert not {"\x1b", "\x07", "\x9b", "\x7f"} & {*out, *err}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_predictions_at_a_terminal(tiny_run: Run) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "sentir", "predict", tiny_run.folder, "--text", HOSTILE]
    subprocess.run(command, stdout=follower, stderr=subprocess.DEVNULL, check=True, timeout=120)
    os.close(follower)
    shown = os.read(leader, 10_000).decode()
    os.close(leader)
    assert "owned" in shown
    assert not {"\x1b", "\x07", "\x9b", "\x7f"} & {*shown}


def test_predictions_to_a_file_keep_every_character(tiny_run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "sentir", "predict", tiny_run.folder, "--text", HOSTILE]
    subprocess.run([*command, "-o", file], check=True, timeout=120, capture_output=True)
    assert HOSTILE in json.loads(file.read_text("utf-8"))["text"]
