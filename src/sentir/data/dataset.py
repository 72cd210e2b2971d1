"""The encoded corpus: reviews as ids in one Arrow IPC file, mapped into memory, never loaded.

Columns: ``ids`` (list of int32), ``label`` (int32), ``text_hash`` (uint64, to find one text in two
files) and, where the reviews will be shown again, ``text``. Any Arrow reader opens the file. Here
the ids of all record batches are seen as one flat int32 view over the whole file, so that a batch
is gathered with plain NumPy.
"""

from __future__ import annotations

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

#: Reviews in a record batch.
BATCH_ROWS = 2048

_FIELDS = [
    pa.field("ids", pa.list_(pa.int32())),
    pa.field("label", pa.int32()),
    pa.field("text_hash", pa.uint64()),
]
_TEXT = pa.field("text", pa.string())


class Reviews(Protocol):
    """Reviews as ids, with their targets: what batches are made of.

    Attributes:
        targets: the class of each review (N,), or the probabilities of the classes (N, C).
        lengths_N: tokens of each review.
    """

    lengths_N: npt.NDArray[np.int32]

    @property
    def targets(self) -> npt.NDArray[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]: ...


class CorpusWriter:
    """Writes an encoded corpus, whole or not at all; to be used in a ``with`` block.

    Args:
        path: where the corpus will stand.
        texts: keep the reviews' text as well.
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
    ) -> None:
        """Append a record batch of N reviews: offsets of shape (N + 1,), all others (N,)."""
        columns = [
            pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat_ids)),
            pa.array(labels),
            pa.array(hashes),
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
    """An encoded corpus, mapped.

    Attributes:
        labels_N: class of each review.
        hashes_N: `text_hash` of each review.
        lengths_N: tokens of each review.
        batches: the record batches, as they lie in the file.

    Raises:
        DataError: the file is absent or is not an encoded corpus.
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
            raise ValueError(f"its columns are {', '.join(reader.schema.names)}")
        self.batches = [reader.get_batch(at) for at in range(reader.num_record_batches)]
        # The start of each review, counted in int32s from the first byte of the file: Arrow aligns
        # its buffers to 8 bytes, so one view serves all record batches.
        self._map.seek(0)
        whole = self._map.read_buffer(self._map.size() // 4 * 4)
        self._flat = np.frombuffer(whole, dtype=np.int32)
        starts, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        labels, hashes = [np.empty(0, np.int32)], [np.empty(0, np.uint64)]
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
        self._starts, self._ends = np.concatenate(starts), np.concatenate(ends)
        inside_N = (self._starts >= 0) & (self._starts <= self._ends)
        if not np.all(inside_N & (self._ends <= len(self._flat))):
            raise ValueError("its ids lie outside of it")
        self.labels_N, self.hashes_N = np.concatenate(labels), np.concatenate(hashes)
        self.lengths_N = (self._ends - self._starts).astype(np.int32)

    @property
    def targets(self) -> npt.NDArray[np.int32]:
        """What is to be answered to each review: its class."""
        return self.labels_N

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into the file."""
        return self._flat[self._starts[row] : self._ends[row]]

    def __iter__(self) -> Iterator[npt.NDArray[np.int32]]:
        return (self._flat[start:end] for start, end in zip(self._starts, self._ends, strict=True))

    def texts(self, rows: Sequence[int]) -> list[str]:
        """The texts of these reviews; the corpus must have been written with them."""
        sizes = np.cumsum([0] + [batch.num_rows for batch in self.batches])
        found = []
        for row in rows:
            at = int(np.searchsorted(sizes, row, side="right")) - 1
            found.append(self.batches[at].column("text")[int(row - sizes[at])].as_py())
        return found


class JoinedCorpora:
    """Several corpora read as one (`Reviews`), one after the other; their ids stay on disk.

    Args:
        corpora: one or more.
        targets: the targets of all their reviews, in this order.
    """

    def __init__(self, corpora: Sequence[EncodedCorpus], targets: npt.NDArray[Any]) -> None:
        self._corpora = corpora
        self.targets = targets
        self._ends = np.cumsum([len(corpus) for corpus in corpora])
        self.lengths_N = np.concatenate([corpus.lengths_N for corpus in corpora])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """The ids of one review, a view into its corpus' file."""
        index = int(np.searchsorted(self._ends, row, side="right"))
        return self._corpora[index][row - (int(self._ends[index - 1]) if index else 0)]


def read_batches(path: Path, *, texts: bool = True) -> Iterator[pa.RecordBatch]:
    """The record batches of an encoded corpus one by one, none held longer than it is used.

    Args:
        path: where the corpus stands.
        texts: read the texts as well, if they were kept.
    """
    options = pa.ipc.IpcReadOptions(included_fields=None if texts else [*range(len(_FIELDS))])
    with pa.OSFile(str(path)) as source, pa.ipc.open_file(source, options=options) as reader:
        for at in range(reader.num_record_batches):
            yield reader.get_batch(at)
