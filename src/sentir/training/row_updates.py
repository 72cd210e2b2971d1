"""AdamW and averaging of word vectors, at a cost that does not grow with the vocabulary.

A step reads a few of the vectors, and AdamW moves all of them: those that are not read by their
momentum. Their moments only decay then. So what some such steps do to a vector is one linear map of
the vector, its direction and its average, which depends on the last step that read it and on
nothing else of it. A vector is brought up to date when it is read next (lazy updates: Carpenter
2008, *Lazy Sparse Stochastic Gradient Descent for Regularized Multinomial Logistic Regression*),
and all are before they are validated or saved.

Shapes: V vocabulary, E embedding, U ids that a batch reads, S steps since all were up to date.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sentir.data.distinct import distinct
from sentir.nn.row_embedding import RowEmbedding
from sentir.text.tokenizer import PAD
from sentir.training.ema import ExponentialMovingAverage

#: Most steps until all vectors are brought up to date, as each of these steps is remembered.
WINDOW_STEPS = 2000
#: Vectors at a time when all are brought up to date.
PART = 8192


class EveryRow:
    """The other way: the optimiser and the average move all word vectors at every step.

    Attributes:
        weight: what the average leaves alone: nothing.
    """

    weight: nn.Parameter | None = None

    def lent(self, ids: Tensor) -> AbstractContextManager[None]:
        """The ``with`` block of a step."""
        return nullcontext()

    def bring_up_to_date(self) -> None:
        """They are."""

    def state_dict(self) -> dict[str, Any]:
        """There is no state."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """There is no state."""


class RowUpdates(EveryRow):
    """Lends an optimiser, at each step, the word vectors that the batch reads.

    Args:
        embedding: whose weights are trained, on a CPU.
        average: of the weights; it leaves those of this embedding to this object.
        optimiser: of all weights; from now on the lent rows take the place of the embedding's.

    Attributes:
        weight: the embedding's.
    """

    def __init__(
        self,
        embedding: RowEmbedding,
        average: ExponentialMovingAverage[Any],
        optimiser: torch.optim.AdamW,
    ) -> None:
        self._embedding, self._average, self._optimiser = embedding, average, optimiser
        self.weight = embedding.weight  # type: ignore[assignment]
        vectors_VE = embedding.weight.detach()
        self._tables = [vectors_VE, torch.zeros_like(vectors_VE), torch.zeros_like(vectors_VE)]
        if average.decay:
            self._tables.append(average.model.embedding.weight.detach())
        self._place = _place_of(optimiser, embedding.weight)
        self._steps = 0
        self._since = _Steps()
        self._updated_V = np.zeros(len(vectors_VE), np.int64)

    @contextmanager
    def lent(self, ids: Tensor) -> Iterator[None]:
        """Let the model read, and the optimiser change, the vectors of these ids and no others.

        Within the ``with`` block the loss is computed and the optimiser and the average take their
        step; if it raises, the vectors stay as they were.
        """
        ids_U = torch.from_numpy(distinct(np.append(ids.numpy(), PAD)))
        rows = [table_VE.index_select(0, ids_U) for table_VE in self._tables]
        self._bring_up_to_date(rows, self._updated_V[ids_U])
        vectors_UE, mean_UE, square_UE, *averages = rows
        number, place = self._place
        group = self._optimiser.param_groups[number]
        lent_UE = nn.Parameter(vectors_UE, requires_grad=group["params"][place].requires_grad)
        group["params"][place] = lent_UE
        steps = torch.tensor(float(self._steps))
        state = {"step": steps, "exp_avg": mean_UE, "exp_avg_sq": square_UE}
        self._optimiser.state[lent_UE] = state
        self._embedding.lend(lent_UE, ids_U)
        try:
            yield
        finally:
            self._embedding.end_lending()
            del self._optimiser.state[lent_UE]
        for average_UE in averages:
            average_UE.lerp_(vectors_UE, 1 - self._average.last_decay)
        for table_VE, rows_UE in zip(self._tables, rows, strict=True):
            table_VE.numpy()[ids_U.numpy()] = rows_UE.numpy()  # faster than `index_copy_`
        is_trained, self._steps = steps.item() > self._steps, int(steps.item())
        learning_rate = group["lr"] if is_trained else 0.0  # before the embedding is unfrozen
        self._since.add(group, learning_rate, self._steps, self._average.last_decay)
        self._updated_V[ids_U] = self._since.count
        if self._since.count == WINDOW_STEPS:
            self.bring_up_to_date()

    def bring_up_to_date(self) -> None:
        """Give all vectors the moves of the steps that did not read them."""
        if not self._since.count:
            return
        for start in range(0, len(self._updated_V), PART):
            part = slice(start, start + PART)
            rows = [table_VE[part] for table_VE in self._tables]
            self._bring_up_to_date(rows, self._updated_V[part])
        self._updated_V[:] = 0
        self._since = _Steps()

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint, once all vectors are up to date."""
        self.bring_up_to_date()
        mean_VE, square_VE = self._tables[1:3]
        return {"mean_VE": mean_VE, "square_VE": square_VE, "steps": self._steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        for table_VE, name in zip(self._tables[1:3], ("mean_VE", "square_VE"), strict=True):
            table_VE.copy_(state_dict[name])
        self._steps = state_dict["steps"]

    def _bring_up_to_date(self, rows: Sequence[Tensor], updated_U: npt.NDArray[np.int64]) -> None:
        """As above, these rows of the tables, in place; `updated_U` is when each was."""
        vectors_UE, mean_UE, square_UE, *averages = rows
        group = self._optimiser.param_groups[self._place[0]]
        maps = self._since.maps(updated_U)
        keep, drift, average_keep, average_share, average_drift, mean_decay, square_decay = (
            torch.from_numpy(part_U.astype(np.float32))[:, None] for part_U in maps
        )
        bias_correction = 1 - group["betas"][1] ** max(self._steps, 1)
        epsilon = group["eps"] * math.sqrt(bias_correction)  # hardly changes within a window
        direction_UE = mean_UE / square_UE.sqrt().add_(epsilon)
        for average_UE in averages:
            average_UE.mul_(average_keep).addcmul_(vectors_UE, average_share)
            average_UE.addcmul_(direction_UE, average_drift)
        vectors_UE.mul_(keep).addcmul_(direction_UE, drift)
        mean_UE.mul_(mean_decay)
        square_UE.mul_(square_decay)


class _Steps:
    """The steps since all vectors were up to date, as what they do to one that they do not read.

    A vector x, its direction d = m / sqrt(v) and its average a become, from the end of step s on,

        x' = keep x + drift d,    a' = average_keep a + average_share x + average_drift d

    Attributes:
        count: S.
    """

    def __init__(self) -> None:
        self.count = 0
        self._betas = 0.0, 0.0
        #: keep, drift, average_keep, average_share, average_drift, by s from 0 to `count`.
        self._maps_5S = np.zeros((5, WINDOW_STEPS + 1))
        self._maps_5S[[0, 2]] = 1.0

    def add(
        self, group: dict[str, Any], learning_rate: float, adam_steps: int, average_decay: float
    ) -> None:
        """Add a step: its parameter group, learning rate, number, and the decay of the average."""
        self._betas = beta1, beta2 = group["betas"]
        correction = max(adam_steps, 1)
        move = learning_rate * math.sqrt(1 - beta2**correction) / (1 - beta1**correction)
        kept = 1 - learning_rate * group["weight_decay"]
        ages_S = np.arange(self.count + 1, 0, -1)
        keep, drift, average_keep, average_share, average_drift = self._maps_5S[:, : self.count + 1]
        keep *= kept
        drift *= kept
        drift -= move * (beta1 / math.sqrt(beta2)) ** ages_S
        for average, of_vector in ((average_share, keep), (average_drift, drift)):
            average *= average_decay
            average += (1 - average_decay) * of_vector
        average_keep *= average_decay
        self.count += 1

    def maps(self, updated_U: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """For vectors last updated in these steps the five factors, and the decays of m and v."""
        age_U = self.count - updated_U
        decays = [beta**age_U for beta in self._betas]
        return np.concatenate([self._maps_5S[:, updated_U], decays])


def _place_of(optimiser: torch.optim.Optimizer, weight: Tensor) -> tuple[int, int]:
    """The group of a weight in an optimiser, and its place in the group."""
    for number, group in enumerate(optimiser.param_groups):
        for place, one in enumerate(group["params"]):
            if one is weight:
                return number, place
    raise ValueError("the optimiser does not train this weight")
