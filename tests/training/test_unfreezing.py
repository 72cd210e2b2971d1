"""Parts learn one after the other, each at its own rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures.tiny_problem import new_model, separable, tiny, weights_of
from sentir.config import FineTuneConfig
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier
from sentir.training.unfreezing import Unfreezing


def group_of(name: str) -> int:
    return {"layers": 1, "embedding": 2}.get(name.split(".")[0], 0)


def test_rates_fall_with_the_depth() -> None:
    model = new_model(tiny(bigram_buckets=9, pooling="attention"))
    groups = Unfreezing(model, FineTuneConfig(layerwise_lr_decay=0.3), 10).groups
    assert [group["share"] for group in groups] == pytest.approx([1, 0.3, 0.09])
    names = {id(weight): name for name, weight in model.named_parameters()}
    found = [{names[id(weight)].split(".")[0] for weight in group["params"]} for group in groups]
    assert found == [{"bigrams", "pooling", "head"}, {"layers"}, {"embedding"}]


def test_parts_join_from_the_head_down() -> None:
    model = new_model(tiny())
    unfreezing = Unfreezing(model, FineTuneConfig(gradual_unfreezing=0.5), 10)
    for step, learning in ((0, [0]), (4, [0]), (5, [0, 1]), (9, [0, 1]), (10, [0, 1, 2]),
                           (500, [0, 1, 2]), (3, [0])):  # fmt: skip
        unfreezing.prepare(step)
        for name, weight in model.named_parameters():
            assert weight.requires_grad == (group_of(name) in learning), (step, name)


def test_an_embedding_that_is_to_stay_stays() -> None:
    model = new_model(tiny(freeze_embedding=True))
    unfreezing = Unfreezing(model, FineTuneConfig(gradual_unfreezing=0.1), 10)
    unfreezing.prepare(100)
    assert not model.embedding.weight.requires_grad
    assert unfreezing.groups[2]["params"] == []


@pytest.mark.parametrize("unfreeze", [0.0, 0.5])
def test_the_loop_moves_only_what_learns(tmp_path: Path, unfreeze: float) -> None:
    train, valid = separable(tmp_path / "train", 80), separable(tmp_path / "valid", 20)
    config = tiny(epochs=2, gradual_unfreezing=unfreeze, layerwise_lr_decay=0.5, patience=0)
    model = new_model(config)
    before = weights_of(model)
    moved: dict[int, set[int]] = {}

    def emit(event: dict[str, Any]) -> None:
        if event["event"] == "step":
            now = weights_of(model)
            moved[event["step"]] = {group_of(name) for name in now
                                    if not torch.equal(now[name], before[name])}  # fmt: skip

    fit_classifier(model, train, valid, config, checkpoints=Checkpoints(tmp_path, ""), emit=emit)
    # 10 steps an epoch: the layers join at step 5, counted from 0, the embedding at 10.
    if unfreeze:
        assert [moved[step] for step in (1, 5, 6, 10, 11)] == [{0}, {0}, {0, 1}, {0, 1}, {0, 1, 2}]
    else:
        assert moved[1] == {0, 1, 2}


def test_the_deeper_part_moves_less(tmp_path: Path) -> None:
    train, valid = separable(tmp_path / "train", 80), separable(tmp_path / "valid", 20)
    steps = []
    for decay in (1.0, 0.1):
        config = tiny(epochs=1, layerwise_lr_decay=decay, warmup_ratio=0, schedule="constant")
        model = new_model(config)
        before = weights_of(model)

        def emit(event: dict[str, Any], model=model, before=before) -> None:
            if event["event"] == "step" and event["step"] == 1:
                steps.append([float((weights_of(model)[name] - before[name]).abs().max())
                              for name in ("head.weight", "layers.0.forward_rnn.weight_hh_l0",
                                           "embedding.weight")])  # fmt: skip

        fit_classifier(
            model, train, valid, config, checkpoints=Checkpoints(tmp_path, ""), emit=emit
        )
    ratios = [small / large for large, small in zip(*steps, strict=True)]
    assert ratios == pytest.approx([1, 0.1, 0.01], rel=0.05)  # Adam's first step is its rate
