"""A folded table holds the strongest n-gram of each row, and the graph still finds it."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.toy_bundle import random_texts, toy
from sentir.errors import UsageError
from sentir.inference.ngram_folding import fold_ngrams
from sentir.inference.predictor import Predictor

TABLES = [f"ngram_linear.ngram_{part}" for part in ("weights", "squared_scales", "fingerprints")]


def test_of_rows_that_become_one_the_strongest_stays() -> None:
    bundle = toy(classes=3, ngram_buckets=60)
    weights_PO, _, owners_P = (bundle.weights[name] for name in TABLES)
    weights_PO[7], owners_P[7] = 99, 0  # nobody's
    folded = fold_ngrams(bundle, 20)
    for row in range(20):
        rows = [at for at in (row, row + 20, row + 40) if owners_P[at]]
        best = max(rows, key=lambda at: np.abs(weights_PO[at]).max())
        for name in TABLES:
            np.testing.assert_array_equal(folded.weights[name][row], bundle.weights[name][best])
    assert len(bundle.weights[TABLES[0]]) == 60
    assert folded.metrics == {}


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_folding_onto_itself_changes_nothing_and_losing_nothing_changes_no_answer(
    engine: str,
) -> None:
    bundle, texts = toy(ngram_buckets=64), random_texts(30)
    expected = Predictor(bundle, engine=engine).predict_proba(texts)
    same = Predictor(fold_ngrams(bundle, 64), engine=engine).predict_proba(texts)
    np.testing.assert_array_equal(same, expected)
    for name in TABLES:  # one n-gram per row of the folded table
        bundle.weights[name][16:] = 0
    expected = Predictor(bundle, engine=engine).predict_proba(texts)
    folded = Predictor(fold_ngrams(bundle, 16), engine=engine).predict_proba(texts)
    np.testing.assert_allclose(folded, expected, atol=1e-6)


def test_what_cannot_be_folded_is_refused() -> None:
    with pytest.raises(UsageError, match="this model has no n-grams"):
        fold_ngrams(toy(), 8)
    bundle = toy(ngram_buckets=60)
    for buckets, near in ((25, 20), (0, 1), (-3, 1), (61, 60)):
        with pytest.raises(UsageError, match=f"{buckets} does not divide the 60 rows.* {near}, or"):
            fold_ngrams(bundle, buckets)
