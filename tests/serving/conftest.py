"""Two models and a server of them, for each file of tests that does not make its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.served import Served, serving, two_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(two_models(folder)) as served:
        yield served
