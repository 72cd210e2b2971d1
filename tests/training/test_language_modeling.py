"""A language model learns what follows what; resumed equals uninterrupted."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fixtures.tiny_problem import V, same, weights_of, write_corpus
from sentir.config import PretrainConfig
from sentir.data.dataset import EncodedCorpus
from sentir.errors import ConfigError
from sentir.evaluation.history import read_metrics
from sentir.nn.language_model import LanguageModel
from sentir.training.callbacks import MetricsFile, call_all
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.language_modeling import LanguageModelingTask, fit_language_model, losses
from sentir.training.loop import MIN_PATIENCE_STEPS, save_if_best

Event = dict[str, Any]

# 48 reviews in batches of 8 are 6 steps an epoch, 18 in all; validations at 5, 10, 15 and 18.
SETTINGS = {
    "embedding_dim": 6, "hidden_size": 5, "batch_size": 8, "epochs": 3, "learning_rate": 0.02,
    "eval_steps": 5, "patience": 0, "ema_decay": 0.5, "word_dropout": 0.2,
}  # fmt: skip


def counting(path: Path, count: int) -> EncodedCorpus:
    """Reviews in which each id is the one before it and 1 more, or 2 more where that was even."""
    random = np.random.default_rng(sum(path.name.encode()))
    reviews = []
    for _ in range(count):
        review = [int(random.integers(2, 6))]
        while len(review) < random.integers(3, 12) and review[-1] < V - 2:
            review.append(review[-1] + 1 + (review[-1] % 2 == 0))
        reviews.append(review)
    return write_corpus(path, reviews, [0] * count)


def new_model(config: PretrainConfig, seed: int = 0) -> LanguageModel:
    torch.manual_seed(seed)
    return LanguageModel(config.model, vocabulary=V)


def run(
    folder: Path, *listeners: Callable[[Event], None], **settings: Any
) -> tuple[LanguageModel, Position]:
    """Go on with the run in the folder, or begin it."""
    config = PretrainConfig().override({**SETTINGS, **settings})
    folder.mkdir(exist_ok=True)
    # A resumed run takes nothing from the model it is given.
    model = new_model(config, seed=99 if (folder / "checkpoint.pt").exists() else 0)
    position = fit_language_model(
        model,
        counting(folder.parent / "train", 48),
        counting(folder.parent / "valid", 20),
        config,
        checkpoints=Checkpoints(folder, "id"),
        emit=call_all([MetricsFile(folder / "metrics.jsonl"), *listeners]),
        resume=True,
    )
    return model, position


def test_what_follows_is_learnt_both_ways(tmp_path: Path) -> None:
    told: list[Event] = []
    model, position = run(tmp_path / "run", told.append, epochs=30, ema_decay=0.0)
    validations = [event for event in told if event["event"] == "validation"]
    assert validations[0]["perplexity"] > 6
    assert min(event["perplexity_forward"] for event in validations) < 1.6
    assert min(event["perplexity_backward"] for event in validations) < 1.9
    assert position.best_loss == min(event["loss"] for event in validations)
    assert validations[-1]["perplexity"] == pytest.approx(math.exp(validations[-1]["loss"]))
    lengths = counting(tmp_path / "train", 48).lengths_N
    assert position.tokens == 30 * int(lengths.sum())
    assert position.reviews == 30 * 48
    found = losses(model, counting(tmp_path / "valid", 20), 400)
    assert sum(found) / 2 == pytest.approx(position.best_loss)


class CrashError(Exception):
    pass


def crash_at(step: int, kind: str = "step") -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if event["event"] == kind and event["step"] == step:
            raise CrashError

    return listen


@pytest.mark.parametrize(
    "crashes",
    [
        [crash_at(1)],
        [crash_at(5, "validation")],
        [crash_at(7)],
        [crash_at(3), crash_at(8), crash_at(12), crash_at(18)],
    ],
    ids=["1", "after-5", "7", "many"],
)
def test_resumed_equals_uninterrupted(
    tmp_path: Path, crashes: list[Callable[[Event], None]]
) -> None:
    wanted, end = run(tmp_path / "whole")
    for crash in crashes:
        with pytest.raises(CrashError):
            run(tmp_path / "pieces", crash)
    got, position = run(tmp_path / "pieces")
    assert position == end
    assert end.stopped == "finished"
    assert same(weights_of(got), weights_of(wanted))
    rows = [
        [{**row, "seconds": 0, "tokens_per_second": 0} for row in
         read_metrics(tmp_path / name / "metrics.jsonl")] for name in ("whole", "pieces")
    ]  # fmt: skip
    assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0] if row["event"] == "validation"] == [5, 10, 15, 18]


def test_ctrl_c_keeps_the_best(tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if event["event"] == "step" and event["step"] == 3:
            raise KeyboardInterrupt

    _, position = run(tmp_path / "run", interrupt)
    assert (position.stopped, position.best_step) == ("interrupted", 3)
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_it_stops_when_the_loss_falls_no_longer(tmp_path: Path) -> None:
    _, position = run(tmp_path / "run", patience=2, epochs=200, schedule="constant")
    assert position.stopped == "no better"
    assert position.best_step == position.step - MIN_PATIENCE_STEPS


def test_a_bounded_part_is_measured(tmp_path: Path) -> None:
    config = PretrainConfig().override(SETTINGS)
    model, corpus = new_model(config), counting(tmp_path / "corpus", 60)
    everything = losses(model, corpus, 400)
    assert losses(model, corpus, 400, max_eval_tokens=10_000) == everything
    assert losses(model, corpus, 400, max_eval_tokens=30) != everything
    assert losses(model, corpus, 400, max_eval_tokens=30) == losses(
        model, corpus, 400, max_eval_tokens=30
    )


def test_a_loss_that_is_no_number_is_said(tmp_path: Path) -> None:
    config = PretrainConfig().override(SETTINGS)
    model = new_model(config)
    with torch.no_grad():
        model.embedding.weight.fill_(math.nan)
    corpus = counting(tmp_path / "corpus", 20)
    task = LanguageModelingTask(valid=corpus, max_length=config.text.max_length)
    with pytest.raises(ConfigError, match="the loss is nan at step 0: training has diverged"):
        save_if_best(model, task, Position(), Checkpoints(tmp_path, ""), lambda event: None)
