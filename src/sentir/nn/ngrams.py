"""N-grams in hash tables: what the network shares with its twins that need no PyTorch.

The key of an n-gram is the sum of its words' ids, each times the multiplier of its place. Its row
in a table follows from the key by a hash, and its fingerprint by another one (`MAX_FINGERPRINT`).
The table of the n-gram linear model has a list of displacements too, so that n-grams of the same
hash have rows of their own (`table_rows`, `sentir.training.ngram_placement`).

The multipliers are Knuth's and other odd numbers of its size (The Art of Computer Programming,
6.4). Small ids, which are the frequent words, must spread over the rows, whatever their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

#: Multipliers of an n-gram's last word, of the one before it, and of a trigram's first.
WORD_MULTIPLIER, PREVIOUS_MULTIPLIER = 2_246_822_519, 2_654_435_761
FIRST_MULTIPLIER = 3_266_489_917
#: The high digits of a key are added to the low ones, divided by this.
KEY_FOLD = 65_537
#: Fingerprints are 1 to this prime; 0 is that of a row without an owner.
MAX_FINGERPRINT = 2_147_483_629
#: A power of two above all fingerprints.
FINGERPRINTS = 2**31
#: Keeps the norm of a text without known n-grams from being zero.
MIN_SQUARED_SCALE = 1e-6

Ints = npt.NDArray[np.int64]
Keys = TypeVar("Keys", "Tensor", Ints)


def folded(keys: Keys) -> Keys:
    """The hash of each key, before it is taken modulo a number of rows."""
    return keys + keys // KEY_FOLD


def hash_bucket(keys: Keys, buckets: int) -> Keys:
    """The bucket, 0 to `buckets` - 1, of each key."""
    return folded(keys) % buckets


def displacement_index(keys: Keys, displacements: int) -> Keys:
    """Which of so many displacements is that of each key: by the high digits of its fingerprint."""
    return (keys % MAX_FINGERPRINT + 1) * displacements // FINGERPRINTS


def table_rows(keys: Keys, displacements_M: Any, rows: int) -> Keys:
    """The row, 0 to `rows` - 1, of each key in the table of the n-gram linear model.

    It belongs to the key only if it holds its fingerprint.

    Args:
        keys: of n-grams.
        displacements_M: integers of the keys' kind; a single 0 makes this `hash_bucket`.
        rows: of the table.
    """
    index = displacement_index(keys, len(displacements_M))
    displaced: Keys = (folded(keys) + displacements_M[index]) % rows
    return displaced


def ngram_keys(ids_T: Ints) -> tuple[Ints, Ints]:
    """The keys of the bigrams (T - 1) and of the trigrams (T - 2) of one text, in its order.

    The twin of `sentir.nn.ngram_linear.ngram_keys` without PyTorch.
    """
    last_T, previous_T = ids_T[1:] * WORD_MULTIPLIER, ids_T[:-1] * PREVIOUS_MULTIPLIER
    bigrams_T: Ints = last_T + previous_T
    return bigrams_T, bigrams_T[1:] + ids_T[:-2] * FIRST_MULTIPLIER


def owned_rows(
    keys_K: Ints, fingerprints_P: npt.NDArray[np.int32], displacements_M: npt.NDArray[np.int32]
) -> Ints:
    """The row of each n-gram in the tables, -1 where it has none."""
    rows_K = table_rows(keys_K, displacements_M, len(fingerprints_P))
    return np.where(fingerprints_P[rows_K] == keys_K % MAX_FINGERPRINT + 1, rows_K, -1)


def against_others(
    logits_KO: npt.NDArray[np.floating[Any]], class_id: int
) -> npt.NDArray[np.float64]:
    """A class's logits minus the mean of the other classes', (K,).

    With two classes these are its log-odds: O is 1, and 0 the first one's logit.
    """
    if logits_KO.shape[1] == 1:
        own_K, others_K = logits_KO[:, 0] * class_id, logits_KO[:, 0] * (1 - class_id)
    else:
        own_K = logits_KO[:, class_id]
        others_K = np.delete(logits_KO, class_id, axis=1).mean(axis=1)
    return (own_K - others_K).astype(np.float64)
