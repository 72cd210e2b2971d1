"""Several processes train what one trains: the same weights on every rank, and without dropout the
weights of a single process."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures.ranks import Trainer, is_same, states, trainer
from sentir.evaluation.history import read_metrics

# 41 reviews in batches of 8 are 6 steps an epoch, 18 in all; one batch is a single review, of which
# rank 0 alone has a share. Validations and checkpoints at 5, 10, 15 and 18.
SETTINGS = {"epochs": 3, "eval_steps": 5, "patience": 0, "ema_decay": 0.8}
NO_DROPOUT = {"head_dropout": 0.0}
DROPOUT = {"embedding_dropout": 0.2, "head_dropout": 0.3}
LANGUAGE_MODEL = {
    "embedding_dim": 6, "hidden_size": 5, "batch_size": 8, "epochs": 3, "learning_rate": 0.02,
    "eval_steps": 5, "patience": 0, "ema_decay": 0.5, "num_sampled": 100,
}  # fmt: skip
#: Those that are tested every time; the others are long tests.
QUICK = ("adversarial", "language model", "class weights")
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("classifier", {}),
    "unfreezing": ("classifier", {"gradual_unfreezing": 0.4, "layerwise_lr_decay": 0.5}),
    "adversarial": ("classifier", {"adversarial_epsilon": 0.1}),
    "frozen embedding": ("classifier", {"freeze_embedding": True}),
    "no average": ("classifier", {"ema_decay": 0.0}),
    "bigrams": ("classifier", {"bigram_buckets": 50}),
    "gru": ("classifier", {"cell": "gru", "pooling": "attention", "embedding_skip": True}),
    "class weights": ("class weights", {}),
    "soft targets": ("soft targets", {}),
    "language model": ("language model", {}),
}


ALL_KINDS = [
    pytest.param(kind, marks=() if kind in QUICK else pytest.mark.long, id=kind) for kind in KINDS
]


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    with trainer(tmp_path_factory.mktemp("ranks"), 41) as train:
        yield train


def positions_of(folder: Path, size: int = 2) -> list[dict[str, Any]]:
    """Where each rank has ended."""
    return [json.loads((folder / f"position{rank}.json").read_text()) for rank in range(size)]


def settings_of(kind: str, *changes: dict[str, Any]) -> dict[str, Any]:
    name, own = KINDS[kind]
    merged = dict(LANGUAGE_MODEL if name == "language model" else SETTINGS) | own
    for change in changes:
        merged |= change
    return merged


def without_dropout(kind: str) -> dict[str, Any]:
    if kind == "language model":
        return settings_of(kind, {"embedding_dropout": 0.0, "dropout": 0.0})
    return settings_of(kind, NO_DROPOUT, {"bigram_dropout": 0.0, "embedding_skip_dropout": 0.0})


def with_dropout(kind: str) -> dict[str, Any]:
    if kind == "language model":
        return settings_of(kind, {"embedding_dropout": 0.2, "dropout": 0.2, "word_dropout": 0.2})
    return settings_of(kind, DROPOUT)


@pytest.mark.parametrize("words", [20, 500], ids=["dense", "rows"])
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_two_processes_without_dropout_are_one(
    tmp_path: Path, train: Trainer, kind: str, words: int
) -> None:
    order = {"settings": without_dropout(kind), "words": words}
    assert train(tmp_path / "one", 1, KINDS[kind][0], **order) == [0]
    assert train(tmp_path / "two", 2, KINDS[kind][0], **order) == [0, 0]
    (one,), (two, other) = states(tmp_path / "one", 1), states(tmp_path / "two", 2)
    assert is_same(two, other)
    assert one.keys() == two.keys()
    for name, value in one.items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(two[name], value, rtol=0, atol=1e-5, msg=name)
    alone, *together = positions_of(tmp_path / "one", 1) + positions_of(tmp_path / "two")
    for position in together:
        assert position["best_loss"] == pytest.approx(alone["best_loss"], abs=1e-5)
        assert position["best_step"] == alone["best_step"]


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_ranks_are_equal_bit_for_bit(tmp_path: Path, train: Trainer, kind: str) -> None:
    order = {"settings": with_dropout(kind), "words": 500}
    assert train(tmp_path / "run", 3, KINDS[kind][0], **order) == [0, 0, 0]
    first, *others = states(tmp_path / "run", 3)
    assert all(is_same(first, other) for other in others)
    best = [torch.load(tmp_path / "run" / f"best{rank}.pt", weights_only=True) for rank in range(3)]
    assert all(is_same(best[0], other) for other in best[1:])


def test_each_rank_has_its_own_dropout(tmp_path: Path, train: Trainer) -> None:
    # The same masks on both ranks would be those of a batch half as large.
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        settings = settings_of("plain", DROPOUT, {"seed": seed})
        assert train(tmp_path / name, 2, settings=settings) == [0, 0]
    (a, _), (b, _), (c, _) = (states(tmp_path / name, 2) for name in "abc")
    assert is_same(a, b)
    assert not is_same(a, c)


@pytest.mark.parametrize("kind", ["plain", "language model"])
@pytest.mark.parametrize("killed", [0, 1])
def test_killed_and_resumed(tmp_path: Path, train: Trainer, kind: str, killed: int) -> None:
    order = {"kind": KINDS[kind][0], "settings": with_dropout(kind)}
    assert train(tmp_path / "whole", 2, **order) == [0, 0]
    for step in (1, 6, 3):  # after the start, and at 6 and 8
        codes = train(
            tmp_path / "pieces", 2, rank=killed, backward=step, signal=signal.SIGKILL, **order
        )
        assert codes[killed] == -signal.SIGKILL
        assert codes[1 - killed] == 2
        assert "another process of this training has ended" in train.errors()
    assert train(tmp_path / "pieces", 2, **order) == [0, 0]
    for one, other in zip(
        states(tmp_path / "whole", 2), states(tmp_path / "pieces", 2), strict=True
    ):
        assert is_same(one, other)
    wanted, got = (tmp_path / name / "best.safetensors" for name in ("whole", "pieces"))
    assert wanted.read_bytes() == got.read_bytes()
    rows = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "pieces")]
    assert [row["loss"] for row in rows[0]] == [row["loss"] for row in rows[1]]


@pytest.mark.parametrize("rank", [0, 1])
def test_an_interrupt_of_one_rank_ends_all(tmp_path: Path, train: Trainer, rank: int) -> None:
    folder, settings = tmp_path / "run", with_dropout("plain")
    assert train(folder, 2, settings=settings, rank=rank, backward=8, signal=signal.SIGINT) == [
        0, 0,
    ]  # fmt: skip
    for position in positions_of(folder):
        assert (position["stopped"], position["step"], position["best_step"]) == (
            "interrupted", 7, 5,
        )  # fmt: skip


def test_an_interrupt_in_a_callback_ends_all(tmp_path: Path, train: Trainer) -> None:
    folder = tmp_path / "run"
    assert train(folder, 2, settings=with_dropout("plain"), raises_at=3) == [0, 0]
    for position in positions_of(folder):
        assert (position["stopped"], position["step"], position["best_step"]) == (
            "interrupted", 3, 3,
        )  # fmt: skip
