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

import numpy as np

from sentir.data.dataset import Reviews
from sentir.nn.ngrams import MIN_SQUARED_SCALE
from sentir.training.ngram_chunks import Doubles, NgramChunks
from sentir.training.ngram_counts import Floats, Ngrams
from sentir.training.ngram_regression import (
    KNOWN_SCALE,
    FittedWeights,
    ngram_scale,
    target_column,
    with_known_scale,
)
from sentir.training.process_group import ProcessGroup

#: Steps whose gradients L-BFGS remembers; the relative decrease of the objective that ends it.
MEMORY, TOLERANCE, MAX_ITERATIONS = 10, 1e-6, 500
FITTING = "fitting the n-gram linear model, pass after pass"


@dataclass
class FitByChunks:
    """Fits to reviews on disk, by a group of processes (`sentir.training.ngram_linear.Fit`).

    The n-grams are those of the first corpus; each fit starts from the one before it.

    Attributes:
        chunks: where the reviews are written.
        balanced: weigh both sides of a regression alike.
    """

    chunks: NgramChunks
    balanced: bool
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
        fitted, totals = FittedWeights.known(ngrams), self.chunks.totals
        outputs = len(fitted.known_O)
        for output in range(outputs):
            label = target_column(output, outputs)
            inside = float(totals.weights_C[label])
            outside = float(np.delete(totals.weights_C, label).sum())
            if not (inside and outside):  # a class without reviews keeps zeros
                continue
            scale_F = ngram_scale(
                totals.weights_CF[label],
                np.delete(totals.weights_CF, label, axis=0).sum(axis=0),
                totals.reviews_F,
                totals.reviews,
            )
            total = inside + outside
            sides = (total / (2 * inside), total / (2 * outside)) if self.balanced else (1.0, 1.0)
            regression = _Regression(
                self.chunks,
                label,
                sides,
                with_known_scale(scale_F, ngrams, output),
                KNOWN_SCALE * ngrams.known_weights_FO[:, output],
            )
            point = regression.minimise(strength, self._points.get(output, regression.start()))
            self._points[output] = point
            known = KNOWN_SCALE * point[-2] if regression.known_F.any() else 1.0
            fitted.put(output, regression.scale_F, point[:-2], known, point[-1])
        return fitted


@dataclass(frozen=True)
class _Regression:
    """The regression of one output.

    A point is the coefficients of the scaled n-grams, that of the known logit, and the intercept
    (F + 2). The known logit is `KNOWN_SCALE` times that of the weights that a model had.

    Attributes:
        chunks: of the reviews.
        label: the class that is told from all others.
        sides: what a review inside and one outside of the class weighs.
        scale_F: of the n-grams.
        known_F: the known weights of the n-grams, times `KNOWN_SCALE`.
    """

    chunks: NgramChunks
    label: int
    sides: tuple[float, float]
    scale_F: Floats
    known_F: Floats

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
            share_N = chunk.targets_NC[:, self.label].astype(np.float64)
            inside_N = self.sides[0] * share_N * chunk.weights_N
            outside_N = self.sides[1] * (1 - share_N) * chunk.weights_N
            slope_N = (inside_N + outside_N) * expit(logit_N) - inside_N
            sums[:-2] += (slope_N / size_N) @ chunk.features_NF
            sums[-2] += slope_N.sum()
            sums[-1] += inside_N @ np.logaddexp(0, -logit_N) + outside_N @ np.logaddexp(0, logit_N)
        return sums
