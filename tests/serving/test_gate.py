"""What every request passes: keys, errors, metrics, logs, origins."""

from __future__ import annotations

import base64
import io
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.served import Served, save_models, serving
from fixtures.toy_bundle import toy
from sentir.serving.logs import json_lines
from sentir.serving.options import Limits, ServerOptions

KEYED = ServerOptions(api_keys=("first-key", "clé"), admin_keys=("admin",))
TEXT = {"text": "the film was xyzzy"}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save_models(tmp_path_factory.mktemp("models"), shop=toy())


@pytest.fixture(scope="module")
def keyed(paths: dict[str, Path]) -> Iterator[Served]:
    with serving(paths, KEYED) as served:
        yield served


@pytest.fixture
def served(paths: dict[str, Path]) -> Iterator[Served]:
    with serving(paths) as served:
        yield served


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "Bearer first-key"}, {"authorization": "bearer  first-key "},
     {"authorization": "Basic " + base64.b64encode(b"anybody:first-key").decode()},
     {"x-api-key": "first-key"}, {"x-api-key": "clé".encode()}],
)  # fmt: skip
def test_right_keys(keyed: Served, headers: Any) -> None:
    keyed.post("/v1/predict", TEXT, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer first-ke"}, {"authorization": "Basic first-key"},
     {"authorization": "Basic " + base64.b64encode(b"first-key").decode()},
     {"authorization": "first-key"}, {"x-api-key": ""}, {"x-api-key": "admin"}],
)  # fmt: skip
def test_wrong_keys(keyed: Served, headers: Any) -> None:
    for method, path, body in (
        ("POST", "/v1/predict", TEXT),
        ("POST", "/v1/files", b"text\ngood\n"),
        ("POST", "/", TEXT),
        ("POST", "/health", TEXT),
        ("GET", "/v1/models", None),
        ("GET", "/metrics", None),
        ("GET", "/nowhere", None),
    ):
        reply = keyed.ask(method, path, body, headers=headers)
        assert reply.status == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        message = "no key, or a wrong one; send the header 'Authorization: Bearer KEY'"
        assert reply.json == {"error": message}


