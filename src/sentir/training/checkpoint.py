"""Checkpoints: the state of a run on disk, which survives a kill at any moment.

Three files in a run's folder, each written whole or not at all:

- ``checkpoint.pt``: weights, optimiser, random states and position, of the last validation
  or, before the first one, of the start.
- ``best.safetensors``: the weights with the lowest validation loss so far.
- ``metrics.jsonl`` is truncated to the checkpoint when a run resumes, so no step is in it twice.

The best weights may be newer than the checkpoint if the kill came between them. The resumed run
then takes the same steps and writes the same best weights again.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import safetensors
import safetensors.torch
import torch
from torch import nn

from sentir.data.batching import Batch
from sentir.errors import DataError
from sentir.io.atomic import atomic_write
from sentir.training.process_group import current


class Stateful(Protocol):
    """Anything with a state, such as a model or an optimiser."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Any) -> Any: ...


@dataclass
class Position:
    """How far a run is, counted from its start.

    Attributes:
        step: optimiser steps taken.
        reviews: reviews seen.
        tokens: tokens seen.
        best_loss: lowest validation loss (nats per review).
        best_step: the step of that validation.
        validations_since_best: validations since then.
        seconds: training time so far, of all parts of a resumed run.
        stopped: why training ended; empty while it goes on.
    """

    step: int = 0
    reviews: int = 0
    tokens: int = 0
    best_loss: float = math.inf
    best_step: int | None = None
    validations_since_best: int = 0
    seconds: float = field(default=0.0, compare=False)
    stopped: str = ""

    def add(self, batch: Batch) -> None:
        """Count a step on that batch."""
        self.step += 1
        self.reviews += len(batch.rows_B)
        self.tokens += int(batch.lengths_B.sum())

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """The step and the named counts, for an event."""
        return {"step": self.step, **{name: getattr(self, name) for name in names}}


class Checkpoints:
    """Saves and restores a run in its folder.

    Of several processes rank 0 reads and writes the files; all go on with what it read.

    Args:
        folder: the run's folder.
        identity: of settings and data; a checkpoint of another identity is refused.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.path = folder / "checkpoint.pt"
        self.best_path = folder / "best.safetensors"
        self.identity = identity

    def save(self, parts: Mapping[str, Stateful], position: Position) -> None:
        """Save everything that the rest of the run depends on.

        Args:
            parts: by name, the model, the optimiser and whatever else changes step by step.
            position: where the run is.
        """
        state = {
            "identity": self.identity,
            "position": asdict(position),
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

        def save() -> None:
            with atomic_write(self.path) as beside:
                torch.save(state, beside)

        current().lead(save)

    def load(self, parts: Mapping[str, Stateful]) -> Position:
        """Restore the parts and the random states; `Position()` if nothing was saved.

        Raises:
            DataError: the checkpoint is damaged, or was made with other settings or data, or by a
                version whose parts were others.
        """
        processes = current()
        if not processes.lead(self.path.exists):
            return Position()
        state, position = processes.lead(lambda: self._read(whole=True))
        try:
            for name, part in parts.items():
                part.load_state_dict(state["parts"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise DataError(
                f"the checkpoint is of another version ({str(error).splitlines()[0]})",
                where=str(self.path),
                todo="go on with the version that began the run, or start again with --overwrite",
            ) from None
        torch.set_rng_state(state["random"])
        if len(state["random_cuda"]) == torch.cuda.device_count():  # else on another machine
            torch.cuda.set_rng_state_all(state["random_cuda"])
        processes.broadcast()  # of which each may have another device
        return position

    def check(self) -> None:
        """Refuse what `load` would, except damaged weights, before anything is changed.

        Raises:
            DataError: the checkpoint is damaged, or was made with other settings or data.
        """
        if self.path.exists():
            self._read(whole=False)

    def _read(self, *, whole: bool) -> tuple[dict[str, Any], Position]:
        try:
            if whole:
                with zipfile.ZipFile(self.path) as archive:
                    damaged = archive.testzip()  # torch.load verifies no checksum
                if damaged:
                    raise zipfile.BadZipFile(f"the checksum of {damaged} is another")
            state: dict[str, Any] = torch.load(
                self.path, map_location="cpu", weights_only=True, mmap=not whole
            )
            identity, position = state["identity"], Position(**state["position"])
        except Exception as error:  # a dozen kinds, depending on the damage
            raise _damaged(self.path, error) from None
        if identity != self.identity:
            raise DataError(
                "the checkpoint was made with other settings or data",
                where=str(self.path),
                todo="repeat the first command with --resume, or start again with --overwrite",
            )
        return state, position

    def save_best(self, model: nn.Module) -> None:
        """Save these weights as the best so far."""

        def save() -> None:
            weights = {name: weight.contiguous() for name, weight in model.state_dict().items()}
            with atomic_write(self.best_path) as beside:
                # Not save_file, which ignores the umask: only its owner could read the file.
                beside.write_bytes(safetensors.torch.save(weights))

        current().lead(save)

    def load_best(self, model: nn.Module) -> None:
        """Load the best weights into the model.

        Raises:
            DataError: the file is absent or damaged.
        """

        def load() -> None:
            try:
                weights = safetensors.torch.load_file(self.best_path)
            except (OSError, safetensors.SafetensorError) as error:
                raise _damaged(self.best_path, error) from None
            model.load_state_dict(weights)

        current().lead(load)
        current().broadcast(model)

    def remove(self) -> None:
        """Remove what only an unfinished run needs."""
        self.path.unlink(missing_ok=True)
        self.best_path.unlink(missing_ok=True)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"damaged checkpoint ({error})", where=str(path), todo="start again with --overwrite"
    )
