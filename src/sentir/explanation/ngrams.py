"""What each word, bigram and trigram of a text adds to the n-gram linear model's output.

The output is a sum, so this is exact: the parts add up to it.

Shapes: T tokens, K n-grams, V vocabulary, P hash buckets, O outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sentir.inference.network import NgramTables
from sentir.nn.ngrams import MIN_SQUARED_SCALE, against_others, ngram_keys
from sentir.text.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class NgramEffect:
    """What an n-gram adds.

    Attributes:
        text: its tokens; ``_UNK`` is any word that the model does not know.
        count: how often it occurs in the text; the model counts it once.
        effect: what it adds to the class's logit minus the mean of the others'. With two classes,
            these are the log-odds (nats).
    """

    text: str
    count: int
    effect: float


def ngram_effects(
    tables: NgramTables, ids: list[int], tokenizer: Tokenizer, class_id: int
) -> list[NgramEffect]:
    """The effect of each known n-gram of a text on a class, the largest one first."""
    ids_T = np.asarray(ids, np.int64)
    parts, squared, texts, counts = [], [], [], []
    for length, keys_T in enumerate((ids_T, *ngram_keys(ids_T)), start=1):
        keys_K, first_K, count_K = np.unique(keys_T, return_index=True, return_counts=True)
        weights_RO, squared_scales_RO, rows_K = (
            (tables.word_weights_VO, tables.word_squared_scales_VO, keys_K)
            if length == 1
            else (
                tables.ngram_weights_PO,
                tables.ngram_squared_scales_PO,
                tables.rows(keys_K),
            )
        )
        is_known_K = rows_K >= 0
        parts.append(weights_RO[rows_K[is_known_K]])
        squared.append(squared_scales_RO[rows_K[is_known_K]])
        texts += [tokenizer.join(ids[first : first + length]) for first in first_K[is_known_K]]
        counts += count_K[is_known_K].tolist()
    norm_O = np.sqrt(np.concatenate(squared).sum(axis=0, dtype=np.float64) + MIN_SQUARED_SCALE)
    effects_K = against_others(np.concatenate(parts) / norm_O, class_id)
    return [
        NgramEffect(text=texts[row], count=counts[row], effect=float(effects_K[row]))
        for row in np.argsort(-np.abs(effects_K), kind="stable")
        if effects_K[row]
    ]
