"""Logistic regressions over n-grams for ordered classes, such as stars.

There is one regression per boundary between two neighbouring classes: whether a review is of a
class above it (Frank and Hall 2001, *A Simple Approach to Ordinal Classification*). The logit of a
class is the sum of those of the boundaries below it, so the model has an output per class as any
other, and an n-gram that speaks for four stars speaks for five rather than for one. All boundaries
share one scale per n-gram, without which the sums would not be linear in the n-grams.

Shapes: N reviews, F n-grams, C classes, which are the outputs O; S boundaries, C - 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from sentir.nn.ngrams import MIN_SQUARED_SCALE
from sentir.training.ngram_counts import Doubles, Floats, NgramCounts, Ngrams
from sentir.training.ngram_regression import (
    KNOWN_SCALE,
    FittedWeights,
    Sides,
    fit_logistic,
    ngram_scale,
    with_known_scale,
)

#: The coefficients of the scaled n-grams, the factor of the known weights, the intercept.
Regression = tuple[Doubles, float, float]


@dataclass(frozen=True)
class Boundaries:
    """How the regressions of all boundaries become a model with an output per class.

    Attributes:
        classes: C, three or more, in their order.
        known_FS: the weights of the boundaries of a model that goes on learning, or 0.
    """

    classes: int
    known_FS: Doubles

    @classmethod
    def of(cls, ngrams: Ngrams) -> Boundaries:
        """Those of a model with these known weights."""
        classes = ngrams.known_weights_FO.shape[1]
        return cls(classes, ngrams.known_weights_FO @ _steps_between(classes))

    def fit(
        self, scale_F: Floats, fit_one: Callable[[int, Doubles], Regression | None]
    ) -> FittedWeights:
        """Fit each boundary, and join them.

        Args:
            scale_F: of the n-grams.
            fit_one: called with the number of a boundary and its known weights (F,); gives the
                coefficients of the scaled n-grams, the factor of the known weights and the
                intercept, or None where there are no reviews of one side.
        """
        own_FS, factor_S = np.zeros_like(self.known_FS), np.ones(self.classes - 1)
        intercept_S = np.zeros(self.classes - 1)
        for boundary, known_F in enumerate(self.known_FS.T):
            found = fit_one(boundary, known_F)
            if found is not None:
                own_F, factor_S[boundary], intercept_S[boundary] = found
                own_FS[:, boundary] = own_F * scale_F
        # Sums of what lies below each class, around their mean, which changes no probability.
        below_SO = np.triu(np.ones((self.classes - 1, self.classes)), 1)
        below_SO -= below_SO.mean(axis=1, keepdims=True)
        weights_FO = (self.known_FS * factor_S + own_FS) @ below_SO
        return FittedWeights(
            weights_FO.astype(np.float32),
            np.repeat(scale_F[:, None] ** 2, self.classes, axis=1).astype(np.float32),
            (intercept_S @ below_SO).astype(np.float32),
            (_steps_between(self.classes) * factor_S @ below_SO).astype(np.float32),
        )


def share_a_scale(ngrams: Ngrams) -> bool:
    """Whether a model that goes on learning, if one does, has one scale per n-gram."""
    scales_FO = ngrams.known_squared_scales_FO
    return bool((scales_FO == scales_FO[:, :1]).all())


def shared_scale(scales: Iterable[Floats], ngrams: Ngrams) -> Floats:
    """The root of the mean square of the scales of all boundaries, (F,), or the known scale."""
    scale_F = np.sqrt(np.mean([scale_F**2 for scale_F in scales], axis=0))
    return with_known_scale(scale_F, ngrams, 0)


def fit_ordinal_regressions(
    counts: NgramCounts, strengths: Sequence[float], *, balanced: bool
) -> Iterator[FittedWeights]:
    """For each regularisation strength, one logistic regression per boundary.

    Args:
        counts: the reviews, of three or more classes in their order.
        strengths: inverse regularisation strengths (C of scikit-learn).
        balanced: weigh both sides of a regression alike.
    """
    from scipy.sparse import csr_matrix, diags, hstack

    ngrams, features_NF, weights_N = counts.ngrams, counts.features_NF, counts.weights_N
    above_NS = np.cumsum(counts.targets_NC[:, :0:-1], axis=1)[:, ::-1].clip(0, 1)
    scale_F = shared_scale(_scales(counts, above_NS), ngrams)
    size_N = np.sqrt(features_NF @ scale_F**2 + MIN_SQUARED_SCALE)
    scaled_NF = (diags(1 / size_N) @ features_NF @ diags(scale_F)).tocsr()

    def fit_one(strength: float, boundary: int, known_F: Doubles) -> Regression | None:
        share_N = above_NS[:, boundary]
        if not 0 < share_N.sum() < len(share_N):  # without reviews of one side it keeps zeros
            return None
        sides, read_NF = Sides.of(share_N, weights_N), scaled_NF
        if known_F.any():
            known_N = KNOWN_SCALE * (features_NF @ known_F) / size_N
            read_NF = hstack([scaled_NF, csr_matrix(known_N[:, None])]).tocsr()
        coefficients, intercept = fit_logistic(
            read_NF[sides.row_M], sides, strength, balanced=balanced
        )
        own_F, known = np.split(coefficients, [len(scale_F)])
        return own_F, KNOWN_SCALE * known[0] if len(known) else 1.0, intercept

    for strength in strengths:
        yield Boundaries.of(ngrams).fit(scale_F, partial(fit_one, strength))


def _scales(counts: NgramCounts, above_NS: Floats) -> Iterator[Floats]:
    """The scale of each n-gram (F,) for each boundary."""
    for share_N in above_NS.T:
        above_F = (share_N * counts.weights_N) @ counts.features_NF
        below_F = ((1 - share_N) * counts.weights_N) @ counts.features_NF
        yield ngram_scale(above_F, below_F, counts.ngrams.reviews_F, len(share_N))


def _steps_between(classes: int) -> Doubles:
    """From the outputs of classes to those of the boundaries between them, (O, S)."""
    step_OS: Doubles = np.eye(classes)[:, 1:] - np.eye(classes)[:, :-1]
    return step_OS
