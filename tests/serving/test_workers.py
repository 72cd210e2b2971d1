"""Several processes: what reaches all of them, what becomes of one that dies, and how they end."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from fixtures.served import save_models
from fixtures.toy_bundle import toy
from sentir.bundle import save_bundle
from sentir.errors import BundleError, UsageError, WorkerError
from sentir.serving import supervisor as supervisor_module
from sentir.serving.metrics import Metrics
from sentir.serving.models import Reloaded
from sentir.serving.options import Limits, ServerOptions
from sentir.serving.server import bind
from sentir.serving.supervisor import Supervisor, _Round
from sentir.serving.worker import WorkerSettings, run_worker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals")
TEXT = {"text": "the film was not bad"}
ADMIN = {"x-api-key": "admin"}


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Workers treat warnings as errors too, and signals are as they were afterwards."""
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def settings_of(folder: Path, **changes: Any) -> WorkerSettings:
    given: dict[str, Any] = {
        "paths": save_models(folder, shop=toy()), "engine": "onnx", "precision": "float32",
        "options": ServerOptions(admin_keys=("admin",)), "limits": Limits(drain_s=0.1),
        "watch": False, "slots": 1, **changes,
    }  # fmt: skip
    return WorkerSettings(**given)


class Asked:
    """Asks a server, on a connection of its own each time."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, sent, {"content-type": "application/json", **ADMIN})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def until_ready(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                if self("GET", "/health/ready")[0] == 200:
                    return
            time.sleep(0.02)

    def versions(self, times: int = 20) -> set[str]:
        """The versions that answer, of both workers most likely."""
        answers = [self("POST", "/v1/predict", TEXT) for _ in range(times)]
        assert {status for status, _ in answers} == {200}
        return {json.loads(body)["version"] for _, body in answers}

    def metric(self, name: str) -> dict[str, float]:
        lines = self("GET", "/metrics")[1].decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line.startswith(name))
        return {labels: float(value) for labels, value in pairs}


def supervised(
    settings: WorkerSettings,
    act: Callable[[Asked, Supervisor], None],
    *,
    end: tuple[signal.Signals, ...] = (signal.SIGTERM,),
) -> None:
    """Run two workers while a thread acts; then signals end them."""
    problems: list[BaseException] = []
    with bind("127.0.0.1", 0) as listener:
        asked = Asked(listener.getsockname()[1])
        supervisor = Supervisor(settings, listener, 2)

        def run() -> None:
            try:
                asked.until_ready()
                until(lambda: supervisor._has_started)
                act(asked, supervisor)
            except BaseException as problem:
                problems.append(problem)
            finally:
                for number in end:
                    os.kill(os.getpid(), number)
                    time.sleep(0.2)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            supervisor.run()
        finally:
            thread.join()
            if problems:
                raise problems[0]


def until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_reload_and_the_metrics_are_those_of_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def act(asked: Asked, supervisor: Supervisor) -> None:
        (old,) = asked.versions()
        assert asked.metric("sentir_requests_total")[
            'sentir_requests_total{code="200",route="/v1/predict"}'
        ] == 20  # fmt: skip
        assert list(asked.metric("sentir_model_info").values()) == [2]
        assert asked.metric("sentir_queue_texts") == {"sentir_queue_texts": 0}

        save_bundle(toy(seed=1), tmp_path / "shop")
        status, body = asked("POST", "/admin/reload", {})
        (reloaded,) = json.loads(body)["models"]
        assert (status, reloaded["changed"], reloaded["version"] == old) == (200, True, False)
        assert asked.versions() == {reloaded["version"]}
        assert sorted(asked.metric("sentir_model_info").values()) == [0, 2]
        assert json.loads(asked("POST", "/admin/reload", {})[1])["models"][0]["changed"] is False

        (tmp_path / "shop" / "config.json").write_text("{")
        status, body = asked("POST", "/admin/reload", {"model": "shop"})
        assert status == 409
        assert b"not reloaded, the old model goes on" in body
        assert asked("POST", "/admin/reload", {"model": "x"})[0] == 404
        assert asked.versions() == {reloaded["version"]}

    supervised(settings_of(tmp_path), act)
    assert "with 2 workers (Ctrl-C ends it)" in caplog.text
    assert f"shop: {tmp_path}/shop, onnx, " in caplog.text


def test_workers_that_die_or_hang_are_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "SILENCE_S", 2.5)
    caplog.set_level(logging.INFO)

    def act(asked: Asked, supervisor: Supervisor) -> None:
        killed, hung = (supervisor._workers[number].process for number in (0, 1))
        os.kill(killed.pid, signal.SIGKILL)
        until(lambda: "worker 0 answers again" in caplog.text)
        assert asked.versions()
        os.kill(hung.pid, signal.SIGSTOP)
        until(lambda: "worker 1 answers again" in caplog.text)
        assert asked.versions()
        assert list(asked.metric("sentir_model_info").values()) == [2]

    supervised(settings_of(tmp_path), act)
    assert "worker 0 ended with SIGKILL after" in caplog.text
    assert "worker 1 hangs, and is killed" in caplog.text


def test_a_worker_that_cannot_start_again_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def act(asked: Asked, supervisor: Supervisor) -> None:
        config = tmp_path / "shop" / "config.json"
        right = config.read_text()
        config.write_text("{")
        os.kill(supervisor._workers[0].process.pid, signal.SIGTERM)
        until(lambda: "worker 0 cannot start: " in caplog.text)
        assert asked.versions()  # of the other
        config.write_text(right)
        until(lambda: 0 in supervisor._workers and supervisor._workers[0].is_ready)

    supervised(settings_of(tmp_path), act)
    assert "worker 0 ended with exit code 0 after" in caplog.text


def test_what_cannot_start_is_said_at_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    (tmp_path / "shop" / "config.json").write_text("{")
    with bind("127.0.0.1", 0) as listener, pytest.raises(BundleError, match=r"config\.json"):
        Supervisor(settings, listener, 2).run()


def test_a_worker_that_dies_before_it_answers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path, slots="many")
    with (
        bind("127.0.0.1", 0) as listener,
        pytest.raises(WorkerError, match=r"worker \d ended with exit code 1 before it answered"),
    ):
        Supervisor(settings, listener, 2).run()
    assert "TypeError" in capfd.readouterr().err


def test_ctrl_c_for_the_second_time_ends_at_once(tmp_path: Path) -> None:
    clients = []

    def act(asked: Asked, supervisor: Supervisor) -> None:
        client = socket.create_connection(("127.0.0.1", asked.port), timeout=20)
        clients.append(client)  # its request never ends, and is waited for
        client.sendall(b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        time.sleep(0.2)

    start = time.perf_counter()
    with pytest.raises(WorkerError, match=r"worker \d ended with SIGKILL"):
        supervised(settings_of(tmp_path), act, end=(signal.SIGINT, signal.SIGINT))
    assert time.perf_counter() - start < 60
    clients[0].close()


def test_a_model_that_changes_during_a_reload() -> None:
    asker: Any = None
    round = _Round(asker, 0, set())
    round.outcomes += [[Reloaded("shop", True, "a")], [Reloaded("shop", False, "a")]]
    assert round.outcome() == [Reloaded("shop", True, "a")]
    round.outcomes.append([Reloaded("shop", True, "b")])
    error = round.outcome()
    assert isinstance(error, UsageError)
    assert str(error) == "shop: the model changed again while it was loaded; reload once more"


def test_metrics_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    metrics = Metrics()
    metrics.set_models([("shop", "a")])
    metrics.set_models([("shop", "b")])
    assert metrics.text() == b""  # this process writes none to it, as it was not set at import


class Peer:
    """A worker in this process, and the supervisor's end of its pipe."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.ours, theirs = Pipe()
        self.ours.send(settings)
        with bind("127.0.0.1", 0) as listener:
            self.asked = Asked(listener.getsockname()[1])
            self._number = os.dup(listener.fileno())
        self._theirs = theirs

    def run(self, act: Callable[[], None]) -> None:
        problems: list[BaseException] = []

        def acting() -> None:
            try:
                act()
            except BaseException as problem:
                problems.append(problem)
            finally:
                self.ours.close()

        thread = threading.Thread(target=acting)
        thread.start()
        run_worker(self._theirs, self._number)
        self._theirs.close()
        thread.join()
        if problems:
            raise problems[0]

    def next(self, wanted: str) -> list[Any]:
        """The values of the next message of that kind."""
        while True:
            kind, *values = self.ours.recv()
            if kind == wanted:
                return values


