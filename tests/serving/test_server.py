"""The process: addresses, keys, signals, and clients that are slow or send garbage."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

from fixtures.served import Served, save_models, serving
from fixtures.toy_bundle import toy
from sentir.errors import UsageError
from sentir.serving.models import Models
from sentir.serving.options import Limits
from sentir.serving.protocol import MAX_HEAD_BYTES
from sentir.serving.server import (
    SWITCH_INTERVAL_S,
    Server,
    bind,
    check_exposure,
    prepare_process,
    read_keys,
    url_of,
)
from sentir.serving.service import Service

TEXT = {"text": "the film was not bad"}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save_models(tmp_path_factory.mktemp("models"), shop=toy())


@pytest.fixture(scope="module")
def served(paths: dict[str, Path]) -> Iterator[Served]:
    limits = Limits(read_timeout_s=0.4, write_timeout_s=0.4, max_body_bytes=4_000_000)
    with serving(paths, limits=limits) as served:
        yield served


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_own_addresses(host: str) -> None:
    check_exposure(host, has_keys=False, insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "shop.example", ""])
def test_addresses_that_others_can_reach(host: str) -> None:
    check_exposure(host, has_keys=True, insecure=False)
    check_exposure(host, has_keys=False, insecure=True)
    with pytest.raises(UsageError, match="others can reach this address, and there is no key"):
        check_exposure(host, has_keys=False, insecure=False)


def test_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# shop\n first \n\nclé\n", encoding="utf-8")
    assert read_keys(file) == ("first", "clé")
    file.write_text("# none\n\n")
    with pytest.raises(UsageError, match="keys: holds no key; write one key per line"):
        read_keys(file)
    file.write_bytes(b"\xff")
    for bad in (file, tmp_path / "absent"):
        with pytest.raises(UsageError, match=r"cannot be read \("):
            read_keys(bad)


def test_addresses_in_use_and_unknown() -> None:
    with bind("127.0.0.1", 0) as first:
        first.listen()
        assert url_of(first) == f"http://127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(UsageError, match=r"127.0.0.1:\d+: cannot listen .*; choose another"):
            bind("127.0.0.1", first.getsockname()[1])
    with pytest.raises(UsageError, match="cannot listen"):
        bind("no such host", 0)
    with bind("0.0.0.0", 0) as everywhere:
        assert url_of(everywhere).startswith("http://127.0.0.1:")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_ipv6() -> None:
    try:
        listener = bind("::1", 0)
    except UsageError:
        pytest.skip("no IPv6 address here")
    with listener:
        assert url_of(listener).startswith("http://[::1]:")


def talk(served: Served, *parts: bytes, pause_s: float = 0) -> bytes:
    """What the server says to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        said = b""
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(pause_s)
            while received := client.recv(1 << 16):
                said += received
        except (ConnectionResetError, BrokenPipeError):
            pass
        return said


def test_garbage(served: Served) -> None:
    for garbage in (
        b"\0\xff" * 50,
        b"GET\r\n\r\n",
        b"x" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\0",
    ):
        assert talk(served, garbage).startswith(b"HTTP/1.1 400 ")
    served.post("/v1/predict", TEXT)


def test_a_head_that_never_ends(served: Served) -> None:
    """Slow: dropped after the time; fast: refused at the size."""
    start = time.perf_counter()
    assert talk(served, b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 20, pause_s=0.05) == b""
    assert time.perf_counter() - start < 5
    endless = (b"x-%d: " % number + b"y" * 1000 + b"\r\n" for number in range(200))
    said = talk(served, b"GET / HTTP/1.1\r\n", *endless)
    assert said.startswith(b"HTTP/1.1 431 ") or said == b""
    assert MAX_HEAD_BYTES < 100 * 1000


def test_a_connection_that_says_nothing(served: Served) -> None:
    start = time.perf_counter()
    assert talk(served) == b""
    assert time.perf_counter() - start < 5


def test_a_second_request_that_never_ends(served: Served) -> None:
    first = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    said = talk(served, first, b"GET /health/li", pause_s=0.05)
    assert said.endswith(b'{"live":true}')


def test_a_body_that_never_ends(served: Served) -> None:
    head = (b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 100\r\n\r\n")  # fmt: skip
    said = talk(served, head, *[b" "] * 4, pause_s=0.05)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'{"error":"the body was not there after 0.4 s"}' in said


def test_a_client_that_takes_nothing(served: Served) -> None:
    """Answers of megabytes that nobody reads: the connection is dropped, the server goes on."""
    body = json.dumps({"texts": ["good"] * 1000, "probabilities": True}).encode()
    head = (b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(body))  # fmt: skip
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            client.sendall((head + body) * 10_000)
    served.post("/v1/predict", TEXT)


def test_a_client_that_asks_and_reads_nothing(served: Served) -> None:
    """Its buffers fill, and the connection is dropped after the time to take them."""
    size = len(served.ask("GET", "/openapi.json").body)
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 600)
        time.sleep(1.2)
        taken = 0
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(1 << 20):
                taken += len(part)
    assert size < taken < 600 * size
    served.post("/v1/predict", TEXT)


