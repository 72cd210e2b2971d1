"""What all endpoints share: models, batcher, limits, metrics."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sentir.serving.batcher import Batcher, BatchMeasurements
from sentir.serving.errors import RequestError
from sentir.serving.http import Call
from sentir.serving.metrics import Metrics
from sentir.serving.models import Models, Reloaded, ServedModel
from sentir.serving.options import Limits, ServerOptions

T = TypeVar("T")
#: After a reload, until the last request of the old model has its answer, mostly (seconds).
FREEZE_S = 1.0


def freeze_heap() -> None:
    """Free what is no longer used, and let Python look for cycles among what comes from now on."""
    gc.unfreeze()
    gc.collect()
    if sys.platform == "linux":  # what was freed goes back to the system, where glibc can do so
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
    gc.freeze()


class Service:
    """What all endpoints share.

    Args:
        models: what is served.
        options, limits: see there.
        slots: batches that are computed at the same time; None: one per physical core.

    Attributes:
        reload_all: reloads models in all processes of the server; by default `reload`.
        is_draining: whether the server is about to end, so that it takes no new work from a load
            balancer, and asks clients to close their connections.
    """

    def __init__(
        self,
        models: Models,
        options: ServerOptions | None = None,
        limits: Limits | None = None,
        *,
        slots: int | None = None,
    ) -> None:
        self.models = models
        self.options, self.limits = options or ServerOptions(), limits or Limits()
        self.batcher = Batcher(
            max_queued_texts=self.limits.max_queued_texts, slots=slots, on_batch=self._add_batch
        )
        self.metrics = Metrics()
        self.reload_all: Callable[[Sequence[str]], Awaitable[list[Reloaded]]] = self.reload
        self.is_draining = False
        self._explaining, self._explainer = 0, ThreadPoolExecutor(1, "sentir-explain")
        self._freezing: asyncio.TimerHandle | None = None
        models.on_change = self._model_changed
        self._list_models()

    async def probabilities(
        self, call: Call, model: ServedModel, texts: Sequence[str]
    ) -> npt.NDArray[np.float64]:
        """Probabilities (N, C) of a request's texts, which have been validated.

        Raises:
            RequestError: 503, the queue is full.
        """
        call.model, call.texts = model.name, list(texts)
        return await self.batcher.probabilities(model.predictor, texts)

    def check_room(self) -> None:
        """Refuse a request if not even one text could wait.

        Raises:
            RequestError: 503, the queue is full.
        """
        self.batcher.check_room(1)

    def check_texts(self, texts: Sequence[str], where: str) -> None:
        """Refuse texts with nothing in them, and more than a request may have.

        Not by msgspec.Meta, with which processes crash as they end (msgspec issue 717).

        Raises:
            RequestError: 422.
        """
        self.check_count(texts, where)
        for index, text in enumerate(texts):
            if not text or text.isspace():
                place = where if where == "text" else f"{where}[{index}]"
                raise RequestError(
                    422, "a text with nothing in it", where=place, todo="leave it out"
                )

    def check_count(self, texts: Sequence[Any], where: str) -> None:
        """Refuse more texts than a request may have.

        Raises:
            RequestError: 422.
        """
        limit = self.limits.max_texts
        if len(texts) > limit:
            raise RequestError(
                422, f"{len(texts):,} texts, at most {limit:,} in a request", where=where,
                todo="send several requests, or a file to /v1/files", reason="too_many_texts",
            )  # fmt: skip

    async def explain_in_thread(self, work: Callable[[], T]) -> T:
        """The result of an explanation; one is computed at a time.

        Raises:
            RequestError: 503, too many wait.
        """
        if self._explaining >= self.limits.max_explanations:
            raise RequestError(
                503, f"{self._explaining} explanations are waiting", todo="try again in 1 s",
                headers={"retry-after": "1"}, reason="queue_full",
            )  # fmt: skip
        self._explaining += 1
        future = self._explainer.submit(work)

        def finished(_: object) -> None:
            self._explaining -= 1

        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(finished, done))
        return await asyncio.wrap_future(future)

    async def reload(self, names: Sequence[str]) -> list[Reloaded]:
        """Reload models in this process.

        Raises:
            BundleError, UsageError: as `Models.reload`.
        """
        changed = [await self.models.reload(name) for name in names]
        versions = [self.models.get(name).version for name in names]
        return list(map(Reloaded, names, changed, versions))

    def update_metrics(self) -> None:
        """Set the metrics that say how things are now."""
        self.metrics.queue.set(self.batcher.queued)

    def close(self) -> None:
        """End the threads."""
        if self._freezing is not None:
            self._freezing.cancel()
        self.batcher.close()
        self._explainer.shutdown(wait=False, cancel_futures=True)

    def _add_batch(self, batch: BatchMeasurements) -> None:
        self.metrics.add_batch(self.models.name_of(batch.predictor), batch)

    def _model_changed(self, name: str, outcome: str) -> None:
        self.metrics.reloads.labels(name, outcome).inc()
        self._list_models()
        if outcome == "loaded" and gc.get_freeze_count() and self._freezing is None:
            loop = asyncio.get_running_loop()
            self._freezing = loop.call_later(FREEZE_S, self._freeze)

    def _freeze(self) -> None:
        self._freezing = None
        self._explainer.submit(freeze_heap)  # its thread has nothing urgent to do

    def _list_models(self) -> None:
        self.metrics.set_models((model.name, model.checksum) for model in self.models)
