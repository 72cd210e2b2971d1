"""Models by name, and their replacement while they answer."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
import weakref
from pathlib import Path

import pytest

from fixtures.served import Served, save_models, serving
from fixtures.toy_bundle import toy
from sentir.bundle import save_bundle
from sentir.errors import BundleError
from sentir.inference.predictor import load
from sentir.serving.models import Models
from sentir.serving.options import ServerOptions
from sentir.serving.service import freeze_heap

TEXT = "the film was not bad"
ADMIN = {"x-api-key": "admin"}
OPTIONS = ServerOptions(admin_keys=("admin",))


def test_a_reload_changes_the_answers(tmp_path: Path) -> None:
    paths = save_models(tmp_path, shop=toy(), hotels=toy(seed=3))
    with serving(paths, OPTIONS) as served:
        before = served.post("/v1/predict", {"text": TEXT, "model": "shop"})
        same = served.post("/admin/reload", {"model": "shop"}, headers=ADMIN)
        assert same == {
            "models": [{"name": "shop", "changed": False, "version": before["version"]}]
        }
        save_bundle(toy(seed=7), paths["shop"])
        told = served.post("/admin/reload", {}, headers=ADMIN)["models"]
        assert {one["name"]: one["changed"] for one in told} == {"shop": True, "hotels": False}
        after = served.post("/v1/predict", {"text": TEXT, "model": "shop"})
        assert after["version"] == told[0]["version"] != before["version"]
        expected = load(paths["shop"]).predict_one(TEXT).probability
        assert after["predictions"][0]["probability"] == pytest.approx(expected, abs=1e-5)
        assert served.metric('sentir_reloads_total{model="shop",outcome="loaded"}') == 1
        assert served.metric('sentir_reloads_total{model="shop",outcome="unchanged"}') == 1
        new = served.service.models.get("shop").checksum
        lines = served.ask("GET", "/metrics").body.decode()
        assert lines.count("sentir_model_info{") == 2
        assert new in lines


def test_a_damaged_model_is_not_loaded(tmp_path: Path) -> None:
    paths = save_models(tmp_path, shop=toy())
    with serving(paths, OPTIONS) as served:
        version = served.post("/v1/predict", {"text": TEXT})["version"]
        (paths["shop"] / "model.safetensors").write_bytes(b"damaged")
        status, message = served.refusal("POST", "/admin/reload", {}, headers=ADMIN)
        assert status == 409
        assert message.startswith("not reloaded, the old model goes on: ")
        assert "model.safetensors" in message
        assert served.post("/v1/predict", {"text": TEXT})["version"] == version
        assert served.metric('sentir_reloads_total{model="shop",outcome="failed"}') == 1
        assert served.refusal("POST", "/admin/reload", {"model": "x"}, headers=ADMIN)[0] == 404


def until(served: Served, version: str) -> None:
    """Wait for a version."""
    for _ in range(300):
        if served.post("/v1/predict", {"text": TEXT})["version"] == version:
            return
        time.sleep(0.02)
    raise AssertionError(f"{version} is not served")


def version_of(folder: Path) -> str:
    return load(folder).bundle.checksum.removeprefix("sha256:")[:12]


def test_a_watched_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sentir.serving.server.WATCH_S", 0.02)
    paths = save_models(tmp_path, shop=toy())
    with serving(paths, watch=True) as served:
        save_bundle(toy(seed=7), paths["shop"])
        until(served, version_of(paths["shop"]))
        damaged = json.loads((paths["shop"] / "config.json").read_text())
        (tmp_path / "new.json").write_text(json.dumps({**damaged, "format": 99}))
        (tmp_path / "new.json").replace(paths["shop"] / "config.json")
        while "not reloaded" not in caplog.text:
            served.post("/v1/predict", {"text": TEXT})
        assert "bundle format 99" in caplog.text
        save_bundle(toy(seed=8), paths["shop"])
        until(served, version_of(paths["shop"]))
        assert caplog.text.count("not reloaded") == 1


def test_reloads_under_load_lose_no_request(tmp_path: Path) -> None:
    """Each answer is that of the version that it names."""
    paths = save_models(tmp_path, shop=toy())
    bundles = {seed: toy(seed=seed) for seed in (1, 2)}
    expected = {}
    for bundle in bundles.values():
        save_bundle(bundle, tmp_path / "other")
        expected[version_of(tmp_path / "other")] = (
            load(tmp_path / "other").predict_one(TEXT).probability
        )
    expected[version_of(paths["shop"])] = load(paths["shop"]).predict_one(TEXT).probability
    failures: list[str] = []
    seen: set[str] = set()
    stop = threading.Event()

    def ask(served: Served) -> None:
        while not stop.is_set():
            answer = served.post("/v1/predict", {"text": TEXT})
            probability = answer["predictions"][0]["probability"]
            seen.add(answer["version"])
            if abs(probability - expected[answer["version"]]) > 1e-5:
                failures.append(f"{answer}")

    with serving(paths, OPTIONS) as served:
        clients = [threading.Thread(target=ask, args=(served,)) for _ in range(4)]
        for client in clients:
            client.start()
        for number in range(20):
            save_bundle(bundles[1 + number % 2], paths["shop"])
            served.post("/admin/reload", {}, headers=ADMIN)
        stop.set()
        for client in clients:
            client.join()
        codes = [line for line in served.ask("GET", "/metrics").body.decode().splitlines()
                 if line.startswith('sentir_requests_total{')]  # fmt: skip
    assert failures == []
    assert len(seen) >= 2
    assert all('code="200"' in line for line in codes)


def test_old_models_are_freed(tmp_path: Path) -> None:
    paths = save_models(tmp_path, shop=toy())

    async def main() -> None:
        models = Models(paths, engine="onnx")
        old = weakref.ref(models.get("shop").predictor)
        save_bundle(toy(seed=7), paths["shop"])
        assert await models.reload("shop")
        gc.collect()
        assert old() is None
        assert models.name_of(models.get(None).predictor) == "shop"

    asyncio.run(main())


def test_old_models_are_freed_where_the_heap_is_frozen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen object that is part of a cycle would never be freed."""
    monkeypatch.setattr("sentir.serving.service.FREEZE_S", 0.05)
    paths = save_models(tmp_path, shop=toy())
    with serving(paths, OPTIONS) as served:
        predictor = served.service.models.get("shop").predictor
        predictor.itself = predictor  # type: ignore[attr-defined]
        old = weakref.ref(predictor)
        del predictor
        freeze_heap()
        try:
            for seed in (1, 2):  # the second reload finds the first one's freezing ahead
                save_bundle(toy(seed=seed), paths["shop"])
                served.post("/admin/reload", {}, headers=ADMIN)
            end = time.monotonic() + 20
            while old() is not None:
                assert time.monotonic() < end
                time.sleep(0.01)
            while not gc.get_freeze_count():
                assert time.monotonic() < end
                time.sleep(0.01)
        finally:
            gc.unfreeze()


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model here"):
        Models({"shop": tmp_path})
