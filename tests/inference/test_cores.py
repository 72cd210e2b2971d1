"""There is one worker per core, and no more than the user allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentir.inference import cores
from sentir.inference.cores import batch_workers
from sentir.text.cores import available_cores


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_no_more_workers_than_the_process_may_use() -> None:
    assert 1 <= batch_workers() <= available_cores()


@pytest.fixture
def hyperthreads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 8 hardware threads, two on each core, of which the process may use 6."""
    for cpu in range(8):
        (tmp_path / f"{cpu}").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    monkeypatch.setattr(cores, "_TOPOLOGY", f"{tmp_path}/{{}}")
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)


@pytest.mark.usefixtures("hyperthreads")
def test_two_threads_of_one_core_count_once() -> None:
    assert batch_workers() == 4


@pytest.mark.usefixtures("hyperthreads")
@pytest.mark.parametrize(
    ("limit", "workers"), [("2", 2), ("3,1", 3), ("99", 4), ("0", 4), ("", 4), ("many", 4)]
)
def test_openmps_limit_holds(limit: str, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert batch_workers() == workers


def test_a_system_that_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_TOPOLOGY", f"{tmp_path}/absent{{}}")
    assert batch_workers() == available_cores()
