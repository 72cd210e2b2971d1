"""How far unlabelled reviews are from those of validation, and the accuracy to expect on them.

The estimate is the difference of confidences (Guillory et al. 2021, *Predicting with Confidence on
Unseen Distributions*): the accuracy of validation, less the fall of the mean confidence. The
averaged thresholded confidence of Garg et al. 2022, *Leveraging Unlabeled Data to Predict
Out-of-Distribution Performance*, was less exact on reviews of other sources.

Shapes: N reviews.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sentir.errors import BundleError, SentirWarning

#: How far the estimate was from the accuracy (as shares) where it was measured: on reviews of other
#: sources, the mean and the largest distance; and the largest on texts that were cut short, or
#: edited until they said the opposite.
MEAN_ERROR, LARGEST_ERROR, LARGEST_OF_EDITED = 0.007, 0.014, 0.14
#: Standard errors beyond which a fall of the mean confidence is no chance, and the least fall that
#: is worth a warning.
BEYOND_CHANCE, LEAST_FALL = 3.0, 0.01
#: How much more unknown words than in validation are worth a warning: times, and in addition.
UNKNOWN_TIMES, UNKNOWN_MORE = 1.5, 0.01
#: How many times longer or shorter reviews are worth a warning.
LENGTH_TIMES = 2.0


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What drift is measured against.

    Attributes:
        examples: validation reviews.
        accuracy: on them, as a share.
        confidence: mean probability of the likeliest class, 0 to 1.
        unknown_share: share of their tokens that the vocabulary lacks; None if not measured.
        mean_length: tokens of a review; None if not measured.
    """

    examples: int
    accuracy: float
    confidence: float
    unknown_share: float | None
    mean_length: float | None

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Reference:
        """What ``metrics.json`` of a bundle says of the validation reviews.

        Raises:
            BundleError: it says too little, or what cannot be.
        """
        try:
            validation = metrics["validation"]
            examples, accuracy = int(validation["examples"]), float(validation["accuracy"])
            confidence = math.fsum(
                int(part["count"]) * float(part["confidence"] or 0) / examples
                for part in validation["reliability"]
            )
            texts = metrics.get("validation_texts")  # not in models of earlier versions
            unknown = texts and float(texts["unknown_share"])
            length = texts and float(texts["mean_length"])
            shares = [accuracy, confidence, unknown or 0.0]
            if not (all(0 <= share <= 1 + 1e-9 for share in shares) and (length or 0.0) >= 0):
                raise ValueError(f"shares of {shares}")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise BundleError(
                f"no figures of validation to compare with ({error!r})",
                where="metrics.json",
                todo="train again with this version",
            ) from None
        return cls(
            examples=examples,
            accuracy=accuracy,
            confidence=confidence,
            unknown_share=unknown,
            mean_length=length,
        )


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Reviews beside those of validation.

    Attributes:
        examples: reviews that were read.
        confidence: mean probability of the likeliest class, 0 to 1.
        confidence_error: standard error of its difference from validation's, by chance alone.
        unknown_share: share of the tokens that the vocabulary lacks.
        mean_length: tokens of a review.
        reference: the same of validation.
    """

    examples: int
    confidence: float
    confidence_error: float
    unknown_share: float
    mean_length: float
    reference: Reference

    @property
    def confidence_fall(self) -> float:
        """How much lower the mean confidence is than in validation; negative: higher."""
        return self.reference.confidence - self.confidence

    @property
    def estimated_accuracy(self) -> float:
        """The accuracy to expect, as a share: an estimate without labels."""
        return min(1.0, max(0.0, self.reference.accuracy - self.confidence_fall))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return {
            **dataclasses.asdict(self),
            "confidence_fall": self.confidence_fall,
            "estimated_accuracy": self.estimated_accuracy,
            "estimate_error": {
                "mean": MEAN_ERROR,
                "largest": LARGEST_ERROR,
                "largest_of_edited": LARGEST_OF_EDITED,
            },
        }


def measure_drift(
    confidence_N: np.ndarray, *, unknown: int, tokens: int, reference: Reference
) -> Drift:
    """Compare reviews with those of validation.

    Args:
        confidence_N: probability of the likeliest class of each review; at least one.
        unknown, tokens: tokens that the vocabulary lacks, and all tokens.
        reference: of validation.
    """
    chance = confidence_N.std() * math.sqrt(1 / len(confidence_N) + 1 / reference.examples)
    return Drift(
        examples=len(confidence_N),
        confidence=float(confidence_N.mean()),
        confidence_error=float(chance),
        unknown_share=unknown / max(tokens, 1),
        mean_length=tokens / len(confidence_N),
        reference=reference,
    )


def warn_of_drift(drift: Drift) -> None:
    """Warn where reviews are unlike those of validation, beyond chance."""
    known, length = drift.reference.unknown_share, drift.reference.mean_length
    fall = drift.confidence_fall
    if fall > max(LEAST_FALL, BEYOND_CHANCE * drift.confidence_error):
        warnings.warn(
            f"the mean confidence is {100 * fall:.1f} points lower than in validation: expect an "
            f"accuracy of {drift.estimated_accuracy:.1%} instead of "
            f"{drift.reference.accuracy:.1%}; label some of these reviews and measure on them",
            SentirWarning,
            stacklevel=3,
        )
    if known is not None and drift.unknown_share > max(UNKNOWN_TIMES * known, known + UNKNOWN_MORE):
        warnings.warn(
            f"{drift.unknown_share:.1%} of the words are unknown to the model, and {known:.1%} in "
            "validation: these are reviews of another kind, or in another language",
            SentirWarning,
            stacklevel=3,
        )
    if length and not length / LENGTH_TIMES <= drift.mean_length <= length * LENGTH_TIMES:
        warnings.warn(
            f"{drift.mean_length:.0f} tokens a review, and {length:.0f} in validation: the "
            "estimated accuracy may be too high, and is if texts were cut short",
            SentirWarning,
            stacklevel=3,
        )
