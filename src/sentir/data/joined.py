"""Several encoded corpora that are read as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sentir.data.store import EncodedCorpus


class Reviews(Protocol):
    """Reviews as ids: what batches are made of, and learnt from.

    Attributes:
        labels_N: class of each review, -1 for none.
        lengths_N: tokens of each review.
    """

    labels_N: npt.NDArray[np.int32]
    lengths_N: npt.NDArray[np.int32]

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]: ...


class JoinedCorpora:
    """The reviews of one corpus after those of another, as `Reviews`; their ids stay on disk."""

    def __init__(self, corpora: Sequence[EncodedCorpus]) -> None:
        self._corpora = corpora
        self._ends = np.cumsum([len(corpus) for corpus in corpora])
        self.labels_N = np.concatenate([corpus.labels_N for corpus in corpora])
        self.lengths_N = np.concatenate([corpus.lengths_N for corpus in corpora])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into its corpus' file."""
        at = int(np.searchsorted(self._ends, row, side="right"))
        return self._corpora[at][row - (int(self._ends[at - 1]) if at else 0)]
