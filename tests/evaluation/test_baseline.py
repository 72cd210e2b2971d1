"""The baseline is scikit-learn's TF-IDF and logistic regression, on ids."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sentir.errors import DataError, UsageError
from sentir.evaluation.baseline import fit_baseline


def rows_of(*rows: list[int]) -> list[np.ndarray]:
    return [np.array(row, dtype=np.int32) for row in rows]


def random_rows(count: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    rows = [
        random.integers(2 + 5 * label, 30 + 5 * label, random.integers(0, 25)).astype(np.int32)
        for label in labels
    ]
    return rows, labels


@pytest.mark.parametrize("ngrams", [1, 2])
def test_it_predicts_as_scikit_learn_does(ngrams: int) -> None:
    train, labels = random_rows(80, seed=0)
    test, _ = random_rows(20, seed=1)
    words = TfidfVectorizer(
        analyzer="word",
        token_pattern=r"\S+",
        ngram_range=(1, ngrams),
        min_df=2,
        sublinear_tf=True,
    )
    joined = [" ".join(map(str, row)) for row in train]
    model = LogisticRegression(C=20.0, max_iter=1000).fit(words.fit_transform(joined), labels)
    expected = model.predict_proba(words.transform([" ".join(map(str, row)) for row in test]))
    probabilities = fit_baseline(train, labels, test, 2, ngrams=ngrams)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_bigrams_tell_what_words_cannot() -> None:
    # "not good, bad" against "not bad, good": the same words, other neighbours.
    train = rows_of(*[[2, 3, 5, 4], [2, 4, 5, 3]] * 10)
    labels = np.array([0, 1] * 10)
    test = rows_of([2, 3, 5, 4], [2, 4, 5, 3])
    np.testing.assert_allclose(fit_baseline(train, labels, test, 2, ngrams=1), 0.5, atol=1e-3)
    assert fit_baseline(train, labels, test, 2).argmax(axis=1).tolist() == [0, 1]


def test_bigrams_do_not_cross_reviews() -> None:
    # Across reviews, the bigram (3, 4) would occur twice.
    probabilities = fit_baseline(
        rows_of([3], [4], [3], [4]), np.array([0, 1, 0, 1]), rows_of([3, 4]), 2
    )
    np.testing.assert_allclose(probabilities, 0.5, atol=1e-6)


def test_large_ids_do_not_collide() -> None:
    last = 2**31 - 1
    train = rows_of(*[[last, last], [last, 1], [1, last]] * 4)
    probabilities = fit_baseline(train, np.array([0, 1, 2] * 4), train[:3], 3)
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 2]


def test_rows_may_be_a_generator_and_a_class_may_be_absent() -> None:
    train, labels = random_rows(40, seed=0)
    probabilities = fit_baseline(iter(train), labels * 2, (row for row in train), 4)
    assert probabilities.shape == (40, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert not probabilities[:, [1, 3]].any()
    assert (probabilities.argmax(axis=1) == labels * 2).mean() > 0.8


def test_unknown_and_empty_reviews_are_predicted() -> None:
    train, labels = random_rows(40, seed=0)
    probabilities = fit_baseline(train, labels, rows_of([], [900, 901]), 2)
    np.testing.assert_allclose(probabilities[0], probabilities[1])
    assert fit_baseline(train, labels, [], 2).shape == (0, 2)


@pytest.mark.parametrize("rows", [[[2], [3], [4]], [[], [], []]])
def test_without_a_common_term_the_frequencies_of_the_classes_are_predicted(rows) -> None:
    probabilities = fit_baseline(rows_of(*rows), np.array([0, 1, 1]), rows_of([2], []), 2)
    np.testing.assert_allclose(probabilities, [[1 / 3, 2 / 3]] * 2)


@pytest.mark.parametrize(
    ("labels", "options", "error", "message"),
    [
        ([0, 1], {}, UsageError, "3 rows and labels of shape"),
        ([0, 1, 0], {"ngrams": 3}, UsageError, "ngrams = 3"),
        ([1, 1, 1], {}, DataError, r"labels \[1\] in train"),
        ([0, 1, 2], {}, DataError, r"labels \[0, 1, 2\]"),
        ([0, 1, -1], {}, DataError, r"labels \[-1, 0, 1\]"),
    ],
)
def test_errors(labels, options, error, message) -> None:
    with pytest.raises(error, match=message):
        fit_baseline(rows_of([2], [2], [2]), np.array(labels), rows_of([2]), 2, **options)


def test_no_training_rows_are_refused() -> None:
    with pytest.raises(DataError, match=r"labels \[\] in train"):
        fit_baseline([], np.array([], dtype=int), rows_of([2]), 2)
