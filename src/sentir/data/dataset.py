"""The encoded corpus: reviews as ids in one Arrow IPC file, memory-mapped, never loaded.

Columns: ``ids`` (list of int32), ``label`` (int32), ``text_hash`` (uint64, to find one text in two
corpora), ``weight`` (float32, how much the review counts) and, where the reviews will be shown,
``text``. A large corpus is several such files (`sentir.data.shard`). Shapes: N reviews, C classes.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.data.shard import FIELDS, TEXT, Block, Rows, Shard
from sentir.data.split import mix_bits
from sentir.errors import DataError
from sentir.io.atomic import atomic_write

#: Reviews per record batch.
BATCH_ROWS = 2048


class Reviews(Protocol):
    """Reviews as ids, with their targets: what batches are made of.

    What is read of chosen rows costs memory for these alone. The whole arrays cost memory for every
    review: they are for those that are validated or measured on.

    Attributes:
        targets: the class of each review (N,), or the probabilities of the classes (N, C).
        weights_N: how much each review counts, with mean 1.
        lengths_N: tokens of each review.
        is_weighted: whether reviews count differently.
    """

    is_weighted: bool

    @property
    def targets(self) -> npt.NDArray[Any]: ...

    @property
    def weights_N(self) -> npt.NDArray[np.float32]: ...

    @property
    def lengths_N(self) -> npt.NDArray[np.int32]: ...

    def targets_of(self, rows_N: Rows) -> npt.NDArray[Any]: ...

    def weights_of(self, rows_N: Rows) -> npt.NDArray[np.float32]: ...

    def lengths_of(self, rows_N: Rows) -> npt.NDArray[np.int32]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]: ...


class CorpusWriter:
    """Writes an encoded corpus, whole or not at all; used in a ``with`` block.

    Args:
        path: the corpus to write.
        texts: store the texts too.
    """

    def __init__(self, path: Path, *, texts: bool) -> None:
        self._path, self._texts = path, texts
        self._schema = pa.schema([*FIELDS, TEXT] if texts else FIELDS)
        self._open = ExitStack()

    def write(
        self,
        flat_ids: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int32],
        labels: npt.NDArray[np.int32],
        hashes: npt.NDArray[np.uint64],
        texts: Sequence[str] | pa.StringArray | None = None,
        weights: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Append a record batch of N reviews.

        Args:
            flat_ids: the ids of all reviews, one review after the other.
            offsets: where each review starts in `flat_ids`, and where the last ends (N + 1,).
            labels: the class of each review (N,).
            hashes: the `text_hash` of each review (N,).
            texts: the texts (N,), if they are stored.
            weights: how much each review counts (N,); None: all count 1.
        """
        columns = [
            pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat_ids)),
            pa.array(labels),
            pa.array(hashes),
            pa.array(np.ones(len(labels), np.float32) if weights is None else weights),
        ]
        if self._texts:
            columns.append(texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string()))
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def __enter__(self) -> CorpusWriter:
        beside = self._open.enter_context(atomic_write(self._path))
        sink = self._open.enter_context(pa.OSFile(str(beside), "wb"))
        self._writer = self._open.enter_context(pa.ipc.new_file(sink, self._schema))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)


