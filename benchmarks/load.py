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

import numpy as np

#: How far an answer may be from the expected one.
TOLERANCE = 1e-5


@dataclass
class Outcome:
    """What became of the requests.

    Attributes:
        statuses: how many requests had each status; 0: the connection failed.
        seconds: of each answer with status 200, from when it should have been sent.
        refused_s: of each answer with another status.
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

    def quantile_ms(self, share: float, *, refused: bool = False) -> float:
        values = self.refused_s if refused else self.seconds
        return 1000 * float(np.quantile(values, share)) if values else float("nan")


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
        return asyncio.run(self._run(connections, seconds, None))

    def open_loop(self, connections: int, seconds: float, rate: float) -> Outcome:
        """So many requests per second, whatever the answers take."""
        return asyncio.run(self._run(connections, seconds, rate))

    async def _run(self, connections: int, seconds: float, rate: float | None) -> Outcome:
        outcome, start = Outcome(), time.perf_counter()
        numbers = iter(range(10**9))
        await asyncio.gather(
            *(
                self._connection(outcome, numbers.__next__, start, seconds, rate)
                for _ in range(connections)
            )
        )
        outcome.duration_s = time.perf_counter() - start
        return outcome

    async def _connection(self, outcome: Outcome, next_number, start, seconds, rate) -> None:  # type: ignore[no-untyped-def]
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        while True:
            number = next_number()
            due = start + number / rate if rate else time.perf_counter()
            if due > start + seconds:
                break
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            try:
                if reader is None or writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(self._requests[number % len(self._requests)])
                status, body, is_last = await _answer(reader)
            except (OSError, asyncio.IncompleteReadError):
                outcome.statuses[0] += 1
                reader = None
                continue
            took = time.perf_counter() - due
            outcome.statuses[status] += 1
            (outcome.seconds if status == 200 else outcome.refused_s).append(took)
            if status == 200 and self._expected:
                outcome.wrong += not self._is_right(number % len(self._requests), body)
            if is_last:
                writer.close()
                reader = None
        if writer is not None:
            writer.close()

    def _is_right(self, number: int, body: bytes) -> bool:
        answer = json.loads(body)
        expected = self._expected.get(answer["version"])
        if expected is None:
            return False
        got = [one["probability"] for one in answer["predictions"]]
        return np.allclose(got, expected[number], atol=TOLERANCE)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection ends."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
    return int(head[9:12]), await reader.readexactly(length), b"connection: close" in head


def _http(path: str, texts: Sequence[str]) -> bytes:
    body = json.dumps({"text": texts[0]} if len(texts) == 1 else {"texts": list(texts)}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body
