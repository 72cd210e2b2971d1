"""What Prometheus reads at ``/metrics``."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Summary,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from sentir.serving.batcher import BatchMeasurements

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_TEXTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The metrics of one server.

    The share of unknown words is ``sentir_unknown_tokens_total / sentir_tokens_total``; the mean
    confidence is ``sentir_confidence_sum / sentir_confidence_count``. Where they drift from those
    of the first weeks, so do the texts from those that the model learnt.

    Where Prometheus' multi-process folder is set, they are those of all processes that share it.
    """

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._has_folder = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._requests = Counter(
            "sentir_requests", "Requests, by route and status code", ("route", "code"),
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "sentir_request_seconds", "Time from request to answer, by route", ("route",),
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.refused = Counter(
            "sentir_refused", "Requests refused by a limit", ("reason",), registry=registry
        )
        self.queue = Gauge(
            "sentir_queue_texts", "Texts that wait for an engine", registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._queue_s = Histogram(
            "sentir_queue_seconds", "Time a text waited for an engine", buckets=_SECONDS,
            registry=registry,
        )  # fmt: skip
        self._tokenizer_s = Summary(
            "sentir_tokenizer_seconds", "Time a batch took to tokenise", registry=registry
        )
        self._engine_s = Histogram(
            "sentir_engine_seconds", "Time the engine took for a batch", buckets=_SECONDS,
            registry=registry,
        )  # fmt: skip
        self._batch_texts = Histogram(
            "sentir_batch_texts", "Texts of a batch", buckets=_TEXTS, registry=registry
        )
        self._tokens = Counter("sentir_tokens", "Words read", ("model",), registry=registry)
        self._unknown = Counter(
            "sentir_unknown_tokens", "Words that the model does not know", ("model",),
            registry=registry,
        )  # fmt: skip
        self._confidence = Summary(
            "sentir_confidence", "Probability of the likeliest class", ("model",),
            registry=registry,
        )  # fmt: skip
        self._models = Gauge(
            "sentir_model_info", "Processes that answer with a model, by its checksum",
            ("model", "checksum"), registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._checksums: list[tuple[str, str]] = []
        self.reloads = Counter(
            "sentir_reloads", "Reloads, by model and outcome", ("model", "outcome"),
            registry=registry,
        )  # fmt: skip

    @functools.lru_cache(maxsize=1000)  # noqa: B019 - one server, few routes and codes
    def _request_metrics(self, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(route, str(status)), self._seconds.labels(route)

    def add_request(self, route: str, status: int, seconds: float) -> None:
        """One request that has its answer."""
        count, time = self._request_metrics(route, status)
        count.inc()
        time.observe(seconds)

    @functools.lru_cache(maxsize=100)  # noqa: B019 - as above
    def _refused_metrics(self, route: str) -> tuple[Counter, Counter]:
        return self._requests.labels(route, "503"), self.refused.labels("queue_full")

    def add_refused(self, route: str) -> None:
        """One request that the queue had no room for, refused too fast to be timed."""
        for count in self._refused_metrics(route):
            count.inc()

    def set_models(self, checksums: Iterable[tuple[str, str]]) -> None:
        """The models that answer now, each with its checksum."""
        for labels in self._checksums:
            if self._has_folder:  # where labels cannot be removed
                self._models.labels(*labels).set(0)
            else:
                self._models.remove(*labels)
        self._checksums = list(checksums)
        for labels in self._checksums:
            self._models.labels(*labels).set(1)

    def add_batch(self, name: str, batch: BatchMeasurements) -> None:
        """The measurements of one batch that a model computed."""
        for seconds in batch.queue_s:
            self._queue_s.observe(seconds)
        self._tokenizer_s.observe(batch.tokenizer_s)
        self._engine_s.observe(batch.engine_s)
        self._batch_texts.observe(len(batch.queue_s))
        self._tokens.labels(name).inc(batch.tokens)
        self._unknown.labels(name).inc(batch.unknown_tokens)
        confidence = self._confidence.labels(name)
        for value in batch.probabilities.max(axis=1).tolist():
            confidence.observe(value)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        registry = self._registry
        if self._has_folder:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
