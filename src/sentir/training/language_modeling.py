"""The task of a language model: predicting the next word and the previous one; its perplexity.

It needs no labels: each word is the target of the words before it, and of those after it.

Shapes: N tokens to predict.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sentir.config import PretrainConfig
from sentir.data.batching import Batch, pad
from sentir.data.dataset import EncodedCorpus
from sentir.evaluation.metrics import perplexity
from sentir.nn.language_model import LanguageModel
from sentir.text.tokenizer import UNK
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.loop import fit
from sentir.training.process_group import ALONE, ProcessGroup, current

#: Most tokens per validation, as the full softmax is computed for each.
VALIDATION_TOKENS = 20_000
#: Reviews, and tokens, per batch outside of training.
EVALUATION_BATCH, EVALUATION_TOKENS = 32, 512


@dataclass(frozen=True, kw_only=True)
class LanguageModelingTask:
    """The task, see `sentir.training.loop.Task`.

    Attributes:
        valid: validation reviews, of which `VALIDATION_TOKENS` are used.
        max_length: tokens read of a review.
    """

    valid: EncodedCorpus
    max_length: int
    validations_per_epoch: int = 10
    counted: tuple[str, ...] = ("reviews", "tokens")

    def loss(
        self, model: LanguageModel, batch: Batch, own_randomness: AbstractContextManager[None]
    ) -> Tensor:
        with own_randomness:
            outputs = model(batch.ids_BT, batch.lengths_B)
        return model.loss(outputs)

    def weight(self, batch: Batch) -> int:
        return int((batch.lengths_B - 1).sum())  # neighbours, in either direction

    @property
    def reads_its_batch_only(self) -> bool:
        return False  # also sampled words, which are drawn when the loss is computed

    def rows_read(self, model: LanguageModel, batch: Batch) -> Tensor:
        read = torch.cat([batch.ids_BT.flatten(), torch.tensor([UNK])])  # UNK by word dropout
        read_or_predicted = [read, *(sample.cpu() for sample in model.softmax.samples)]
        rows_U: Tensor = torch.unique(torch.cat(read_or_predicted))
        return rows_U

    def validate(self, model: LanguageModel) -> dict[str, float]:
        return perplexities(model, self.valid, self.max_length, group=current())


def fit_language_model(
    model: LanguageModel,
    train: EncodedCorpus,
    valid: EncodedCorpus,
    config: PretrainConfig,
    *,
    checkpoints: Checkpoints,
    emit: Callback,
    resume: bool = False,
) -> Position:
    """Train a language model; `sentir.training.loop.fit` says how, and what the rest means.

    Args:
        model: on the device to train on; afterwards it has the best weights.
        train: training reviews.
        valid: validation reviews.
        config: `text.max_length` and all of `train` are used.
    """
    task = LanguageModelingTask(valid=valid, max_length=config.text.max_length)
    return fit(model, train, task, config.train, checkpoints=checkpoints, emit=emit, resume=resume)


def perplexities(
    model: LanguageModel, corpus: EncodedCorpus, max_length: int, *, group: ProcessGroup = ALONE
) -> dict[str, float]:
    """The loss per word in nats, and the perplexity: of each direction and of both together."""
    forward, backward = losses(model, corpus, max_length, group=group)
    loss = (forward + backward) / 2
    return {
        "loss": loss,
        "perplexity": perplexity(loss),
        "perplexity_forward": perplexity(forward),
        "perplexity_backward": perplexity(backward),
    }


def losses(
    model: LanguageModel,
    corpus: EncodedCorpus,
    max_length: int,
    max_eval_tokens: int = VALIDATION_TOKENS,
    *,
    group: ProcessGroup = ALONE,
) -> tuple[float, float]:
    """The exact loss per word, in nats, of predicting forwards and backwards.

    Measured on the same random sample of `max_eval_tokens` tokens every time, whose batches the
    processes of the group share.
    """
    model.eval()
    device = next(model.parameters()).device
    order = np.random.default_rng(0).permutation(len(corpus))
    read_N = np.cumsum(np.minimum(corpus.lengths_N[order], max_length))
    rows = order[: 1 + int((read_N <= max_eval_tokens).sum())]
    rows = rows[np.argsort(corpus.lengths_N[rows], kind="stable")]
    totals = np.zeros(3)  # of the losses, and tokens
    with torch.inference_mode():
        for start in range(0, len(rows), EVALUATION_BATCH)[group.rank :: group.size]:
            batch_rows = rows[start : start + EVALUATION_BATCH]
            batch = pad([corpus[row] for row in batch_rows], max_length).to(device)
            outputs = model(batch.ids_BT, batch.lengths_B)
            sums = (model.exact_loss(output, EVALUATION_TOKENS).item() for output in outputs)
            totals += [*sums, len(outputs[0].targets_N)]
    forward, backward, tokens = group.sum(totals).tolist()
    return forward / max(tokens, 1), backward / max(tokens, 1)
