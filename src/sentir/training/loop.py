"""The training loop.

It reads like the lesson: take a batch, see how wrong the answers are, walk the gradient back, clip
it, take a step; now and then validate, and keep the best model seen. What is learnt is a task of
its own: labels (`sentir.training.classification`), or the next word (`sentir.training.language_modeling`). Who
wants to watch (the progress bar, ``metrics.jsonl``, TensorBoard) is told of every event; the loop
knows none of them.
"""

from __future__ import annotations

import math
import time
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from sentir.config import FineTuneConfig, TrainConfig
from sentir.data.batching import Batch, batches_an_epoch, shuffled_batches
from sentir.data.dataset import Reviews
from sentir.errors import ConfigError
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position, Stateful
from sentir.training.ema import ExponentialMovingAverage
from sentir.training.malloc import tune_malloc
from sentir.training.unfreezing import Unfreezing

#: What training takes at least where the settings name no number of epochs: a small corpus needs
#: as many steps as a large one to be learnt.
LEAST_EPOCHS, LEAST_STEPS = 2, 1000
#: Validations at most where the settings do not say how often: a small corpus is read many times,
#: and its few validation reviews say no more when they are asked after every other step.
MOST_VALIDATIONS = 40

#: All weights learn from the start, at one rate.
ALIKE = FineTuneConfig()

Model = TypeVar("Model", bound=nn.Module)
Learner = TypeVar("Learner", bound=nn.Module, contravariant=True)


class Task(Protocol[Learner]):
    """What is learnt.

    Attributes:
        max_length: what is read of a review.
        validations_an_epoch: where the settings name no number of steps.
        counted: what an event tells of a `Position` beside the step: reviews, tokens.
    """

    @property
    def max_length(self) -> int: ...

    @property
    def validations_an_epoch(self) -> int: ...

    @property
    def counted(self) -> tuple[str, ...]: ...

    def loss(self, model: Learner, batch: Batch) -> Tensor:
        """The mean loss of a batch, in nats."""
        ...

    def validate(self, model: Learner) -> dict[str, float]:
        """How good the model is on the reviews set aside: ``loss``, in nats, and other figures."""
        ...


def fit(
    model: Model,
    train: Reviews,
    task: Task[Model],
    settings: TrainConfig,
    finetune: FineTuneConfig = ALIKE,
    *,
    checkpoints: Checkpoints,
    emit: Callback,
    resume: bool = False,
) -> Position:
    """Train until the epochs are over, the loss no longer falls, or Ctrl-C.

    Args:
        model: on the device to train on; holds the best weights seen afterwards.
        train: reviews to learn from.
        task: what is learnt, and how good a model is at it.
        settings: all of them are used.
        finetune: which weights learn when, and how fast.
        checkpoints: where the run's state is kept, and taken from when `resume` is true.
        tell: told of the start, every step and validation, and the end.
        resume: go on from the last checkpoint; the run then equals one that never stopped.

    Returns:
        Where training ended: steps, the best validation loss and the reason it stopped.
    """
    tune_malloc()
    device = next(model.parameters()).device
    steps_an_epoch = batches_an_epoch(train, settings.batch_size)
    unfreezing = Unfreezing(model, finetune, steps_an_epoch)
    optimiser = torch.optim.AdamW(
        unfreezing.groups, weight_decay=settings.weight_decay, fused=device.type != "mps"
    )
    average = ExponentialMovingAverage(model, settings.ema_decay)
    total_steps = steps_in_all(settings, steps_an_epoch)
    eval_steps = settings.eval_steps or max(
        1, steps_an_epoch // task.validations_an_epoch, total_steps // MOST_VALIDATIONS
    )
    parts: dict[str, Stateful] = {"model": model, "optimiser": optimiser, "average": average}
    at = checkpoints.load(parts) if resume else Position()
    if not at.step:  # a run that is stopped before its first validation can go on too
        checkpoints.save(parts, at)
    began = time.perf_counter() - at.seconds
    emit({"event": "start", "total_steps": total_steps, **at.counts(task.counted)})

    try:
        while not at.stopped:
            epoch, start = divmod(at.step, steps_an_epoch)
            for batch in shuffled_batches(
                train,
                batch_size=settings.batch_size,
                max_length=task.max_length,
                seed=settings.seed,
                epoch=epoch,
                start=start,
            ):
                model.train()
                unfreezing.prepare(at.step)
                learning_rate = rate(settings, at.step, total_steps)
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate * group["share"]
                loss = task.loss(model, batch.to(device))
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
                optimiser.step()
                optimiser.zero_grad()
                average.update(model)
                at.add(batch)
                emit({"event": "step", "epoch": epoch, "loss": loss.item(),
                      "learning_rate": learning_rate, **at.counts(task.counted)})  # fmt: skip
                if at.step % eval_steps == 0 or at.step == total_steps:
                    keep_if_best(average.model, task, at, checkpoints, emit)
                    at.stopped = why_stop(settings, at, total_steps)
                    at.seconds = time.perf_counter() - began
                    checkpoints.save(parts, at)
                if at.stopped:
                    break
    except KeyboardInterrupt:
        at.stopped = "interrupted"
        if at.best_step is None:
            keep_if_best(average.model, task, at, checkpoints, emit)
    finally:
        emit({"event": "end"})
    at.seconds = time.perf_counter() - began
    checkpoints.load_best(model)
    return at


def keep_if_best(
    model: Model, task: Task[Model], at: Position, checkpoints: Checkpoints, emit: Callback
) -> None:
    """Validate, and keep the weights if the loss is the lowest seen.

    Raises:
        ConfigError: the loss is not a number any more.
    """
    figures = task.validate(model)
    loss = figures["loss"]
    if not math.isfinite(loss):
        raise ConfigError(
            f"the loss is {loss} at step {at.step}: training has diverged",
            where="training",
            todo="lower --learning-rate or --max-grad-norm",
        )
    best = loss < at.best_loss
    if best:
        checkpoints.save_best(model)  # first: what `at` calls the best is then there, come Ctrl-C
        at.best_loss, at.best_step, at.without_better = loss, at.step, 0
    else:
        at.without_better += 1
    emit({"event": "validation", **at.counts(task.counted), **figures, "best": best})


def steps_in_all(settings: TrainConfig, steps_an_epoch: int) -> int:
    """The steps that training takes unless it stops before."""
    return steps_an_epoch * (
        settings.epochs or max(LEAST_EPOCHS, -(-LEAST_STEPS // steps_an_epoch))
    )


def rate(settings: TrainConfig, step: int, total_steps: int) -> float:
    """The learning rate of a step: up over the warm-up, then as the schedule says."""
    warm = round(settings.warmup_ratio * total_steps)
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
