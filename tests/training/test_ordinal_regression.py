"""The n-gram linear model of ordered classes: one regression per boundary, an output per class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.tiny_problem import tiny, write_corpus
from sentir.data.dataset import EncodedCorpus, JoinedCorpora
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.training.ngram_counts import Ngrams, count_ngrams
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.ngram_regression import fit_regressions
from sentir.training.ngram_table import choose_table, fill_table
from sentir.training.ordinal_regression import fit_ordinal_regressions, share_a_scale

CONFIG = tiny(ngram_buckets=4096, max_length=30)
CLASSES, WORDS = 4, 60


def model(classes: int = CLASSES) -> SentimentClassifier:
    return SentimentClassifier(CONFIG.model, vocabulary=WORDS, classes=classes)


def graded(path: Path, count: int, *, seed: int = 0, without: int | None = None) -> EncodedCorpus:
    """Reviews of words that are the better the higher their id is, which give the class."""
    random = np.random.default_rng(seed)
    words_NT = random.integers(2, WORDS, (count, 9))
    mean_N = (words_NT / WORDS).mean(axis=1) + random.normal(0, 0.03, count)
    labels_N = np.digitize(mean_N, [0.43, 0.5, 0.57])
    kept = np.flatnonzero(labels_N != without)
    return write_corpus(path, words_NT[kept].tolist(), labels_N[kept].tolist())


def distance(logits_NO: np.ndarray, corpus: EncodedCorpus) -> float:
    return float(np.abs(logits_NO.argmax(axis=1) - corpus.labels_N).mean())


def fitted_logits(
    network: SentimentClassifier, train: EncodedCorpus, valid: EncodedCorpus, *, ordered: bool
) -> np.ndarray:
    silence_NO = np.zeros((len(valid), network.head.out_features))
    return fit_ngram_linear(
        network, train, valid, silence_NO, 30, folder=valid.path.parent, ordered=ordered
    )


def test_of_few_reviews_the_order_is_worth_a_lot(tmp_path: Path) -> None:
    train, valid = graded(tmp_path / "t", 150), graded(tmp_path / "v", 300, seed=1)
    ordered, unordered = (
        distance(fitted_logits(model(), train, valid, ordered=flag), valid)
        for flag in (True, False)
    )
    assert ordered < 0.8 * unordered


def test_the_logit_of_a_class_is_the_sum_of_the_boundaries_below_it(tmp_path: Path) -> None:
    """Each boundary is what a fit of two classes finds, given the same scales."""
    train = graded(tmp_path / "t", 200)
    ngram_linear = model().ngram_linear
    assert ngram_linear is not None
    counts = count_ngrams(ngram_linear, [train], CLASSES, 30)
    (fitted,) = fit_ordinal_regressions(counts, [30.0], balanced=False)
    np.testing.assert_allclose(fitted.weights_FO.sum(axis=1), 0, atol=1e-4)
    assert (fitted.squared_scales_FO == fitted.squared_scales_FO[:, :1]).all()
    for boundary in range(CLASSES - 1):
        above_N = (train.labels_N > boundary).astype(np.float32)
        targets_NC = np.stack([1 - above_N, above_N], axis=1)
        known = counts.ngrams._replace(
            known_weights_FO=np.zeros_like(fitted.weights_FO[:, :1]),
            known_squared_scales_FO=fitted.squared_scales_FO[:, :1],
        )
        two = counts._replace(ngrams=known, targets_NC=targets_NC)
        (alone,) = fit_regressions(two, 1, [30.0], balanced=False)
        step_F = fitted.weights_FO[:, boundary + 1] - fitted.weights_FO[:, boundary]
        np.testing.assert_allclose(step_F, alone.weights_FO[:, 0], atol=0.02)


def test_shares_of_classes_count_as_each_class_as_often(tmp_path: Path) -> None:
    hard = write_corpus(tmp_path / "h", [[2], [3]] * 40, [0, 2, 1, 2, 2, 3, 1, 3] * 10)
    soft = write_corpus(tmp_path / "s", [[2], [3]] * 40, [0] * 80)
    rows = np.array([[0.25, 0.5, 0.25, 0], [0, 0, 0.5, 0.5]] * 40, np.float32)
    found = []
    for corpus in (hard, JoinedCorpora([soft], rows)):
        ngram_linear = model().ngram_linear
        assert ngram_linear is not None
        counts = count_ngrams(ngram_linear, [corpus], CLASSES, 30)
        (fitted,) = fit_ordinal_regressions(counts, [30.0], balanced=False)
        found.append(fitted.weights_FO)
    np.testing.assert_allclose(*found, atol=0.02)
    assert np.abs(found[0]).max() > 0.5


@pytest.mark.parametrize("without", [0, 1, 3])
def test_a_class_without_reviews_is_never_likeliest(tmp_path: Path, without: int) -> None:
    train = graded(tmp_path / "t", 300, without=without)
    valid = graded(tmp_path / "v", 100, seed=1, without=without)
    logits_NO = fitted_logits(model(), train, valid, ordered=True)
    assert np.isfinite(logits_NO).all()
    assert without not in logits_NO.argmax(axis=1)


def test_going_on_starts_from_what_is_known(tmp_path: Path) -> None:
    """N-grams that new reviews lack keep what they say, with the order of the classes."""
    old, few = (
        graded(tmp_path / "t", 400),
        write_corpus(tmp_path / "f", [[2, 3], [58, 59]] * 3, [0, 3] * 3),
    )
    network = model()
    known = network.ngram_linear
    assert known is not None
    counts = count_ngrams(known, [old], CLASSES, 30)
    (fitted,) = fit_ordinal_regressions(counts, [30.0], balanced=False)
    fill_table(known, known, choose_table(known, counts.ngrams, fitted, 4096), fitted)
    before_PO = to_arrays(known)["ngram_weights"].astype(np.float64)

    counts = count_ngrams(known, [few], CLASSES, 30)
    assert share_a_scale(counts.ngrams)
    (again,) = fit_ordinal_regressions(counts, [30.0], balanced=False)
    after = model().ngram_linear
    assert after is not None
    fill_table(after, known, choose_table(known, counts.ngrams, again, 4096), again)
    after_PO = to_arrays(after)["ngram_weights"].astype(np.float64)
    np.testing.assert_allclose(after_PO, before_PO @ again.known_OO, rtol=2e-3, atol=0.02)
    steps_PS, before_PS = np.diff(after_PO), np.diff(before_PO)
    assert ((steps_PS * before_PS) > -1e-3).all()


def test_a_model_that_was_fitted_per_class_goes_on_so(tmp_path: Path) -> None:
    train = graded(tmp_path / "t", 200)
    ngram_linear = model().ngram_linear
    assert ngram_linear is not None
    counts = count_ngrams(ngram_linear, [train], CLASSES, 30)
    (fitted,) = fit_regressions(counts, CLASSES, [30.0], balanced=False)
    fill_table(
        ngram_linear, ngram_linear, choose_table(ngram_linear, counts.ngrams, fitted, 4096), fitted
    )
    assert not share_a_scale(Ngrams.of(ngram_linear, counts.ngrams.keys_K, counts.ngrams.reviews_F))
