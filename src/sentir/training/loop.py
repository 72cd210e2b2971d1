"""The training loop.

It reads like the lesson: take a batch, compute the loss, backpropagate, clip the gradient, take a
step; validate now and then, and keep the best model. What is learnt is a task: labels
(`sentir.training.classification`) or the next word (`sentir.training.language_modeling`). Callbacks
(the progress bar, ``metrics.jsonl``, TensorBoard) receive every event; the loop knows none of them.
Several processes share each batch (`sentir.training.process_group`); a single one has all of it.
"""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from sentir.config import FineTuneConfig, TrainConfig
from sentir.data.batching import Batch, batches_per_epoch, shuffled_batches
from sentir.data.dataset import Reviews
from sentir.errors import ConfigError
from sentir.nn.row_embedding import RowEmbedding
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position, Stateful
from sentir.training.ema import ExponentialMovingAverage
from sentir.training.malloc import tune_malloc
from sentir.training.process_group import agreed_interrupts, current
from sentir.training.row_updates import EveryRow, RowUpdates
from sentir.training.unfreezing import Unfreezing

#: The least training where the settings give no number of epochs: a small corpus needs as many
#: steps as a large one.
MIN_EPOCHS, MIN_STEPS = 2, 1000
#: Most validations where the settings do not say how often: a small corpus is read many times, and
#: its few validation reviews say no more when they are used after every other step.
MAX_VALIDATIONS = 40

#: Early stopping waits for so many steps without a better loss at least: validations of a small
#: corpus, or those that are asked for, may follow each other after a step or two.
MIN_PATIENCE_STEPS = 100

#: All weights are trained from the start, at one learning rate.
NO_FINE_TUNING = FineTuneConfig()

Model = TypeVar("Model", bound=nn.Module)
Learner = TypeVar("Learner", bound=nn.Module, contravariant=True)


class Task(Protocol[Learner]):
    """What is learnt.

    Attributes:
        max_length: tokens read of a review.
        validations_per_epoch: how often to validate where the settings do not say.
        counted: what events report of a `Position` beside the step: reviews, tokens.
    """

    @property
    def max_length(self) -> int: ...

    @property
    def validations_per_epoch(self) -> int: ...

    @property
    def counted(self) -> tuple[str, ...]: ...

    def loss(
        self, model: Learner, batch: Batch, own_randomness: AbstractContextManager[None]
    ) -> Tensor:
        """The mean loss of a batch, in nats.

        Args:
            model: what is trained.
            batch: the reviews, or this process's share of them.
            own_randomness: within it processes draw different numbers (dropout); numbers that all
                must draw alike (sampled words) are drawn outside of it.
        """
        ...

    def weight(self, batch: Batch) -> int:
        """How many losses the mean loss of a batch is the mean of."""
        ...

    @property
    def reads_its_batch_only(self) -> bool:
        """Whether the loss reads no other rows of the embedding than those of the batch's ids."""
        ...

    def rows_read(self, model: Learner, batch: Batch) -> Tensor:
        """The rows of the embedding that can have a gradient after the loss of this batch."""
        ...

    def validate(self, model: Learner) -> dict[str, float]:
        """Metrics on the validation reviews: ``loss``, in nats, and others."""
        ...


