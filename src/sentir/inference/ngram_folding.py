"""A smaller table of the n-gram linear model, for a model that is downloaded with a page.

Shapes: P rows, O outputs.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from sentir.bundle import Bundle, ngram_table_size
from sentir.errors import UsageError


def fold_ngrams(bundle: Bundle, buckets: int) -> Bundle:
    """The model with fewer n-grams: of those that share a row now, the one with most weight stays.

    A row follows from a displaced hash modulo the number of rows, so rows are folded onto each
    other where the new number divides the old one. The others count for nothing, as if they were
    unknown. What was measured with the whole table is left out.

    Args:
        bundle: the model.
        buckets: rows of the new table.

    Raises:
        UsageError: the model has no table, or `buckets` does not divide its rows.
    """
    rows = ngram_table_size(bundle.weights).rows
    if not bundle.config.model.ngram_buckets:
        raise UsageError("this model has no n-grams", todo="leave out --ngram-buckets")
    if buckets < 1 or rows % buckets:
        near = max(1, min(buckets, rows))
        while rows % near:
            near -= 1
        raise UsageError(
            f"--ngram-buckets {buckets} does not divide the {rows:,} rows of the model",
            todo=f"take {near}, or another divisor",
        )
    names = [f"ngram_linear.ngram_{part}" for part in ("weights", "squared_scales", "fingerprints")]
    weights = dict(bundle.weights)
    strength_P = np.abs(weights[names[0]]).max(axis=1)
    # Rows without an owner hold 0, and lose to any other.
    strength_P = np.where(weights[names[2]] == 0, -1, strength_P)
    best_P = strength_P.reshape(-1, buckets).argmax(axis=0) * buckets + np.arange(buckets)
    for name in names:
        weights[name] = np.ascontiguousarray(weights[name][best_P])
    return dataclasses.replace(bundle, weights=weights, metrics={}, checksum="")
