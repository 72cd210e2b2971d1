"""A client that loads a server, checks every answer, and notes how long each took.

The requests are made beforehand, and the answers are read by hand, so that one core asks faster
than a server on one core answers.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import uvloop

#: How far an answer may be from the expected one.
TOLERANCE = 1e-5


@dataclass
class Outcome:
    """What became of the requests.

    Attributes:
        statuses: how many requests had each status; 0: the connection failed.
        seconds: of each answer with status 200, from when it should have been sent.
        refused_s: of each answer with another status, from when it was sent.
        wrong: answers that are not the expected ones.
        duration_s: of the whole load.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    wrong: int = 0
    duration_s: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.statuses[200] / self.duration_s

    def quantile_ms(self, share: float) -> float:
        """Of the time that answers took."""
        return _quantile_ms(self.seconds, share)

    def refused_ms(self, share: float) -> float:
        """Of the time that refusals took; a late client does not count, as it has no core for
        itself."""
        return _quantile_ms(self.refused_s, share)


def _quantile_ms(seconds: list[float], share: float) -> float:
    return 1000 * float(np.quantile(seconds, share)) if seconds else float("nan")


class Client:
    """Asks a server for the probabilities of texts.

    Args:
        port: of the server.
        requests: the texts of each request.
        expected: the probability of the likeliest class of each text, by request and by version of
            the model; without versions the answers are not checked.
        path: where to ask.
    """

    def __init__(
        self,
        port: int,
        requests: Sequence[Sequence[str]],
        expected: dict[str, list[list[float]]] | None = None,
        path: str = "/v1/predict",
    ) -> None:
        self._port, self._expected = port, expected or {}
        self._requests = [_http(path, texts) for texts in requests]

    def closed_loop(self, connections: int, seconds: float) -> Outcome:
        """Each connection asks again as soon as it has its answer."""
        return uvloop.run(self._run(connections, seconds, None))

    def open_loop(self, connections: int, seconds: float, rate: float) -> Outcome:
        """So many requests per second, whatever the answers take."""
        return uvloop.run(self._run(connections, seconds, rate))

    async def _run(self, connections: int, seconds: float, rate: float | None) -> Outcome:
        loop, outcome = asyncio.get_running_loop(), Outcome()
        start = time.perf_counter()
        load = _Load(self, outcome, start, start + seconds, rate)
        await asyncio.gather(*(load.connect(loop) for _ in range(connections)))
        await load.done.wait()
        outcome.duration_s = time.perf_counter() - start
        return outcome

    async def connect(self, connection: asyncio.Protocol) -> None:
        """Open a connection to the server."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: connection, "127.0.0.1", self._port)

    def request(self, number: int) -> bytes:
        """The bytes of a request."""
        return self._requests[number % len(self._requests)]

    def is_right(self, number: int, body: bytes) -> bool:
        """Whether an answer is the expected one of the version that it names."""
        if not self._expected:
            return True
        answer = msgspec.json.decode(body)
        expected = self._expected.get(answer["version"])
        return expected is not None and all(
            abs(one["probability"] - right) < TOLERANCE
            for one, right in zip(
                answer["predictions"], expected[number % len(self._requests)], strict=True
            )
        )


class _Load:
    """What the connections of one load share: the number of the next request, and the outcome."""

    def __init__(
        self, client: Client, outcome: Outcome, start: float, end: float, rate: float | None
    ) -> None:
        self.client, self.outcome, self.end = client, outcome, end
        self._start, self._rate, self._number = start, rate, 0
        self._open, self.done = 0, asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, loop: asyncio.AbstractEventLoop) -> None:
        """A connection that asks until the end; where none can be opened, it tries again."""
        self._open += 1
        while time.perf_counter() < self.end:
            try:
                await self.client.connect(_Connection(self, loop))
                return
            except OSError:
                self.outcome.statuses[0] += 1
                await asyncio.sleep(0.05)
        self.close()

    def next_request(self) -> tuple[int, float]:
        """The number of a request, and when it is due."""
        number, self._number = self._number, self._number + 1
        due = self._start + number / self._rate if self._rate else time.perf_counter()
        return number, due

    def reopen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open another connection for one that the server has closed."""
        self._open -= 1
        task = loop.create_task(self.connect(loop))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """One connection has ended."""
        self._open -= 1
        if not self._open:
            self.done.set()


class _Connection(asyncio.Protocol):
    """Sends one request after the other."""

    def __init__(self, load: _Load, loop: asyncio.AbstractEventLoop) -> None:
        self._load, self._loop = load, loop
        self._received, self._is_waiting = b"", False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._number, self._due = self._load.next_request()
        now = time.perf_counter()
        if max(self._due, now) > self._load.end:  # a late client does not catch up afterwards
            self._transport.close()
        elif (early_s := self._due - now) > 0:
            self._loop.call_later(early_s, self._send)
        else:
            self._send()

    def _send(self) -> None:
        self._is_waiting, self._sent_at = True, time.perf_counter()
        self._transport.write(self._load.client.request(self._number))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.split(b"content-length: ", 1)[1].split(b"\r", 1)[0]):
            return
        self._received, self._is_waiting = b"", False
        status, outcome = int(head[9:12]), self._load.outcome
        outcome.statuses[status] += 1
        now = time.perf_counter()
        if status != 200:
            outcome.refused_s.append(now - self._sent_at)
        else:
            outcome.seconds.append(now - self._due)
            outcome.wrong += not self._load.client.is_right(self._number, body)
        if b"connection: close" in head:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_waiting:
            self._load.outcome.statuses[0] += 1
        if time.perf_counter() < self._load.end and self._due <= self._load.end:
            self._load.reopen(self._loop)
        else:
            self._load.close()


def _http(path: str, texts: Sequence[str]) -> bytes:
    body = json.dumps({"text": texts[0]} if len(texts) == 1 else {"texts": list(texts)}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body
