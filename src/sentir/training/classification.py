"""The task of a classifier: its loss, its validation metrics, its predictions for a corpus.

Shapes: B batch, N reviews of a corpus, C classes, O outputs (1 for two classes, else C).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sentir.config import Config
from sentir.data.batching import Batch, pad, sorted_batches
from sentir.data.dataset import EncodedCorpus, Reviews, weighted_targets
from sentir.nn.classifier import SentimentClassifier
from sentir.training.adversarial import adversarial_loss
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.loop import fit
from sentir.training.process_group import ALONE, ProcessGroup, current
from sentir.training.semi_supervised import UnlabelledObjective

#: Reviews per batch outside of training.
EVALUATION_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class ClassificationTask:
    """The task, see `sentir.training.loop.Task`.

    Attributes:
        train: training reviews.
        valid: validation reviews.
        max_length: tokens read of a review.
        adversarial_epsilon: size of the adversarial perturbation, 0 for none.
        unlabelled: the loss of reviews without labels that is added, if any.
        added_NO: logits that are added to the model's in the loss; None: none are.
    """

    train: Reviews
    valid: EncodedCorpus
    max_length: int
    adversarial_epsilon: float = 0.0
    unlabelled: UnlabelledObjective | None = None
    validations_per_epoch: int = 4
    counted: tuple[str, ...] = ("reviews",)
    added_NO: Tensor | None = None

    def loss(
        self,
        model: SentimentClassifier,
        batch: Batch,
        own_randomness: AbstractContextManager[None],
    ) -> Tensor:
        rows_B, device = torch.from_numpy(batch.rows_B), batch.ids_BT.device
        targets_B = weighted_targets(self.train, model.classes, batch.rows_B)
        targets = torch.from_numpy(targets_B).to(device)
        added_BO = 0.0 if self.added_NO is None else self.added_NO[rows_B].to(device)
        with own_randomness:
            loss = (
                adversarial_loss(model, batch, targets, self.adversarial_epsilon, added_BO)
                if self.adversarial_epsilon
                else model.loss(model(batch.ids_BT, batch.lengths_B) + added_BO, targets)
            )
            return loss + self.unlabelled.loss(model, batch) if self.unlabelled else loss

    def weight(self, batch: Batch) -> int:
        return len(batch.rows_B)

    @property
    def reads_its_batch_only(self) -> bool:
        return self.unlabelled is None

    def rows_read(self, model: SentimentClassifier, batch: Batch) -> Tensor:
        if self.unlabelled:  # each process reads others
            return torch.arange(model.embedding.num_embeddings, device=batch.ids_BT.device)
        rows_U: Tensor = torch.unique(batch.ids_BT)
        return rows_U

    def validate(self, model: SentimentClassifier) -> dict[str, float]:
        logits_NO = logits(model, self.valid, self.max_length, group=current())
        probabilities_NC = model.probabilities(torch.from_numpy(logits_NO)).numpy()
        labels_N = self.valid.labels_N
        losses_N = -np.log(np.maximum(probabilities_NC[np.arange(len(labels_N)), labels_N], 1e-12))
        if model.class_weights_C is not None:
            losses_N *= model.class_weights_C.numpy()[labels_N]
        losses_N *= self.valid.weights_N
        is_correct_N = probabilities_NC.argmax(axis=1) == labels_N
        return {"loss": float(losses_N.mean()), "accuracy": float(is_correct_N.mean())}


def fit_classifier(
    model: SentimentClassifier,
    train: Reviews,
    valid: EncodedCorpus,
    config: Config,
    *,
    unlabelled: Reviews | None = None,
    checkpoints: Checkpoints,
    emit: Callback,
    resume: bool = False,
    added_NO: npt.NDArray[np.float32] | None = None,
) -> Position:
    """Train a classifier; `sentir.training.loop.fit` says how, and what the rest means.

    Args:
        model: on the device to train on; afterwards it has the best weights.
        train: training reviews.
        valid: validation reviews.
        config: `text.max_length` and all of `train` and `finetune` are used.
        unlabelled: reviews without labels, if `finetune` learns from any.
        added_NO: logits that are added to the model's for `train`, in the loss.
    """
    task = ClassificationTask(
        train=train,
        valid=valid,
        max_length=config.text.max_length,
        adversarial_epsilon=config.finetune.adversarial_epsilon,
        unlabelled=UnlabelledObjective.of(
            unlabelled,
            config.finetune,
            max_length=config.text.max_length,
            seed=config.train.seed,
        ),
        added_NO=None if added_NO is None else torch.from_numpy(added_NO),
    )
    # The n-gram model is fitted after the network: until then it would only cost time and memory.
    ngram_linear, model.ngram_linear = model.ngram_linear, None
    try:
        return fit(
            model, train, task, config.train, config.finetune,
            checkpoints=checkpoints, emit=emit, resume=resume,
        )  # fmt: skip
    finally:
        model.ngram_linear = ngram_linear


def probabilities(
    model: SentimentClassifier,
    corpus: Reviews,
    max_length: int,
    *,
    batch_size: int = EVALUATION_BATCH,
    advance: Callable[[int], None] = lambda count: None,
) -> npt.NDArray[np.float64]:
    """The model's probabilities for every review, in the order of the corpus, (N, C)."""
    logits_NO = logits(model, corpus, max_length, batch_size=batch_size, advance=advance)
    probabilities_NC: npt.NDArray[np.float64] = model.probabilities(
        torch.from_numpy(logits_NO)
    ).numpy()
    return probabilities_NC


def logits(
    model: SentimentClassifier,
    corpus: Reviews,
    max_length: int,
    *,
    batch_size: int = EVALUATION_BATCH,
    advance: Callable[[int], None] = lambda count: None,
    group: ProcessGroup = ALONE,
) -> npt.NDArray[np.float64]:
    """The model's logits for every review, in the order of the corpus, (N, O).

    Args:
        model: on the device to compute on.
        corpus: the reviews.
        max_length: tokens read of a review.
        batch_size: reviews of a batch.
        advance: called with how many more reviews were computed.
        group: whose processes share the batches; each of them returns the logits of all.
    """
    model.eval()
    device = next(model.parameters()).device
    logits_NO = np.zeros((len(corpus), model.head.out_features))
    batches = sorted_batches(corpus, batch_size=batch_size, max_length=max_length)
    with torch.inference_mode():
        for batch in islice(batches, group.rank, None, group.size):
            on_device = batch.to(device)
            logits_BO = model(on_device.ids_BT, on_device.lengths_B)
            logits_NO[batch.rows_B] = logits_BO.double().cpu().numpy()
            advance(len(batch.rows_B))
    return group.sum(logits_NO)


def probabilities_of_ids(
    model: SentimentClassifier, ids: list[list[int]], max_length: int
) -> npt.NDArray[np.float64]:
    """The model's probabilities for texts that are ids already, (N, C), in one batch."""
    model.eval()
    batch = pad(ids, max_length).to(next(model.parameters()).device)
    with torch.inference_mode():
        logits_NO = model(batch.ids_BT, batch.lengths_B).double().cpu()
    probabilities_NC: npt.NDArray[np.float64] = model.probabilities(logits_NO).numpy()
    return probabilities_NC
