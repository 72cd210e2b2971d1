"""The description of all paths: complete, and true by what schemathesis tries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.served import Served, save_models, serving
from fixtures.toy_bundle import toy
from sentir.serving.options import Limits, ServerOptions
from sentir.version import __version__


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    paths = save_models(tmp_path_factory.mktemp("models"), shop=toy())
    with serving(paths, ServerOptions(admin_keys=("admin",)), Limits(max_texts=50)) as served:
        yield served


@pytest.fixture(scope="module")
def description(served: Served) -> Any:
    return served.ask("GET", "/openapi.json").json


def test_it_says_the_version_and_the_limits(description: Any) -> None:
    assert description["info"]["version"] == __version__
    texts = description["components"]["schemas"]["PredictRequest"]["properties"]["texts"]
    assert texts["maxItems"] == 50
    assert "1024" not in json.dumps(description)


def test_every_path_is_described(served: Served, description: Any) -> None:
    app: Any = served.server.config.app
    routes = {
        (route.path, method.lower())
        for route in app._app.routes
        for method in route.methods - {"HEAD"}
    }
    described = {
        (path, method) for path, methods in description["paths"].items() for method in methods
    }
    assert described == routes


def test_every_reference_is_there(description: Any) -> None:
    text = json.dumps(description)
    for kind, parts in description["components"].items():
        for name in parts:
            if kind != "securitySchemes":
                assert f'"#/components/{kind}/{name}"' in text, f"{name} is not used"
    for reference in set(text.split('"$ref": "#/components/')[1:]):
        kind, name = reference.split('"')[0].split("/")
        assert name in description["components"][kind]


def test_its_examples_are_answered(served: Served, description: Any) -> None:
    asked = 0
    for path, methods in description["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        version = served.service.models.get("shop").version
        url = path.format(model="shop", version=version)
        for kind, body in content.items():
            if "example" in body:
                example = body["example"]
                sent = example.encode() if isinstance(example, str) else example
                assert served.ask("POST", url, sent, kind=kind).status == 200, url
                asked += 1
    assert asked >= 8


#: It does not know how JSON lines are sent.
HOOKS = """
import schemathesis
schemathesis.serializer.alias(["application/x-ndjson", "application/jsonl"], "text/plain")
"""


def schemathesis(served: Served, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # What is valid but for its meaning, such as a shape that is not that of the data, is refused.
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json",
        "--checks", "all", "--exclude-checks", "positive_data_acceptance", "--seed", "1",
        "--suppress-health-check", "all", "--header", "x-api-key: admin", "--no-color", *options,
    ]  # fmt: skip
    (folder / "hooks.py").write_text(HOOKS)
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks"},
        capture_output=True, text=True, timeout=570,
    )  # fmt: skip


def check(served: Served, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-5000:]
    assert served.metric('sentir_requests_total{code="200",route="/v1/predict"}') > 0
    codes = served.ask("GET", "/metrics").body.decode()
    assert 'code="500"' not in codes


def test_schemathesis_finds_nothing_quickly(served: Served, tmp_path: Path) -> None:
    check(served, schemathesis(served, tmp_path, "--max-examples", "3", "--phases",
                               "examples,fuzzing"))  # fmt: skip


@pytest.mark.long
def test_schemathesis_finds_nothing(served: Served, tmp_path: Path) -> None:
    check(served, schemathesis(served, tmp_path, "--max-examples", "100"))
