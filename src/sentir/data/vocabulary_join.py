"""One vocabulary from the words of many segments, in bounded memory and exact.

The ids are those of a single process (`sentir.text.vocabulary`): by falling frequency in the
training reviews, then by first appearance. Every word belongs to a bucket, and one bucket of all
segments is grouped at a time. Shapes: P provisional ids of a segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sentir.config import TextConfig
from sentir.data.parts import Segment
from sentir.text.suitability import unsuitable_words
from sentir.text.tokenizer import SPECIAL, UNK, WordTokenizer

#: Words that are grouped at a time: with their counts and places some 200 MB.
BUCKET_WORDS = 4_000_000

_SCHEMA = pa.schema([("word", pa.string()), ("count", pa.int64()), ("place", pa.int64())])


class VocabularyJoin:
    """Adds up the words of segments, given one after the other in the order of the reviews.

    Args:
        config: how text becomes ids.
        folder: for temporary files.
        words: how many words all segments have together.
    """

    def __init__(self, config: TextConfig, folder: Path, words: int) -> None:
        self._config, self._folder = config, folder
        self._buckets = max(1, -(-words // BUCKET_WORDS))
        self._files: list[Path] = []
        self._place = self._total = 0

    def add(self, segment: Segment, counts_P: npt.NDArray[np.int64]) -> None:
        """Add the words of a segment.

        Args:
            segment: with words.
            counts_P: how often each occurs in the training reviews.
        """
        words = read_words(segment)
        place_P = np.arange(self._place, self._place + len(words))
        batch = pa.RecordBatch.from_arrays(
            [words, pa.array(counts_P), pa.array(place_P)], schema=_SCHEMA
        )
        bucket_P = _buckets(words, self._buckets)
        path = self._folder / f"counted-{len(self._files):05}.arrow"
        with pa.ipc.new_file(str(path), _SCHEMA) as sink:
            for bucket in range(self._buckets):
                sink.write_batch(batch.filter(pa.array(bucket_P == bucket)))
        self._files.append(path)
        self._place += len(words)
        self._total += int(counts_P.sum())

    def finish(self) -> tuple[WordTokenizer, str | None]:
        """The tokenizer, and why words do not suit these reviews (`unsuitable_words`), if so."""
        limit = self._config.max_vocab_size
        limit = None if limit is None else limit - len(SPECIAL)
        kept, once = _SCHEMA.empty_table(), 0
        for grouped in self._grouped():
            counts = grouped["count"].to_numpy()
            once += int((counts == 1).sum())
            often = grouped.filter(pa.array(counts >= self._config.min_count))
            kept = pa.concat_tables([kept, often.filter(pc.invert(_is_special(often["word"])))])
            kept = kept.sort_by([("count", "descending"), ("place", "ascending")]).slice(0, limit)
        pairs = chain.from_iterable(
            zip(table["word"].to_pylist(), table["count"].to_pylist(), strict=True)
            for table in self._grouped()
        )
        problem = unsuitable_words(pairs, total=self._total, once=once)
        for path in self._files:
            path.unlink()
        return WordTokenizer(kept["word"].to_pylist(), self._config.clean), problem

    def _grouped(self) -> Iterator[pa.Table]:
        """The words of each bucket, each once, with its count and its first place."""
        for bucket in range(self._buckets):
            batches = []
            for path in self._files:
                with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as reader:
                    batches.append(reader.get_batch(bucket))
            table = pa.Table.from_batches(batches, schema=_SCHEMA)
            if len(batches) > 1:
                grouped = table.group_by("word").aggregate([("count", "sum"), ("place", "min")])
                table = grouped.rename_columns({"count_sum": "count", "place_min": "place"}).select(
                    _SCHEMA.names
                )
            yield table


def read_words(segment: Segment) -> pa.StringArray:
    """The words of a segment's provisional ids (P,)."""
    assert segment.words is not None
    with pa.OSFile(str(segment.words)) as source, pa.ipc.open_file(source) as reader:
        column = reader.read_all()["word"]
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())


def final_ids(segment: Segment, vocabulary: pa.StringArray) -> npt.NDArray[np.int32]:
    """The final id of each provisional one (P,); unknown words are `UNK`.

    Args:
        segment: with words.
        vocabulary: the words of the tokenizer, after the special ones.
    """
    index_P = pc.index_in(read_words(segment), value_set=vocabulary)
    ids_P = pc.fill_null(pc.add(index_P, len(SPECIAL)), UNK)
    final_P: npt.NDArray[np.int32] = ids_P.to_numpy(zero_copy_only=False).astype(np.int32)
    return final_P


def _is_special(words: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(words, value_set=pa.array(SPECIAL))


def _buckets(words: pa.StringArray, buckets: int) -> npt.NDArray[np.int64]:
    """The bucket of each word: the sum of its bytes, over which words spread evenly enough."""
    if buckets == 1 or not len(words):
        return np.zeros(len(words), np.int64)
    _, offsets, data = words.buffers()
    ends = np.frombuffer(offsets, np.int32)[words.offset :][: len(words) + 1]
    sums = np.concatenate([[0], np.cumsum(np.frombuffer(data, np.uint8), dtype=np.int64)])
    result: npt.NDArray[np.int64] = np.diff(sums[ends]) % buckets
    return result
