"""Standard streams that are closed, that pause, and that do not wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from sentir.training.run import Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and shells of POSIX")
TIMEOUT_S = 60


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--version >&-", "standard output: is closed; send it somewhere: > /dev/null"),
        ("predict MODEL good >&-", "standard output: is closed; send it somewhere: > /dev/null"),
        (
            "explain MODEL good <&- >&-",
            "standard output: is closed; send it somewhere: > /dev/null",
        ),
        ("predict MODEL - <&-", "standard input: is closed; give a file, or a pipe"),
        ("evaluate MODEL - <&-", "standard input: is closed; give a file, or a pipe"),
    ],
)
def test_closed_streams_are_errors(tiny_run: Run, given: str, message: str) -> None:
    given = given.replace("MODEL", f"'{tiny_run.folder}'")
    done = subprocess.run(
        f"'{sys.executable}' -m sentir {given}", shell=True, stderr=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, f"error: {message}\n")


def test_no_file_takes_the_number_of_a_closed_stream() -> None:
    """What libraries print to standard error would be written into that file."""
    script = (
        "import os; from sentir.cli.standard_streams import _open_closed_streams as open_closed;"
        "open_closed(); print(os.open(os.devnull, os.O_RDONLY) > 2)"
    )
    command = f"'{sys.executable}' -c '{script}' <&- 2>&-"
    assert (
        subprocess.run(command, shell=True, stdout=subprocess.PIPE, check=True).stdout == b"True\n"
    )


@contextmanager
def predicting(run: Run, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """``sentir predict RUN -`` with pipes, which is killed if it does not end."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | streams
    command = [sys.executable, "-m", "sentir", "predict", str(run.folder), *arguments]
    process = subprocess.Popen(command, **streams)
    watchdog = threading.Timer(TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def put(stream: IO[bytes] | None, data: bytes) -> None:
    assert stream is not None
    stream.write(data)
    stream.flush()


def line(stream: IO[bytes] | None) -> bytes:
    assert stream is not None
    return stream.readline()


@pytest.mark.parametrize(
    ("arguments", "chunks", "answers"),
    [
        ([], [b"good\n", b"so bad\n"], [b"good", b"so bad"]),
        (["--format", "text"], [b"a\n", b"b\n"], [b"a", b"b"]),
        (["--json"], [b'{"text": "good", "id": 7}\n', b'{"text": "b"}\n'], [b'"id": 7', b'"b"']),
        (
            ["--format", "csv", "--delimiter", ",", "--quoting", "standard"],
            [b"id,text\n1,good\n", b"2,bad\n"],
            [b"id,text,prediction,probability", b"1,good,", b"2,bad,"],
        ),
    ],
)
def test_a_program_that_waits_gets_its_answers(
    tiny_run: Run, arguments: list[str], chunks: list[bytes], answers: list[bytes]
) -> None:
    with predicting(tiny_run, "-", *arguments) as process:
        put(process.stdin, chunks[0])
        for answer in answers[:-1]:
            assert answer in line(process.stdout)
        put(process.stdin, chunks[1])
        assert answers[-1] in line(process.stdout)
        assert process.poll() is None
        assert process.communicate()[0] == b""
        assert process.returncode == 0


def test_ctrl_c_ends_a_command_that_waits_for_input(tiny_run: Run) -> None:
    with predicting(tiny_run, "-") as process:
        put(process.stdin, b"good\n")
        assert b"good" in line(process.stdout)
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 130
        assert process.stderr is not None
        errors = process.stderr.read()
        assert b"Traceback" not in errors
        assert b"Fatal" not in errors


def test_input_that_does_not_wait_is_waited_for(tiny_run: Run) -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    with predicting(tiny_run, "-", "--format", "text", stdin=read) as process:
        for text in (b"good\n", b"bad\n"):
            time.sleep(0.5)
            os.write(write, text)
            assert text in line(process.stdout)
        os.close(write)
        assert process.wait(TIMEOUT_S) == 0
    os.close(read)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_pipe_that_does_not_wait_loses_nothing(
    unbuffered: str, tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    source = tmp_path / "many.txt"
    count = 5000
    source.write_text("good film\n" * count)
    read, write = os.pipe()
    os.set_blocking(write, False)
    with predicting(tiny_run, str(source), stdout=write) as process:
        os.close(write)
        time.sleep(3)  # for the pipe to fill
        with open(read, "rb") as answers:  # noqa: PTH123 (a descriptor has no path)
            assert len(answers.read().splitlines()) == count
        assert process.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_ends_early_is_no_traceback(
    unbuffered: str, tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    command = f"'{sys.executable}' -m sentir explain '{tiny_run.folder}' good | true"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_is_an_error_of_every_command(tiny_run: Run) -> None:
    command = f"'{sys.executable}' -m sentir explain '{tiny_run.folder}' good > /dev/full"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "error: standard output: cannot be written (No space left on device); check the disk\n",
    )
