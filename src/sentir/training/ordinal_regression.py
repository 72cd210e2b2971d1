"""Logistic regressions over n-grams for ordered classes, such as stars.

There is one regression per boundary between two neighbouring classes: whether a review is of a
class above it (Frank and Hall 2001, *A Simple Approach to Ordinal Classification*). The logit of a
class is the sum of those of the boundaries below it, so the model has an output per class as any
other, and an n-gram that speaks for four stars speaks for five rather than for one. All boundaries
share one scale per n-gram, without which the sums would not be linear in the n-grams.

Shapes: N reviews, F n-grams, C classes, which are the outputs O; S boundaries, C - 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sentir.nn.ngrams import MIN_SQUARED_SCALE
from sentir.training.ngram_counts import Floats, NgramCounts, Ngrams
from sentir.training.ngram_regression import (
    KNOWN_SCALE,
    FittedWeights,
    Sides,
    fit_logistic,
    ngram_scale,
    with_known_scale,
)


def share_a_scale(ngrams: Ngrams) -> bool:
    """Whether a model that goes on learning, if one does, has one scale per n-gram."""
    scales_FO = ngrams.known_squared_scales_FO
    return bool((scales_FO == scales_FO[:, :1]).all())


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
    scale_F = with_known_scale(_shared_scale(counts, above_NS), ngrams, 0)
    size_N = np.sqrt(features_NF @ scale_F**2 + MIN_SQUARED_SCALE)
    scaled_NF = (diags(1 / size_N) @ features_NF @ diags(scale_F)).tocsr()
    # Sums of what lies below each class, around their mean, which changes no probability.
    classes = counts.targets_NC.shape[1]
    below_SO = np.triu(np.ones((classes - 1, classes)), 1)
    below_SO -= below_SO.mean(axis=1, keepdims=True)
    step_OS = np.eye(classes)[:, 1:] - np.eye(classes)[:, :-1]  # from a class to the next
    known_FS = ngrams.known_weights_FO @ step_OS
    for strength in strengths:
        own_FS, factor_S = np.zeros((len(scale_F), classes - 1)), np.ones(classes - 1)
        intercept_S = np.zeros(classes - 1)
        for boundary, share_N in enumerate(above_NS.T):
            if not 0 < share_N.sum() < len(share_N):  # without reviews of one side it keeps zeros
                continue
            sides, read_NF = Sides.of(share_N, weights_N), scaled_NF
            if known_FS[:, boundary].any():
                known_N = KNOWN_SCALE * (features_NF @ known_FS[:, boundary]) / size_N
                read_NF = hstack([scaled_NF, csr_matrix(known_N[:, None])]).tocsr()
            coefficients, intercept_S[boundary] = fit_logistic(
                read_NF[sides.row_M], sides, strength, balanced=balanced
            )
            own_F, known = np.split(coefficients, [len(scale_F)])
            own_FS[:, boundary] = own_F * scale_F
            if len(known):
                factor_S[boundary] = KNOWN_SCALE * known[0]
        weights_FO = (known_FS * factor_S + own_FS) @ below_SO
        yield FittedWeights(
            weights_FO.astype(np.float32),
            np.repeat(scale_F[:, None] ** 2, classes, axis=1).astype(np.float32),
            (intercept_S @ below_SO).astype(np.float32),
            (step_OS * factor_S @ below_SO).astype(np.float32),
        )


def _shared_scale(counts: NgramCounts, above_NS: Floats) -> Floats:
    """The root of the mean square of the scales of all boundaries, (F,)."""
    squares_FS = []
    for share_N in above_NS.T:
        above_F = (share_N * counts.weights_N) @ counts.features_NF
        below_F = ((1 - share_N) * counts.weights_N) @ counts.features_NF
        scale_F = ngram_scale(above_F, below_F, counts.ngrams.reviews_F, len(share_N))
        squares_FS.append(scale_F**2)
    scale: Floats = np.sqrt(np.mean(squares_FS, axis=0))
    return scale
