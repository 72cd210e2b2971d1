"""Labels that models which have not seen the review contradict."""

from __future__ import annotations

import numpy as np
import pytest

from sentir.evaluation.audit.findings import Mark, rank
from sentir.evaluation.audit.label_errors import find_label_errors, out_of_fold

NAMES = ("negative", "positive")


def random_rows(count: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Reviews whose class is that of the word 1 or 2 among others."""
    random = np.random.default_rng(0)
    labels_N = random.integers(0, 2, count)
    rows = [np.array([label + 1, *random.integers(3, 5, 2)]) for label in labels_N]
    return rows, labels_N, random.integers(0, 2**63, count).astype(np.uint64)


def test_flipped_labels_come_first() -> None:
    rows, labels_N, hashes_N = random_rows(200)
    flipped = [3, 50, 120, 199]
    labels_N[flipped] = 1 - labels_N[flipped]
    answered: list[int] = []
    probabilities_NC, judged_N = out_of_fold(rows, labels_N, hashes_N, 2, advance=answered.append)
    assert sum(answered) == 200
    assert judged_N.all()
    marks = rank(list(find_label_errors(probabilities_NC, labels_N, NAMES)))
    assert {mark.row for mark in marks[:4]} == {*flipped}
    assert all(mark.suggested == NAMES[1 - labels_N[mark.row]] for mark in marks)
    assert marks[0].score > 0.5


def test_copies_are_never_learnt_from() -> None:
    """A review and its copy with the same wrong label are both found: they are in one fold."""
    rows, labels_N, hashes_N = random_rows(100)
    labels_N[0] = 1 - labels_N[0]
    rows += [rows[0]] * 20
    labels_N = np.append(labels_N, [labels_N[0]] * 20)
    hashes_N = np.append(hashes_N, [hashes_N[0]] * 20)
    probabilities_NC, _ = out_of_fold(rows, labels_N, hashes_N, 2)
    assert (probabilities_NC[[0, -1], 1 - labels_N[0]] > 0.5).all()


def test_a_class_of_one_review_is_not_judged() -> None:
    rows, labels_N, hashes_N = random_rows(60)
    labels_N[7] = 2
    _, judged_N = out_of_fold(rows, labels_N, hashes_N, 3)
    assert np.flatnonzero(~judged_N).tolist() == [7]


def test_too_few_reviews() -> None:
    rows, labels_N, hashes_N = random_rows(2)
    labels_N[:] = 0, 1
    hashes_N[:] = 0, 1
    probabilities_NC, judged_N = out_of_fold(rows, labels_N, hashes_N, 2)
    assert not judged_N.any()
    assert not probabilities_NC.any()
    nothing = np.empty(0, np.int64)
    assert not list(find_label_errors(np.empty((0, 2)), nothing, NAMES))


def test_a_class_needs_its_own_mean_probability() -> None:
    """The thresholds, 0.85 and 0.7, are those of the classes, and not 0.5."""
    probabilities_NC = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7], [0.1, 0.9]])
    labels_N = np.array([0, 0, 1, 1, 0])
    marks = list(find_label_errors(probabilities_NC, labels_N, NAMES))
    assert marks == [Mark(4, "label", pytest.approx(0.8), "positive", "positive 90%")]
