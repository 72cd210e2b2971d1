"""The training loop.

It reads like the lesson: take a batch, compare the answers with the labels, walk the gradient back,
clip it, take a step; now and then validate, and keep the best model seen. Who wants to watch (the
progress bar, ``metrics.jsonl``, TensorBoard) is told of every event; the loop knows none of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sentir.config import Config, TrainConfig
from sentir.data.batches import batches_an_epoch, shuffled_batches, sorted_batches
from sentir.data.store import EncodedCorpus
from sentir.errors import ConfigError
from sentir.nn.classifier import SentimentClassifier
from sentir.training.adversarial import adversarial_loss
from sentir.training.averaging import WeightAverage
from sentir.training.checkpoint import Checkpoints, Position, Stateful
from sentir.training.unfreezing import Unfreezing

#: Told of what happens: {"event": "start" | "step" | "validation", ...}.
Listener = Callable[[dict[str, Any]], None]
#: Validations an epoch where the settings name no number of steps.
VALIDATIONS_AN_EPOCH = 4
#: What training takes at least where the settings name no number of epochs: a small corpus needs
#: as many steps as a large one to be learnt.
LEAST_EPOCHS, LEAST_STEPS = 2, 1000
#: Reviews a batch when nothing is learnt.
EVALUATION_BATCH = 256


def fit(
    model: SentimentClassifier,
    train: EncodedCorpus,
    valid: EncodedCorpus,
    config: Config,
    *,
    checkpoints: Checkpoints,
    tell: Listener,
    resume: bool = False,
) -> Position:
    """Train until the epochs are over, the loss no longer falls, or Ctrl-C.

    Args:
        model: on the device to train on; holds the best weights seen afterwards.
        train: reviews to learn from.
        valid: reviews to choose the best model by.
        config: `text.max_tokens` and all of `train` and `tune` are used.
        checkpoints: where the run's state is kept, and taken from when `resume` is true.
        tell: told of every step and validation.
        resume: go on from the last checkpoint; the run then equals one that never stopped.

    Returns:
        Where training ended: steps, the best validation loss and the reason it stopped.
    """
    settings, tune, max_tokens = config.train, config.tune, config.text.max_tokens
    device = next(model.parameters()).device
    steps_an_epoch = batches_an_epoch(train, settings.batch_size)
    unfreezing = Unfreezing(model, tune, steps_an_epoch)
    optimiser = torch.optim.AdamW(
        unfreezing.groups, weight_decay=settings.weight_decay, fused=device.type != "mps"
    )
    average = WeightAverage(model, settings.averaging)
    total_steps = steps_in_all(settings, steps_an_epoch)
    valid_every = settings.valid_every or max(1, steps_an_epoch // VALIDATIONS_AN_EPOCH)
    parts: dict[str, Stateful] = {"model": model, "optimiser": optimiser, "average": average}
    at = checkpoints.load(parts) if resume else Position()
    tell({"event": "start", "step": at.step, "total_steps": total_steps, "reviews": at.reviews})

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
                unfreezing.prepare(at.step)
                learning_rate = rate(settings, at.step, total_steps)
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate * group["share"]
                labels_B = torch.from_numpy(train.labels_N[batch.rows_B].astype(np.int64))
                batch, labels_B = batch.to(device), labels_B.to(device)
                if tune.adversarial:
                    loss = adversarial_loss(model, batch, labels_B, tune.adversarial)
                else:
                    loss = model.loss(model(batch.ids_BT, batch.lengths_B), labels_B)
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
                optimiser.step()
                optimiser.zero_grad()
                average.update(model)
                at.step += 1
                at.reviews += len(labels_B)
                tell({"event": "step", "step": at.step, "epoch": epoch, "loss": loss.item(),
                      "learning_rate": learning_rate, "reviews": at.reviews})  # fmt: skip
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
    model: SentimentClassifier,
    valid: EncodedCorpus,
    config: Config,
    at: Position,
    checkpoints: Checkpoints,
    tell: Listener,
) -> None:
    """Measure the validation loss, and keep the weights if it is the lowest seen."""
    probabilities_NC = probabilities(model, valid, config.text.max_tokens)
    of_label_N = probabilities_NC[np.arange(len(valid)), valid.labels_N]
    losses_N = -np.log(np.maximum(of_label_N, 1e-12))
    if model.class_weights_C is not None:
        losses_N *= model.class_weights_C.numpy()[valid.labels_N]
    loss = float(losses_N.mean())
    if not math.isfinite(loss):
        raise ConfigError(
            f"the loss is {loss} at step {at.step}: training has diverged",
            where="training",
            todo="lower --learning-rate or --clip",
        )
    accuracy = float((probabilities_NC.argmax(axis=1) == valid.labels_N).mean())
    best = loss < at.best_loss
    if best:
        checkpoints.save_best(model)  # first: what `at` calls the best is then there, come Ctrl-C
        at.best_loss, at.best_step, at.without_better = loss, at.step, 0
    else:
        at.without_better += 1
    tell({"event": "validation", "step": at.step, "reviews": at.reviews, "loss": loss,
          "accuracy": accuracy, "best": best})  # fmt: skip


def probabilities(
    model: SentimentClassifier,
    corpus: EncodedCorpus,
    max_tokens: int,
    *,
    batch_size: int = EVALUATION_BATCH,
    advance: Callable[[int], None] = lambda count: None,
) -> npt.NDArray[np.float64]:
    """The model's probabilities for every review, in the corpus' order, (N, C)."""
    found_NO = logits(model, corpus, max_tokens, batch_size=batch_size, advance=advance)
    answers_NC: npt.NDArray[np.float64] = model.probabilities(torch.from_numpy(found_NO)).numpy()
    return answers_NC


def logits(
    model: SentimentClassifier,
    corpus: EncodedCorpus,
    max_tokens: int,
    *,
    batch_size: int = EVALUATION_BATCH,
    advance: Callable[[int], None] = lambda count: None,
) -> npt.NDArray[np.float64]:
    """The model's logits for every review, in the corpus' order, (N, O)."""
    model.eval()
    device = next(model.parameters()).device
    found_NO = np.empty((len(corpus), model.head.out_features))
    with torch.inference_mode():
        for batch in sorted_batches(corpus, batch_size=batch_size, max_tokens=max_tokens):
            on_device = batch.to(device)
            logits_BO = model(on_device.ids_BT, on_device.lengths_B)
            found_NO[batch.rows_B] = logits_BO.double().cpu().numpy()
            advance(len(batch.rows_B))
    return found_NO


def steps_in_all(settings: TrainConfig, steps_an_epoch: int) -> int:
    """The steps that training takes unless it stops before."""
    return steps_an_epoch * (
        settings.epochs or max(LEAST_EPOCHS, -(-LEAST_STEPS // steps_an_epoch))
    )


def rate(settings: TrainConfig, step: int, total_steps: int) -> float:
    """The learning rate of a step: up over the warm-up, then as the schedule says."""
    warm = round(settings.warmup * total_steps)
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    gone = (step - warm) / max(1, total_steps - warm)
    shape = {
        "constant": 1.0,
        "linear": 1.0 - gone,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * gone)),
    }[settings.schedule]
    return settings.learning_rate * shape


def why_stop(settings: TrainConfig, at: Position, total_steps: int) -> str:
    """The reason to stop, or nothing."""
    if at.step >= total_steps:
        return "finished"
    done = settings.patience and at.without_better >= settings.patience
    return "no better" if done else ""
