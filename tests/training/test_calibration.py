"""Calibration: confidence comes to match accuracy, and predicted classes stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fixtures.tiny_problem import new_model, tiny
from sentir.training.calibration import fit_calibration, set_calibration


def noisy_logits(
    scale: float, *, count: int = 4000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, 1) that are `scale` times the right ones, and labels drawn from the right ones."""
    random = np.random.default_rng(0)
    right_N1 = random.normal(0, 2, (count, 1))
    labels_N = (random.random(count) < 1 / (1 + np.exp(-right_N1[:, 0]))).astype(np.int64)
    return scale * right_N1, labels_N


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_the_temperature_is_found(scale: float) -> None:
    logits_NO, labels_N = noisy_logits(scale)
    calibration = fit_calibration(new_model(tiny()), [logits_NO], labels_N)
    assert calibration.weights[0] * scale == pytest.approx(1, abs=0.1)
    assert calibration.shift_O.tolist() == [0]  # no bias: the predicted classes stay
    calibrated_NO = calibration.apply([logits_NO])
    assert np.array_equal(np.sign(calibrated_NO), np.sign(logits_NO))


def test_two_parts_are_weighted_by_what_they_know() -> None:
    logits_NO, labels_N = noisy_logits(1.0)
    noise_NO = np.random.default_rng(1).normal(0, 2, logits_NO.shape)
    calibration = fit_calibration(new_model(tiny()), [logits_NO, noise_NO], labels_N)
    assert calibration.weights[0] == pytest.approx(1, abs=0.1)
    assert calibration.weights[1] < 0.1


def test_an_output_that_leans_to_one_class_is_shifted_back() -> None:
    logits_NO, labels_N = noisy_logits(1.0)
    none_NO = np.zeros_like(logits_NO)
    calibration = fit_calibration(new_model(tiny()), [logits_NO + 1.5, none_NO], labels_N)
    assert calibration.shift_O.item() == pytest.approx(-1.5, abs=0.15)


def test_few_reviews_that_are_all_right_give_no_endless_confidence() -> None:
    logits_NO = np.array([[1.0], [-1.0], [2.0]])
    calibration = fit_calibration(new_model(tiny()), [logits_NO], np.array([1, 0, 1]))
    assert 1 < calibration.weights[0] < 20


def test_it_is_folded_into_the_head() -> None:
    model = new_model(tiny()).eval()
    ids_BT, lengths_B = torch.tensor([[3, 4, 5], [6, 7, 0]]), torch.tensor([3, 2])
    with torch.inference_mode():
        before_BO = model(ids_BT, lengths_B)
        set_calibration(model, 0.5, torch.tensor([0.25]))
        after_BO = model(ids_BT, lengths_B)
    torch.testing.assert_close(after_BO, 0.5 * before_BO + 0.25)
