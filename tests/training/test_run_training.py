"""The steps of every run, in their order, with a task that only takes notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sentir.config import Config
from sentir.errors import DataError
from sentir.training.checkpoint import Position
from sentir.training.run_training import Trained, run_training


class Network(nn.Linear):
    def __init__(self) -> None:
        super().__init__(2, 2)
        self.dtypes: list[torch.dtype | None] = []

    def set_compute_dtype(self, dtype: torch.dtype | None) -> None:
        self.dtypes.append(dtype)


class Task:
    config = Config().override({"device": "cpu", "precision": "float32", "seed": 5})

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.first_weight = 0.0

    def cache_key(self) -> list[Any]:
        self.calls.append("cache_key")
        return ["key"]

    @property
    def encoded(self) -> Path | None:
        return None

    def read(self, cache: Path, *, resume: bool, progress: Any) -> Path:
        self.calls.append("read")
        assert cache.name == "cache"
        progress("reading", 3)
        return cache / "encoded"

    def open(self, encoded: Path) -> None:
        raise AssertionError("a single process opens what it has read")

    def network(self) -> Network:
        self.calls.append("network")
        network = Network()
        self.first_weight = network.weight[0, 0].item()
        return network

    def initialise(self, network: Network) -> None:
        self.calls.append("initialise")

    def fit(self, network: Network, *, checkpoints: Any, emit: Any, resume: bool) -> Position:
        self.calls.append("fit")
        return Position(step=3, seconds=100.0, stopped="finished")

    def calibrate(self, network: Network, cache: Path, emit: Any) -> None:
        self.calls.append("calibrate")
        assert cache.name == "cache"
        assert network.dtypes == [None, None]

    def finish(self, network: Network, folder: Path, trained: Trained) -> Trained:
        self.calls.append("finish")
        return trained


def test_the_steps_are_called_in_their_order(tmp_path: Path) -> None:
    task, events = Task(), []
    trained = run_training(
        task, tmp_path / "run", callbacks=[events.append], resume=False, overwrite=False
    )
    assert task.calls == [
        "cache_key", "read", "network", "initialise", "fit",
        "calibrate", "finish",
    ]  # fmt: skip
    assert events == [{"event": "progress", "what": "reading", "reviews": 3}]
    assert trained.place == "cpu, recurrent layers trained in float32"
    assert trained.seconds() >= 100  # what earlier parts of the run took is counted


def test_the_seed_decides_the_weights(tmp_path: Path) -> None:
    tasks = [Task(), Task()]
    for number, task in enumerate(tasks):
        torch.rand(3)  # whatever was drawn before
        run_training(task, tmp_path / str(number), callbacks=[], resume=False, overwrite=False)
    assert tasks[0].first_weight == tasks[1].first_weight


def test_a_task_that_cannot_read_leaves_no_folder(tmp_path: Path) -> None:
    class Failing(Task):
        def read(self, cache: Path, *, resume: bool, progress: Any) -> Path:
            raise DataError("no such file")

    with pytest.raises(DataError):
        run_training(Failing(), tmp_path / "run", callbacks=[], resume=False, overwrite=False)
    assert not (tmp_path / "run").exists()
