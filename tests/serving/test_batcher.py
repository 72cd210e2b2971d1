"""The micro-batcher: right answers, in order, fairly, and nothing left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fixtures.toy_bundle import random_texts, toy
from sentir.inference.predictor import Predictor
from sentir.serving.batcher import Batcher, BatchMeasurements
from sentir.serving.errors import RequestError

TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(toy(), "onnx")


@pytest.fixture(scope="module")
def three_classes() -> Predictor:
    return Predictor(toy(classes=3, seed=1), "onnx")


class GatedEngine:
    """An engine that waits for permission, and records the batches that it gets."""

    name, precision, batch_size, pads, workers = "gated", "float32", 4, True, 1

    def __init__(self, inner: Any) -> None:
        self._inner, self.gate = inner, threading.Event()
        self.batches: list[list[int]] = []
        self.error: Exception | None = None

    def probabilities(self, batch: Any) -> Any:
        assert self.gate.wait(timeout=30)
        self.batches.append(batch.lengths_B.tolist())
        if self.error is not None:
            raise self.error
        return self._inner.probabilities(batch)


@pytest.fixture
def gated() -> Iterator[Predictor]:
    predictor = Predictor(toy(), "onnx")
    engine: Any = GatedEngine(predictor.engine)
    predictor.engine = engine
    yield predictor
    engine.gate.set()


def run(
    use: Callable[[Batcher], Awaitable[Any]], *, slots: int = 1, limit: int = 10_000, **more: Any
) -> Any:
    async def main() -> Any:
        batcher = Batcher(max_queued_texts=limit, slots=slots, **more)
        try:
            return await use(batcher)
        finally:
            batcher.close()

    return asyncio.run(main())


@pytest.mark.parametrize("slots", [1, 3])
def test_answers_are_those_of_the_predictor(predictor: Predictor, slots: int) -> None:
    texts = random_texts(300)
    sizes = [1, 7, 0, 100, 1, 191]

    async def use(batcher: Batcher) -> list[Any]:
        starts = np.cumsum([0, *sizes])
        return await asyncio.gather(
            *(
                batcher.probabilities(predictor, texts[start : start + size])
                for start, size in zip(starts, sizes, strict=False)
            )
        )

    answers = run(use, slots=slots)
    assert [len(answer) for answer in answers] == sizes
    np.testing.assert_allclose(
        np.concatenate(answers), predictor.predict_proba(texts), atol=TOLERANCE
    )


def test_two_models_share_a_batcher(predictor: Predictor, three_classes: Predictor) -> None:
    texts = random_texts(50)

    async def use(batcher: Batcher) -> list[Any]:
        return await asyncio.gather(
            *(batcher.probabilities(model, [text]) for text in texts
              for model in (predictor, three_classes))
        )  # fmt: skip

    answers = run(use)
    for offset, model in enumerate((predictor, three_classes)):
        np.testing.assert_allclose(
            np.concatenate(answers[offset::2]), model.predict_proba(texts), atol=TOLERANCE
        )


@pytest.mark.parametrize(
    ("pads", "batches"),
    [(True, [[22, 21, 20, 20], [31, 30, 28, 27], [4, 3], [2], [1]]),
     (False, [[22, 21, 20, 20], [4, 3, 2, 1], [31, 30, 28, 27]])],
)  # fmt: skip
def test_batches_hold_texts_of_similar_length(
    gated: Predictor, pads: bool, batches: list[list[int]]
) -> None:
    engine: Any = gated.engine
    engine.pads = pads
    lengths = (20, 1, 30, 2, 21, 3, 28, 22, 4, 27, 20, 31)
    texts = [" ".join(["good"] * count) for count in lengths]

    async def use(batcher: Batcher) -> None:
        tasks = [asyncio.ensure_future(batcher.probabilities(gated, [text])) for text in texts]
        engine.gate.set()
        await asyncio.gather(*tasks)

    run(use)
    assert sorted(map(sorted, engine.batches)) == sorted(map(sorted, batches))
    assert sorted(engine.batches[0]) == sorted(batches[0])  # the oldest text comes first


def test_few_texts_are_shared_between_the_free_slots(gated: Predictor) -> None:
    engine: Any = gated.engine

    async def use(batcher: Batcher) -> None:
        engine.gate.set()
        await batcher.probabilities(gated, ["good", "bad", "dull"])

    run(use, slots=2)
    assert sorted(map(len, engine.batches)) == [1, 2]


def test_a_short_request_does_not_wait_for_a_long_one(gated: Predictor) -> None:
    engine: Any = gated.engine
    finished: list[str] = []

    async def use(batcher: Batcher) -> None:
        async def ask(name: str, texts: list[str]) -> None:
            await batcher.probabilities(gated, texts)
            finished.append(name)

        long = asyncio.ensure_future(ask("long", ["good bad dull"] * 200))
        await asyncio.sleep(0.01)
        short = asyncio.ensure_future(ask("short", ["good"]))
        await asyncio.sleep(0.01)
        engine.gate.set()
        await asyncio.gather(long, short)

    run(use)
    assert finished == ["short", "long"]
    assert len(engine.batches) > 50


def test_the_queue_is_counted_in_texts(gated: Predictor) -> None:
    engine: Any = gated.engine

    async def use(batcher: Batcher) -> None:
        first = asyncio.ensure_future(batcher.probabilities(gated, ["good"]))
        await asyncio.sleep(0.05)  # it has the slot, and waits no longer
        assert batcher.queued == 0
        second = asyncio.ensure_future(batcher.probabilities(gated, ["good"] * 7))
        await asyncio.sleep(0)
        assert batcher.queued == 7
        with pytest.raises(RequestError, match=r"the queue is full \(7 of 10 texts\)") as caught:
            await batcher.probabilities(gated, ["good"] * 4)
        assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "1"})
        third = asyncio.ensure_future(batcher.probabilities(gated, ["good"] * 3))
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="10 of 10"):
            await batcher.probabilities(gated, ["good"])
        file = asyncio.ensure_future(batcher.probabilities(gated, ["good"], refuse=False))
        await asyncio.sleep(0)
        assert batcher.queued == 11
        engine.gate.set()
        await asyncio.gather(first, second, third, file)
        assert batcher.queued == 0

    run(use, limit=10)


def test_retry_after_is_the_time_that_the_queue_will_take(gated: Predictor) -> None:
    async def use(batcher: Batcher) -> None:
        batcher._s_per_text, batcher.queued = 0.5, 21
        assert batcher.retry_after_s() == 6
        batcher.queued = 0

    run(use, slots=2)


def test_cancelled_texts_are_dropped(gated: Predictor) -> None:
    engine: Any = gated.engine

    async def use(batcher: Batcher) -> None:
        busy = asyncio.ensure_future(batcher.probabilities(gated, ["good"]))
        await asyncio.sleep(0.05)
        gone = [
            asyncio.ensure_future(batcher.probabilities(gated, ["dull " * 9] * count))
            for count in (1, 30)
        ]
        stays = asyncio.ensure_future(batcher.probabilities(gated, ["bad bad"]))
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.wait(gone)
        assert batcher.queued == 1
        engine.gate.set()
        await asyncio.gather(busy, stays)
        assert batcher.queued == 0

    run(use)
    assert engine.batches == [[1], [2]]


def test_a_deadline_drops_what_a_slot_has_not_begun(gated: Predictor) -> None:
    engine: Any = gated.engine

    async def use(batcher: Batcher) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await batcher.probabilities(gated, ["good"] * 30)
        assert batcher.queued == 0
        engine.gate.set()
        assert len(await batcher.probabilities(gated, ["bad"])) == 1
        assert batcher.queued == 0

    run(use)
    assert list(map(len, engine.batches)) == [4, 1]  # one batch of the thirty had begun


def test_an_error_of_the_engine_reaches_its_requests_only(
    gated: Predictor, predictor: Predictor
) -> None:
    engine: Any = gated.engine
    engine.error = ValueError("broken")
    engine.gate.set()

    async def use(batcher: Batcher) -> Any:
        failed, answered = await asyncio.gather(
            batcher.probabilities(gated, ["good"] * 9),
            batcher.probabilities(predictor, ["good"]),
            return_exceptions=True,
        )
        assert isinstance(failed, ValueError)
        assert batcher.queued == 0
        return answered

    np.testing.assert_allclose(run(use), predictor.predict_proba(["good"]), atol=TOLERANCE)


def test_every_batch_is_measured(predictor: Predictor) -> None:
    measured: list[BatchMeasurements] = []

    async def use(batcher: Batcher) -> None:
        await batcher.probabilities(predictor, ["the film was xyzzy", "good wonderful dull"])

    run(use, on_batch=measured.append)
    (batch,) = measured
    assert batch.predictor is predictor
    assert (batch.tokens, batch.unknown_tokens) == (7, 1)
    assert len(batch.queue_s) == len(batch.probabilities) == 2
    assert all(0 <= seconds < 30 for seconds in (*batch.queue_s, batch.tokenizer_s, batch.engine_s))
