"""The task of a classifier: its loss, its validation metrics, its predictions for a corpus."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.tiny_problem import new_model, separable, tiny
from sentir.data.batching import pad
from sentir.training.classification import (
    ClassificationTask,
    logits,
    probabilities,
    probabilities_of_ids,
)

MAX_LENGTH = 30


@pytest.mark.parametrize("classes", [2, 3])
def test_predictions_are_in_the_order_of_the_corpus(tmp_path: Path, classes: int) -> None:
    corpus, model = separable(tmp_path / "a", 40), new_model(tiny(), classes=classes).eval()
    probabilities_NC = probabilities(model, corpus, MAX_LENGTH, batch_size=7)
    assert probabilities_NC.shape == (40, classes)
    np.testing.assert_allclose(probabilities_NC.sum(axis=1), 1)
    for row in (0, 13, 39):
        batch = pad([corpus[row]], MAX_LENGTH)
        with torch.inference_mode():
            logits_BO = model(batch.ids_BT, batch.lengths_B)
        alone_C = model.probabilities(logits_BO.double())[0].numpy()
        np.testing.assert_allclose(probabilities_NC[row], alone_C, atol=1e-6)


def test_texts_of_ids_are_answered_as_a_corpus_is(tmp_path: Path) -> None:
    corpus, model = separable(tmp_path / "c", 20), new_model(tiny())
    texts = [corpus[row].tolist() for row in range(20)]
    found_NC = probabilities_of_ids(model.train(), texts, 10)
    np.testing.assert_allclose(found_NC, probabilities(model, corpus, 10), rtol=0, atol=1e-6)


def test_progress_counts_every_review(tmp_path: Path) -> None:
    counts: list[int] = []
    logits(new_model(tiny()), separable(tmp_path / "a", 40), MAX_LENGTH, advance=counts.append)
    assert sum(counts) == 40


def task_of(tmp_path: Path) -> ClassificationTask:
    corpus = separable(tmp_path / "a", 60)
    return ClassificationTask(train=corpus, valid=corpus, max_length=MAX_LENGTH)


def test_logits_are_added_to_those_of_the_same_reviews(tmp_path: Path) -> None:
    """Where they say the label with certainty, there is nothing to learn."""
    task, model = task_of(tmp_path), new_model(tiny()).eval()
    sure_NO = torch.where(torch.from_numpy(task.train.targets)[:, None] == 1, 50.0, -50.0)
    batch = pad([task.valid[row] for row in (3, 40)], MAX_LENGTH)._replace(rows_B=np.array([3, 40]))
    plain = task.loss(model, batch, nullcontext())
    added = replace(task, added_NO=sure_NO).loss(model, batch, nullcontext())
    assert plain.item() > 0.3
    assert added.item() < 1e-6


def test_validation_is_the_mean_loss_and_the_accuracy(tmp_path: Path) -> None:
    task, model = task_of(tmp_path), new_model(tiny())
    metrics = task.validate(model)
    probabilities_NC = probabilities(model, task.valid, MAX_LENGTH)
    labels_N = task.valid.labels_N
    own_N = probabilities_NC[np.arange(60), labels_N]
    assert metrics["loss"] == pytest.approx(-np.log(own_N).mean())
    assert metrics["accuracy"] == pytest.approx(
        (probabilities_NC.argmax(axis=1) == labels_N).mean()
    )


def test_class_weights_weigh_the_validation_loss_too(tmp_path: Path) -> None:
    task, model = task_of(tmp_path), new_model(tiny())
    labels_N = task.valid.labels_N
    own_N = probabilities(model, task.valid, MAX_LENGTH)[np.arange(60), labels_N]
    model.set_class_weights(torch.tensor([3.0, 0.5], dtype=torch.float64))
    weights_N = np.array([3.0, 0.5])[labels_N]
    assert task.validate(model)["loss"] == pytest.approx((-np.log(own_N) * weights_N).mean())


def test_a_certain_mistake_has_a_finite_loss(tmp_path: Path) -> None:
    task, model = task_of(tmp_path), new_model(tiny())
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(1e4)
    assert np.isfinite(task.validate(model)["loss"])
