"""Learning from reviews without labels, by what a good model must do on them too.

Two terms of the mixed objective of Sachan, Zaheer and Salakhutdinov (2019, *Revisiting LSTM
Networks for Semi-Supervised Text Classification via Mixed Objective Function*) beside the loss of
the labelled reviews:

- entropy minimisation (Grandvalet and Bengio 2005): answers are to be sure, so the boundary between
  the classes passes where there are few reviews;
- virtual adversarial training (Miyato, Dai and Goodfellow 2017): the answer to a review is to stay
  as it is under the small perturbation of its embedded tokens that would change it most. What the
  right answer is need not be known.

Shapes: T time, B batch, E embedding, C classes, O outputs (1 for two classes, else C).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sentir.config import FineTuneConfig
from sentir.data.batching import Batch, pad
from sentir.data.dataset import Reviews
from sentir.errors import UsageError
from sentir.nn.classifier import SentimentClassifier
from sentir.training.adversarial import worst_perturbation
from sentir.training.randomness import seeded

#: Reviews of similar length among which those of a batch are drawn, in batches.
POOL_BATCHES = 16


@dataclass(kw_only=True)
class UnlabelledObjective:
    """The loss of reviews without labels that is added to each step.

    Attributes:
        reviews: without labels; their classes are not looked at.
        max_length: tokens read of a review.
        seed: of the reviews that are drawn.
        entropy_weight: weight of the entropy of the answers (nats).
        epsilon: size of the virtual adversarial perturbation as a share of the norm of the
            review's embedded tokens, 0 for none.
    """

    reviews: Reviews
    max_length: int
    seed: int
    entropy_weight: float
    epsilon: float

    def __post_init__(self) -> None:
        lengths_N = np.minimum(self.reviews.lengths_N, self.max_length)
        self._by_length_N = np.argsort(lengths_N, kind="stable")

    @classmethod
    def of(
        cls, reviews: Reviews | None, settings: FineTuneConfig, *, max_length: int, seed: int
    ) -> UnlabelledObjective | None:
        """The objective that the settings ask for, if any."""
        if reviews is None or not uses_unlabelled(settings):
            return None
        return cls(
            reviews=reviews,
            max_length=max_length,
            seed=seed,
            entropy_weight=settings.entropy_weight,
            epsilon=settings.virtual_adversarial_epsilon,
        )

    def draw(self, labelled: Batch) -> Batch:
        """As many unlabelled reviews as labelled ones, the same ones for the same labelled ones.

        So a resumed run draws what an uninterrupted one does.
        """
        random = np.random.default_rng((self.seed, *labelled.rows_B.tolist()))
        count = min(len(labelled.rows_B), len(self._by_length_N))
        first = random.integers(0, max(1, len(self._by_length_N) - POOL_BATCHES * count + 1))
        pool = self._by_length_N[first : first + POOL_BATCHES * count]
        rows_B = random.choice(pool, count, replace=False)
        batch = pad([self.reviews[row] for row in rows_B], self.max_length)
        return batch._replace(rows_B=rows_B).to(labelled.ids_BT.device)

    def loss(self, model: SentimentClassifier, labelled: Batch) -> Tensor:
        """The loss (nats) of unlabelled reviews beside a batch of labelled ones."""
        batch = self.draw(labelled)
        words_TBE = model.embed(batch.ids_BT.T)
        seed = int(torch.randint(2**62, ()))
        with seeded(seed):
            logits_BO = model.forward_embedded(words_TBE, batch.ids_BT, batch.lengths_B)
        probabilities_BC = model.probabilities(logits_BO)
        loss = self.entropy_weight * model.loss(logits_BO, probabilities_BC)
        if not self.epsilon:
            return loss
        probabilities_BC = probabilities_BC.detach()

        def divergence(perturbation_TBE: Tensor) -> Tensor:
            """How far the answers move: the cross-entropy, which differs by a constant."""
            with seeded(seed):  # with the same dropout, which would move the answers too
                moved_BO = model.forward_embedded(
                    words_TBE + perturbation_TBE, batch.ids_BT, batch.lengths_B
                )
            return model.loss(moved_BO, probabilities_BC)

        def perturbation(direction_TBE: Tensor) -> Tensor:
            return worst_perturbation(
                words_TBE.detach(), direction_TBE, batch.lengths_B, self.epsilon
            )

        # One power iteration: the gradient at a random perturbation points where answers move most.
        random_TBE = perturbation(torch.randn_like(words_TBE)).requires_grad_()
        (direction_TBE,) = torch.autograd.grad(divergence(random_TBE), random_TBE)
        return loss + divergence(perturbation(direction_TBE))


def uses_unlabelled(settings: FineTuneConfig) -> bool:
    """Whether the settings ask for a loss of reviews without labels."""
    return bool(settings.entropy_weight or settings.virtual_adversarial_epsilon)


def check_unlabelled(settings: FineTuneConfig, unlabelled: Sequence[str]) -> None:
    """Refuse settings of unlabelled reviews where there are none.

    Raises:
        UsageError: that is so.
    """
    if uses_unlabelled(settings) and not unlabelled:
        name = "entropy_weight" if settings.entropy_weight else "virtual_adversarial_epsilon"
        raise UsageError(
            f"{name}, and no unlabelled reviews",
            where="settings",
            todo="give them with --unlabelled",
        )