@pytest.fixture
def as_before() -> Iterator[None]:
    logger = logging.getLogger("sentir.serving")
    before = list(logger.handlers), sys.getswitchinterval(), gc.get_threshold()
    yield
    logger.handlers[:] = before[0]
    sys.setswitchinterval(before[1])
    gc.set_threshold(*before[2])
    gc.unfreeze()


@pytest.mark.usefixtures("as_before")
def test_what_a_worker_says_and_obeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(settings_of(tmp_path))

    def act() -> None:
        (lines,) = peer.next("ready")
        assert lines[0].startswith(f"shop: {tmp_path}/shop, onnx, ")
        logging.getLogger("sentir.serving").warning("it %s", "works")
        assert peer.next("log") == [logging.WARNING, "it works"]

        peer.ours.send(("reload", 7, ["shop"]))
        number, ((name, changed, _),) = peer.next("reloaded")
        assert (number, name, changed) == (7, "shop", False)
        (tmp_path / "shop" / "config.json").write_text("{")
        peer.ours.send(("reload", 8, ["shop"]))
        assert isinstance(peer.next("reloaded")[1], BundleError)
        monkeypatch.setattr("sentir.serving.models.load_bundle", lambda path: 1 / 0)
        peer.ours.send(("reload", 9, ["shop"]))
        assert "could not reload (ZeroDivisionError)" in str(peer.next("reloaded")[1])

        for outcome, status in (
            ([Reloaded("shop", True, "abc")], 200),
            (WorkerError("a worker could not reload (MemoryError)"), 409),
        ):
            got: list[tuple[int, bytes]] = []
            thread = threading.Thread(
                target=lambda got=got: got.append(peer.asked("POST", "/admin/reload", {}))
            )
            thread.start()
            request, names = peer.next("reload")
            assert names == ["shop"]
            peer.ours.send(("answer", request + 1, outcome))  # to nobody
            peer.ours.send(("answer", request, outcome))
            thread.join()
            assert got[0][0] == status
        peer.ours.send(("drain", 0.0))
        with contextlib.suppress(EOFError, OSError):
            peer.next("never")

    peer.run(act)


@pytest.mark.usefixtures("as_before")
def test_a_worker_ends_with_its_supervisor(tmp_path: Path) -> None:
    options = ServerOptions(log_json=True)
    peer = Peer(settings_of(tmp_path, options=options))
    peer.run(lambda: peer.next("ready"))  # then the pipe is closed


def test_a_worker_says_why_it_cannot_start(tmp_path: Path) -> None:
    peer = Peer(settings_of(tmp_path, engine="steam"))
    peer.run(lambda: peer.next("failed"))
