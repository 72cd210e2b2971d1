"""Padded tensors: the one owner of cutting, padding and the order of reviews.

Shapes: B batch, T time (tokens). Reviews of like length share a batch, so little padding is
computed; lengths are rounded up to few values, since a CPU builds its kernels anew for each shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sentir.data.dataset import Reviews
from sentir.text.tokenizer import PAD, UNK

#: Padded lengths are multiples of this many tokens.
LENGTH_STEP = 16
#: Batches among which reviews are sorted by length while training: enough to pad little, few
#: enough that an epoch is still random.
POOL_BATCHES = 64

Rows = npt.NDArray[np.int64]
Ids = npt.NDArray[np.integer[Any]]


class Batch(NamedTuple):
    """Reviews of a step."""

    rows_B: Rows
    ids_BT: torch.Tensor
    lengths_B: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on that device."""
        return Batch(self.rows_B, self.ids_BT.to(device), self.lengths_B.to(device))


def head_of(max_length: int) -> int:
    """How many of them are a long review's first."""
    return max_length // 4


def truncate(review: Ids, max_length: int) -> Ids:
    """At most `max_length` of a review: a quarter of them its first, the rest its last.

    The verdict stands at either end, more often at the last (Sun et al. 2019, *How to Fine-Tune
    BERT for Text Classification*, 5.3.1).
    """
    if len(review) <= max_length:
        return review
    head = head_of(max_length)
    return np.concatenate([review[:head], review[len(review) - (max_length - head) :]])


def pad(reviews: Sequence[Sequence[int] | npt.NDArray[np.int32]], max_length: int) -> Batch:
    """Reviews cut to `max_length` and padded on the right to a common, rounded length.

    A review without tokens reads as one unknown word, so that every length is at least 1.
    """
    lengths = [min(len(review), max_length) or 1 for review in reviews]
    longest = max(lengths, default=1)
    rounded = min(-(-longest // LENGTH_STEP) * LENGTH_STEP, max(max_length, 1))
    ids_BT = np.full((len(reviews), rounded), PAD, dtype=np.int64)
    for row, (review, length) in enumerate(zip(reviews, lengths, strict=True)):
        ids_BT[row, :length] = truncate(np.asarray(review), max_length) if len(review) else UNK
    return Batch(
        np.arange(len(reviews)), torch.from_numpy(ids_BT), torch.tensor(lengths, dtype=torch.int64)
    )


def _batch(corpus: Reviews, rows_B: Rows, max_length: int) -> Batch:
    return pad([corpus[row] for row in rows_B], max_length)._replace(rows_B=rows_B)


def batches_an_epoch(corpus: Reviews, batch_size: int) -> int:
    """Steps that `shuffled_batches` gives."""
    return -(-len(corpus) // batch_size)


def shuffled_batches(
    corpus: Reviews,
    *,
    batch_size: int,
    max_length: int,
    seed: int,
    epoch: int,
    start: int = 0,
) -> Iterator[Batch]:
    """All reviews once, at random, in batches of like length.

    The order follows from `seed` and `epoch` alone, so that a resumed run sees what it would have
    seen; `start` skips that many batches without reading them.
    """
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(corpus))
    lengths = np.minimum(corpus.lengths_N, max_length)
    batches: list[Rows] = []
    for at in range(0, len(order), batch_size * POOL_BATCHES):
        pool = order[at : at + batch_size * POOL_BATCHES]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[cut : cut + batch_size] for cut in range(0, len(pool), batch_size)]
    for at in random.permutation(len(batches))[start:]:
        yield _batch(corpus, batches[at], max_length)


def sorted_batches(corpus: Reviews, *, batch_size: int, max_length: int) -> Iterator[Batch]:
    """All reviews once, from the shortest to the longest: the least padding there can be."""
    order = np.argsort(np.minimum(corpus.lengths_N, max_length), kind="stable")
    for at in range(0, len(order), batch_size):
        yield _batch(corpus, order[at : at + batch_size], max_length)
