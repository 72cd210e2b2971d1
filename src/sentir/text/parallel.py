"""Cutting reviews into words on all cores, the outcome the same as on one.

The caller's process reads and writes; workers cut what they are given and answer in words, so that
nothing depends on which of them did it. A worker is a fresh interpreter behind two pipes. It never
runs the caller's script (no ``if __name__ == "__main__"`` is needed), shares no threads or locks
with it, and ends when its pipe does, however the caller went.
"""

from __future__ import annotations

import gc
import os
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

if TYPE_CHECKING:
    from sentir.config import CleanStep

T = TypeVar("T")

#: A worker takes longer to start than a process to cut this many chunks by itself.
FEW_CHUNKS = 2
#: Chunks that are with a worker or wait for one, for each worker: what is read while one starts.
AHEAD = 4
#: A worker cuts about half as fast as bz2 is read, so that more would wait for their reader.
MAX_WORKERS = 4

# Ctrl-C reaches every process of a terminal; what it means is the caller's to decide.
_PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer)\n"
    "from sentir.text.parallel import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
)


def tokenize_all(
    chunks: Iterable[tuple[pa.StringArray, T]],
    steps: Sequence[CleanStep] | None,
    processes: int | None = None,
) -> Generator[tuple[pa.StringArray, T, TokenizedBatch], None, None]:
    """Each chunk with what its texts are cut into, in order; few chunks start no worker.

    To be closed (`contextlib.closing`) if it may be left before its end.

    Args:
        chunks: texts, and what goes with them.
        steps: cleaning steps; None cuts nothing and only hashes, in this process.
        processes: this one and the workers together; as many as cores if None.

    Raises:
        WorkerError: a worker ended before its time.
    """
    source = iter(chunks)
    head = list(islice(source, FEW_CHUNKS))
    count = min((processes or available_cores()) - 1, MAX_WORKERS)
    if len(head) < FEW_CHUNKS or count < 1 or steps is None or not sys.executable:
        cutter = BatchTokenizer(steps)
        for texts, rest in chain(head, source):
            yield texts, rest, cutter(texts)
        return
    workers = _Workers(count, steps)
    waiting: deque[tuple[pa.StringArray, T, Future[TokenizedBatch]]] = deque()
    try:
        for texts, rest in chain(head, source):
            waiting.append((texts, rest, workers.submit(texts)))
            if len(waiting) > AHEAD * count:
                texts, rest, cut = waiting.popleft()
                yield texts, rest, cut.result()
        for texts, rest, cut in waiting:
            yield texts, rest, cut.result()
    finally:
        workers.close()


def available_cores() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Workers:
    def __init__(self, count: int, steps: Sequence[CleanStep]) -> None:
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        # -P: no module of the current folder comes before Python's own.
        command = [sys.executable, "-P", "-c", _PROGRAM]
        self._all = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(count)
        ]
        # A thread for each, as a full pipe blocks who writes to it.
        self._threads = ThreadPoolExecutor(count, "sentir-worker")
        for process in self._all:
            with suppress(OSError):  # it has ended: met when it is given work
                _send(process.stdin, sys.path, tuple(steps))
            self._idle.put(process)

    def submit(self, texts: pa.StringArray) -> Future[TokenizedBatch]:
        return self._threads.submit(self._cut, texts)

    def _cut(self, texts: pa.StringArray) -> TokenizedBatch:
        process = self._idle.get()
        try:
            _send(process.stdin, texts)
            cut: TokenizedBatch = pickle.load(process.stdout)  # type: ignore[arg-type]
        except (OSError, EOFError, pickle.UnpicklingError):
            raise WorkerError(
                f"a worker that cuts reviews into words has ended (exit code {process.wait()})",
                todo="see above if it told why; else make room in memory, and run again",
            ) from None
        finally:
            self._idle.put(process)
        return cut

    def close(self) -> None:
        for process in self._all:
            process.kill()  # it has nothing to lose, and its thread stops waiting for it
        self._threads.shutdown(cancel_futures=True)
        for process in self._all:
            with suppress(OSError), process:  # what it had not read is lost
                pass


def _send(stream: Any, *objects: object) -> None:
    for one in objects:
        pickle.dump(one, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


def serve(source: Any, sink: Any) -> None:
    """Work as a worker: the steps, then texts come in, and `TokenizedBatch`s go out, until the pipe ends."""
    gc.disable()  # it makes no cycles, and has a great many pieces to look through for them
    cutter = BatchTokenizer(pickle.load(source))
    with suppress(EOFError, BrokenPipeError):
        while True:
            _send(sink, cutter(pickle.load(source)))
