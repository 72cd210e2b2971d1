"""The micro-batcher: texts of many requests, computed in batches of similar length.

Whenever an engine slot is free it takes what is queued. Nothing waits for a batch to fill: while
the slots are busy, texts queue up anyway. A batch is the text that has waited longest and those
that are nearest to it in length, so that little padding is computed and no text waits for ever. The
texts that it is taken from are the oldest, a few of each request in turn, so that a request of a
thousand texts does not hold up a request of one.

All methods but the computation run in the event loop's thread, so there are no locks.

Shapes: N texts of a request, C classes.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from sentir.inference.cores import batch_workers
from sentir.inference.network import Floats
from sentir.inference.predictor import Predictor
from sentir.serving.errors import queue_full
from sentir.text.tokenizer import UNK

#: Texts that a batch is taken from, in batches: the more, the more similar are their lengths.
CANDIDATE_BATCHES = 8
#: Padding a text to more than its length divided by this costs more than a batch of its own.
MIN_LENGTH_RATIO = 0.7
#: Weight of the newest batch in the estimated time per text.
_NEWEST = 0.1


class BatchMeasurements(NamedTuple):
    """What one batch took, for the metrics.

    Attributes:
        predictor: the model.
        probabilities: (B, C) of the batch.
        queue_s: how long each text had waited (seconds).
        tokenizer_s, engine_s: time of the two steps (seconds).
        tokens, unknown_tokens: of all texts, before truncation.
    """

    predictor: Predictor
    probabilities: Floats
    queue_s: list[float]
    tokenizer_s: float
    engine_s: float
    tokens: int
    unknown_tokens: int


class _Job:
    """The texts of one request.

    Attributes:
        answers_NC: of more texts than one, the answers so far.
        taken: texts that are candidates or were.
        started: texts that a slot has begun with.
        missing: texts without an answer.
    """

    __slots__ = (
        "answers_NC", "future", "missing", "predictor", "queued_at", "started", "taken", "texts",
    )  # fmt: skip

    def __init__(
        self, predictor: Predictor, texts: Sequence[str], future: asyncio.Future[Floats]
    ) -> None:
        self.predictor, self.texts, self.future = predictor, texts, future
        self.taken = self.started = 0
        self.missing = len(texts)
        if self.missing > 1:
            self.answers_NC = np.empty((self.missing, len(predictor.labels)))
        self.queued_at = time.perf_counter()

    def add(self, row: int, probabilities_1C: Floats) -> None:
        """The answer to one text; the last completes the future."""
        self.missing -= 1
        if len(self.texts) > 1:
            self.answers_NC[row] = probabilities_1C
            probabilities_1C = self.answers_NC
        if not self.missing and not self.future.done():
            self.future.set_result(probabilities_1C)


#: A text of a job: its length, its number (the oldest has the lowest), the job, its row there. A
#: plain tuple, as one is made for each text; they are sorted by length, those of equal by age.
_Item = tuple[int, int, _Job, int]


class Batcher:
    """Computes the probabilities of texts that arrive in many requests at once.

    One batcher serves all models, so that the models share the cores and the queue.

    Args:
        max_queued_texts: texts that may wait; a request beyond them is refused.
        slots: batches that are computed at the same time; None: one per physical core.
        on_batch: called in the event loop with the measurements of each batch.
    """

    def __init__(
        self,
        *,
        max_queued_texts: int,
        slots: int | None = None,
        on_batch: Callable[[BatchMeasurements], None] = lambda measurements: None,
    ) -> None:
        self.max_queued_texts = max_queued_texts
        #: Texts that wait for a slot, and those that have been computed so far.
        self.queued = self.answered = 0
        self._slots = self._free = slots or batch_workers()
        self._pool = ThreadPoolExecutor(self._slots, thread_name_prefix="sentir-engine")
        self._on_batch = on_batch
        self._jobs: deque[_Job] = deque()
        self._candidates: list[_Item] = []
        self._numbers = itertools.count()
        self._is_scheduled = False
        self._s_per_text = 0.0

    async def probabilities(
        self, predictor: Predictor, texts: Sequence[str], *, refuse: bool = True
    ) -> Floats:
        """Probabilities of shape (N, C), as `Predictor.predict_proba`.

        If the caller is cancelled, texts that wait are dropped.

        Args:
            predictor: the model.
            texts: any number of them.
            refuse: whether the request is refused where the queue is full.

        Raises:
            RequestError: 503, the queue is full.
        """
        if not texts:
            return np.empty((0, len(predictor.labels)))
        if refuse:
            self.check_room(len(texts))
        loop = asyncio.get_running_loop()
        job = _Job(predictor, texts, loop.create_future())
        self._jobs.append(job)
        self.queued += len(texts)
        self._schedule(loop)
        try:
            return await job.future
        finally:  # of a job that was cancelled, or failed, some texts may still wait
            if waiting := len(texts) - job.started:
                self.queued -= waiting
                job.started = len(texts)
                self._candidates = [item for item in self._candidates if item[2] is not job]

    def check_room(self, count: int) -> None:
        """Refuse texts that the queue has no room for.

        Raises:
            RequestError: 503.
        """
        if self.queued + count > self.max_queued_texts:
            raise queue_full(self.queued, self.max_queued_texts, self.retry_after_s())

    def retry_after_s(self) -> int:
        """Whole seconds after which what waits now will be computed, at least 1."""
        return max(1, math.ceil(self.queued * self._s_per_text / self._slots))

    def close(self) -> None:
        """End the threads once they have computed what they compute now."""
        self._pool.shutdown(wait=False)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Fill the slots after the requests that arrived together have all been queued."""
        if self._free and not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._fill_slots, loop)

    def _fill_slots(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_scheduled = False
        while self._free and (batch := self._next_batch()):
            self._free -= 1
            now = time.perf_counter()
            for _, _, job, _ in batch:
                job.started += 1
            self.queued -= len(batch)
            texts = [job.texts[row] for _, _, job, row in batch]
            computed = self._pool.submit(_compute, batch[0][2].predictor, texts)

            def finish(
                computed: Future[BatchMeasurements],
                batch: list[_Item] = batch,
                started_at: float = now,
            ) -> None:
                with suppress(RuntimeError):  # the loop is closed, and nobody waits
                    loop.call_soon_threadsafe(self._finish, loop, batch, started_at, computed)

            computed.add_done_callback(finish)

    def _next_batch(self) -> list[_Item]:
        """The oldest text and those nearest in length to it; empty if nothing is queued."""
        candidates = self._candidates
        self._add_candidates(candidates)
        if not candidates:
            return []
        candidates.sort()
        oldest = min(candidates, key=itemgetter(1))
        model = oldest[2].predictor
        same = [item for item in candidates if item[2].predictor is model]
        # Few texts are shared between the free slots.
        size = min(model.engine.batch_size, -(-len(same) // self._free))
        start, end = _nearest(same, bisect.bisect_left(same, oldest), size)
        if len(same) == len(candidates):
            del candidates[start:end]
        else:
            chosen = {item[1] for item in same[start:end]}
            self._candidates = [item for item in candidates if item[1] not in chosen]
        return same[start:end]

    def _add_candidates(self, candidates: list[_Item]) -> None:
        """Add the oldest texts until there are enough, a batch of each request in turn."""
        while self._jobs:
            job = self._jobs.popleft()
            if job.future.done():
                continue
            batch_size = job.predictor.engine.batch_size
            if len(candidates) >= CANDIDATE_BATCHES * batch_size:
                self._jobs.appendleft(job)
                return
            end = min(job.taken + batch_size, len(job.texts))
            candidates += [
                (len(job.texts[row]), next(self._numbers), job, row)
                for row in range(job.taken, end)
            ]
            job.taken = end
            if end < len(job.texts):
                self._jobs.append(job)

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Item],
        started_at: float,
        computed: Future[BatchMeasurements],
    ) -> None:
        """Give the answers of a batch to its requests, and the slot to the next batch."""
        self._free += 1
        self._schedule(loop)
        if error := computed.exception():
            for _, _, job, _ in batch:
                if not job.future.done():
                    job.future.set_exception(error)
            return
        measured = computed.result()
        seconds = (measured.tokenizer_s + measured.engine_s) / len(batch)
        self._s_per_text += (seconds - self._s_per_text) * (_NEWEST if self._s_per_text else 1)
        self.answered += len(batch)
        probabilities_BC = measured.probabilities
        for index, (_, _, job, row) in enumerate(batch):
            job.add(row, probabilities_BC[index : index + 1])
        queue_s = [started_at - job.queued_at for _, _, job, _ in batch]
        self._on_batch(measured._replace(queue_s=queue_s))


def _nearest(items: list[_Item], index: int, size: int) -> tuple[int, int]:
    """Start and end of the item at that index and the nearest to it, of items sorted by length.

    Where the engine pads, the shortest is at least `MIN_LENGTH_RATIO` of the longest.
    """
    ratio = MIN_LENGTH_RATIO if items[index][2].predictor.engine.pads else 0
    start, end = index, index + 1
    length = items[index][0]
    while end - start < size:
        shorter = items[start - 1][0] if start else -math.inf
        longer = items[end][0] if end < len(items) else math.inf
        if length - shorter < longer - length:
            if shorter < ratio * items[end - 1][0]:
                break
            start -= 1
        else:
            if items[start][0] < ratio * longer:
                break
            end += 1
    return start, end


def _compute(predictor: Predictor, texts: list[str]) -> BatchMeasurements:
    """The answers of one batch, in an engine's thread."""
    start = time.perf_counter()
    ids = predictor.bundle.tokenizer.encode(texts)
    encoded = time.perf_counter()
    probabilities_BC = predictor.batch_probabilities(ids)
    return BatchMeasurements(
        predictor=predictor,
        probabilities=probabilities_BC,
        queue_s=[],
        tokenizer_s=encoded - start,
        engine_s=time.perf_counter() - encoded,
        tokens=sum(map(len, ids)),
        unknown_tokens=sum(row.count(UNK) for row in ids),
    )
