"""HTTP as uvicorn speaks it, with limits for clients that are slow or send garbage."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sentir.serving.http import WHOLE
from sentir.serving.refusals import Refusals

#: Bytes of a request line with its headers.
MAX_HEAD_BYTES = 1 << 16
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class _Refused:
    """Stands for the cycle of a request that had its answer before it was read."""

    response_complete = disconnected = True
    message_event = asyncio.Event()


_REFUSED: Any = _Refused()


class _Scout:
    """Looks whether bytes are exactly one whole request; keeps nothing of it but its URL."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)

    def url_of(self, data: bytes) -> bytes | None:
        """The URL, if the bytes are one whole POST whose connection stays open, and no more."""
        self._begun, self._whole, self._url = 0, 0, b""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._begun = 0
        if self._begun == self._whole == 1:
            return self._url
        self._parser = httptools.HttpRequestParser(self)  # the old one waits for more
        return None

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        self._whole += self._parser.should_keep_alive() and self._parser.get_method() == b"POST"


class GuardedProtocol(HttpToolsProtocol):
    """A connection whose client has so much time to send a head, and to take what was sent.

    Where the queue is full, requests are refused here, most of them before uvicorn parses them.

    Class attributes, as uvicorn makes the connections:

    Attributes:
        read_timeout_s: from the connection, or the first byte of a later request, to the end of the
            head.
        write_timeout_s: until a full buffer has been taken.
        refusals: tell which requests are refused.
    """

    refusals: Refusals
    read_timeout_s = 10.0
    write_timeout_s = 30.0
    _scout = _Scout()
    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _active: RequestResponseCycle | None = None
    _is_in_head, _head_bytes, _is_between = True, 0, True
    _refusal, _refused_at, _is_let_in = b"", 0.0, False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)
        if self._active is not None:  # uvicorn tells the newest of pipelined requests only
            self._active.disconnected = True
            self._active.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._is_let_in = False
        if self._is_between and self._is_free():
            if not self.refusals.is_full():
                self.refusals.let_in()
                self._is_let_in = True
            elif self._refuse_whole(data):
                return
        super().data_received(data)
        if not self._is_in_head:
            self._limit_unread_body()
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._head_timer is None:
            self._start_head_timer()

    def on_message_begin(self) -> None:
        self._send_refusal()
        self._is_in_head, self._head_bytes, self._is_between = True, 0, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_head_timer()
        if (
            not self._is_let_in
            and self.refusals.is_full()
            and self._is_free()
            and self.parser.should_keep_alive()
            and self.parser.get_method() == b"POST"
            and (refusal := self.refusals.answer(self.url))
        ):
            self.cycle = _REFUSED
            self._refuse(refusal)
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_between = True
        self.scope[WHOLE] = True  # type: ignore[literal-required]
        super().on_message_complete()

    def shutdown(self) -> None:
        self._send_refusal()
        super().shutdown()

    def _is_free(self) -> bool:
        """Whether no earlier request waits for its answer, and the client takes its answers."""
        is_free = self.cycle is None or self.cycle.response_complete
        return is_free and not self.flow.write_paused

    def _refuse_whole(self, data: bytes) -> bool:
        """Refuse a request that has come whole, and in one piece; whether it was one."""
        self._send_refusal()
        url = self._scout.url_of(data)
        if url is None or (refusal := self.refusals.answer(url)) is None:
            return False
        self._refuse(refusal)
        return True

    def _refuse(self, refusal: bytes) -> None:
        self._stop_head_timer()
        self._refusal, self._refused_at = refusal, self.loop.time()
        self.refusals.send_later(self._send_refusal)
        if self.timeout_keep_alive_task is None:
            self._start_keep_alive_timer(self.timeout_keep_alive)

    def _send_refusal(self) -> None:
        if self._refusal:
            if not self.transport.is_closing():
                self.transport.write(self._refusal)
            self._refusal = b""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        self._write_timer = self.loop.call_later(self.write_timeout_s, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        left_s = self._refused_at + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:  # refusals do not start the timer anew each
            self._start_keep_alive_timer(left_s)
            return
        if self.transport.get_write_buffer_size():  # its client takes nothing: closing would wait
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _start_keep_alive_timer(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _limit_unread_body(self) -> None:
        """Of a request that has its answer, the rest of the body is dropped as it comes.

        A client reads the answer once it has sent all, so closing at once would hide it.
        """
        is_answered = self.cycle is not None and self.cycle.response_complete
        if is_answered and self.timeout_keep_alive_task is None:
            self._start_keep_alive_timer(self.timeout_keep_alive)

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self.read_timeout_s, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
