"""Tokenise reviews on all cores; the result is that of a single process.

The caller's process reads and writes. Workers receive texts and return `TokenizedBatch`es, which
hold words instead of ids, so the result does not depend on which worker did what. A worker is a
fresh interpreter behind two pipes: it never runs the caller's script (no
``if __name__ == "__main__"`` is needed), shares no threads or locks with it, loads no PyTorch, and
ends when its pipe does, even if the caller was killed.
"""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from sentir.errors import WorkerError
from sentir.text.batch import BatchTokenizer, TokenizedBatch
from sentir.text.cores import available_cores

if TYPE_CHECKING:
    from sentir.config import CleanStep

T = TypeVar("T")

#: With fewer chunks no worker is started: one process is done before a worker has started.
MIN_CHUNKS = 2
#: Chunks submitted per worker before a result is awaited: what is read while a worker starts.
CHUNKS_PER_WORKER = 4
#: A worker tokenises about half as fast as bz2 is read; more workers would wait for the reader.
MAX_WORKERS = 4

# Ctrl-C reaches every process of a terminal. The caller decides what it means.
_WORKER_PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer)\n"
    "from sentir.text.parallel import run_worker; run_worker(sys.stdin.buffer, sys.stdout.buffer)"
)


def tokenize_all(
    chunks: Iterable[tuple[pa.StringArray, T]],
    steps: Sequence[CleanStep] | None,
    processes: int | None = None,
) -> Generator[tuple[pa.StringArray, T, TokenizedBatch], None, None]:
    """Tokenise chunks of texts, in order; few chunks are tokenised in this process.

    Close it (`contextlib.closing`) if it may be left before its end.

    Args:
        chunks: texts, and anything that belongs to them, which is passed through.
        steps: cleaning steps; None only hashes the texts, in this process.
        processes: this process and the workers together; None: as many as cores.

    Raises:
        WorkerError: a worker ended early.
    """
    source = iter(chunks)
    head = list(islice(source, MIN_CHUNKS))
    count = min((processes or available_cores()) - 1, MAX_WORKERS)
    if len(head) < MIN_CHUNKS or count < 1 or steps is None or not sys.executable:
        tokenizer = BatchTokenizer(steps)
        for texts, extra in chain(head, source):
            yield texts, extra, tokenizer(texts)
        return
    workers = _WorkerPool(count, steps)
    pending: deque[tuple[pa.StringArray, T, Future[TokenizedBatch]]] = deque()
    try:
        for texts, extra in chain(head, source):
            pending.append((texts, extra, workers.submit(texts)))
            if len(pending) > CHUNKS_PER_WORKER * count:
                texts, extra, future = pending.popleft()
                yield texts, extra, future.result()
        for texts, extra, future in pending:
            yield texts, extra, future.result()
    finally:
        workers.close()


class _WorkerPool:
    def __init__(self, count: int, steps: Sequence[CleanStep]) -> None:
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        # -P: no module of the current folder comes before Python's own.
        command = [sys.executable, "-P", "-c", _WORKER_PROGRAM]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(count)
        ]
        # One thread per worker, since writing to a full pipe blocks.
        self._threads = ThreadPoolExecutor(count, "sentir-worker")
        for process in self._processes:
            with suppress(OSError):  # it has ended already: `_tokenize` reports it
                _send(process.stdin, sys.path, tuple(steps))
            self._idle.put(process)

    def submit(self, texts: pa.StringArray) -> Future[TokenizedBatch]:
        return self._threads.submit(self._tokenize, texts)

    def _tokenize(self, texts: pa.StringArray) -> TokenizedBatch:
        process = self._idle.get()
        try:
            _send(process.stdin, texts)
            batch: TokenizedBatch = pickle.load(process.stdout)  # type: ignore[arg-type]
        except (OSError, EOFError, pickle.UnpicklingError):
            raise WorkerError(
                f"a tokenizer process ended early (exit code {process.wait()})",
                todo="see its error above, if there is one; else free some memory and run again",
            ) from None
        finally:
            self._idle.put(process)
        return batch

    def close(self) -> None:
        for process in self._processes:
            process.kill()  # it has nothing to lose, and its thread stops waiting for it
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            with suppress(OSError), process:  # closing flushes what the worker did not read
                pass


def _send(stream: Any, *objects: object) -> None:
    for item in objects:
        pickle.dump(item, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


def run_worker(source: Any, sink: Any) -> None:
    """The worker's loop: read the cleaning steps, then tokenise texts until the pipe ends."""
    gc.disable()  # there are no cycles to find, and a large cache to search for them
    tokenizer = BatchTokenizer(pickle.load(source))
    with suppress(EOFError, BrokenPipeError):
        while True:
            _send(sink, tokenizer(pickle.load(source)))
