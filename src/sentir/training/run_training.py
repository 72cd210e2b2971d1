"""The steps of every run, whatever is learnt: folder, reviews, training loop, result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from sentir.config import Config, ModelConfig, PretrainConfig
from sentir.data.prepare import Progress
from sentir.errors import DataError, UsageError
from sentir.training.callbacks import Callback, call_all
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.device import check_device, choose_shared_device
from sentir.training.precision import choose_precision, format_name
from sentir.training.process_group import ProcessGroup, joined
from sentir.training.run_dir import checkpoints_of, finish, is_begun, open_run_dir

R = TypeVar("R", covariant=True)

#: How often, and how long apart (seconds), it is looked for files that another host has written.
_TRIES, _PAUSE_S = 20, 0.5


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

    @property
    def encoded(self) -> Path | None:
        """The folder of reviews that were given encoded; None: they are encoded in the cache."""
        ...

    def read(self, cache: Path, *, resume: bool, progress: Progress) -> Path:
        """Read and encode the reviews, and say what is odd about them.

        Returns:
            The folder of the encoded reviews.
        """
        ...

    def open(self, encoded: Path) -> None:
        """Open the reviews that another process has encoded."""
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

    def calibrate(self, network: Any, cache: Path, emit: Callback) -> None:
        """Fit, on all ranks together, what is fitted once the network is trained.

        Files that it needs meanwhile are in `cache`.
        """
        ...

    def finish(self, network: Any, folder: Path, trained: Trained) -> R:
        """Measure, and save the bundle."""
        ...


def run_training(
    task: RunTask[R],
    folder: Path,
    *,
    callbacks: Sequence[Callback],
    resume: bool,
    overwrite: bool,
    resume_if_begun: bool = False,
    cache: Path | None = None,
) -> R:
    """Run a task in its folder, from the reviews to the saved bundle.

    Several processes (`sentir.training.process_group`) call it alike and get the same result.

    Args:
        task: what is learnt.
        folder: the run's.
        callbacks: called with every event.
        resume: go on with the unfinished run in that folder.
        overwrite: replace the run in that folder.
        resume_if_begun: go on with the unfinished run in that folder, if there is one.
        cache: where the encoded reviews are kept, if not in the run's folder.

    Raises:
        FinishedRunError: with `resume_if_begun`, this very run has finished.
        SentirError: bad input, settings that cannot be, or a folder that holds something else.
    """
    settings, shape, cache = task.config.train, _shape(task.config), cache or folder / "cache"
    with joined() as processes, ExitStack() as stack:
        lead, together = processes.lead, processes.together
        together(lambda: check_device(settings.device))
        check_same_settings(processes, task.config)
        started = time.perf_counter()
        resume = lead(
            lambda: resume or (resume_if_begun and is_begun(folder, task.cache_key(), task.config))
        )
        emits: list[Callback] = []  # of rank 0 only, as is what it alone does below
        lead(lambda: emits.append(stack.enter_context(
            open_run_dir(folder, callbacks, resume=resume, overwrite=overwrite)
        )))  # fmt: skip
        emit = call_all(emits)
        checkpoints = lead(
            lambda: checkpoints_of(folder, task.cache_key(), task.config, resume=resume)
        )
        report = partial(report_progress, emit)
        made = lead(lambda: task.read(cache, resume=resume, progress=report).name)
        encoded = task.encoded or cache / made  # where another host has mounted it
        together(lambda: _open(task, encoded) if processes.rank else None)
        device = choose_shared_device(processes, settings.device, shape)
        torch.manual_seed(settings.seed)
        network: Any = task.network()
        if not lead(lambda: resume and checkpoints.path.exists()):  # which has all weights
            lead(lambda: task.initialise(network))
        network.to(device)
        precision = lead(lambda: choose_precision(settings.precision, shape, device))
        network.set_compute_dtype(precision)
        fit_started = time.perf_counter()
        position = task.fit(network, checkpoints=checkpoints, emit=emit, resume=resume)
        started += time.perf_counter() - fit_started - position.seconds
        network.set_compute_dtype(None)
        place = f"{device}, recurrent layers trained in {format_name(precision)}"
        if processes.size > 1:
            place += f", {processes.size} processes"
        trained = Trained(position=position, place=place, started=started)
        task.calibrate(network, cache, emit)
        result = lead(lambda: task.finish(network, folder, trained))
        lead(lambda: finish(checkpoints, position))
        return result


def check_same_settings(processes: ProcessGroup, config: Config | PretrainConfig) -> None:
    """Refuse to train with other settings than rank 0's.

    Raises:
        UsageError: one of them differs.
    """
    wanted = processes.lead(config.to_dict)

    def check() -> None:
        for section, settings in config.to_dict().items():
            for name, value in settings.items():
                if value != wanted[section][name]:
                    raise UsageError(
                        f"{name} = {value!r}, and rank 0 has {wanted[section][name]!r}",
                        where=f"rank {processes.rank}",
                        todo="give every process the same command",
                    )

    processes.together(check)


def report_progress(emit: Callback, what: str, count: int) -> None:
    """Emit that so many reviews more were processed; 0: it is done."""
    emit({"event": "progress", "what": what, "reviews": count})


def _open(task: RunTask[R], folder: Path) -> None:
    """Open what rank 0 has encoded, which may take a moment to be seen on another host.

    Raises:
        DataError: it is not there.
    """
    for _ in range(_TRIES):
        if folder.is_dir():
            task.open(folder)
            return
        time.sleep(_PAUSE_S)
    raise DataError(
        "the reviews that rank 0 has encoded are not here",
        where=str(folder),
        todo="keep --output, and reviews that are encoded, in folders that all hosts share",
    )


def _shape(config: Config | PretrainConfig) -> ModelConfig:
    """The recurrent layers as a classifier has them: what devices and formats are chosen by."""
    model = config.model
    return model if isinstance(model, ModelConfig) else ModelConfig(**model.classifier())
