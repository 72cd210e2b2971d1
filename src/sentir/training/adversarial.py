"""Training against the worst small change of the words' vectors (Miyato et al. 2017).

Words cannot be changed a little, their vectors can. A step along the gradient of the loss is the
one that harms most; a model that must be right there too leans less on single features.

Shapes: T time, B batch, E embedding.
"""

from __future__ import annotations

from torch import Tensor

from sentir.data.batching import Batch
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.ngram_linear import padding_mask


def adversarial_loss(
    model: SentimentClassifier, batch: Batch, targets: Tensor, size: float
) -> Tensor:
    """The mean of the loss at the reviews and at the worst step beside them.

    The weights get the first half's gradient here, as the pass that finds the step finds it too;
    `backward` of what is returned adds the other half's. Two passes ahead and two back in all.

    Args:
        model: the classifier.
        batch: the reviews.
        targets: their classes (B,), or the probabilities of these (B, C).
        size: the step's length as a share of the length of the review's embedded words.
    """
    words_TBE = model.embedded(batch.ids_BT.T)
    if not words_TBE.requires_grad:  # the embedding itself does not learn
        words_TBE.requires_grad_()
    words_TBE.retain_grad()
    here = model.loss(model.read(words_TBE, batch.ids_BT, batch.lengths_B), targets) / 2
    here.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    slope_TBE = words_TBE.grad
    assert slope_TBE is not None
    beside_TBE = words_TBE + worst_step(words_TBE.detach(), slope_TBE, batch.lengths_B, size)
    there = model.loss(model.read(beside_TBE, batch.ids_BT, batch.lengths_B), targets) / 2
    return here.detach() + there


def worst_step(words_TBE: Tensor, slope_TBE: Tensor, lengths_B: Tensor, size: float) -> Tensor:
    """For each review the step along its slope, `size` times as long as its words' vectors are."""
    padding_TB1 = padding_mask(words_TBE, lengths_B)[:, :, None]
    words_TBE = words_TBE.masked_fill(padding_TB1, 0.0)
    slope_TBE = slope_TBE.masked_fill(padding_TB1, 0.0)
    length_B = words_TBE.square().sum(dim=(0, 2)).sqrt()
    # A gradient is tiny, and its square may vanish: it is scaled before it is measured.
    slope_TBE = slope_TBE / slope_TBE.abs().amax(dim=(0, 2), keepdim=True).clamp(min=1e-30)
    steep_B = slope_TBE.square().sum(dim=(0, 2)).sqrt().clamp(min=1e-12)
    return slope_TBE * (size * length_B / steep_B)[:, None]
