"""Logistic regressions over n-grams in memory, by dual coordinate descent.

With two classes there is one regression, with more one per class against all others; of ordered
classes see `sentir.training.ordinal_regression`. An n-gram is scaled by the square root of its
absolute naive-Bayes log-count ratio (Wang and Manning 2012) times its inverse document frequency
(Sparck Jones 1972). The n-grams of a review are binary features; the scaled vector is normalised to
length one.

The old weights of a model that goes on learning are one more feature, whose coefficient is fitted
too: the fit starts from what is known, and the penalty holds the new weights near to it.

Shapes: N reviews, F n-grams, C classes, O outputs; M examples: a review with soft targets is one
of both sides.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.nn.ngrams import MIN_SQUARED_SCALE
from sentir.training.ngram_counts import MIN_REVIEWS, Floats, Ints, NgramCounts, Ngrams

#: Dual coordinate descent (Yu, Huang and Lin 2011) takes 10 to 30 passes.
TOLERANCE, MAX_ITERATIONS = 1e-3, 1000
#: The known logit is this much larger than it was, so that its coefficient is hardly penalised.
KNOWN_SCALE = 10.0


class FittedWeights(NamedTuple):
    """A fitted model: weights and squared scales, each (F, O), and intercepts (O,).

    `known_OO` is what the weights that a model had before it went on learning are multiplied by
    (O, O): a factor for each output, or a mixture of them.
    """

    weights_FO: Floats
    squared_scales_FO: Floats
    intercepts_O: Floats
    known_OO: Floats

    @classmethod
    def known(cls, ngrams: Ngrams) -> FittedWeights:
        """What is known before a fit, which stays so for a class without reviews."""
        outputs = ngrams.known_weights_FO.shape[1]
        return cls(
            ngrams.known_weights_FO.copy(),
            ngrams.known_squared_scales_FO.copy(),
            np.zeros(outputs, np.float32),
            np.eye(outputs, dtype=np.float32),
        )

    def put(
        self, output: int, scale_F: Floats, own_F: npt.NDArray[Any], known: float, intercept: float
    ) -> None:
        """Write what was fitted for one output.

        Args:
            output: which one.
            scale_F: of the n-grams.
            own_F: coefficients of the scaled n-grams.
            known: the factor of the known weights.
            intercept: of the output.
        """
        self.known_OO[output, output] = known
        self.weights_FO[:, output] = known * self.weights_FO[:, output] + own_F * scale_F
        self.squared_scales_FO[:, output] = scale_F**2
        self.intercepts_O[output] = intercept


def target_column(output: int, outputs: int) -> int:
    """The class that an output tells from the others: of two it is the second."""
    return 1 if outputs == 1 else output


def fit_regressions(
    counts: NgramCounts, outputs: int, strengths: Sequence[float], *, balanced: bool
) -> Iterator[FittedWeights]:
    """For each regularisation strength, one logistic regression per output.

    Args:
        counts: the reviews.
        outputs: O.
        strengths: inverse regularisation strengths (C of scikit-learn).
        balanced: weigh both sides of a regression alike.
    """
    from scipy.sparse import diags, hstack

    ngrams, features_NF, weights_N = counts.ngrams, counts.features_NF, counts.weights_N
    problems = []
    for output in range(outputs):
        share_N = counts.targets_NC[:, target_column(output, outputs)]
        if 0 < share_N.sum() < len(share_N):  # a class without reviews keeps zeros
            inside_F = (share_N * weights_N) @ features_NF
            others_F = ((1 - share_N) * weights_N) @ features_NF
            scale_F = ngram_scale(inside_F, others_F, ngrams.reviews_F, len(share_N))
            known_F = ngrams.known_weights_FO[:, output]
            scale_F = with_known_scale(scale_F, ngrams, output)
            size_N = np.sqrt(features_NF @ scale_F**2 + MIN_SQUARED_SCALE)
            sides = Sides.of(share_N, weights_N)
            scaled_NF = diags(1 / size_N) @ features_NF @ diags(scale_F)
            if known_F.any():
                known_N1 = (KNOWN_SCALE * (features_NF @ known_F) / size_N)[:, None]
                scaled_NF = hstack([scaled_NF, known_N1]).tocsr()
            problems.append((output, scaled_NF[sides.row_M], sides, scale_F))
    for strength in strengths:
        fitted = FittedWeights.known(ngrams)
        for output, scaled_MF, sides, scale_F in problems:
            coefficients, intercept = fit_logistic(scaled_MF, sides, strength, balanced=balanced)
            own_F, known = np.split(coefficients, [len(scale_F)])
            factor = KNOWN_SCALE * known[0] if len(known) else 1.0
            fitted.put(output, scale_F, own_F, factor, intercept)
        yield fitted


class Sides(NamedTuple):
    """The M examples of a regression: the row of each, whether it is inside, and its weight.

    A review with soft targets is an example of both sides, weighted by its shares.
    """

    row_M: Ints
    is_in_M: npt.NDArray[np.bool_]
    part_M: Floats

    @classmethod
    def of(cls, share_N: Floats, weights_N: Floats) -> Sides:
        """Of reviews that are inside with some probability each, and count so much."""
        inside_N, outside_N = np.flatnonzero(share_N > 0), np.flatnonzero(share_N < 1)
        row_M = np.concatenate([inside_N, outside_N])
        is_in_M = np.arange(len(row_M)) < len(inside_N)
        part_M = np.where(is_in_M, share_N[row_M], 1 - share_N[row_M]) * weights_N[row_M]
        return cls(row_M, is_in_M, part_M)


def fit_logistic(
    scaled_MF: Any, sides: Sides, strength: float, *, balanced: bool
) -> tuple[npt.NDArray[np.float64], float]:
    """The coefficients (F,) and the intercept of one logistic regression."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(
        C=strength,
        solver="liblinear",
        dual=True,
        random_state=0,
        tol=TOLERANCE,
        max_iter=MAX_ITERATIONS,
        class_weight="balanced" if balanced else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # see MAX_ITERATIONS
        fit.fit(scaled_MF, sides.is_in_M, sides.part_M)
    return fit.coef_[0], float(fit.intercept_[0])


def ngram_scale(
    inside_F: npt.NDArray[Any], others_F: npt.NDArray[Any], reviews_F: npt.NDArray[Any], total: int
) -> Floats:
    """The scale of each n-gram (F,), 0 for one of fewer than `MIN_REVIEWS`.

    Args:
        inside_F: weights of the class's reviews that hold it.
        others_F: those of the other classes' reviews.
        reviews_F: reviews that hold it.
        total: all reviews.
    """
    inside_F, others_F = inside_F + 1, others_F + 1
    ratio_F = np.log(inside_F / inside_F.sum()) - np.log(others_F / others_F.sum())
    seen_F = inside_F + others_F - 2
    rarity_F = np.log((1 + total) / (1 + seen_F)) + 1
    scale_F = np.sqrt(np.abs(ratio_F)) * rarity_F
    scale_F[reviews_F < MIN_REVIEWS] = 0
    scale: Floats = scale_F.astype(np.float32)
    return scale


def with_known_scale(scale_F: Floats, ngrams: Ngrams, output: int) -> Floats:
    """The scales, but for n-grams of a model that goes on learning, which keep theirs."""
    known_F = np.sqrt(ngrams.known_squared_scales_FO[:, output])
    return np.where(known_F > 0, known_F, scale_F)
