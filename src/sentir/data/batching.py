"""Padded batches: the only place that truncates, pads and orders reviews.

Shapes: B batch, T time (tokens). Reviews of similar length share a batch, so little padding is
computed. Lengths are rounded up to few values, since oneDNN builds a kernel for each shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.text.tokenizer import PAD, UNK

if TYPE_CHECKING:  # whoever only answers has no PyTorch and no Arrow
    import torch

    from sentir.data.dataset import Reviews

#: Padded lengths are multiples of this many tokens.
LENGTH_STEP = 16
#: While training, reviews are sorted by length within a pool of so many batches: enough to pad
#: little, few enough that an epoch is still random.
POOL_BATCHES = 64
#: Reviews whose order is random within an epoch, as far as memory goes: a larger corpus is shuffled
#: by blocks of consecutive reviews, and then within windows of so many.
WINDOW, BLOCK = 2**20, 2048

Rows = npt.NDArray[np.int64]
Ids = npt.NDArray[np.integer[Any]]


class PaddedBatch(NamedTuple):
    """Reviews as arrays, padded on the right: their ids and their lengths."""

    ids_BT: npt.NDArray[np.int64]
    lengths_B: npt.NDArray[np.int64]


class Batch(NamedTuple):
    """The reviews of one step as tensors: their rows in the corpus, padded ids, and lengths."""

    rows_B: Rows
    ids_BT: torch.Tensor
    lengths_B: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch with its tensors on that device."""
        return Batch(self.rows_B, self.ids_BT.to(device), self.lengths_B.to(device))


def concatenate(reviews: Sequence[Ids | Sequence[int]]) -> tuple[Rows, Rows]:
    """Reviews one after the other, each with padding behind it, which no n-gram reaches across.

    Returns:
        The ids, and which review each is of, both (T,).
    """
    ids_T = np.concatenate([part for ids in reviews for part in (ids, [PAD])], dtype=np.int64)
    return ids_T, np.repeat(np.arange(len(reviews)), [len(ids) + 1 for ids in reviews])


def head_length(max_length: int) -> int:
    """Of `max_length` tokens, how many are taken from a long review's start."""
    return max_length // 4


def truncate(review: Ids, max_length: int) -> Ids:
    """Truncate a review to `max_length` tokens: a quarter from its start, the rest from its end.

    The opinion is at either end, more often at the last (head + tail truncation, Sun et al. 2019,
    *How to Fine-Tune BERT for Text Classification*, 5.3.1).
    """
    if len(review) <= max_length:
        return review
    head = head_length(max_length)
    return np.concatenate([review[:head], review[len(review) - (max_length - head) :]])


def pad_arrays(
    reviews: Sequence[Sequence[int] | npt.NDArray[np.int32]], max_length: int
) -> PaddedBatch:
    """Truncate reviews to `max_length` and pad them on the right to a common, rounded length.

    A review without tokens becomes one unknown word, so every length is at least 1.
    """
    lengths = [min(len(review), max_length) or 1 for review in reviews]
    longest = max(lengths, default=1)
    rounded = min(-(-longest // LENGTH_STEP) * LENGTH_STEP, max(max_length, 1))
    ids_BT = np.full((len(reviews), rounded), PAD, dtype=np.int64)
    for row, (review, length) in enumerate(zip(reviews, lengths, strict=True)):
        ids_BT[row, :length] = truncate(np.asarray(review), max_length) if len(review) else UNK
    return PaddedBatch(ids_BT, np.array(lengths, dtype=np.int64))


def pad(reviews: Sequence[Sequence[int] | npt.NDArray[np.int32]], max_length: int) -> Batch:
    """As `pad_arrays`, as tensors; the rows are the places in `reviews`."""
    import torch

    arrays = pad_arrays(reviews, max_length)
    return Batch(np.arange(len(reviews)), *map(torch.from_numpy, arrays))


def _batch(corpus: Reviews, rows_B: Rows, max_length: int) -> Batch:
    return pad([corpus[row] for row in rows_B.tolist()], max_length)._replace(rows_B=rows_B)


def batches_per_epoch(corpus: Reviews, batch_size: int) -> int:
    """Batches that `shuffled_batches` yields per epoch."""
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
    """All reviews once, in random order, in batches of similar length.

    The order depends on `seed` and `epoch` only, so a resumed run sees the same batches. `start`
    skips that many batches without reading them. Memory is bounded by a window of reviews.
    """
    pool_size = batch_size * POOL_BATCHES
    window = max(1, WINDOW // pool_size) * pool_size
    first, start = divmod(start, window // batch_size)
    for order, random in shuffled_rows(len(corpus), (seed, epoch), window=window, first=first):
        batches: list[Rows] = []
        for begin in range(0, len(order), pool_size):
            pool = order[begin : begin + pool_size]
            lengths = np.minimum(corpus.lengths_of(pool), max_length)
            pool = pool[np.argsort(lengths, kind="stable")]
            batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
        for index in random.permutation(len(batches))[start:]:
            yield _batch(corpus, batches[index], max_length)
        start = 0


def shuffled_rows(
    count: int, seed: tuple[int, ...], *, window: int | None = None, first: int = 0
) -> Iterator[tuple[Rows, np.random.Generator]]:
    """The numbers below `count` in random order, a window at a time.

    Args:
        count: how many.
        seed: what the order depends on.
        window: how many at a time; None: `WINDOW`.
        first: the window to start from; those before it cost nothing.

    Yields:
        The numbers of the window, and the generator of what else is random in it.
    """
    window = window or WINDOW
    random = np.random.default_rng(seed)
    if count <= window:
        if count and not first:
            yield random.permutation(count), random
        return
    block_M = random.permutation(-(-count // BLOCK))
    end_M = np.cumsum(np.minimum(BLOCK, count - block_M * BLOCK))
    for index in range(first, -(-count // window)):
        low, high = index * window, min((index + 1) * window, count)
        left, right = np.searchsorted(end_M, [low, high - 1], side="right").tolist()
        here_M = slice(left, right + 1)
        rows = (block_M[here_M, None] * BLOCK + np.arange(BLOCK)).ravel()
        rows = rows[rows < count]  # the last block may be shorter
        begin = int(end_M[left - 1]) if left else 0
        random = np.random.default_rng((*seed, index))
        yield random.permutation(rows[low - begin : high - begin]), random


def sorted_batches(corpus: Reviews, *, batch_size: int, max_length: int) -> Iterator[Batch]:
    """All reviews once, from the shortest to the longest, which pads least."""
    order = np.argsort(np.minimum(corpus.lengths_N, max_length), kind="stable")
    for first in range(0, len(order), batch_size):
        yield _batch(corpus, order[first : first + batch_size], max_length)
