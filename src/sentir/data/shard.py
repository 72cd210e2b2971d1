"""One file of an encoded corpus, memory-mapped: its columns are views, whatever their size.

Any Arrow reader opens the file. Here the columns of all record batches are views over the whole
file, so that NumPy gathers a batch. In memory are six numbers per record batch: where its columns
begin. Shapes: N reviews that are asked for, M record batches.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Rows = npt.NDArray[np.integer[Any]]

FIELDS = [
    pa.field("ids", pa.list_(pa.int32())),
    pa.field("label", pa.int32()),
    pa.field("text_hash", pa.uint64()),
    pa.field("weight", pa.float32()),
]
TEXT = pa.field("text", pa.string())


class Block(NamedTuple):
    """The columns of a record batch, views into the file; weights as they were given."""

    labels_N: npt.NDArray[np.int32]
    hashes_N: npt.NDArray[np.uint64]
    weights_N: npt.NDArray[np.float32]
    lengths_N: npt.NDArray[np.int32]


class Shard:
    """A file that `sentir.data.dataset.CorpusWriter` has written.

    Attributes:
        schema: its columns.
        size: how many reviews it holds.
        weight: the sum of their weights.

    Raises:
        OSError, ValueError, pa.ArrowException: the file is missing or is not an encoded corpus.
    """

    def __init__(self, path: Path) -> None:
        self._map = pa.memory_map(str(path))
        self._reader = pa.ipc.open_file(self._map)
        self.schema = self._reader.schema
        if self.schema not in (pa.schema(FIELDS), pa.schema([*FIELDS, TEXT])):
            raise ValueError(f"the columns are {', '.join(self.schema.names)}")
        # Places are counted in numbers from the first byte of the file: Arrow aligns its buffers
        # to 8 bytes, so one view of each type serves all record batches.
        self._map.seek(0)
        whole = self._map.read_buffer(self._map.size() // 8 * 8)
        self._flat: npt.NDArray[np.int32] = np.frombuffer(whole, np.int32)
        self._weights: npt.NDArray[np.float32] = np.frombuffer(whole, np.float32)
        self._hashes: npt.NDArray[np.uint64] = np.frombuffer(whole, np.uint64)
        self._base, self._size_bytes = whole.address, len(whole)
        rows, places = [], []
        self.weight = 0.0
        for index in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(index)
            batch.validate()
            rows.append(batch.num_rows)
            places.append(self._find_columns(batch) if batch.num_rows else [0] * 5)
            weights = batch.column("weight").to_numpy()
            self.weight += float(weights.sum(dtype=np.float64))
        #: The row of the file that each record batch ends before (M,).
        self._ends_M = np.cumsum(np.array(rows, np.int64))
        self._starts_M = self._ends_M - np.array(rows, np.int64)
        self._places_5M = np.array(places, np.int64).reshape(-1, 5).T
        # As lists, in which Python finds one row faster than NumPy: where each record batch ends,
        # and where its offsets, counted from the first row of the file, and its ids begin.
        self._end_of = self._ends_M.tolist()
        offsets_M = self._places_5M[0] - self._starts_M
        self._ids_of = list(zip(offsets_M.tolist(), self._places_5M[1].tolist(), strict=True))
        self.size = int(self._ends_M[-1]) if rows else 0

    def _find_columns(self, batch: pa.RecordBatch) -> list[int]:
        """Where the offsets, ids, labels, hashes and weights of a record batch begin."""
        ids = batch.column("ids")
        offsets = ids.offsets.to_numpy()
        inside = offsets[0] >= 0 and offsets[-1] <= len(ids.values)
        if not inside or (offsets[1:] < offsets[:-1]).any():
            raise ValueError("ids lie outside of the file")
        columns = [batch.column(name) for name in ("label", "text_hash", "weight")]
        if any(column.null_count for column in (ids, ids.values, *columns)):
            raise ValueError("a value is missing")
        return [
            self._place(ids.buffers()[1], 4),
            self._place(ids.values.buffers()[1], 4) if len(ids.values) else 0,
            *(
                self._place(column.buffers()[1], size)
                for column, size in zip(columns, (4, 8, 4), strict=True)
            ),
        ]

    def _place(self, buffer: pa.Buffer, size: int) -> int:
        first, rest = divmod(buffer.address - self._base, size)
        if rest or first < 0 or first * size + buffer.size > self._size_bytes:
            raise ValueError("a column lies outside of the file")
        return int(first)

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into the file."""
        at_offsets, at_ids = self._ids_of[bisect_right(self._end_of, row)]
        start, end = self._flat[at_offsets + row : at_offsets + row + 2].tolist()
        return self._flat[at_ids + start : at_ids + end]

    def lengths(self, rows_N: Rows) -> npt.NDArray[np.int32]:
        """Tokens of these reviews (N,)."""
        at_N = self._places(0, rows_N)
        return self._flat[at_N + 1] - self._flat[at_N]

    def labels(self, rows_N: Rows) -> npt.NDArray[np.int32]:
        """The class of these reviews (N,)."""
        return self._flat[self._places(2, rows_N)]

    def weights(self, rows_N: Rows) -> npt.NDArray[np.float32]:
        """How much these reviews count, as it was given (N,)."""
        return self._weights[self._places(4, rows_N)]

    def _places(self, column: int, rows_N: Rows) -> Rows:
        """Where the values of a column are."""
        index_N = np.searchsorted(self._ends_M, rows_N, side="right")
        places_N: Rows = self._places_5M[column, index_N] + rows_N - self._starts_M[index_N]
        return places_N

    def blocks(self) -> Iterator[Block]:
        """The columns of each record batch that holds reviews, in their order."""
        for index in np.flatnonzero(self._ends_M > self._starts_M):
            size = int(self._ends_M[index] - self._starts_M[index])
            at_offsets, _, at_labels, at_hashes, at_weights = self._places_5M[:, index].tolist()
            yield Block(
                self._flat[at_labels : at_labels + size],
                self._hashes[at_hashes : at_hashes + size],
                self._weights[at_weights : at_weights + size],
                np.diff(self._flat[at_offsets : at_offsets + size + 1]),
            )

    def text(self, row: int) -> str:
        """The text of one review; the file must store them."""
        index = int(np.searchsorted(self._ends_M, row, side="right"))
        column = self._reader.get_batch(index).column("text")
        text: str = column[row - int(self._starts_M[index])].as_py()
        return text
