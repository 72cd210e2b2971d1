"""One of several server processes, which the supervisor starts and speaks to over a pipe.

Messages are tuples of a kind and values.

To the worker:

- ``drain``, seconds: end, as at SIGTERM;
- ``reload``, round, names: reload these models;
- ``answer``, request, outcome: what became of a reload that this worker asked for.

From the worker:

- ``ready``, lines: it answers, with these models;
- ``failed``, error: it cannot start;
- ``alive``, once a second;
- ``log``, level, text;
- ``reload``, request, names: all workers are to reload these models;
- ``reloaded``, round, outcome: what became of it here.

The outcome of a reload is a list of `Reloaded`, or the error.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sentir.errors import SentirError, WorkerError
from sentir.serving.logs import LOG, json_lines
from sentir.serving.models import Models, Reloaded
from sentir.serving.options import Limits, ServerOptions
from sentir.serving.server import Server, prepare_process
from sentir.serving.service import Service

#: How often a worker says that it is alive (seconds).
ALIVE_S = 1.0
Outcome = list[Reloaded] | SentirError


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """What each worker serves, and how.

    Attributes:
        paths: the folder of each model, by its name.
        engine, precision: as for `sentir.load`.
        options, limits: see there; the limits are those of each worker.
        watch: whether to reload models whose folders change.
        slots: batches that a worker computes at the same time.
    """

    paths: Mapping[str, Path]
    engine: str
    precision: str
    options: ServerOptions
    limits: Limits
    watch: bool
    slots: int


class Link:
    """The worker's end of the pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.Lock()
        self._requests = itertools.count()
        self._reloads: dict[int, asyncio.Future[list[Reloaded]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, *message: Any) -> None:
        """Send a message; where the supervisor has gone, this process is about to end too."""
        with suppress(OSError), self._lock:
            self._connection.send(message)

    def attach(self, server: Server, service: Service) -> None:
        """Say that the server answers, and obey from now on; called in the event loop."""
        self._server, self._service = server, service
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._connection.fileno(), self._receive)
        self.send("ready", [model.summary for model in service.models])
        self._beat()

    async def reload(self, names: Sequence[str]) -> list[Reloaded]:
        """Reload these models in all workers.

        Raises:
            SentirError: it failed in one of them.
        """
        request = next(self._requests)
        future: asyncio.Future[list[Reloaded]] = self._loop.create_future()
        self._reloads[request] = future
        self.send("reload", request, list(names))
        try:
            return await future
        finally:
            del self._reloads[request]

    def _beat(self) -> None:
        self._service.update_metrics()
        self.send("alive")
        self._loop.call_later(ALIVE_S, self._beat)

    def _receive(self) -> None:
        try:
            kind, *values = self._connection.recv()
        except (EOFError, OSError):  # the supervisor was killed
            self._loop.remove_reader(self._connection.fileno())
            self._server.drain(0)
            return
        if kind == "drain":
            self._server.drain(*values)
        elif kind == "reload":
            task = self._loop.create_task(self._reload(*values))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._answer(*values)

    async def _reload(self, round: int, names: list[str]) -> None:
        outcome: Outcome
        try:
            outcome = await self._service.reload(names)
        except SentirError as error:
            outcome = error
        except Exception as error:
            outcome = WorkerError(f"a worker could not reload ({type(error).__name__})")
            LOG.exception("reload")
        self.send("reloaded", round, outcome)

    def _answer(self, request: int, outcome: Outcome) -> None:
        future = self._reloads.get(request)
        if future is None or future.done():
            return  # who asked no longer waits
        if isinstance(outcome, SentirError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


class _Worker(Server):
    """A server that obeys the supervisor; Ctrl-C, which reaches all processes, is its to handle."""

    signals = (signal.SIGTERM,)

    def __init__(self, service: Service, link: Link, *, watch: bool) -> None:
        super().__init__(service, watch=watch)
        self._link = link

    def say_started(self, sockets: Sequence[socket.socket]) -> None:
        self._link.attach(self, self._service)


class _LinkHandler(logging.Handler):
    """Gives what is logged to the supervisor, which prints it."""

    def __init__(self, link: Link) -> None:
        super().__init__(logging.INFO)
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        self._link.send("log", record.levelno, record.getMessage())


def run_worker(connection: Connection, listener_number: int) -> None:
    """What the process does, given its end of the pipe and the listening socket's number."""
    settings: WorkerSettings = connection.recv()
    link, logs = Link(connection), json_lines() if settings.options.log_json else nullcontext()
    with socket.socket(fileno=listener_number) as listener, logs:
        if not settings.options.log_json:
            LOG.addHandler(_LinkHandler(link))
            LOG.setLevel(logging.INFO)
        try:
            models = Models(settings.paths, engine=settings.engine, precision=settings.precision)
        except SentirError as error:
            link.send("failed", error)
            return
        service = Service(models, settings.options, settings.limits, slots=settings.slots)
        service.reload_all = link.reload
        prepare_process()
        _Worker(service, link, watch=settings.watch).run([listener])
