"""``POST /v1/files``: a file of reviews in, the same file with its predictions out.

The body is spooled to a temporary file without a name before an answer begins. A client may send
its whole file before it reads a byte of the answer, so an answer beside the request would stop both
once the buffers are full. The file is read twice: once to find rows that cannot be read, which are
an error with the row's number, and once to answer. So memory does not grow with the file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import IO, Any, Literal, NamedTuple

from starlette.types import Receive, Scope, Send

from sentir.config import read_settings
from sentir.errors import SentirError
from sentir.inference.files import PredictionColumns, check_columns, labelled_records
from sentir.inference.network import Floats
from sentir.inference.predictor import Prediction, Predictor
from sentir.io.columns import Columns
from sentir.io.compression import MAGIC_BYTES, detect_compression
from sentir.io.reader import BadRows, ReadOptions, Review, read_reviews
from sentir.io.row_reader import ColumnLog
from sentir.io.table_form import TableForm
from sentir.io.writer import encode_records
from sentir.serving.batcher import Batcher
from sentir.serving.errors import RequestError
from sentir.serving.http import (
    CLIENT_GONE,
    body_parts,
    check_encoding,
    flag,
    media_type,
    query,
    too_slow,
)
from sentir.serving.service import Service

LOG = logging.getLogger("sentir.serving")
Format = Literal["csv", "tsv", "jsonl"]
#: Format by content type.
FORMATS: dict[bytes, Format] = {
    b"text/csv": "csv",
    b"text/tab-separated-values": "tsv",
    b"application/x-ndjson": "jsonl",
    b"application/jsonl": "jsonl",
}
#: Texts that are given to the batcher at a time, and such windows that are under way.
_WINDOW, _WINDOWS = 256, 2
#: Lines that are sent together.
_LINES = 256
_NAME = "body"
#: Of a name or a message in a header.
_HEADER_CHARACTERS = 500


class BatchedPredictor:
    """Answers a stream of texts by the batcher, from a thread that is not the event loop's."""

    def __init__(
        self, predictor: Predictor, batcher: Batcher, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.bundle, self.labels = predictor.bundle, predictor.labels
        self._predictor, self._batcher, self._loop = predictor, batcher, loop

    def likeliest(self, probabilities_C: Floats) -> Prediction:
        return self._predictor.likeliest(probabilities_C)

    def proba_stream(self, texts: Iterable[str]) -> Iterator[Floats]:
        """As `Predictor.proba_stream`."""
        source = iter(texts)
        pending: deque[Future[Floats]] = deque()
        try:
            while window := list(islice(source, _WINDOW)):
                answers = self._batcher.probabilities(self._predictor, window, refuse=False)
                pending.append(asyncio.run_coroutine_threadsafe(answers, self._loop))
                if len(pending) == _WINDOWS:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            for one in pending:
                one.cancel()


class Files:
    """The endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._service.limits
        format = FORMATS.get(media_type(scope))
        if format is None:
            raise RequestError(
                415, f"content-type {media_type(scope).decode('latin-1')[:100]!r}",
                todo="send text/csv, text/tab-separated-values or application/x-ndjson",
            )  # fmt: skip
        check_encoding(scope)
        values = query(scope, "model", "probabilities", "text_column", "on_error")
        model = self._service.models.get(values.get("model"))
        columns = PredictionColumns(
            BatchedPredictor(model.predictor, self._service.batcher, asyncio.get_running_loop()),
            all_classes=flag(values, "probabilities"),
        )
        reading = {name: values[name] for name in values.keys() & {"text_column", "on_error"}}
        options, _ = read_settings({**reading, "format": format})
        scope["sentir"].model = model.name
        if self._open >= limits.max_files:
            raise RequestError(
                503, f"{self._open} files are being labelled", todo="try again in 5 s",
                headers={"retry-after": "5"}, reason="too_many_files",
            )  # fmt: skip
        self._open += 1
        try:
            # One thread, in which the file's steps come one after another.
            with _spool() as spool, _thread() as thread:
                await self._receive(scope, receive, spool)
                await self._answer(spool, columns, options, format, receive, send, thread)
        finally:
            self._open -= 1

    async def _receive(self, scope: Scope, receive: Receive, spool: IO[bytes]) -> None:
        timeout_s = self._service.limits.read_timeout_s

        async def in_time() -> Any:
            try:
                async with asyncio.timeout(timeout_s):
                    return await receive()
            except TimeoutError:
                raise too_slow(timeout_s) from None

        try:
            await body_parts(scope, in_time, self._service.limits.max_file_bytes, spool.write)
            spool.flush()
        except OSError as error:
            LOG.error("a file cannot be spooled in %s: %s", tempfile.gettempdir(), error.strerror)
            raise RequestError(507, "the server has no room for the file") from None

    async def _answer(
        self, spool: IO[bytes], columns: PredictionColumns, options: ReadOptions, format: Format,
        receive: Receive, send: Send, thread: ThreadPoolExecutor,
    ) -> None:  # fmt: skip
        in_thread = partial(asyncio.get_running_loop().run_in_executor, thread)
        path = _path(spool)
        try:
            checked = await in_thread(_check, spool, path, options, columns)
        except RequestError:
            raise
        except SentirError as error:
            raise RequestError(422, str(error).replace(path, _NAME)) from None
        content_type = next(kind for kind, name in FORMATS.items() if name == format)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", content_type + b"; charset=utf-8"),
                    (b"sentir-skipped-rows", str(checked.skipped).encode()),
                    (b"sentir-text-columns", json.dumps(checked.text_columns).encode()),
                    (b"sentir-warnings", json.dumps(checked.doubts).encode()),
                ],
            }
        )
        parts = _parts(path, columns, options, format)
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            while part := await in_thread(next, parts, b""):
                await send({"type": "http.response.body", "body": part, "more_body": True})
                if gone.done():
                    raise RequestError(CLIENT_GONE, "the client went away")
        finally:
            gone.cancel()
            await in_thread(parts.close)
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def _thread() -> Iterator[ThreadPoolExecutor]:
    thread = ThreadPoolExecutor(1, "sentir-file")
    try:
        yield thread
    finally:
        thread.shutdown(wait=False)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _spool() -> IO[bytes]:
    """A temporary file; on Linux it has no name, so that nothing is left whatever happens."""
    if sys.platform == "linux":
        return tempfile.TemporaryFile(prefix="sentir-")
    return tempfile.NamedTemporaryFile(prefix="sentir-")


def _path(spool: IO[bytes]) -> str:
    return f"/proc/self/fd/{spool.fileno()}" if sys.platform == "linux" else spool.name


class _Columns(ColumnLog):
    """The columns that were read; doubts about them are for the client, not for the log."""

    def __init__(self, trained_on: Sequence[Columns]) -> None:
        super().__init__(trained_on)
        self.doubts: list[str] = []

    def add(self, name: str, columns: Columns) -> None:
        self.read.append(columns)
        self.doubts += [doubt for doubt in columns.doubts if doubt not in self.doubts]


class _Checked(NamedTuple):
    """What is known of a file once all of its rows have been read."""

    skipped: int
    text_columns: list[str]
    doubts: list[str]


def _check(
    spool: IO[bytes], path: str, options: ReadOptions, columns: PredictionColumns
) -> _Checked:
    """Read all rows.

    Raises:
        DataError: a row cannot be read, or the file has a column that is to be added.
    """
    spool.seek(0)
    if detect_compression(spool.read(MAGIC_BYTES)):
        raise RequestError(415, "a compressed file", todo="send it uncompressed")
    bad_rows, read = BadRows(options.on_error), _Columns(columns.predictor.bundle.columns)
    for review in _reviews(path, options, bad_rows, read, TableForm()):
        check_columns(review, columns.names)
    texts = [name[:_HEADER_CHARACTERS] for one in read.read[:1] for name in one.text]
    doubts = [doubt[:_HEADER_CHARACTERS] for doubt in read.doubts[:5]]
    return _Checked(bad_rows.count, texts, doubts)


def _reviews(
    path: str, options: ReadOptions, bad_rows: BadRows, columns: ColumnLog, form: TableForm
) -> Iterator[Review]:
    return read_reviews(
        [path],
        options,
        bad_rows=bad_rows,
        labelled=False,
        keep_empty=True,
        form=form if options.format in ("csv", "tsv") else None,
        columns=columns,
    )


def _parts(
    path: str, columns: PredictionColumns, options: ReadOptions, format: Format
) -> Generator[bytes, None, None]:
    """The labelled file in parts."""
    form, read = TableForm(), _Columns(columns.predictor.bundle.columns)
    reviews = _reviews(path, options, BadRows(options.on_error), read, form)
    lines = encode_records(labelled_records(columns, reviews, format), format, _NAME, form=form)
    while part := b"".join(islice(lines, _LINES)):
        yield part
