"""What a language model learns: the next word, and the one before. Its loss, and its perplexity.

No review has a label: each word is the answer to the words before it, and to those behind it.

Shapes: N places with a word to guess.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sentir.config import PretrainConfig
from sentir.data.batching import Batch, pad
from sentir.data.dataset import EncodedCorpus
from sentir.evaluation.metrics import perplexity
from sentir.nn.language_model import LanguageModel
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.loop import fit

#: Tokens that a validation reads at most: the whole vocabulary is scored at each.
VALID_TOKENS = 20_000
#: Reviews, and places of text, that are scored at a time when nothing is learnt.
EVALUATION_BATCH, EVALUATION_PLACES = 32, 512


@dataclass(frozen=True, kw_only=True)
class LanguageModelingTask:
    """The task, see `sentir.training.loop.Task`.

    Attributes:
        valid: reviews to choose the best model by, `VALID_TOKENS` of them.
        max_length: what is read of a review.
    """

    valid: EncodedCorpus
    max_length: int
    validations_an_epoch: int = 10
    counted: tuple[str, ...] = ("reviews", "tokens")

    def loss(self, model: LanguageModel, batch: Batch) -> Tensor:
        return model.loss(model(batch.ids_BT, batch.lengths_B))

    def validate(self, model: LanguageModel) -> dict[str, float]:
        return perplexities(model, self.valid, self.max_length)


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
        model: on the device to train on; holds the best weights seen afterwards.
        train: reviews to learn from.
        valid: reviews to choose the best model by.
        config: `text.max_length` and all of `train` are used.
    """
    task = LanguageModelingTask(valid=valid, max_length=config.text.max_length)
    return fit(model, train, task, config.train, checkpoints=checkpoints, emit=emit, resume=resume)


def perplexities(
    model: LanguageModel, corpus: EncodedCorpus, max_length: int
) -> dict[str, float]:
    """The loss per word in nats, and the perplexity: of each direction and of both together."""
    forward, backward = losses(model, corpus, max_length)
    loss = (forward + backward) / 2
    return {
        "loss": loss,
        "perplexity": perplexity(loss),
        "perplexity_forward": perplexity(forward),
        "perplexity_backward": perplexity(backward),
    }


def losses(
    model: LanguageModel, corpus: EncodedCorpus, max_length: int, most_tokens: int = VALID_TOKENS
) -> tuple[float, float]:
    """The exact loss a word, in nats, of predicting forwards and backwards.

    Measured on reviews of the corpus, at random but always the same, of `most_tokens` in all.
    """
    model.eval()
    device = next(model.parameters()).device
    order = np.random.default_rng(0).permutation(len(corpus))
    read_N = np.cumsum(np.minimum(corpus.lengths_N[order], max_length))
    rows = order[: 1 + int((read_N <= most_tokens).sum())]
    rows = rows[np.argsort(corpus.lengths_N[rows], kind="stable")]
    totals, places = np.zeros(2), 0
    with torch.inference_mode():
        for start in range(0, len(rows), EVALUATION_BATCH):
            some = rows[start : start + EVALUATION_BATCH]
            batch = pad([corpus[row] for row in some], max_length).to(device)
            guesses = model(batch.ids_BT, batch.lengths_B)
            totals += [model.exact_loss(guess, EVALUATION_PLACES).item() for guess in guesses]
            places += len(guesses[0].targets_N)
    forward, backward = (totals / max(places, 1)).tolist()
    return forward, backward
