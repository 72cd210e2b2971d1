"""What all tests share: a small configuration and a small trained run."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from fixtures.browser import browser, chromium  # noqa: F401 - fixtures
from fixtures.local_hub import use_hub  # noqa: F401 - a fixture
from fixtures.model_hub import model_hub  # noqa: F401 - a fixture
from fixtures.tiny_runs import TINY, write_fasttext
from fixtures.web_runtime import onnxruntime_web, stand_in_runtime  # noqa: F401 - fixtures
from sentir.errors import SentirWarning
from sentir.training.run import Run, train

torch.set_num_threads(1)
# The same examples at every run, and no clock: a busy machine is no fault of the code.
settings.register_profile(
    "sentir", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sentir")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on 300 sample reviews, tested on 80 others."""
    folder = tmp_path_factory.mktemp("tiny")
    train_file = write_fasttext(folder / "train.ft.txt", 300)
    test_file = write_fasttext(folder / "test.ft.txt", 80, seed=1)
    inputs = {"train": (str(train_file),), "test": (str(test_file),)}
    return train(**inputs, output=folder / "run", config=TINY, baseline=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real reviews; skips the test where it is absent."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SENTIR_DATA", beside))
    if not (folder / "amazon").is_dir():
        pytest.skip(f"no real reviews in {folder}; set SENTIR_DATA to where they are")
    return folder


@pytest.fixture
def events() -> tuple[list[dict[str, object]], Callable[[dict[str, object]], None]]:
    """A callback and the list it appends every event to."""
    seen: list[dict[str, object]] = []
    return seen, seen.append


class Messages:
    """What was logged, and what was warned of, since the test began."""

    def __init__(self, caplog: pytest.LogCaptureFixture, caught: list[warnings.WarningMessage]):
        self._caplog, self._caught = caplog, caught

    def logged(self) -> str:
        return "\n".join(record.getMessage() for record in self._caplog.records)

    def warned(self) -> str:
        return "\n".join(
            str(one.message) for one in self._caught if issubclass(one.category, SentirWarning)
        )

    def clear(self) -> None:
        self._caplog.clear()
        self._caught.clear()


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Iterator[Messages]:
    """Messages of sentir; its warnings are no errors in a test that asks for them."""
    caplog.set_level(logging.INFO, "sentir")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SentirWarning)
        yield Messages(caplog, caught)