def test_a_client_that_goes_away_before_its_answer(
    paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(paths) as slow:
        predictor = slow.service.models.get("shop").predictor
        right = predictor.batch_probabilities
        monkeypatch.setattr(
            predictor, "batch_probabilities", lambda ids: (time.sleep(0.5), right(ids))[1]
        )
        body = json.dumps({"texts": ["good"] * 100}).encode()
        with socket.create_connection(("127.0.0.1", slow.port)) as client:
            client.sendall(
                b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n" % len(body) + body
            )
            time.sleep(0.15)
        line = 'sentir_requests_total{code="499",route="/v1/predict"}'
        while slow.metric(line) < 1:
            time.sleep(0.02)
        assert slow.service.batcher.queued == 0  # its other batches are dropped


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_drain(paths: dict[str, Path], number: signal.Signals) -> None:
    service = Service(Models(paths, engine="onnx"), limits=Limits(drain_s=0.2))
    server = Server(service)
    before = signal.getsignal(number)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), number))
    timer.start()
    with bind("127.0.0.1", 0) as listener:
        server.run([listener])
    timer.join()
    assert service.is_draining
    assert signal.getsignal(number) is before


def test_the_process_is_prepared() -> None:
    import resource

    before = sys.getswitchinterval(), resource.getrlimit(resource.RLIMIT_NOFILE)
    thresholds = gc.get_threshold()
    try:
        prepare_process()
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == hard
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(before[0])
        resource.setrlimit(resource.RLIMIT_NOFILE, before[1])


def test_many_idle_connections(served: Served) -> None:
    idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(200)]
    try:
        served.post("/v1/predict", TEXT)
    finally:
        for one in idle:
            one.close()


def test_half_closed_sockets(served: Served) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
            client.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            while client.recv(1000):
                pass
    served.post("/v1/predict", TEXT)


def head(path: str, length: int, more: bytes = b"") -> bytes:
    return (f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"content-length: {length}\r\n").encode() + more + b"\r\n"  # fmt: skip


BODY = json.dumps(TEXT).encode()
REQUEST = head("/v1/predict", len(BODY)) + BODY
LAST = b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.fixture
def full(paths: dict[str, Path]) -> Iterator[Served]:
    """A server with a queue that is full until ``queued`` is set to 0."""
    with serving(paths, limits=Limits(max_queued_texts=5, read_timeout_s=0.4)) as served:
        served.service.batcher.queued = 5
        yield served
        served.service.batcher.queued = 0


def test_refusals_before_the_request_is_parsed(full: Served) -> None:
    """One connection: refused, and answered once there is room again."""
    connection = http.client.HTTPConnection("127.0.0.1", full.port, timeout=20)
    for waiting, status in ((0, 200), (5, 503), (5, 503), (0, 200), (5, 503)):
        full.service.batcher.queued = waiting
        connection.request("POST", "/v1/predict", BODY, {"content-type": "application/json"})
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        assert reply.status == status
        if status == 503:
            assert reply.headers["retry-after"] == "1"
            message = "the queue is full (5 of 5 texts); try again in 1 s"
            assert answer == {"error": message}
    connection.close()
    assert full.metric('sentir_requests_total{code="503",route="/v1/predict"}') == 3
    assert full.metric('sentir_refused_total{reason="queue_full"}') == 3


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_refusals_whatever_the_parts(full: Served, size: int) -> None:
    """Pipelined requests, in parts that end anywhere: each has its answer, in their order."""
    said = REQUEST * 3 + LAST
    parts = [said[at : at + size] for at in range(0, len(said), size)]
    answers = talk(full, *parts)
    assert answers.count(b"HTTP/1.1 503 ") == 3
    assert answers.endswith(b'{"live":true}')


def test_refusals_of_a_head_whose_body_comes_later(full: Served) -> None:
    answers = talk(full, head("/v1/predict", len(BODY)), BODY, LAST, pause_s=0.05)
    assert answers.count(b"HTTP/1.1 503 ") == 1
    assert answers.endswith(b'{"live":true}')


@pytest.mark.parametrize(
    "path", ["/", "/models/shop", "/v2/models/shop/infer", "/v2/models/shop/versions/1/infer",
             "/predict", "/label-studio/shop/predict", "/v1/predict?x=1"],
)  # fmt: skip
def test_all_that_waits_in_the_queue_is_refused(full: Served, path: str) -> None:
    for _ in range(2):  # whole, and head and body apart
        assert talk(full, head(path, 2) + b"{}", LAST).count(b"HTTP/1.1 503 ") == 1
        assert full.ask("POST", path, {}).status == 503


