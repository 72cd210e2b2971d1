"""Two models on the same reviews: what each alone gets right, and whether that may be chance.

Shapes: N examples.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sentir.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """Two models on the same reviews.

    Attributes:
        first, second: their names.
        both: the number of reviews that both get right.
        only_first, only_second: those that one alone gets right.
        neither: those that both get wrong.
        p_value: the probability of so unequal a division of the reviews that one alone gets right,
            or a more unequal one, if neither model is better.
    """

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float

    @property
    def examples(self) -> int:
        """All reviews."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def accuracies(self) -> tuple[float, float]:
        """The share of reviews that each gets right."""
        return (
            (self.both + self.only_first) / self.examples,
            (self.both + self.only_second) / self.examples,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return {
            **dataclasses.asdict(self),
            "examples": self.examples,
            "accuracies": list(self.accuracies),
        }


def mcnemar(
    first_N: npt.NDArray[np.bool_], second_N: npt.NDArray[np.bool_], names: tuple[str, str]
) -> PairedTest:
    """McNemar's exact test of two classifiers on the same reviews.

    Of the reviews that one alone gets right, each model has half if neither is better; the p-value
    is that of the two-sided binomial test (McNemar 1947, *Note on the Sampling Error of the
    Difference Between Correlated Proportions or Percentages*; recommended for two classifiers by
    Dietterich 1998, *Approximate Statistical Tests for Comparing Supervised Classification Learning
    Algorithms*).

    Args:
        first_N, second_N: whether each model classifies each review correctly.
        names: of the models.

    Raises:
        UsageError: the shapes differ.
    """
    from scipy.stats import binomtest

    if first_N.shape != second_N.shape or first_N.ndim != 1:
        raise UsageError(
            f"shapes {first_N.shape} and {second_N.shape}",
            where="mcnemar",
            todo="give both models the same reviews",
        )
    only_first = int((first_N & ~second_N).sum())
    only_second = int((~first_N & second_N).sum())
    differing = only_first + only_second
    return PairedTest(
        first=names[0],
        second=names[1],
        both=int((first_N & second_N).sum()),
        only_first=only_first,
        only_second=only_second,
        neither=int((~first_N & ~second_N).sum()),
        p_value=float(binomtest(only_first, differing).pvalue) if differing else 1.0,
    )
