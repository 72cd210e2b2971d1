"""HTTP as uvicorn speaks it, with limits for clients that are slow or send garbage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

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


class GuardedProtocol(HttpToolsProtocol):
    """A connection whose client has so much time to send a head, and to take what was sent.

    Class attributes, as uvicorn makes the connections:

    Attributes:
        read_timeout_s: from the connection, or the first byte of a later request, to the end of the
            head.
        write_timeout_s: until a full buffer has been taken.
        refusal: the whole answer to a request for that URL which is not to be read, or None.
    """

    refusal: Callable[[bytes], bytes | None] = staticmethod(lambda url: None)

    read_timeout_s = 10.0
    write_timeout_s = 30.0
    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _active: RequestResponseCycle | None = None
    _is_in_head, _head_bytes = True, 0

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
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_head_timer()
        is_free = self.cycle is None or self.cycle.response_complete
        if is_free and self.parser.should_keep_alive() and self.parser.get_method() == b"POST":
            refusal = self.refusal(self.url)
            if refusal is not None:
                self.transport.write(refusal)
                self.cycle = _REFUSED
                return
        super().on_headers_complete()

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
        if self.transport.get_write_buffer_size():  # its client takes nothing: closing would wait
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _limit_unread_body(self) -> None:
        """Of a request that has its answer, the rest of the body is dropped as it comes.

        A client reads the answer once it has sent all, so closing at once would hide it.
        """
        is_answered = self.cycle is not None and self.cycle.response_complete
        if is_answered and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self.read_timeout_s, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
