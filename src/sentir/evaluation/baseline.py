"""The bag of words that is printed beside the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sentir.errors import DataError, UsageError

MIN_REVIEWS = 2  # a term of one review only tells nothing about another
# Of 3 to 100, measured on held-out training reviews: best or beside the best in accuracy and in
# loss, on product reviews and on film reviews alike.
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
    """Fit TF-IDF with logistic regression and answer the test rows: probabilities_NC, float64.

    This is the bar a recurrent model has to clear: it knows words and pairs of neighbours and
    nothing else of their order, and it is fitted in seconds. If the network is not better, it has
    not learnt to read. (Wang and Manning 2012, Baselines and Bigrams, show how high the bar is.)

    The terms are the ids that the network itself reads, so the two differ in the model alone. A
    term counts from two reviews on, as 1 + log(times) times its inverse document frequency, rows
    scaled to length one. All terms of the training reviews are in memory at once, about 110 bytes a
    token: take a part of a corpus beyond a few hundred thousand reviews.

    Args:
        train_rows: an int array of ids for each training review, without padding.
        train_labels: the number of the class of each.
        test_rows: an int array of ids for each review to answer.
        n_classes: C; a class that train does not show gets the probability 0.
        ngrams: 1 for single words, 2 for words and pairs of neighbours.
        inverse_regularisation: C of the logistic regression.

    Raises:
        UsageError: rows and labels differ in number, or ngrams is neither 1 nor 2.
        DataError: there are no training rows, they show fewer than two classes, or a label is
            outside of the classes.
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    if ngrams not in (1, 2):
        raise UsageError(f"ngrams = {ngrams}", where="fit_baseline", todo="take 1 or 2")
    train_labels = np.asarray(train_labels)
    train_terms, train_owners, n_train = _terms(train_rows, ngrams)
    test_terms, test_owners, n_test = _terms(test_rows, ngrams)
    if train_labels.shape != (n_train,):
        raise UsageError(
            f"{n_train} rows and labels of shape {train_labels.shape}",
            where="fit_baseline",
            todo="give one label for each row",
        )
    seen, counts = np.unique(train_labels, return_counts=True)
    if len(seen) < 2 or seen[0] < 0 or seen[-1] >= n_classes:
        raise DataError(
            f"the labels {seen.tolist()} in train",
            where="fit_baseline",
            todo=f"give at least two classes, numbered from 0 to {n_classes - 1}",
        )

    vocabulary, columns = np.unique(train_terms, return_inverse=True)
    train = _counted(columns, train_owners, (n_train, len(vocabulary)))
    common = np.bincount(train.indices, minlength=len(vocabulary)) >= MIN_REVIEWS
    answers_NC = np.zeros((n_test, n_classes))
    if not common.any():  # nothing to learn from but how frequent the classes are
        answers_NC[:, seen] = counts / n_train
        return answers_NC
    if not n_test:
        return answers_NC

    vocabulary, train = vocabulary[common], train[:, common]
    columns = np.searchsorted(vocabulary, test_terms).clip(max=len(vocabulary) - 1)
    known = vocabulary[columns] == test_terms
    test = _counted(columns[known], test_owners[known], (n_test, len(vocabulary)))

    weights = TfidfTransformer(sublinear_tf=True)
    model = LogisticRegression(C=inverse_regularisation, max_iter=1000)
    model.fit(weights.fit_transform(train), train_labels)
    answers_NC[:, seen] = model.predict_proba(weights.transform(test))
    return answers_NC


def _terms(rows: Iterable[np.ndarray], ngrams: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Every term of every row as one int64, the row that owns it, and how many rows there are."""
    arrays = [np.asarray(row) for row in rows]
    lengths = np.fromiter((len(row) for row in arrays), np.int64, len(arrays))
    ids = np.concatenate([np.empty(0, np.int64), *arrays]).astype(np.int64)
    owners = np.repeat(np.arange(len(arrays)), lengths)
    if ngrams == 1:
        return ids, owners, len(arrays)
    inside = owners[:-1] == owners[1:]  # a pair does not reach into the next review
    # Ids are below 2**31: the first of a pair, counted from one, lies in bits no word reaches.
    pairs = ((ids[:-1] + 1) << 32 | ids[1:])[inside]
    return np.concatenate([ids, pairs]), np.concatenate([owners, owners[:-1][inside]]), len(arrays)


def _counted(columns: np.ndarray, owners: np.ndarray, shape: tuple[int, int]) -> Any:
    """A CSR matrix: how many times each row holds each column's term."""
    from scipy.sparse import coo_matrix

    ones = np.ones(len(columns))
    return coo_matrix((ones, (owners, columns)), shape=shape).tocsr()
