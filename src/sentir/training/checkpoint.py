"""The state of a run on disk, so that it outlives a kill at any moment.

Three files in a run's folder, each written whole or not at all:

- ``checkpoint.pt``: weights, optimiser, random states and position, at the last validation
  or, before the first one, at the beginning.
- ``best.safetensors``: the weights of the lowest validation loss so far.
- ``metrics.jsonl`` is cut back to the checkpoint when a run resumes, so no step stands twice.

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


class Stateful(Protocol):
    """A model, an optimiser: anything whose state can be taken out and put back."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Any) -> Any: ...


@dataclass
class Position:
    """Where a run is, counted from its beginning.

    Attributes:
        step: optimiser steps taken.
        reviews: reviews seen.
        tokens: tokens seen.
        best_loss: lowest validation loss, nats a review.
        best_step: the step it was seen at.
        without_better: validations since then.
        seconds: spent on the way here, in all parts of a run that was resumed.
        stopped: why the run ended, empty while it goes on.
    """

    step: int = 0
    reviews: int = 0
    tokens: int = 0
    best_loss: float = math.inf
    best_step: int | None = None
    without_better: int = 0
    seconds: float = field(default=0.0, compare=False)
    stopped: str = ""

    def add(self, batch: Batch) -> None:
        """Count a step."""
        self.step += 1
        self.reviews += len(batch.rows_B)
        self.tokens += int(batch.lengths_B.sum())

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """The step and what else is asked for, as events tell it."""
        return {"step": self.step, **{name: getattr(self, name) for name in names}}


class Checkpoints:
    """Saves and restores a run in its folder.

    Args:
        folder: the run's folder.
        identity: what a checkpoint must agree in to be resumed (the settings and the data).
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.path = folder / "checkpoint.pt"
        self.best_path = folder / "best.safetensors"
        self._identity = identity

    def save(self, parts: Mapping[str, Stateful], at: Position) -> None:
        """Write everything that the rest of the run depends on.

        Args:
            parts: by name, the model, the optimiser and whatever else changes step by step.
            at: where the run is.
        """
        state = {
            "identity": self._identity,
            "position": asdict(at),
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        with atomic_write(self.path) as beside:
            torch.save(state, beside)

    def load(self, parts: Mapping[str, Stateful]) -> Position:
        """Put the parts and the random states back; the beginning if nothing was saved.

        Raises:
            DataError: the checkpoint is damaged, or was made with other settings or data, or by a
                version whose parts were others.
        """
        if not self.path.exists():
            return Position()
        state, position = self._read(whole=True)
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
        return position

    def check(self) -> None:
        """Refuse what `load` would, but for damage to weights, before anything is touched.

        Raises:
            DataError: the checkpoint is damaged, or was made with other settings or data.
        """
        if self.path.exists():
            self._read(whole=False)

    def _read(self, *, whole: bool) -> tuple[dict[str, Any], Position]:
        try:
            if whole:
                with zipfile.ZipFile(self.path) as archive:
                    damaged = archive.testzip()  # torch.load itself looks at no checksum
                if damaged:
                    raise zipfile.BadZipFile(f"the checksum of {damaged} is another")
            state: dict[str, Any] = torch.load(
                self.path, map_location="cpu", weights_only=True, mmap=not whole
            )
            identity, position = state["identity"], Position(**state["position"])
        except Exception as error:  # of a dozen kinds, by where the damage is
            raise _damaged(self.path, error) from None
        if identity != self._identity:
            raise DataError(
                "the checkpoint was made with other settings or data",
                where=str(self.path),
                todo="repeat the first command with --resume, or start again with --overwrite",
            )
        return state, position

    def save_best(self, model: nn.Module) -> None:
        """Keep these weights as the best so far."""
        weights = {name: weight.contiguous() for name, weight in model.state_dict().items()}
        with atomic_write(self.best_path) as beside:
            safetensors.torch.save_file(weights, beside)

    def load_best(self, model: nn.Module) -> None:
        """Put the best weights into the model.

        Raises:
            DataError: the file is absent or damaged.
        """
        try:
            weights = safetensors.torch.load_file(self.best_path)
        except (OSError, safetensors.SafetensorError) as error:
            raise _damaged(self.best_path, error) from None
        model.load_state_dict(weights)

    def remove(self) -> None:
        """Delete what only an unfinished run needs."""
        self.path.unlink(missing_ok=True)
        self.best_path.unlink(missing_ok=True)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"damaged checkpoint ({error})", where=str(path), todo="start again with --overwrite"
    )
