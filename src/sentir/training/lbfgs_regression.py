"""Logistic regressions over chunks of reviews, by L-BFGS (Liu and Nocedal 1989).

The objective is that of `sentir.training.ngram_regression`, with its penalty of the intercept: the
loss and its gradient are summed chunk by chunk, and over the processes that share the chunks. Rank
0 alone takes the steps, as hosts may round differently, and tells the others where to compute.

Shapes: N reviews of a chunk, F n-grams, C classes, O outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sentir.data.dataset import Reviews
from sentir.nn.ngrams import MIN_SQUARED_SCALE
from sentir.training.ngram_chunks import NgramChunks
from sentir.training.ngram_counts import Doubles, Floats, Ngrams
from sentir.training.ngram_regression import (
    KNOWN_SCALE,
    FittedWeights,
    ngram_scale,
    target_column,
    with_known_scale,
)
from sentir.training.ordinal_regression import Boundaries, Regression, share_a_scale, shared_scale
from sentir.training.process_group import ProcessGroup

#: Steps whose gradients L-BFGS remembers; the relative decrease of the objective that ends it.
MEMORY, TOLERANCE, MAX_ITERATIONS = 10, 1e-6, 500
Flags = npt.NDArray[np.bool_]

FITTING = "fitting the n-gram linear model, pass after pass"


@dataclass
class FitByChunks:
    """Fits to reviews on disk, by a group of processes (`sentir.training.ngram_linear.Fit`).

    The n-grams are those of the first corpus; each fit starts from the one before it.

    Attributes:
        chunks: where the reviews are written.
        balanced: weigh both sides of a regression alike.
        ordered: fit the boundaries of the classes (`sentir.training.ordinal_regression`).
    """

    chunks: NgramChunks
    balanced: bool
    ordered: bool = False
    _points: dict[int, Doubles] = field(default_factory=dict)

    @property
    def processes(self) -> ProcessGroup:
        return self.chunks.processes

    def fit(
        self, corpora: Sequence[Reviews], strengths: Sequence[float]
    ) -> tuple[Ngrams, Iterator[FittedWeights]]:
        """The corpora are those of the fit before, and others after them."""
        for corpus in corpora[self.chunks.corpora :]:
            self.chunks.add(corpus)
        ngrams = self.chunks.ngrams()
        return ngrams, (self._fit(ngrams, strength) for strength in strengths)

    def _fit(self, ngrams: Ngrams, strength: float) -> FittedWeights:
        if self.ordered and share_a_scale(ngrams):
            return self._fit_boundaries(ngrams, strength)
        fitted = FittedWeights.known(ngrams)
        outputs = len(fitted.intercepts_O)
        for output in range(outputs):
            is_inside_C = np.arange(self.chunks.classes) == target_column(output, outputs)
            scale_F = with_known_scale(self._scale(is_inside_C), ngrams, output)
            known_F = ngrams.known_weights_FO[:, output]
            found = self._minimise(output, is_inside_C, scale_F, known_F, strength)
            if found is not None:
                fitted.put(output, scale_F, *found)
        return fitted

    def _fit_boundaries(self, ngrams: Ngrams, strength: float) -> FittedWeights:
        places_C = np.arange(self.chunks.classes)
        sides = [places_C > below for below in places_C[:-1]]
        scale_F = shared_scale(map(self._scale, sides), ngrams)

        def fit_one(boundary: int, known_F: Doubles) -> Regression | None:
            return self._minimise(boundary, sides[boundary], scale_F, known_F, strength)

        return Boundaries.of(ngrams).fit(scale_F, fit_one)

    def _scale(self, is_inside_C: Flags) -> Floats:
        """The scale of each n-gram (F,), by how much it speaks for the classes inside."""
        totals = self.chunks.totals
        inside_F, others_F = (
            totals.weights_CF[side].sum(axis=0) for side in (is_inside_C, ~is_inside_C)
        )
        return ngram_scale(inside_F, others_F, totals.reviews_F, totals.reviews)

    def _minimise(
        self,
        number: int,
        is_inside_C: Flags,
        scale_F: Floats,
        known_F: npt.NDArray[Any],
        strength: float,
    ) -> Regression | None:
        """Fit the regression of that number; None where there are no reviews of one side."""
        inside, outside = (
            float(self.chunks.totals.weights_C[side].sum()) for side in (is_inside_C, ~is_inside_C)
        )
        if not (inside and outside):
            return None
        total = inside + outside
        sides = (total / (2 * inside), total / (2 * outside)) if self.balanced else (1.0, 1.0)
        regression = _Regression(self.chunks, is_inside_C, sides, scale_F, KNOWN_SCALE * known_F)
        point = regression.minimise(strength, self._points.get(number, regression.start()))
        self._points[number] = point
        known = KNOWN_SCALE * point[-2] if known_F.any() else 1.0
        return point[:-2], float(known), float(point[-1])


@dataclass(frozen=True)
class _Regression:
    """One regression.

    A point is the coefficients of the scaled n-grams, that of the known logit, and the intercept
    (F + 2). The known logit is `KNOWN_SCALE` times that of the weights that a model had.

    Attributes:
        chunks: of the reviews.
        is_inside_C: the classes that are distinguished from all others.
        sides: what a review inside and one outside of these classes weighs.
        scale_F: of the n-grams.
        known_F: the known weights of the n-grams, times `KNOWN_SCALE`.
    """

    chunks: NgramChunks
    is_inside_C: Flags
    sides: tuple[float, float]
    scale_F: Floats
    known_F: npt.NDArray[Any]

    @cached_property
    def _sizes(self) -> list[Floats]:
        """The norms of the reviews of each chunk of this process."""
        squares_F = self.scale_F.astype(np.float64) ** 2
        return [
            np.sqrt(chunk.features_NF @ squares_F + MIN_SQUARED_SCALE).astype(np.float32)
            for chunk in self.chunks.read(FITTING)
        ]

    def start(self) -> Doubles:
        """What is known, and zeros."""
        point = np.zeros(len(self.scale_F) + 2)
        point[-2] = 1 / KNOWN_SCALE if self.known_F.any() else 0.0
        return point

    def minimise(self, strength: float, start: Doubles) -> Doubles:
        """The point of the least loss, and half its square over `strength`; on all ranks the same.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed on one of the ranks.
            WorkerError: another process has ended.
        """
        from scipy.optimize import minimize

        processes = self.chunks.processes

        def lead(point: Doubles) -> tuple[float, Doubles]:
            processes.lead(lambda: (False, point))
            return self._objective(point, strength)

        if processes.rank == 0:
            options = {"maxcor": MEMORY, "ftol": TOLERANCE, "gtol": 0, "maxiter": MAX_ITERATIONS}
            found = minimize(lead, start, jac=True, method="L-BFGS-B", options=options)
            point: Doubles = found.x
            processes.lead(lambda: (True, point))
            return point
        while True:
            is_found, point = processes.lead(lambda: (False, start))
            if is_found:
                return point
            self._objective(point, strength)

    def _objective(self, point: Doubles, strength: float) -> tuple[float, Doubles]:
        """The loss and the penalty at a point, and their gradient."""
        processes = self.chunks.processes
        sums = processes.sum(processes.together(lambda: self._own_sums(point)))
        back_F, slope, loss = sums[:-2], sums[-2], sums[-1]
        gradient = np.concatenate([back_F * self.scale_F, [back_F @ self.known_F, slope]])
        gradient += point / strength
        return float(loss + point @ point / (2 * strength)), gradient

    def _own_sums(self, point: Doubles) -> Doubles:
        """Sums over the chunks of this process (F + 2).

        The gradient of the loss by the weights of the features and by the intercept, and the loss.
        """
        from scipy.special import expit

        weights_F = point[:-2] * self.scale_F + point[-2] * self.known_F
        sums = np.zeros(len(point))
        for chunk, size_N in zip(self.chunks.read(FITTING), self._sizes, strict=True):
            logit_N = chunk.features_NF @ weights_F / size_N + point[-1]
            share_N = chunk.targets_NC.astype(np.float64) @ self.is_inside_C
            inside_N = self.sides[0] * share_N * chunk.weights_N
            outside_N = self.sides[1] * (1 - share_N) * chunk.weights_N
            slope_N = (inside_N + outside_N) * expit(logit_N) - inside_N
            sums[:-2] += (slope_N / size_N) @ chunk.features_NF
            sums[-2] += slope_N.sum()
            sums[-1] += inside_N @ np.logaddexp(0, -logit_N) + outside_N @ np.logaddexp(0, logit_N)
        return sums
