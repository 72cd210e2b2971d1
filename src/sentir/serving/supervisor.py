"""Several server processes behind one address.

The supervisor holds the listening socket, which its workers inherit, so that the system spreads
connections over those that are free, and none is lost with a worker that dies. It starts a worker
that has died anew, passes a reload on to all, and lets all drain at SIGTERM.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from prometheus_client.multiprocess import mark_process_dead

from sentir.errors import SentirError, UsageError, WorkerError
from sentir.serving.models import Reloaded
from sentir.serving.server import GRACE_S, url_of
from sentir.serving.worker import ALIVE_S, Outcome, WorkerSettings

LOG = logging.getLogger("sentir.serving")
#: How long a worker may say nothing before it is killed, and before it is ready (seconds).
SILENCE_S, START_S = 30.0, 600.0
#: Where workers die sooner than this after their start, the next one waits, longer each time, at
#: most so long (seconds).
SOON_S, MAX_PAUSE_S = 60.0, 30.0
#: How long workers have to end, beyond the time for their requests (seconds).
_END_S = 10.0
_PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "import sys; from multiprocessing.connection import Connection\n"
    "link = Connection(int(sys.argv[1])); sys.path[:] = link.recv()\n"
    "from sentir.serving.worker import run_worker; run_worker(link, int(sys.argv[2]))"
)


@dataclass(eq=False)
class _Worker:
    """A process: its place, the pipe, and since when it has been as it is."""

    number: int
    process: subprocess.Popen[bytes]
    link: Connection
    started_at: float
    heard_at: float
    is_ready: bool = False

    def send(self, *message: Any) -> None:
        with suppress(OSError):  # it has died, which is noticed where the pipe is read
            self.link.send(message)


@dataclass(eq=False)
class _Round:
    """A reload in all workers: who asked, who has not answered, and what the others answered."""

    asker: _Worker
    request: int
    waiting: set[_Worker]
    outcomes: list[Outcome] = field(default_factory=list)

    def outcome(self) -> Outcome:
        """One for all: the first error, or which models changed in any of them."""
        merged: dict[str, Reloaded] = {}
        for outcome in self.outcomes:
            if isinstance(outcome, SentirError):
                return outcome
            for name, changed, version in outcome:
                before = merged.get(name, Reloaded(name, False, version))
                if before.version != version:
                    return UsageError(
                        "the model changed again while it was loaded",
                        where=name,
                        todo="reload once more",
                    )
                merged[name] = Reloaded(name, changed or before.changed, version)
        return list(merged.values())


class Supervisor:
    """Starts workers and keeps them running until SIGTERM or Ctrl-C.

    Args:
        settings: what each worker serves.
        listener: the bound socket.
        workers: how many.
    """

    def __init__(self, settings: WorkerSettings, listener: socket.socket, workers: int) -> None:
        self._settings, self._listener, self._count = settings, listener, workers
        self._workers: dict[int, _Worker] = {}
        self._rounds: dict[int, _Round] = {}
        self._round_numbers = itertools.count()
        self._early_deaths = [0] * workers
        self._has_started = self._is_stopping = False
        self._failure: SentirError | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> None:
        """Serve until a signal says to end, and all requests have been answered.

        Raises:
            SentirError: a worker cannot start; or one did not end as it should.
        """
        with tempfile.TemporaryDirectory(prefix="sentir-metrics-") as folder:
            self._metrics = folder
            asyncio.run(self._run())
        if self._failure is not None:
            raise self._failure

    async def _run(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        delays_s = {signal.SIGTERM: self._settings.limits.drain_s, signal.SIGINT: 0.0}
        for signal_number, delay_s in delays_s.items():
            self._loop.add_signal_handler(signal_number, self._stop, delay_s)
        for number in range(self._count):
            self._start(number)
        look = asyncio.ensure_future(self._look())
        await self._ended.wait()
        look.cancel()

    def _start(self, number: int) -> None:
        ours, theirs = Pipe()
        with theirs:
            # -P: no module of the current folder comes before Python's own.
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, *map(str, (theirs.fileno(), self._fd()))],
                pass_fds=(theirs.fileno(), self._fd()),
                env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": self._metrics},
            )
        now = time.monotonic()
        worker = self._workers[number] = _Worker(number, process, ours, now, now)
        with suppress(OSError):
            ours.send(sys.path)
            ours.send(self._settings)
        self._loop.add_reader(ours.fileno(), self._receive, worker)

    def _fd(self) -> int:
        return self._listener.fileno()

    def _receive(self, worker: _Worker) -> None:
        try:
            kind, *values = worker.link.recv()
        except (EOFError, OSError):
            self._loop.remove_reader(worker.link.fileno())
            worker.link.close()
            self._do(self._bury(worker))
            return
        worker.heard_at = time.monotonic()
        if kind == "ready":
            self._ready(worker, *values)
        elif kind == "failed":
            self._failed(worker, *values)
        elif kind == "log":
            level, text = values
            LOG.log(level, "worker %d: %s", worker.number, text)
        elif kind == "reload":
            self._reload(worker, *values)
        elif kind == "reloaded":
            number, outcome = values
            self._rounds[number].outcomes.append(outcome)
            self._no_longer_waits(worker, number)

    def _ready(self, worker: _Worker, models: list[str]) -> None:
        worker.is_ready = True
        if self._has_started:
            LOG.info("worker %d answers again", worker.number)
        elif len(self._workers) == sum(one.is_ready for one in self._workers.values()):
            self._has_started = True
            for model in models:
                LOG.info(model)
            LOG.info(
                "serving at %s with %d workers (Ctrl-C ends it)",
                url_of(self._listener), self._count,
            )  # fmt: skip

    def _failed(self, worker: _Worker, error: SentirError) -> None:
        if self._has_started:
            LOG.warning("worker %d cannot start: %s", worker.number, error)
        else:
            self._give_up(error)

    def _give_up(self, error: SentirError) -> None:
        """A first worker cannot start, so the others cannot either."""
        if self._failure is None:
            self._failure = error
        self._is_stopping = True
        for worker in self._workers.values():
            worker.process.kill()

    async def _bury(self, worker: _Worker) -> None:
        """What follows the end of a worker; another takes its place unless all are to end."""
        try:
            code = await asyncio.to_thread(worker.process.wait, _END_S)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            code = await asyncio.to_thread(worker.process.wait)
        mark_process_dead(worker.process.pid, self._metrics)  # type: ignore[no-untyped-call]
        del self._workers[worker.number]
        for number in list(self._rounds):
            self._no_longer_waits(worker, number)
        if not (self._has_started or self._is_stopping):
            self._give_up(WorkerError(
                f"worker {worker.number} ended with {_named(code)} before it answered",
                todo="see its error above, if there is one; else free some memory",
            ))  # fmt: skip
        if self._is_stopping:
            if worker.is_ready and code and self._failure is None:
                self._failure = WorkerError(f"worker {worker.number} ended with {_named(code)}")
            if not self._workers:
                self._ended.set()
            return
        await asyncio.sleep(self._pause_s(worker, code))
        if not self._is_stopping:
            self._start(worker.number)

    def _pause_s(self, worker: _Worker, code: int) -> float:
        """Say that a worker has died, and how long it is until another one takes its place."""
        lived_s, number = time.monotonic() - worker.started_at, worker.number
        self._early_deaths[number] = self._early_deaths[number] + 1 if lived_s < SOON_S else 0
        pause_s = min(max(0.0, 2.0 ** (self._early_deaths[number] - 1) - 1), MAX_PAUSE_S)
        LOG.warning(
            "worker %d ended with %s after %.0f s; another one starts in %.0f s",
            number, _named(code), lived_s, pause_s,
        )  # fmt: skip
        return pause_s

    def _reload(self, asker: _Worker, request: int, names: list[str]) -> None:
        number = next(self._round_numbers)
        self._rounds[number] = _Round(asker, request, set(self._workers.values()))
        for worker in self._workers.values():
            worker.send("reload", number, names)

    def _no_longer_waits(self, worker: _Worker, number: int) -> None:
        round = self._rounds[number]
        round.waiting.discard(worker)
        if not round.waiting:
            del self._rounds[number]
            round.asker.send("answer", round.request, round.outcome())

    def _stop(self, delay_s: float) -> None:
        if self._is_stopping:
            if delay_s == 0:  # Ctrl-C for the second time
                for worker in self._workers.values():
                    worker.process.kill()
            return
        self._is_stopping = True
        for worker in self._workers.values():
            worker.send("drain", delay_s)
        self._loop.call_later(delay_s, self._listener.close)
        self._do(self._end(delay_s + self._settings.limits.deadline_s + GRACE_S + _END_S))
        if not self._workers:
            self._ended.set()

    async def _end(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        for worker in self._workers.values():
            LOG.error("worker %d does not end, and is killed", worker.number)
            worker.process.kill()

    async def _look(self) -> None:
        """Kill workers that hang: their event loop has said nothing for a long time."""
        while True:
            await asyncio.sleep(ALIVE_S)
            for worker in self._workers.values():
                silent_s = time.monotonic() - worker.heard_at
                if silent_s > (SILENCE_S if worker.is_ready else START_S):
                    LOG.error("worker %d hangs, and is killed", worker.number)
                    worker.process.kill()

    def _do(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _named(code: int) -> str:
    """An exit code, or the name of the signal."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
