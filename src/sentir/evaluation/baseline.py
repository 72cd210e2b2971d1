"""The baseline: TF-IDF of words and bigrams with logistic regression.

Shapes: N reviews, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sentir.errors import DataError, UsageError

#: Terms of fewer training reviews are left out.
MIN_REVIEWS = 2
#: The best or next to the best of 3 to 100 in accuracy and loss on held-out training reviews, for
#: product and for film reviews.
INVERSE_REGULARISATION = 20.0


def fit_baseline(
    train_rows: Iterable[np.ndarray],
    train_labels: np.ndarray,
    test_rows: Iterable[np.ndarray],
    n_classes: int,
    *,
    ngrams: int = 2,
    inverse_regularisation: float = INVERSE_REGULARISATION,
) -> np.ndarray:
    """Fit TF-IDF with logistic regression, and predict the test reviews.

    A recurrent model has to be better: of the order of words this model knows the bigrams only,
    and it is fitted in seconds (Wang and Manning 2012, Baselines and Bigrams: how good it is).

    The terms are the ids that the network reads, so only the models differ. A term counts
    (1 + log frequency) x inverse document frequency; rows have the norm 1. All terms of the
    training reviews are in memory, about 110 bytes per token: for more than a few hundred thousand
    reviews, take a part of the corpus.

    Args:
        train_rows: the ids of each training review, without padding.
        train_labels: the class index of each.
        test_rows: the ids of each review to predict.
        n_classes: C; a class without training reviews gets the probability 0.
        ngrams: 1 for words, 2 for words and bigrams.
        inverse_regularisation: C of the logistic regression.

    Returns:
        Probabilities of shape (N, C), in float64.

    Raises:
        UsageError: rows and labels differ in number, or ngrams is neither 1 nor 2.
        DataError: there are no training rows, they have fewer than two classes, or a label is not
            a class.
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    if ngrams not in (1, 2):
        raise UsageError(f"ngrams = {ngrams}", where="fit_baseline", todo="take 1 or 2")
    train_labels = np.asarray(train_labels)
    train_terms, train_reviews, n_train = _terms(train_rows, ngrams)
    test_terms, test_reviews, n_test = _terms(test_rows, ngrams)
    if train_labels.shape != (n_train,):
        raise UsageError(
            f"{n_train} rows and labels of shape {train_labels.shape}",
            where="fit_baseline",
            todo="give one label for each row",
        )
    present, counts = np.unique(train_labels, return_counts=True)
    if len(present) < 2 or present[0] < 0 or present[-1] >= n_classes:
        raise DataError(
            f"the labels {present.tolist()} in train",
            where="fit_baseline",
            todo=f"give at least two classes, numbered from 0 to {n_classes - 1}",
        )

    vocabulary, columns = np.unique(train_terms, return_inverse=True)
    train = _term_counts(columns, train_reviews, (n_train, len(vocabulary)))
    common = np.bincount(train.indices, minlength=len(vocabulary)) >= MIN_REVIEWS
    probabilities_NC = np.zeros((n_test, n_classes))
    if not common.any():  # only the frequencies of the classes are known
        probabilities_NC[:, present] = counts / n_train
        return probabilities_NC
    if not n_test:
        return probabilities_NC

    vocabulary, train = vocabulary[common], train[:, common]
    columns = np.searchsorted(vocabulary, test_terms).clip(max=len(vocabulary) - 1)
    known = vocabulary[columns] == test_terms
    test = _term_counts(columns[known], test_reviews[known], (n_test, len(vocabulary)))

    tf_idf = TfidfTransformer(sublinear_tf=True)
    model = LogisticRegression(C=inverse_regularisation, max_iter=1000)
    model.fit(tf_idf.fit_transform(train), train_labels)
    probabilities_NC[:, present] = model.predict_proba(tf_idf.transform(test))
    return probabilities_NC


def _terms(rows: Iterable[np.ndarray], ngrams: int) -> tuple[np.ndarray, np.ndarray, int]:
    """All terms, each as one int64, the index of the review of each, and the number of reviews."""
    arrays = [np.asarray(row) for row in rows]
    lengths = np.fromiter((len(row) for row in arrays), np.int64, len(arrays))
    ids = np.concatenate([np.empty(0, np.int64), *arrays]).astype(np.int64)
    reviews = np.repeat(np.arange(len(arrays)), lengths)
    if ngrams == 1:
        return ids, reviews, len(arrays)
    is_bigram = reviews[:-1] == reviews[1:]  # both words are of one review
    # Ids are below 2**31, so the high bits, which hold the first word plus 1, are 0 for words.
    bigrams = ((ids[:-1] + 1) << 32 | ids[1:])[is_bigram]
    terms = np.concatenate([ids, bigrams])
    return terms, np.concatenate([reviews, reviews[:-1][is_bigram]]), len(arrays)


def _term_counts(columns: np.ndarray, reviews: np.ndarray, shape: tuple[int, int]) -> Any:
    """The frequency of each term (column) in each review (row), as a CSR matrix."""
    from scipy.sparse import coo_matrix

    ones = np.ones(len(columns))
    return coo_matrix((ones, (reviews, columns)), shape=shape).tocsr()
