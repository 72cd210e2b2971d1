"""The server: sockets, signals, and a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import math
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn

from sentir.errors import UsageError
from sentir.serving.app import make_app, make_routes
from sentir.serving.protocol import GuardedProtocol
from sentir.serving.refusals import Refusals
from sentir.serving.service import Service, freeze_heap

LOG = logging.getLogger("sentir.serving")
#: How often the folders of models are looked at (seconds).
WATCH_S = 1.0
#: How long connections that were accepted last have to send their request, once nobody listens any
#: more and before idle ones are closed (seconds).
LAST_REQUESTS_S = 0.2
#: How long a thread may keep Python's lock while another one waits for it (seconds).
SWITCH_INTERVAL_S = 0.0005
#: When Python looks for cycles among young, older and old objects.
GC_THRESHOLDS = 10_000, 20, 20
#: How long an idle connection is kept (seconds); longer than clients keep theirs.
_KEEP_ALIVE_S = 75
#: How long requests may go on once the server has stopped listening, beyond the deadline (seconds).
GRACE_S = 20
_BACKLOG = 4096


def read_keys(path: Path) -> tuple[str, ...]:
    """The keys in a file, one per line; empty lines and lines with ``#`` in front are none.

    Raises:
        UsageError: the file cannot be read, or holds no key.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read ({error})", where=str(path)) from None
    keys = tuple(key for line in lines if (key := line.strip()) and not key.startswith("#"))
    if not keys:
        raise UsageError("holds no key", where=str(path), todo="write one key per line")
    return keys


def check_exposure(host: str, *, has_keys: bool, insecure: bool) -> None:
    """Refuse to answer everybody who can reach this machine, unless that is wanted.

    Raises:
        UsageError: the host is none of this machine's own, there are no keys, and not `insecure`.
    """
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not (is_loopback or has_keys or insecure):
        raise UsageError(
            "others can reach this address, and there is no key",
            where=f"--host {host}",
            todo="pass --api-key-file FILE, or --insecure if that is what you want",
        )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        UsageError: the address is unknown or in use.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen ({error})",
            where=f"{host}:{port}",
            todo="choose another --port or --host",
        ) from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a browser finds the page."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """A server that ends without losing a request.

    At SIGTERM it is no longer ready, and each answer asks its client to close the connection. After
    `drain_s` it stops listening, finishes what has begun, and returns. Ctrl-C does so at once.

    Args:
        service: what the endpoints share.
        watch: whether to reload models whose folders change.

    Attributes:
        signals: those that end it.
    """

    signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, service: Service, *, watch: bool = False) -> None:
        self._service, self._watch = service, watch
        limits, routes = service.limits, make_routes(service)
        queued = [route for route in routes if getattr(route.endpoint, "is_queued", False)]
        protocol = type("Protocol", (GuardedProtocol,), {
            "read_timeout_s": limits.read_timeout_s, "write_timeout_s": limits.write_timeout_s,
            "refusals": Refusals(service, queued),
        })  # fmt: skip
        super().__init__(
            uvicorn.Config(
                make_app(service, routes),
                http=protocol,
                ws="none",
                lifespan="on",
                loop="asyncio" if sys.platform == "win32" else "uvloop",
                log_config=None,
                log_level="critical",  # what it would say is an answer, or in our own log
                access_log=False,
                server_header=False,
                proxy_headers=False,  # the client's address is not used
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=math.ceil(limits.deadline_s + GRACE_S),
                backlog=_BACKLOG,
            )
        )

    def drain(self, drain_s: float) -> None:
        """Begin to end; called in the event loop."""
        self._service.is_draining = True
        asyncio.get_running_loop().call_later(drain_s, setattr, self, "should_exit", True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.say_started(sockets or ())

    def say_started(self, sockets: Sequence[socket.socket]) -> None:
        """Called once the server answers."""
        LOG.info("serving at %s (Ctrl-C ends it)", ", ".join(map(url_of, sockets)))

    async def _serve(self, sockets: list[socket.socket] | None = None) -> None:
        watching = (
            asyncio.ensure_future(self._service.models.watch(WATCH_S)) if self._watch else None
        )
        try:
            await super()._serve(sockets)
        finally:
            if watching is not None:
                watching.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        await asyncio.sleep(LAST_REQUESTS_S)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own would end the process by the signal once more, so not with exit code 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def handle(delay_s: float) -> None:
            if self._service.is_draining and delay_s == 0:
                self.force_exit = True  # Ctrl-C for the second time
            self.drain(delay_s)

        before = {number: signal.getsignal(number) for number in self.signals}
        for number in self.signals:
            delay_s = self._service.limits.drain_s if number == signal.SIGTERM else 0.0
            if sys.platform == "win32":
                signal.signal(
                    number, lambda *_, delay_s=delay_s: loop.call_soon_threadsafe(handle, delay_s)
                )  # type: ignore[misc]
            else:
                loop.add_signal_handler(number, handle, delay_s)
        try:
            yield
        finally:
            for number, handler in before.items():
                if sys.platform != "win32":
                    loop.remove_signal_handler(number)
                signal.signal(number, handler)


def prepare_process() -> None:
    """Let this process open as many connections as the system allows, and its threads take turns.

    Called once the models are loaded. An engine's thread that has computed waits for Python's lock;
    by default up to 5 ms each time while the event loop is busy. And a search for cycles among all
    words of the vocabulary would hold everybody up for 40 ms every few seconds.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*GC_THRESHOLDS)
    freeze_heap()
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
