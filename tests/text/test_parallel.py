from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fixtures.tiny_runs import write_fasttext
from sentir.config import CleanStep, TextConfig, TrainConfig
from sentir.data import spool
from sentir.data.encoding import encode_reviews, encode_training
from sentir.errors import DataError, WorkerError
from sentir.io.label_tally import LabelTally
from sentir.io.reader import BadRows, read_reviews
from sentir.text import parallel
from sentir.text.parallel import tokenize_all

STEPS: tuple[CleanStep, ...] = ("lower",)
CHUNKS = [(pa.array([f"Film number{index}, good", "so So"]), index) for index in range(20)]
SOURCE = Path(parallel.__file__).parents[2]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every worker that is started."""
    processes: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        processes.append(popen(*args, **kwargs))
        return processes[-1]

    monkeypatch.setattr(parallel.subprocess, "Popen", start)
    return processes


def as_lists(results: Any) -> list[Any]:
    return [
        (texts, index, batch.words, *(array.tolist() for array in batch[1:]))
        for texts, index, batch in results
    ]


@pytest.mark.parametrize("processes", [2, 3])
def test_workers_give_the_result_of_one_process_in_order(
    started: list[subprocess.Popen[bytes]], processes: int
) -> None:
    alone = as_lists(tokenize_all(CHUNKS, STEPS, 1))
    assert [index for _, index, *_ in alone] == list(range(20))
    assert not started
    assert as_lists(tokenize_all(CHUNKS, STEPS, processes)) == alone
    assert len(started) == processes - 1
    assert all(process.returncode is not None for process in started)


def test_few_chunks_start_no_worker(started: list[subprocess.Popen[bytes]]) -> None:
    few = CHUNKS[: parallel.MIN_CHUNKS - 1]
    assert [index for _, index, _ in tokenize_all(few, STEPS, 8)] == [index for _, index in few]
    assert as_lists(tokenize_all(CHUNKS, None, 8))[3][2] == []
    assert not started


def test_the_source_is_read_only_a_few_chunks_ahead() -> None:
    read = 0

    def chunks() -> Iterator[tuple[pa.StringArray, int]]:
        nonlocal read
        for chunk in CHUNKS:
            read += 1
            yield chunk

    with closing(tokenize_all(chunks(), STEPS, 2)) as results:
        next(results)
        assert read == parallel.CHUNKS_PER_WORKER + 1
        next(results)
        assert read == parallel.CHUNKS_PER_WORKER + 2


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_worker_is_reported(started: list[subprocess.Popen[bytes]]) -> None:
    results = tokenize_all(CHUNKS, STEPS, 2)
    next(results)
    started[0].kill()
    with pytest.raises(WorkerError, match=r"tokenizer process ended early \(exit code -9\); see"):
        list(results)
    assert started[0].returncode == -signal.SIGKILL


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_workers_ignore_ctrl_c(started: list[subprocess.Popen[bytes]]) -> None:
    results = tokenize_all(CHUNKS, STEPS, 2)
    next(results)
    started[0].send_signal(signal.SIGINT)
    assert len(list(results)) == len(CHUNKS) - 1


def test_the_error_of_a_worker_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    chunks: list[Any] = [([5], 0)] * 3  # not texts
    with pytest.raises(WorkerError, match=r"exit code 1\); see its error above"):
        list(tokenize_all(chunks, STEPS, 2))
    assert "AttributeError" in capfd.readouterr().err


def test_an_error_of_the_reader_ends_the_workers(started: list[subprocess.Popen[bytes]]) -> None:
    def chunks() -> Iterator[tuple[pa.StringArray, int]]:
        yield from CHUNKS[:5]
        raise DataError("the stream is damaged")

    with pytest.raises(DataError, match="the stream is damaged"):
        list(tokenize_all(chunks(), STEPS, 2))
    assert started[0].returncode is not None


def test_the_corpus_is_the_same_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(spool, "BATCH_ROWS", 100)
    file = str(write_fasttext(tmp_path / "train.ft.txt", 900))

    def files(processes: int) -> dict[str, bytes]:
        folder = tmp_path / str(processes)
        folder.mkdir()
        corpora = encode_training(
            read_reviews([file]),
            folder,
            text=TextConfig(),
            train=TrainConfig(),
            bad_rows=BadRows(),
            processes=processes,
        )
        encode_reviews(
            read_reviews([file]),
            folder / "test.arrow",
            corpora.tokenizer,
            LabelTally(corpora.labels),
            bad_rows=BadRows(),
            processes=processes,
        )
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    alone = files(1)
    assert not started
    assert len(alone) == 5
    assert files(2) == alone
    assert len(started) == 2  # one for each corpus


def test_a_script_needs_no_main_guard_and_workers_load_no_torch(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import pyarrow as pa\n"
        "from sentir.text import parallel\n"
        "check = '; assert \"torch\" not in sys.modules; run_worker('\n"
        "program = parallel._WORKER_PROGRAM\n"
        "assert program.count('; run_worker(') == 1\n"
        "parallel._WORKER_PROGRAM = program.replace('; run_worker(', check)\n"
        "chunks = [(pa.array([f'film {index}']), index) for index in range(9)]\n"
        "results = parallel.tokenize_all(chunks, (), 2)\n"
        "print(sum(len(batch.words) for _, _, batch in results))\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert (result.stdout, result.stderr, result.returncode) == ("18\n", "", 0)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_no_worker_outlives_a_killed_caller() -> None:
    program = (
        "import os, signal\n"
        "import pyarrow as pa\n"
        "from sentir.text import parallel\n"
        "chunks = ((pa.array([f'film {index}']), index) for index in range(99))\n"
        "results = parallel.tokenize_all(chunks, (), 2)\n"
        "next(results)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # The worker holds the caller's stderr, which ends only when both have ended.
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert result.returncode == -signal.SIGKILL