class EncodedCorpus:
    """An encoded corpus, memory-mapped (`Reviews`): one file, or several read as one.

    Attributes:
        path: the (first) file.
        is_weighted: whether reviews count differently.

    Raises:
        DataError: a file is missing or is not an encoded corpus.
    """

    def __init__(self, path: Path, *more: Path) -> None:
        self.path = path
        self._shards = [_open_shard(one) for one in (path, *more)]
        #: The row that each shard ends before.
        self._ends = np.cumsum([shard.size for shard in self._shards])
        self._end_of = self._ends.tolist()  # `bisect` finds one row faster than NumPy
        weight = sum(shard.weight for shard in self._shards)
        self._mean_weight = weight / len(self) if weight else 0.0
        weights = (block.weights_N for block in self.blocks())
        self.is_weighted = any((self._scaled(part) != 1).any() for part in weights)

    @property
    def targets(self) -> npt.NDArray[np.int32]:
        """The class of each review."""
        return self.labels_N

    @cached_property
    def labels_N(self) -> npt.NDArray[np.int32]:
        """The class of each review, in memory."""
        return _joined([block.labels_N for block in self.blocks()], np.int32)

    @cached_property
    def hashes_N(self) -> npt.NDArray[np.uint64]:
        """The `text_hash` of each review, in memory."""
        return _joined([block.hashes_N for block in self.blocks()], np.uint64)

    @cached_property
    def weights_N(self) -> npt.NDArray[np.float32]:
        """How much each review counts, with mean 1, in memory."""
        return _joined([self._scaled(block.weights_N) for block in self.blocks()], np.float32)

    @cached_property
    def lengths_N(self) -> npt.NDArray[np.int32]:
        """Tokens of each review, in memory."""
        return _joined([block.lengths_N for block in self.blocks()], np.int32)

    def blocks(self) -> Iterator[Block]:
        """The columns of some thousand reviews at a time, views into the files."""
        for shard in self._shards:
            yield from shard.blocks()

    def targets_of(self, rows_N: Rows) -> npt.NDArray[np.int32]:
        """The class of each of these reviews (N,)."""
        return self._gather(rows_N, Shard.labels, np.int32)

    def weights_of(self, rows_N: Rows) -> npt.NDArray[np.float32]:
        """How much each of these reviews counts (N,)."""
        return self._scaled(self._gather(rows_N, Shard.weights, np.float32))

    def lengths_of(self, rows_N: Rows) -> npt.NDArray[np.int32]:
        """Tokens of each of these reviews (N,)."""
        return self._gather(rows_N, Shard.lengths, np.int32)

    def _scaled(self, weights_N: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return mean_1(weights_N, self._mean_weight)

    def _gather(
        self, rows_N: Rows, column: Callable[[Shard, Rows], npt.NDArray[Any]], dtype: Any
    ) -> npt.NDArray[Any]:
        shard_N = np.searchsorted(self._ends, rows_N, side="right")
        values_N = np.empty(len(rows_N), dtype)
        for index in np.unique(shard_N):
            is_here_N, shard = shard_N == index, self._shards[index]
            values_N[is_here_N] = column(shard, rows_N[is_here_N] - self._first(index))
        return values_N

    def _first(self, index: int) -> int:
        """The first row of a shard."""
        return int(self._ends[index]) - self._shards[index].size

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into its file."""
        index = bisect_right(self._end_of, row)
        shard = self._shards[index]
        return shard[row - self._end_of[index] + shard.size]

    def __iter__(self) -> Iterator[npt.NDArray[np.int32]]:
        return (shard[row] for shard in self._shards for row in range(shard.size))

    def texts(self, rows: Sequence[int]) -> list[str]:
        """The texts of these reviews; the corpus must store them."""
        indices = np.searchsorted(self._ends, rows, side="right").tolist()
        return [
            self._shards[index].text(row - self._first(index))
            for row, index in zip(rows, indices, strict=True)
        ]


def _open_shard(path: Path) -> Shard:
    try:
        return Shard(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"not an encoded corpus ({error})", where=str(path), todo="delete it and run again"
        ) from None


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts])


def identity(names: Sequence[str], corpora: Sequence[EncodedCorpus]) -> dict[str, Any]:
    """What tells whether two runs had the same labelled reviews, whatever their order.

    Args:
        names: the classes.
        corpora: the reviews, of all of them together.

    Returns:
        The number of ``reviews``, and a ``digest`` of their texts and classes, which does not
        depend on how texts become ids.
    """
    sums_2, lanes_2N = np.zeros(2, np.uint64), np.arange(2, dtype=np.uint64)[:, None]
    for block in chain.from_iterable(corpus.blocks() for corpus in corpora):
        # The sum of the reviews' hashes is that of the multiset (MSet-Add-Hash, Clarke et al. 2003,
        # *Incremental Multiset Hash Functions*), so that nothing must be sorted.
        salts_2N = mix_bits(mix_bits(block.labels_N.astype(np.uint64) + np.uint64(1)) + lanes_2N)
        sums_2 += mix_bits(block.hashes_N ^ salts_2N).sum(axis=1, dtype=np.uint64)
    content = hashlib.sha256(json.dumps(list(names)).encode())
    content.update(sums_2.astype("<u8").tobytes())
    reviews = sum(map(len, corpora))
    return {"reviews": reviews, "digest": content.hexdigest()[:16]}


class ReviewsInMemory:
    """What chosen rows of `Reviews` are, where all of it but the ids is in memory."""

    targets: npt.NDArray[Any]
    weights_N: npt.NDArray[np.float32]
    lengths_N: npt.NDArray[np.int32]

    def targets_of(self, rows_N: Rows) -> npt.NDArray[Any]:
        """The target of each of these reviews (N,) or (N, C)."""
        return self.targets[rows_N]

    def weights_of(self, rows_N: Rows) -> npt.NDArray[np.float32]:
        """How much each of these reviews counts (N,)."""
        return self.weights_N[rows_N]

    def lengths_of(self, rows_N: Rows) -> npt.NDArray[np.int32]:
        """Tokens of each of these reviews (N,)."""
        return self.lengths_N[rows_N]


class JoinedCorpora(ReviewsInMemory):
    """Several corpora read as one (`Reviews`), one after the other.

    Args:
        corpora: one or more.
        targets: the targets of all their reviews, in this order.
    """

    def __init__(self, corpora: Sequence[Reviews], targets: npt.NDArray[Any]) -> None:
        self._corpora = corpora
        self.targets = targets
        self._end_of = np.cumsum([len(corpus) for corpus in corpora]).tolist()
        self.lengths_N = np.concatenate([corpus.lengths_N for corpus in corpora])
        self.weights_N = mean_1(np.concatenate([corpus.weights_N for corpus in corpora]))
        self.is_weighted = bool((self.weights_N != 1).any())

    def __len__(self) -> int:
        return int(self._end_of[-1])

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into its corpus' file."""
        index = bisect_right(self._end_of, row)
        return self._corpora[index][row - (self._end_of[index - 1] if index else 0)]


def mean_1(
    weights_N: npt.NDArray[np.float32], mean: float | None = None
) -> npt.NDArray[np.float32]:
    """The weights over the mean of all, which is then 1: equal ones are all 1.

    Args:
        weights_N: all of them, or some.
        mean: of all; None: these are all.
    """
    if mean is None:
        mean = float(weights_N.mean(dtype=np.float64)) if len(weights_N) else 0.0
    if not mean:
        return np.ones_like(weights_N)
    scaled_N: npt.NDArray[np.float32] = weights_N / mean
    return scaled_N.astype(np.float32)


def class_probabilities(
    reviews: Reviews, classes: int, rows_N: Rows | None = None
) -> npt.NDArray[np.float32]:
    """The targets as probabilities of the classes (N, C): 1 for the class of a label.

    Args:
        reviews: some.
        classes: C.
        rows_N: which of them; None: all.
    """
    targets = reviews.targets if rows_N is None else reviews.targets_of(rows_N)
    return targets if targets.ndim == 2 else np.eye(classes, dtype=np.float32)[targets]


def weighted_targets(
    reviews: Reviews, classes: int, rows_N: Rows | None = None
) -> npt.NDArray[Any]:
    """The targets for a loss: times the weights (N, C), or as they are if all weights are 1.

    The arguments are those of `class_probabilities`.
    """
    if not reviews.is_weighted:
        return reviews.targets if rows_N is None else reviews.targets_of(rows_N)
    weights_N = reviews.weights_N if rows_N is None else reviews.weights_of(rows_N)
    return class_probabilities(reviews, classes, rows_N) * weights_N[:, None]


def read_batches(path: Path, *, texts: bool = True) -> Iterator[pa.RecordBatch]:
    """The record batches of an encoded corpus, each released before the next is read.

    Args:
        path: the corpus.
        texts: read the texts too, if they are stored.
    """
    options = pa.ipc.IpcReadOptions(included_fields=None if texts else [*range(len(FIELDS))])
    with pa.OSFile(str(path)) as source, pa.ipc.open_file(source, options=options) as reader:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
