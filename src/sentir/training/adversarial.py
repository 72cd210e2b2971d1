"""Adversarial training on the embedded tokens (Miyato, Dai and Goodfellow 2017).

Words are discrete, their vectors are not. The perturbation along the gradient of the loss is the
most harmful small one; a model that must be right there too relies less on single features.

Shapes: T time, B batch, E embedding.
"""

from __future__ import annotations

from torch import Tensor

from sentir.data.batching import Batch
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.padding import padding_mask


def adversarial_loss(
    model: SentimentClassifier,
    batch: Batch,
    targets: Tensor,
    size: float,
    added_BO: Tensor | float = 0.0,
) -> Tensor:
    """The mean of the loss on the reviews and on their adversarial perturbations.

    The gradient of the clean half is accumulated here, as finding the perturbation computes it
    anyway; `backward` of the returned loss adds the other half. Two forward and two backward
    passes in all.

    Args:
        model: the classifier.
        batch: the reviews.
        targets: their classes (B,), or probabilities of the classes (B, C).
        size: norm of the perturbation as a share of the norm of the review's embedded tokens.
        added_BO: logits that are added to the model's.
    """
    words_TBE = model.embed(batch.ids_BT.T)
    if not words_TBE.requires_grad:  # the embedding is frozen
        words_TBE.requires_grad_()
    words_TBE.retain_grad()

    def half_loss(embedded_TBE: Tensor) -> Tensor:
        logits_BO = model.forward_embedded(embedded_TBE, batch.ids_BT, batch.lengths_B)
        return model.loss(logits_BO + added_BO, targets) / 2

    clean_loss = half_loss(words_TBE)
    clean_loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    gradient_TBE = words_TBE.grad
    assert gradient_TBE is not None
    perturbed_TBE = words_TBE + worst_perturbation(
        words_TBE.detach(), gradient_TBE, batch.lengths_B, size
    )
    return clean_loss.detach() + half_loss(perturbed_TBE)


def worst_perturbation(
    words_TBE: Tensor, gradient_TBE: Tensor, lengths_B: Tensor, size: float
) -> Tensor:
    """For each review the perturbation along its gradient, `size` times its tokens' norm."""
    padding_TB1 = padding_mask(words_TBE, lengths_B)[:, :, None]
    words_TBE = words_TBE.masked_fill(padding_TB1, 0.0)
    gradient_TBE = gradient_TBE.masked_fill(padding_TB1, 0.0)
    length_B = words_TBE.square().sum(dim=(0, 2)).sqrt()
    # Gradients are tiny and their squares may underflow: scale before taking the norm.
    gradient_TBE = gradient_TBE / gradient_TBE.abs().amax(dim=(0, 2), keepdim=True).clamp(min=1e-30)
    norm_B = gradient_TBE.square().sum(dim=(0, 2)).sqrt().clamp(min=1e-12)
    return gradient_TBE * (size * length_B / norm_B)[:, None]