@pytest.mark.parametrize(
    "path", ["/", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/health"]
)
def test_public_paths(keyed: Served, path: str) -> None:
    assert keyed.ask("GET", path).status == 200


def test_the_admins_key(keyed: Served, served: Served) -> None:
    for key, status in (("admin", 200), ("first-key", 401), ("", 401)):
        assert keyed.ask("POST", "/admin/reload", {}, headers={"x-api-key": key}).status == status
    assert served.refusal("POST", "/admin/reload", {}, headers={"x-api-key": ""}) == (
        404, "/admin/reload: no such path",
    )  # fmt: skip


def test_unknown_paths_and_methods(served: Served) -> None:
    assert served.refusal("GET", "/v1/predicted") == (404, "no such path")
    assert served.refusal("GET", "/v1/models/") == (404, "no such path")
    reply = served.ask("DELETE", "/v1/predict")
    assert (reply.status, reply.json) == (405, {"error": "no such method for this path"})
    assert "POST" in reply.headers["allow"]


def test_requests_are_counted(served: Served) -> None:
    served.post("/v1/predict", TEXT)
    served.ask("GET", "/nowhere")
    for line, value in (
        ('sentir_requests_total{code="200",route="/v1/predict"}', 1),
        ('sentir_requests_total{code="404",route="unknown"}', 1),
        ('sentir_request_seconds_count{route="/v1/predict"}', 1),
        ("sentir_queue_texts ", 0),
        ("sentir_queue_seconds_count ", 1),
        ("sentir_engine_seconds_count ", 1),
        ("sentir_tokenizer_seconds_count ", 1),
        ("sentir_batch_texts_sum ", 1),
        ('sentir_tokens_total{model="shop"}', 4),
        ('sentir_unknown_tokens_total{model="shop"}', 1),
        ('sentir_confidence_count{model="shop"}', 1),
    ):
        assert served.metric(line) == value, line
    model = served.service.models.get("shop")
    info = f'sentir_model_info{{checksum="{model.checksum}",model="shop"}}'
    assert served.metric(info) == 1
    assert 0.5 <= served.metric('sentir_confidence_sum{model="shop"}') <= 1


def test_a_failure_is_an_error_without_a_text(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(ids: Any) -> Any:
        raise ValueError("secret text")

    monkeypatch.setattr(served.service.models.get("shop").predictor, "batch_probabilities", fail)
    got = served.refusal("POST", "/v1/predict", TEXT)
    assert got == (500, "the server failed; its log says where")
    assert "ValueError at " in caplog.text
    assert "test_gate.py:" in caplog.text
    assert "secret" not in caplog.text
    monkeypatch.undo()
    served.post("/v1/predict", TEXT)


def test_a_deadline(paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(paths, limits=Limits(deadline_s=0.1)) as served:
        predictor = served.service.models.get("shop").predictor
        right = predictor.batch_probabilities
        monkeypatch.setattr(
            predictor, "batch_probabilities", lambda ids: (time.sleep(0.3), right(ids))[1]
        )
        got = served.refusal("POST", "/v1/predict", TEXT)
        assert got == (504, "no answer within 0.1 s; send fewer texts at a time")
        assert served.metric('sentir_refused_total{reason="deadline"}') == 1


def test_a_full_queue(paths: dict[str, Path]) -> None:
    with serving(paths, limits=Limits(max_queued_texts=3)) as served:
        reply = served.ask("POST", "/v1/predict", {"texts": ["good"] * 4})
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        assert reply.json["error"] == "the queue is full (0 of 3 texts); try again in 1 s"
        assert served.metric('sentir_refused_total{reason="queue_full"}') == 1
        served.post("/v1/predict", {"texts": ["good"] * 3})


def test_logs_of_a_full_queue(paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals are summed up, as a line for each would cost more than they do."""
    monkeypatch.setattr("sentir.serving.refusals.LOG_S", 0.3)
    stream = io.StringIO()
    limits = Limits(max_queued_texts=3)
    with json_lines(stream), serving(paths, ServerOptions(log_json=True), limits) as served:
        served.service.batcher.queued = 3
        for path in ("/v1/predict", "/v1/predict", "/models/shop"):
            served.refusal("POST", path, {})
        served.service.batcher.queued = 0
        while stream.getvalue().count("refused") < 2:
            time.sleep(0.01)
    _, *lines = map(json.loads, stream.getvalue().splitlines())
    assert {line["message"] for line in lines} == {"refused"}
    counts = {(line["route"], line["status"]): line["requests"] for line in lines}
    assert counts == {("/v1/predict", 503): 2, ("/models/{model}", 503): 1}


def test_too_many_explanations(paths: dict[str, Path]) -> None:
    with serving(paths) as served:
        served.service._explaining = served.service.limits.max_explanations
        status, message = served.refusal("POST", "/v1/explain", TEXT)
        assert (status, message) == (503, "8 explanations are waiting; try again in 1 s")


def test_no_origin_unless_named(served: Served) -> None:
    headers = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    assert served.ask("OPTIONS", "/v1/predict", headers=headers).status == 405
    reply = served.ask("POST", "/v1/predict", TEXT, headers=headers)
    assert "access-control-allow-origin" not in reply.headers


def test_a_named_origin(paths: dict[str, Path]) -> None:
    options = ServerOptions(cors_origins=("https://shop.example",), api_keys=("key",))
    with serving(paths, options) as served:
        for origin, allowed in (("https://shop.example", "https://shop.example"),
                                ("https://other.example", None)):  # fmt: skip
            headers = {"origin": origin, "access-control-request-method": "POST",
                       "access-control-request-headers": "authorization,content-type"}  # fmt: skip
            preflight = served.ask("OPTIONS", "/v1/predict", headers=headers)
            assert preflight.headers["access-control-allow-origin"] == allowed
            refused = served.ask("POST", "/v1/predict", TEXT, headers=headers)
            assert refused.status == 401  # and the page can read why
            assert refused.headers["access-control-allow-origin"] == allowed


@pytest.mark.parametrize("with_texts", [False, True])
def test_logs(paths: dict[str, Path], with_texts: bool) -> None:
    stream = io.StringIO()
    options = ServerOptions(log_json=True, log_texts=with_texts)
    with json_lines(stream), serving(paths, options) as served:
        served.post("/v1/predict", TEXT)
        served.refusal("POST", "/v1/predict", {"text": "xyzzy", "model": "x"})
        logging.getLogger("sentir.serving").warning("plain %s", "words")
    _, predicted, refused, plain = map(json.loads, stream.getvalue().splitlines())
    assert (predicted["message"], predicted["level"]) == ("request", "info")
    assert (predicted["method"], predicted["route"]) == ("POST", "/v1/predict")
    assert (predicted["status"], predicted["model"], predicted["texts"]) == (200, "shop", 1)
    assert refused["status"] == 404
    assert (plain["level"], plain["message"]) == ("warning", "plain words")
    assert ("xyzzy" in stream.getvalue()) == with_texts


def test_draining(served: Served) -> None:
    assert served.ask("GET", "/health/ready").json == {"ready": True}
    served.service.is_draining = True
    for path in ("/health/ready", "/v2/health/ready"):
        reply = served.ask("GET", path)
        assert (reply.status, reply.json) == (503, {"ready": False})
    reply = served.ask("POST", "/v1/predict", TEXT)
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert served.ask("GET", "/health/live").status == 200
