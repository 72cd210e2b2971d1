"""The table of the n-gram linear model: which bigrams and trigrams are in it, and their weights.

A model that goes on learning keeps its table of n-grams and their scales; new words are added, new
n-grams are not.

Shapes: F n-grams (V words, then K bigrams and trigrams), O outputs, M displacements.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sentir.nn.low_precision import round_to_half
from sentir.nn.ngram_linear import NgramLinear, fingerprint
from sentir.training.ngram_counts import Ints, Ngrams, is_fitted
from sentir.training.ngram_placement import place_ngrams
from sentir.training.ngram_regression import FittedWeights
from sentir.weights import NgramTableSize

#: The number of rows of a table is a multiple of this, so that it can be folded for an export.
ROW_UNIT = 64


class NgramTable(NamedTuple):
    """Which bigrams and trigrams are in the table: columns (K,) of the features, rows and keys."""

    rows: int
    displacements_M: npt.NDArray[np.int32]
    columns_K: Ints
    rows_K: Ints
    keys_K: Ints


def choose_table(
    known: NgramLinear, ngrams: Ngrams, fitted: FittedWeights, limit: int
) -> NgramTable:
    """The table of a model that goes on learning; of a new one that of the strongest n-grams.

    Args:
        known: what goes on learning, or zero.
        ngrams: the features.
        fitted: their weights.
        limit: most rows of a new table.
    """
    if not is_fitted(known):
        return _strongest(ngrams, fitted, limit)
    words, count = len(known.word_weights), len(ngrams.keys_K)
    return NgramTable(
        len(known.ngram_fingerprints),
        known.ngram_displacements.cpu().numpy(),
        words + np.arange(count),
        ngrams.known_rows_K,
        ngrams.keys_K,
    )


def _strongest(ngrams: Ngrams, fitted: FittedWeights, limit: int) -> NgramTable:
    """A table of the n-grams of most weight, at most `limit`.

    The weight of one is the root of the sum of its squared weights over the reviews that it is in.
    Of Amazon's 795,274 n-grams a third does as well as all of them.
    """
    words = len(ngrams.reviews_F) - len(ngrams.keys_K)
    count_K = ngrams.reviews_F[words:]
    weight_K = np.abs(fitted.weights_FO[words:]).max(axis=1) * np.sqrt(count_K)
    strongest = np.argsort(-weight_K, kind="stable")
    strongest = strongest[weight_K[strongest] > 0][:limit]
    rows = min(limit, max(1, -(-len(strongest) // ROW_UNIT)) * ROW_UNIT)
    displacements_M, rows_K = place_ngrams(ngrams.keys_K[strongest], rows)
    is_placed_K = rows_K >= 0
    strongest, rows_K = strongest[is_placed_K], rows_K[is_placed_K]
    return NgramTable(rows, displacements_M, words + strongest, rows_K, ngrams.keys_K[strongest])


def fill_table(
    ngram_linear: NgramLinear, known: NgramLinear, table: NgramTable, fitted: FittedWeights
) -> None:
    """Write fitted weights into the model's tables, rounded to 16 bits as they are saved.

    N-grams of a table that is kept, and that are not fitted, keep their weights times `known_OO`.
    """
    ngram_linear.resize_table(NgramTableSize(table.rows, len(table.displacements_M)))
    if is_fitted(known):
        known_OO = torch.from_numpy(fitted.known_OO).to(known.ngram_weights)
        ngram_linear.ngram_weights.copy_(round_to_half(known.ngram_weights @ known_OO))
        ngram_linear.ngram_squared_scales.copy_(known.ngram_squared_scales)
        ngram_linear.ngram_fingerprints.copy_(known.ngram_fingerprints)
    row_K = torch.from_numpy(table.rows_K)
    owners = fingerprint(torch.from_numpy(table.keys_K))
    ngram_linear.ngram_fingerprints[row_K] = owners.to(ngram_linear.ngram_fingerprints)
    ngram_linear.ngram_displacements.copy_(torch.from_numpy(table.displacements_M))
    words = len(ngram_linear.word_weights)
    for name, values_FO in (
        ("weights", fitted.weights_FO),
        ("squared_scales", fitted.squared_scales_FO),
    ):
        values = round_to_half(torch.from_numpy(values_FO)).to(ngram_linear.word_weights)
        getattr(ngram_linear, f"word_{name}").copy_(values[:words])
        getattr(ngram_linear, f"ngram_{name}")[row_K] = values[table.columns_K]