@agreed_interrupts()
def fit(
    model: Model,
    train: Reviews,
    task: Task[Model],
    settings: TrainConfig,
    finetune: FineTuneConfig = NO_FINE_TUNING,
    *,
    checkpoints: Checkpoints,
    emit: Callback,
    resume: bool = False,
) -> Position:
    """Train until the epochs are over, the validation loss stops falling, or Ctrl-C.

    Args:
        model: on the device to train on; afterwards it has the best weights.
        train: training reviews.
        task: the loss and the validation.
        settings: all of them are used.
        finetune: gradual unfreezing and layer-wise learning rates.
        checkpoints: where the state is saved, and loaded from when `resume` is true.
        emit: called with the start, every step and validation, and the end.
        resume: go on from the last checkpoint; the run then equals an uninterrupted one.

    Returns:
        Where training ended: steps, the best validation loss and the reason it stopped.
    """
    tune_malloc()
    processes = current()
    processes.broadcast(model)
    emit = processes.on_rank_0(emit)
    device = next(model.parameters()).device
    steps_per_epoch = batches_per_epoch(train, settings.batch_size)
    unfreezing = Unfreezing(model, finetune, steps_per_epoch)
    optimiser = torch.optim.AdamW(
        unfreezing.groups, weight_decay=settings.weight_decay, fused=device.type != "mps"
    )
    average = ExponentialMovingAverage(model, settings.ema_decay)
    word_vectors = updates_of_word_vectors(model, task, average, optimiser)
    total_steps = count_total_steps(settings, steps_per_epoch)
    eval_steps = settings.eval_steps or max(
        1, steps_per_epoch // task.validations_per_epoch, total_steps // MAX_VALIDATIONS
    )
    parts: dict[str, Stateful] = {
        "model": model, "optimiser": optimiser, "average": average, "word_vectors": word_vectors,
    }  # fmt: skip
    position = checkpoints.load(parts) if resume else Position()
    if not position.step:  # so that a run stopped before its first validation can go on too
        checkpoints.save(parts, position)
    started = time.perf_counter() - position.seconds
    emit({"event": "start", "total_steps": total_steps, **position.counts(task.counted)})

    batches = partial(
        shuffled_batches,
        train,
        batch_size=settings.batch_size,
        max_length=task.max_length,
        seed=settings.seed,
    )
    try:
        while not position.stopped:
            epoch, start = divmod(position.step, steps_per_epoch)
            for batch in batches(epoch=epoch, start=start):
                model.train()
                unfreezing.prepare(position.step)
                learning_rate = learning_rate_at(settings, position.step, total_steps)
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate * group["share"]
                own_randomness = processes.own_randomness(settings.seed, position.step)
                with word_vectors.lent(batch.ids_BT):
                    loss = task.loss(model, processes.share_of(batch).to(device), own_randomness)
                    loss.backward()  # type: ignore[no-untyped-call]
                    weights = [one for group in optimiser.param_groups for one in group["params"]]
                    loss = processes.sum_gradients(model, weights, task, batch, loss)
                    nn.utils.clip_grad_norm_(weights, settings.max_grad_norm)
                    optimiser.step()
                    optimiser.zero_grad()
                    average.update(model, without=word_vectors.weight)
                position.add(batch)
                emit({"event": "step", "epoch": epoch, "loss": loss.item(),
                      "learning_rate": learning_rate, **position.counts(task.counted)})  # fmt: skip
                if position.step % eval_steps == 0 or position.step == total_steps:
                    word_vectors.bring_up_to_date()
                    processes.check_same(model, average.model)
                    save_if_best(average.model, task, position, checkpoints, emit)
                    position.stopped = stop_reason(settings, position, total_steps)
                    position.seconds = time.perf_counter() - started
                    checkpoints.save(parts, position)
                if position.stopped:
                    break
    except KeyboardInterrupt:
        position.stopped = "interrupted"
        if position.best_step is None:
            word_vectors.bring_up_to_date()
            save_if_best(average.model, task, position, checkpoints, emit)
    finally:
        emit({"event": "end"})
    position.seconds = time.perf_counter() - started
    checkpoints.load_best(model)
    return position


def updates_of_word_vectors(
    model: Model,
    task: Task[Model],
    average: ExponentialMovingAverage[Model],
    optimiser: torch.optim.AdamW,
) -> EveryRow:
    """Only the rows that a batch reads, where they are known and not all are as fast."""
    embedding = model.get_submodule("embedding")
    if isinstance(embedding, RowEmbedding) and task.reads_its_batch_only:
        weight = embedding.weight
        if weight.requires_grad and weight.device.type == "cpu":
            return RowUpdates(embedding, average, optimiser)
    return EveryRow()


def save_if_best(
    model: Model, task: Task[Model], position: Position, checkpoints: Checkpoints, emit: Callback
) -> None:
    """Validate, and keep the weights if the loss is the lowest seen.

    Raises:
        ConfigError: the loss is no longer finite.
    """
    measured = task.validate(model)
    metrics = current().lead(lambda: _finite(measured, position.step))
    loss = metrics["loss"]
    best = loss < position.best_loss
    if best:
        checkpoints.save_best(model)  # first, so that Ctrl-C finds the file of the best step
        position.best_loss, position.best_step = loss, position.step
        position.validations_since_best = 0
    else:
        position.validations_since_best += 1
    emit({"event": "validation", **position.counts(task.counted), **metrics, "best": best})


def _finite(metrics: dict[str, float], step: int) -> dict[str, float]:
    """The metrics, if the loss is finite."""
    if not math.isfinite(metrics["loss"]):
        raise ConfigError(
            f"the loss is {metrics['loss']} at step {step}: training has diverged",
            where="training",
            todo="lower --learning-rate or --max-grad-norm",
        )
    return metrics


def count_total_steps(settings: TrainConfig, steps_per_epoch: int) -> int:
    """Optimiser steps of the whole training, without early stopping."""
    return steps_per_epoch * (settings.epochs or max(MIN_EPOCHS, -(-MIN_STEPS // steps_per_epoch)))


def learning_rate_at(settings: TrainConfig, step: int, total_steps: int) -> float:
    """The learning rate of a step: linear warm-up, then the schedule."""
    warmup_steps = round(settings.warmup_ratio * total_steps)
    if step < warmup_steps:
        return settings.learning_rate * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    factor = {
        "constant": 1.0,
        "linear": 1.0 - progress,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * progress)),
    }[settings.schedule]
    return settings.learning_rate * factor


def stop_reason(settings: TrainConfig, position: Position, total_steps: int) -> str:
    """The reason to stop, or an empty string."""
    if position.step >= total_steps:
        return "finished"
    waited_steps = position.step - (position.best_step or 0)
    is_patient = position.validations_since_best < (settings.patience or math.inf)
    return "" if is_patient or waited_steps < MIN_PATIENCE_STEPS else "no better"
