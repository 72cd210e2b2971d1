"""When requests are refused before they are read, and how fast (`test_server` has the answers)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from fixtures.served import save_models
from fixtures.toy_bundle import toy
from sentir.serving import refusals as module
from sentir.serving.app import make_routes
from sentir.serving.models import Models
from sentir.serving.options import Limits, ServerOptions
from sentir.serving.refusals import Refusals
from sentir.serving.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    paths = save_models(tmp_path_factory.mktemp("models"), shop=toy())
    service = Service(Models(paths, engine="onnx"), limits=Limits(max_queued_texts=5))
    yield service
    service.close()


def test_requests_that_arrive_together_take_the_places_that_are_free(service: Service) -> None:
    """Their texts are queued only once all have been read."""
    refusals = Refusals(service, [])

    async def arrive() -> list[bool]:
        service.batcher.queued = 3
        full = []
        for _ in range(4):
            full.append(refusals.is_full())
            if not full[-1]:
                refusals.let_in()
        await asyncio.sleep(0)
        return [*full, refusals.is_full()]

    assert asyncio.run(arrive()) == [False, False, True, True, False]
    service.batcher.queued = 0


def test_refusals_are_sent_in_proportion_to_answers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.02)
    monkeypatch.setattr(module, "AT_LEAST", 3)
    sent: list[int] = []

    async def refuse() -> list[int]:
        refusals, counts = Refusals(service, []), []
        for number in range(20):
            refusals.send_later(lambda number=number: sent.append(number))  # type: ignore[misc]
        for answers in (0, 4, 0, 100):
            service.batcher.answered += answers
            before = len(sent)
            while len(sent) == before:
                await asyncio.sleep(0.001)
            counts.append(len(sent) - before)
        return counts

    assert asyncio.run(refuse()) == [3, 6, 3, 8]
    assert sent == list(range(20))


def test_answers_with_other_headers_are_made_elsewhere(service: Service) -> None:
    origins = ServerOptions(cors_origins=("https://shop.example",))
    with_origins = Service(service.models, origins, Limits(max_queued_texts=5))
    for one in (service, with_origins):
        one.batcher.queued = 5
    assert not Refusals(with_origins, []).is_full()
    assert Refusals(service, []).is_full()
    service.is_draining = True
    assert not Refusals(service, []).is_full()
    service.is_draining, service.batcher.queued = False, 0
    with_origins.close()


def test_only_what_waits_in_the_queue_is_refused(service: Service) -> None:
    routes = make_routes(service)
    refusals = Refusals(service, [one for one in routes if getattr(one.endpoint, "is_queued", 0)])
    for url in (b"/v1/predict", b"/v1/predict?x", b"/", b"/v2/models/a%20b/infer"):
        answer = refusals.answer(url)
        assert answer is not None
        head, _, body = answer.partition(b"\r\n\r\n")
        assert f"content-length: {len(body)}".encode() in head
    for url in (b"/v1/explain", b"/admin/reload", b"http://x/v1/predict", b"*", b"\xff"):
        assert refusals.answer(url) is None