@pytest.mark.parametrize("more", [b"connection: close\r\n", b"expect: 100-continue\r\n"])
def test_refusals_of_requests_that_are_unusual(full: Served, more: bytes) -> None:
    said = talk(full, head("/v1/predict", len(BODY), more) + BODY, LAST)
    assert said.count(b"HTTP/1.1 503 ") == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/health/ready", 200), ("GET", "/metrics", 200), ("POST", "/v1/explain", 200),
     ("POST", "/setup", 200), ("POST", "/admin/reload", 404), ("POST", "/v1/nothing", 404)],
)  # fmt: skip
def test_what_does_not_wait_in_the_queue_is_answered(
    full: Served, method: str, path: str, status: int
) -> None:
    body = TEXT if path == "/v1/explain" else {}
    assert full.ask(method, path, body if method == "POST" else None).status == status


def test_garbage_while_the_queue_is_full(full: Served) -> None:
    assert talk(full, b"POST nowhere\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert talk(full, b"POST /v1/pre") == b""  # dropped after the time for a head


def test_a_refusal_under_way_is_sent_before_the_end(full: Served) -> None:
    with socket.create_connection(("127.0.0.1", full.port), timeout=20) as client:
        client.sendall(REQUEST)
        full.server.should_exit = True
        assert client.recv(1000).startswith(b"HTTP/1.1 503 ")


def test_refused_connections_are_kept_and_idle_ones_closed(
    full: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    full.server.config.timeout_keep_alive = 1  # in whole seconds
    with socket.create_connection(("127.0.0.1", full.port), timeout=20) as client:
        for _ in range(8):
            client.sendall(REQUEST)
            assert client.recv(1000).startswith(b"HTTP/1.1 503 ")
            time.sleep(0.2)
        start = time.perf_counter()
        assert client.recv(1000) == b""
        assert 0.5 < time.perf_counter() - start < 10


def test_a_client_that_takes_no_refusals(full: Served) -> None:
    """What it is to be sent does not pile up: its requests are no longer read."""
    with socket.create_connection(("127.0.0.1", full.port), timeout=1) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(OSError, match=r"timed out|reset|Broken pipe"):
            client.sendall(REQUEST * 200_000)
    full.service.batcher.queued = 0
    full.post("/v1/predict", TEXT)


def test_websockets_are_not_spoken(served: Served) -> None:
    said = talk(served, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, close\r\n"
                b"upgrade: websocket\r\nsec-websocket-key: x\r\n\r\n")  # fmt: skip
    assert said.startswith(b"HTTP/1.1 200 ")


@contextmanager
def process(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``sentir serve`` as a process, and its URL."""
    command = [sys.executable, "-W", "error", "-m", "sentir", "serve", str(folder), "--port", "0",
               "--engine", "onnx", *options]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        try:
            for line in running.stderr:
                if "serving at " in line:
                    break
            else:
                raise AssertionError("it ended")
            yield running, "http://127.0.0.1:" + line.split("127.0.0.1:")[1].split()[0].rstrip('",')
        finally:
            running.kill()


def answered(url: str) -> float:
    """The probability that the server answers."""
    request = urllib.request.Request(
        f"{url}/v1/predict", json.dumps(TEXT).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        probability: float = json.load(reply)["predictions"][0]["probability"]
    return probability


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_answers_what_has_begun(paths: dict[str, Path], workers: str) -> None:
    """Clients ask until nobody listens: each request that was sent has its answer."""
    with process(paths["shop"], "--drain-s", "0.3", "--workers", workers) as (running, url):
        expected = answered(url)
        wrong: list[str] = []
        counts = [0] * 4

        def ask(number: int) -> None:
            while True:
                try:
                    if abs(answered(url) - expected) > 1e-9:
                        wrong.append("another answer")
                    counts[number] += 1
                except urllib.error.URLError as error:
                    if not isinstance(error.reason, ConnectionRefusedError):
                        wrong.append(repr(error))
                    return
                except Exception as error:
                    wrong.append(repr(error))
                    return

        clients = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.4)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
        for client in clients:
            client.join()
        # A connection that the system took as the socket closed was never accepted by the server.
        system = ("Connection reset", "Broken pipe")
        assert [one for one in wrong if not any(text in one for text in system)] == []
        assert len(wrong) <= len(counts)
        assert min(counts) > 0


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_success(paths: dict[str, Path], number: signal.Signals) -> None:
    with process(paths["shop"], "--log-json") as (running, url):
        answered(url)
        running.send_signal(number)
        assert running.wait(timeout=30) == 0
        assert running.stderr is not None
        lines = [json.loads(line) for line in running.stderr]
        assert [line["message"] for line in lines] == ["request", "all requests answered, ended"]


def test_no_type_crashes_the_process_as_it_ends() -> None:
    """Of processes that used msgspec.Meta a quarter crashed as they ended (msgspec issue 717)."""
    folder = Path(str(resources.files("sentir.serving")))
    sources = {path: path.read_text("utf-8") for path in folder.rglob("*.py")}
    assert len(sources) > 15
    assert [path.name for path, source in sources.items() if "msgspec.Meta(" in source] == []


def test_answering_loads_no_torch(paths: dict[str, Path]) -> None:
    program = (
        "import sys\nimport sentir.serving.server\n"
        "assert not {'torch', 'sklearn', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True,
        timeout=60, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
