"""Refusals of requests that the queue has no room for.

Under overload most requests are refused, and what that costs is lost to the answers. So a refusal
is written where the connection is read, without a task for the request; and it is sent after a
pause, together with others, so that clients that ask again at once do not keep Python's lock from
the engine's threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec
from starlette.routing import Route

from sentir.serving.errors import queue_full
from sentir.serving.service import Service

LOG = logging.getLogger("sentir.serving")
#: How long a refusal waits to be sent with others (seconds).
PAUSE_S = 0.02
#: How many are sent at once: so many per text that was answered meanwhile, but at least so many.
#: The rest waits once more, so that refusals do not keep the engine from its work.
PER_ANSWER, AT_LEAST = 1.5, 100
#: How often the log gets the number of refusals (seconds).
LOG_S = 1.0
_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n"
    b"retry-after: %d\r\ncontent-length: %d\r\n\r\n%b"
)


class Refusals:
    """What connections ask before they read a request.

    Args:
        service: what all endpoints share.
        routes: those whose texts wait in the queue.
    """

    def __init__(self, service: Service, routes: Sequence[Route]) -> None:
        self._service, self._batcher = service, service.batcher
        self._has_cors = bool(service.options.cors_origins)
        self._let_in = self._answered = 0
        self._counts: Counter[str] = Counter()
        self._waiting: deque[Callable[[], None]] = deque()
        self._answer, self._made_for = b"", (-1, -1)

        @lru_cache(maxsize=256)
        def route_of(url: bytes) -> str | None:
            path = url.partition(b"?")[0].decode("latin-1")
            return next((one.path for one in routes if one.path_regex.match(path)), None)

        self._route_of = route_of

    def is_full(self) -> bool:
        """Whether requests are refused here; not where their answers need other headers."""
        batcher = self._batcher
        return batcher.queued + self._let_in >= batcher.max_queued_texts and not (
            self._has_cors or self._service.is_draining
        )

    def let_in(self) -> None:
        """Count a request whose text will be queued only once all that have arrived are read."""
        if not self._let_in:
            asyncio.get_running_loop().call_soon(self._all_queued)
        self._let_in += 1

    def _all_queued(self) -> None:
        self._let_in = 0

    def answer(self, url: bytes) -> bytes | None:
        """The whole answer to a refused request for that URL, which is counted; None: let it in."""
        route = self._route_of(url)
        if route is None:
            return None
        self._count(route)
        queued, seconds = self._batcher.queued, self._batcher.retry_after_s()
        if self._made_for != (queued, seconds):
            error = queue_full(queued, self._batcher.max_queued_texts, seconds)
            body = msgspec.json.encode({"error": str(error)})
            self._answer = _ANSWER % (seconds, len(body), body)
            self._made_for = queued, seconds
        return self._answer

    def send_later(self, send: Callable[[], None]) -> None:
        """Call it after the pause, with all others."""
        if not self._waiting:
            self._answered = self._batcher.answered
            asyncio.get_running_loop().call_later(PAUSE_S, self._send)
        self._waiting.append(send)

    def _send(self) -> None:
        answered = self._batcher.answered - self._answered
        self._answered += answered
        at_once = max(AT_LEAST, int(PER_ANSWER * answered))
        for _ in range(min(at_once, len(self._waiting))):
            self._waiting.popleft()()
        if self._waiting:
            asyncio.get_running_loop().call_later(PAUSE_S, self._send)

    def _count(self, route: str) -> None:
        self._service.metrics.add_refused(route)
        if self._service.options.log_json:
            if not self._counts:
                asyncio.get_running_loop().call_later(LOG_S, self._log)
            self._counts[route] += 1

    def _log(self) -> None:
        counts, self._counts = self._counts, Counter()
        for route, count in counts.items():
            fields = {"route": route, "status": 503, "requests": count}
            LOG.info("refused", extra={"fields": fields})
