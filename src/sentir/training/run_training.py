"""The steps of every run, whatever is learnt: folder, reviews, training loop, result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from sentir.config import Config, ModelConfig, PretrainConfig
from sentir.data.prepare import Progress
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.device import check_device, choose_device
from sentir.training.precision import choose_precision, format_name
from sentir.training.run_dir import checkpoints_of, finish, open_run_dir

R = TypeVar("R", covariant=True)


class Network(Protocol):
    """A network whose recurrent layers can compute in another number format."""

    def set_compute_dtype(self, dtype: torch.dtype | None) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Trained:
    """How a network was trained.

    Attributes:
        position: where training ended.
        place: the device and the number format.
        started: when the run started, as `time.perf_counter` counts (seconds); the time of the
            parts before a resume is included.
    """

    position: Position
    place: str
    started: float

    def seconds(self) -> float:
        """Seconds from the start of the run until now."""
        return time.perf_counter() - self.started


class RunTask(Protocol[R]):
    """What is particular to one kind of run; its methods are called in this order."""

    @property
    def config(self) -> Config | PretrainConfig: ...

    def cache_key(self) -> list[Any]:
        """Everything that the encoded reviews depend on."""
        ...

    def read(self, cache: Path, *, resume: bool, progress: Progress) -> None:
        """Read and encode the reviews, and say what is odd about them."""
        ...

    def network(self) -> nn.Module:
        """The network, with random weights."""
        ...

    def initialise(self, network: Any) -> None:
        """Put in the weights that are known before training."""
        ...

    def fit(
        self, network: Any, *, checkpoints: Checkpoints, emit: Callback, resume: bool
    ) -> Position:
        """Train the network until it is done or interrupted."""
        ...

    def finish(self, network: Any, folder: Path, trained: Trained) -> R:
        """Calibrate, measure, and save the bundle."""
        ...


def run_training(
    task: RunTask[R],
    folder: Path,
    *,
    callbacks: Sequence[Callback],
    resume: bool,
    overwrite: bool,
    cache: Path | None = None,
) -> R:
    """Run a task in its folder, from the reviews to the saved bundle.

    Args:
        task: what is learnt.
        folder: the run's.
        callbacks: called with every event.
        resume: go on with the unfinished run in that folder.
        overwrite: replace the run in that folder.
        cache: where the encoded reviews are kept, if not in the run's folder.

    Raises:
        SentirError: bad input, settings that cannot be, or a folder that holds something else.
    """
    settings, shape = task.config.train, _shape(task.config)
    check_device(settings.device)
    with open_run_dir(folder, callbacks, resume=resume, overwrite=overwrite) as emit:
        started = time.perf_counter()
        checkpoints = checkpoints_of(folder, task.cache_key(), task.config, resume=resume)
        task.read(
            cache or folder / "cache",
            resume=resume,
            progress=lambda what, count: emit(
                {"event": "progress", "what": what, "reviews": count}
            ),
        )
        device = choose_device(settings.device, shape)
        torch.manual_seed(settings.seed)
        network: Any = task.network()
        if not (resume and checkpoints.path.exists()):  # else the checkpoint has all weights
            task.initialise(network)
        network.to(device)
        precision = choose_precision(settings.precision, shape, device)
        network.set_compute_dtype(precision)
        fit_started = time.perf_counter()
        position = task.fit(network, checkpoints=checkpoints, emit=emit, resume=resume)
        started += time.perf_counter() - fit_started - position.seconds
        network.set_compute_dtype(None)
        place = f"{device}, recurrent layers trained in {format_name(precision)}"
        result = task.finish(
            network, folder, Trained(position=position, place=place, started=started)
        )
        finish(checkpoints, position)
        return result


def _shape(config: Config | PretrainConfig) -> ModelConfig:
    """The recurrent layers as a classifier has them: what devices and formats are chosen by."""
    model = config.model
    return model if isinstance(model, ModelConfig) else ModelConfig(**model.classifier())
