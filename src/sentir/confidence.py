"""The confidence below which a model says that it is unsure: selective classification.

A model answers if the probability of its likeliest class reaches a threshold, and is unsure
otherwise (El-Yaniv and Wiener 2010, *On the Foundations of Noise-free Selective Classification*;
Geifman and El-Yaniv 2017, *Selective Classification for Deep Neural Networks*). The share of
reviews that are answered is called the coverage. `sentir.evaluation.selective` finds the threshold.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sentir.errors import DataError


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """Where a share lies with 95 % confidence, of which `successes` of `count` were seen.

    It is the score interval of Wilson 1927, *Probable Inference, the Law of Succession, and
    Statistical Inference*. `count` is at least 1.
    """
    z, n, p = 1.959964, count, successes / count
    middle = p + z * z / (2 * n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How many of some labelled reviews were answered at a threshold, and how many correctly."""

    examples: int
    answered: int
    correct: int

    def __post_init__(self) -> None:
        counts = self.correct, self.answered, self.examples
        if any(type(count) is not int for count in counts) or not (
            0 <= self.correct <= self.answered <= self.examples > 0
        ):
            raise DataError(f"{counts} are no counts of correct, answered and all reviews")

    @property
    def coverage(self) -> float:
        """The share of the reviews that were answered."""
        return self.answered / self.examples

    @property
    def coverage_interval(self) -> tuple[float, float]:
        """Where the coverage lies with 95 % confidence, as shares (`wilson_interval`)."""
        return wilson_interval(self.answered, self.examples)

    @property
    def accuracy(self) -> float | None:
        """The accuracy over the answered reviews; None if there are none."""
        return self.correct / self.answered if self.answered else None

    @property
    def accuracy_interval(self) -> tuple[float, float] | None:
        """Where that accuracy lies with 95 % confidence; None if no review was answered."""
        return wilson_interval(self.correct, self.answered) if self.answered else None

    def figures(self) -> dict[str, Any]:
        """The counts and the shares, as JSON holds them."""
        accuracy = self.accuracy_interval
        return {
            **dataclasses.asdict(self),
            "coverage": self.coverage,
            "coverage_interval": list(self.coverage_interval),
            "accuracy": self.accuracy,
            "accuracy_interval": accuracy and list(accuracy),
        }


@dataclass(frozen=True, kw_only=True)
class ConfidenceThreshold:
    """The least confidence at which a model answers, and what that promises.

    On reviews like those of validation the expected coverage is at least `coverage`, and the
    accuracy over the answered lies in ``validation.accuracy_interval`` with 95 % confidence. On
    other reviews nothing is promised.

    Attributes:
        value: the threshold, a probability from 0 (all are answered) to 1.
        coverage: the share of reviews that was asked to be answered, above 0 and at most 1.
        validation: what the threshold does to the reviews that it was found on.
    """

    value: float
    coverage: float
    validation: Answered

    def __post_init__(self) -> None:
        if not (0 <= self.value <= 1 and 0 < self.coverage <= 1):
            raise DataError(f"a threshold of {self.value} for a coverage of {self.coverage}")

    def is_unsure(self, confidence: float) -> bool:
        """Whether a probability of the likeliest class is too low to answer."""
        return confidence < self.value

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it; `from_dict` reads it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ConfidenceThreshold:
        """The threshold that `to_dict` wrote.

        Raises:
            DataError: a part is missing, unknown, of another type or out of range.
        """
        try:
            validation = Answered(**data["validation"])
            value, coverage = float(data["value"]), float(data["coverage"])
            return cls(**{**data, "value": value, "coverage": coverage, "validation": validation})
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"no threshold of confidence ({error!r})") from None
