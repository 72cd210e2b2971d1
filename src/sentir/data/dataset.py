"""The encoded corpus: reviews as ids in one Arrow IPC file, memory-mapped, never loaded.

Columns: ``ids`` (list of int32), ``label`` (int32), ``text_hash`` (uint64, to find one text in two
corpora), ``weight`` (float32, how much the review counts) and, where the reviews will be shown,
``text``. Any Arrow reader opens the file. Here the ids of all record batches are one flat int32
view over the whole file, so that NumPy gathers a batch. Shapes: N reviews, C classes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.errors import DataError
from sentir.io.atomic import atomic_write

#: Reviews per record batch.
BATCH_ROWS = 2048

_FIELDS = [
    pa.field("ids", pa.list_(pa.int32())),
    pa.field("label", pa.int32()),
    pa.field("text_hash", pa.uint64()),
    pa.field("weight", pa.float32()),
]
_TEXT = pa.field("text", pa.string())


class Reviews(Protocol):
    """Reviews as ids, with their targets: what batches are made of.

    Attributes:
        targets: the class of each review (N,), or the probabilities of the classes (N, C).
        weights_N: how much each review counts, with mean 1.
        lengths_N: tokens of each review.
    """

    weights_N: npt.NDArray[np.float32]
    lengths_N: npt.NDArray[np.int32]

    @property
    def targets(self) -> npt.NDArray[Any]: ...

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
        self._schema = pa.schema([*_FIELDS, _TEXT] if texts else _FIELDS)
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
    """An encoded corpus, memory-mapped (`Reviews`).

    Attributes:
        labels_N: class of each review.
        hashes_N: `text_hash` of each review.
        weights_N: how much each review counts, with mean 1.
        lengths_N: tokens of each review.
        batches: the record batches of the file.

    Raises:
        DataError: the file is missing or is not an encoded corpus.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._open()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"not an encoded corpus ({error})", where=str(path), todo="delete it and run again"
            ) from None

    def _open(self) -> None:
        self._map = pa.memory_map(str(self.path))
        reader = pa.ipc.open_file(self._map)
        if reader.schema not in (pa.schema(_FIELDS), pa.schema([*_FIELDS, _TEXT])):
            raise ValueError(f"the columns are {', '.join(reader.schema.names)}")
        self.batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        # The start of each review, counted in int32s from the first byte of the file: Arrow aligns
        # its buffers to 8 bytes, so one view serves all record batches.
        self._map.seek(0)
        whole = self._map.read_buffer(self._map.size() // 4 * 4)
        self._flat = np.frombuffer(whole, dtype=np.int32)
        starts, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        labels, hashes = [np.empty(0, np.int32)], [np.empty(0, np.uint64)]
        weights = [np.empty(0, np.float32)]
        for batch in self.batches:
            batch.validate()
            ids = batch.column("ids")
            values = ids.values.buffers()[1]
            first = (values.address - whole.address) // 4 if len(ids.values) else 0
            offsets = ids.offsets.to_numpy().astype(np.int64) + first
            starts.append(offsets[:-1])
            ends.append(offsets[1:])
            labels.append(batch.column("label").to_numpy())
            hashes.append(batch.column("text_hash").to_numpy())
            weights.append(batch.column("weight").to_numpy())
        self._starts, self._ends = np.concatenate(starts), np.concatenate(ends)
        inside_N = (self._starts >= 0) & (self._starts <= self._ends)
        if not np.all(inside_N & (self._ends <= len(self._flat))):
            raise ValueError("ids lie outside of the file")
        self.labels_N, self.hashes_N = np.concatenate(labels), np.concatenate(hashes)
        self.weights_N = mean_1(np.concatenate(weights))
        self.lengths_N = (self._ends - self._starts).astype(np.int32)

    @property
    def targets(self) -> npt.NDArray[np.int32]:
        """The class of each review."""
        return self.labels_N

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into the file."""
        return self._flat[self._starts[row] : self._ends[row]]

    def __iter__(self) -> Iterator[npt.NDArray[np.int32]]:
        return (self._flat[start:end] for start, end in zip(self._starts, self._ends, strict=True))

    def texts(self, rows: Sequence[int]) -> list[str]:
        """The texts of these reviews; the corpus must store them."""
        sizes = np.cumsum([0] + [batch.num_rows for batch in self.batches])
        texts = []
        for row in rows:
            index = int(np.searchsorted(sizes, row, side="right")) - 1
            texts.append(self.batches[index].column("text")[int(row - sizes[index])].as_py())
        return texts


def identity(names: Sequence[str], corpora: Sequence[EncodedCorpus]) -> dict[str, Any]:
    """What tells whether two runs had the same labelled reviews, whatever their order.

    Args:
        names: the classes.
        corpora: the reviews, of all of them together.

    Returns:
        The number of ``reviews``, and a ``digest`` of their texts and classes, which does not
        depend on how texts become ids.
    """
    hashes_N = np.concatenate([corpus.hashes_N for corpus in corpora]).astype("<u8")
    labels_N = np.concatenate([corpus.labels_N for corpus in corpora]).astype("<i4")
    order_N = np.lexsort((labels_N, hashes_N))
    content = hashlib.sha256(json.dumps(list(names)).encode())
    content.update(hashes_N[order_N].tobytes() + labels_N[order_N].tobytes())
    return {"reviews": len(order_N), "digest": content.hexdigest()[:16]}


class JoinedCorpora:
    """Several corpora read as one (`Reviews`), one after the other.

    Args:
        corpora: one or more.
        targets: the targets of all their reviews, in this order.
    """

    def __init__(self, corpora: Sequence[Reviews], targets: npt.NDArray[Any]) -> None:
        self._corpora = corpora
        self.targets = targets
        self._ends = np.cumsum([len(corpus) for corpus in corpora])
        self.lengths_N = np.concatenate([corpus.lengths_N for corpus in corpora])
        self.weights_N = mean_1(np.concatenate([corpus.weights_N for corpus in corpora]))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into its corpus' file."""
        index = int(np.searchsorted(self._ends, row, side="right"))
        return self._corpora[index][row - (int(self._ends[index - 1]) if index else 0)]


def mean_1(weights_N: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The weights, scaled so that their mean is 1: equal ones are all 1."""
    if not weights_N.any():
        return np.ones_like(weights_N)
    scaled_N: npt.NDArray[np.float32] = weights_N / weights_N.mean(dtype=np.float64)
    return scaled_N.astype(np.float32)


def class_probabilities(reviews: Reviews, classes: int) -> npt.NDArray[np.float32]:
    """The targets as probabilities of the classes (N, C): 1 for the class of a label."""
    targets = reviews.targets
    return targets if targets.ndim == 2 else np.eye(classes, dtype=np.float32)[targets]


def weighted_targets(reviews: Reviews, classes: int) -> npt.NDArray[Any]:
    """The targets for a loss: times the weights (N, C), or as they are if all weights are 1."""
    if (reviews.weights_N == 1).all():
        return reviews.targets
    return class_probabilities(reviews, classes) * reviews.weights_N[:, None]


def read_batches(path: Path, *, texts: bool = True) -> Iterator[pa.RecordBatch]:
    """The record batches of an encoded corpus, each released before the next is read.

    Args:
        path: the corpus.
        texts: read the texts too, if they are stored.
    """
    options = pa.ipc.IpcReadOptions(included_fields=None if texts else [*range(len(_FIELDS))])
    with pa.OSFile(str(path)) as source, pa.ipc.open_file(source, options=options) as reader:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
