from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fixtures.tiny_problem import new_model, tiny, write_corpus
from sentir.training.calibration import fit_calibration
from sentir.training.class_weights import balanced_class_weights
from sentir.training.classification import logits
from sentir.training.ngram_linear import fit_ngram_linear


def test_every_class_counts_the_same_in_all() -> None:
    labels_N = np.array([0] * 6 + [1] * 3 + [2])
    weights_C = balanced_class_weights(labels_N, 4)
    assert weights_C[3] == 0  # not met
    per_review_N = weights_C.numpy()[labels_N]
    assert per_review_N.mean() == 1
    for at in range(3):
        np.testing.assert_allclose(per_review_N[labels_N == at].sum(), 10 / 3)


def test_the_loss_is_weighed() -> None:
    for classes, outputs in ((2, 1), (3, 3)):
        model = new_model(tiny(), classes=classes)
        logits_BO, labels_B = torch.randn(5, outputs), torch.tensor([0, 1, 1, 0, classes - 1])
        weights_C = torch.arange(1.0, classes + 1)
        each = [model.loss(logits_BO[at : at + 1], labels_B[at : at + 1]) for at in range(5)]
        model.set_class_weights(weights_C)
        wanted = torch.stack(each) @ weights_C[labels_B] / 5
        torch.testing.assert_close(model.loss(logits_BO, labels_B), wanted)


def test_a_rare_class_is_found_when_classes_weigh_the_same(tmp_path: Path) -> None:
    """One review in twenty is of the rare class, and its word stands in others too."""
    random = np.random.default_rng(0)
    labels = (random.random(800) < 0.05).astype(int)
    reviews = [[5 if label or random.random() < 0.1 else 6, 7] for label in labels]
    train = write_corpus(tmp_path / "t", reviews[:500], labels[:500].tolist())
    valid = write_corpus(tmp_path / "v", reviews[500:], labels[500:].tolist())
    found = {}
    for weighed in (False, True):
        model = new_model(tiny(ngram_buckets=16))
        if weighed:
            model.set_class_weights(balanced_class_weights(train.labels_N, 2))
        fit_ngram_linear(model, train, valid, logits(model, valid, 30), 30, folder=tmp_path)
        answers_N = logits(model, valid, 30)[:, 0] > 0
        found[weighed] = answers_N[valid.labels_N == 1].mean()
    assert found == {False: 0.0, True: 1.0}


def test_the_temperature_makes_answers_as_sure_as_they_are_right() -> None:
    """Answers ten times too sure, four in five of them right: the odds become four to one."""
    model = new_model(tiny())
    labels_N = np.arange(1000) % 2
    right_N = np.arange(1000) % 5 != 0
    network_NO = np.where(right_N == (labels_N == 1), 14.0, -14.0)[:, None]
    mix = fit_calibration(model, [network_NO], labels_N)
    np.testing.assert_allclose(14 * mix.weights[0], np.log(4), rtol=0.02)
    assert not mix.shift_O.any()  # no answer changes


def test_a_few_right_answers_do_not_make_endless_certainty() -> None:
    model = new_model(tiny())
    mix = fit_calibration(model, [np.array([[2.0], [-2.0]])], np.array([1, 0]))
    assert 1 < mix.weights[0] < 3
