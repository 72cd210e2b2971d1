"""The loop that teaches a language model, and how well it guesses: its perplexity.

It is the loop of `sentir.training.loop` with another question. No review has a label: each word is
the answer to the words before it, and to those behind it.

Shapes: N places with a word to guess.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from sentir.config import PretrainConfig
from sentir.data.batches import batches_an_epoch, pad, shuffled_batches
from sentir.data.store import EncodedCorpus
from sentir.errors import ConfigError
from sentir.nn.language_model import LanguageModel
from sentir.training.averaging import WeightAverage
from sentir.training.checkpoint import Checkpoints, Position, Stateful
from sentir.training.loop import Listener, rate, steps_in_all, why_stop
from sentir.training.watch import perplexity

#: Validations an epoch where the settings name no number of steps.
VALIDATIONS_AN_EPOCH = 10
#: Tokens that a validation reads at most: the whole vocabulary is scored at each.
VALID_TOKENS = 20_000
#: Reviews, and places of text, that are scored at a time when nothing is learnt.
EVALUATION_BATCH, EVALUATION_PLACES = 32, 512


def fit_language_model(
    model: LanguageModel,
    train: EncodedCorpus,
    valid: EncodedCorpus,
    config: PretrainConfig,
    *,
    checkpoints: Checkpoints,
    tell: Listener,
    resume: bool = False,
) -> Position:
    """Train until the epochs are over, the loss no longer falls, or Ctrl-C.

    Args:
        model: on the device to train on; holds the best weights seen afterwards.
        train: reviews to learn from.
        valid: reviews to choose the best model by, `VALID_TOKENS` of them.
        config: `text.max_tokens` and all of `train` are used.
        checkpoints: where the run's state is kept, and taken from when `resume` is true.
        tell: told of every step and validation.
        resume: go on from the last checkpoint; the run then equals one that never stopped.

    Returns:
        Where training ended: steps, the best validation loss and the reason it stopped.
    """
    settings, max_tokens = config.train, config.text.max_tokens
    device = next(model.parameters()).device
    optimiser = torch.optim.AdamW(
        model.parameters(), weight_decay=settings.weight_decay, fused=device.type != "mps"
    )
    average = WeightAverage(model, settings.averaging)
    steps_an_epoch = batches_an_epoch(train, settings.batch_size)
    total_steps = steps_in_all(settings, steps_an_epoch)
    valid_every = settings.valid_every or max(1, steps_an_epoch // VALIDATIONS_AN_EPOCH)
    parts: dict[str, Stateful] = {"model": model, "optimiser": optimiser, "average": average}
    at = checkpoints.load(parts) if resume else Position()
    tell({"event": "start", "step": at.step, "total_steps": total_steps,
          "reviews": at.reviews, "tokens": at.tokens})  # fmt: skip

    try:
        while not at.stopped:
            epoch, start = divmod(at.step, steps_an_epoch)
            for batch in shuffled_batches(
                train,
                batch_size=settings.batch_size,
                max_tokens=max_tokens,
                seed=settings.seed,
                epoch=epoch,
                start=start,
            ):
                model.train()
                learning_rate = rate(settings, at.step, total_steps)
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate
                tokens = int(batch.lengths_B.sum())
                batch = batch.to(device)
                loss = model.loss(model(batch.ids_BT, batch.lengths_B))
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
                optimiser.step()
                optimiser.zero_grad()
                average.update(model)
                at.step += 1
                at.reviews += len(batch.rows_B)
                at.tokens += tokens
                tell({"event": "step", "step": at.step, "epoch": epoch, "loss": loss.item(),
                      "learning_rate": learning_rate, "reviews": at.reviews,
                      "tokens": at.tokens})  # fmt: skip
                if at.step % valid_every == 0 or at.step == total_steps:
                    validate(average.model, valid, config, at, checkpoints, tell)
                    at.stopped = why_stop(settings, at, total_steps)
                    checkpoints.save(parts, at)
                if at.stopped:
                    break
    except KeyboardInterrupt:
        at.stopped = "interrupted"
        if at.best_step is None:
            validate(average.model, valid, config, at, checkpoints, tell)
    checkpoints.load_best(model)
    return at


def validate(
    model: LanguageModel,
    valid: EncodedCorpus,
    config: PretrainConfig,
    at: Position,
    checkpoints: Checkpoints,
    tell: Listener,
) -> None:
    """Measure the validation loss, and keep the weights if it is the lowest seen.

    Raises:
        ConfigError: the loss is not a number any more.
    """
    ahead, back = losses(model, valid, config.text.max_tokens)
    loss = (ahead + back) / 2
    if not math.isfinite(loss):
        raise ConfigError(
            f"the loss is {loss} at step {at.step}: training has diverged",
            where="training",
            todo="lower --learning-rate or --clip",
        )
    best = loss < at.best_loss
    if best:
        checkpoints.save_best(model)  # first: what `at` calls the best is then there, come Ctrl-C
        at.best_loss, at.best_step, at.without_better = loss, at.step, 0
    else:
        at.without_better += 1
    tell({"event": "validation", "step": at.step, "reviews": at.reviews, "tokens": at.tokens,
          "loss": loss, "perplexity": perplexity(loss), "perplexity_ahead": perplexity(ahead),
          "perplexity_back": perplexity(back), "best": best})  # fmt: skip


def losses(
    model: LanguageModel, corpus: EncodedCorpus, max_tokens: int, most_tokens: int = VALID_TOKENS
) -> tuple[float, float]:
    """The exact loss a word, in nats, of guessing ahead and back; its power of e is the perplexity.

    Measured on reviews of the corpus, at random but always the same, of `most_tokens` in all.
    """
    model.eval()
    device = next(model.parameters()).device
    order = np.random.default_rng(0).permutation(len(corpus))
    read_N = np.cumsum(np.minimum(corpus.lengths_N[order], max_tokens))
    rows = order[: 1 + int((read_N <= most_tokens).sum())]
    rows = rows[np.argsort(corpus.lengths_N[rows], kind="stable")]
    totals, places = np.zeros(2), 0
    with torch.inference_mode():
        for start in range(0, len(rows), EVALUATION_BATCH):
            some = rows[start : start + EVALUATION_BATCH]
            batch = pad([corpus[row] for row in some], max_tokens).to(device)
            guesses = model(batch.ids_BT, batch.lengths_B)
            totals += [model.exact_loss(guess, EVALUATION_PLACES).item() for guess in guesses]
            places += len(guesses[0].targets_N)
    ahead, back = (totals / max(places, 1)).tolist()
    return ahead, back
