"""Several encoded corpora that are read as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sentir.data.dataset import EncodedCorpus


class Reviews(Protocol):
    """Reviews as ids: what batches are made of, and learnt from.

    Attributes:
        targets: what is to be answered to each review: its class (N,), or the probabilities of the
            classes (N, C).
        lengths_N: tokens of each review.
    """

    lengths_N: npt.NDArray[np.int32]

    @property
    def targets(self) -> npt.NDArray[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]: ...


class JoinedCorpora:
    """The reviews of one corpus after those of another, as `Reviews`; their ids stay on disk.

    Args:
        corpora: one or more.
        targets: what is to be answered to all their reviews, in this order.
    """

    def __init__(self, corpora: Sequence[EncodedCorpus], targets: npt.NDArray[Any]) -> None:
        self._corpora = corpora
        self.targets = targets
        self._ends = np.cumsum([len(corpus) for corpus in corpora])
        self.lengths_N = np.concatenate([corpus.lengths_N for corpus in corpora])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into its corpus' file."""
        at = int(np.searchsorted(self._ends, row, side="right"))
        return self._corpora[at][row - (int(self._ends[at - 1]) if at else 0)]
