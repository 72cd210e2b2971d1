"""A part of a corpus, encoded by a process of its own: what all must know is left for the join.

A part tokenises its files and writes segments: the reviews as provisional ids, with their texts,
and the words of these ids by first appearance. A segment ends when its words fill their memory, so
words are counted exactly, however many there are (`sentir.data.vocabulary_join`). A part is there
whole or not at all: one that was killed is just started again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from sentir.config import ReadOptions, TextConfig
from sentir.data.dataset import CorpusWriter
from sentir.data.encoded import part_name
from sentir.data.spool import Advance, LabelCounter, offsets, text_chunks, word_ids
from sentir.errors import DataError
from sentir.io.atomic import atomic_write
from sentir.io.columns import Columns
from sentir.io.labels import RawLabel
from sentir.io.reader import BadRows, read_reviews
from sentir.io.row_reader import ColumnLog
from sentir.io.shares import Share
from sentir.text.parallel import tokenize_all
from sentir.text.tokenizer import Tokenizer, WordTokenizer
from sentir.text.vocabulary import MAX_WORDS_BYTES, StreamingVocabulary

#: Memory of the distinct words of a segment (bytes).
SEGMENT_BYTES = MAX_WORDS_BYTES // 2
#: The file that says what is in a part.
FILE = "part.json"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Reviews with one list of words.

    Attributes:
        reviews: the reviews, see `sentir.data.dataset`; their label is the number of the raw label
            in the part, -1 for none.
        words: the words of the provisional ids; None if the ids are final or are made at the join.
        count: how many words these are.
    """

    reviews: Path
    words: Path | None
    count: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """An encoded part.

    Attributes:
        folder: its folder, which also holds the bad rows (`BadRows.save`).
        labels: the raw labels, by first appearance.
        columns: the columns that were read.
        segments: the reviews.
    """

    folder: Path
    labels: dict[str, RawLabel]
    columns: Sequence[Columns]
    segments: Sequence[Segment]

    @classmethod
    def open(cls, folder: Path) -> Part:
        """The part in that folder.

        Raises:
            DataError: it is damaged.
        """
        try:
            data = json.loads((folder / FILE).read_text(encoding="utf-8"))
            segments = [
                Segment(
                    reviews=folder / f"reviews-{index:05}.arrow",
                    words=folder / f"words-{index:05}.arrow" if words is not None else None,
                    count=words or 0,
                )
                for index, words in enumerate(data["words"])
            ]
            return cls(
                folder=folder,
                labels={raw: RawLabel(count, where) for raw, count, where in data["labels"]},
                columns=[Columns.from_dict(one) for one in data["columns"]],
                segments=segments,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"not an encoded part ({error})",
                where=str(folder),
                todo="delete the folder and encode the part again",
            ) from None


def encode_part(
    sources: Sequence[str],
    folder: Path,
    share: Share,
    *,
    text: TextConfig,
    tokenizer: Tokenizer | None,
    read: ReadOptions,
    advance: Advance,
    processes: int | None = None,
) -> Part:
    """Encode the files of a part.

    Args:
        sources: the files of the part, in order; none: an empty part.
        folder: where the parts are.
        share: which part.
        text: how text becomes ids.
        tokenizer: a final tokenizer; None: one is learnt at the join.
        read: how the files are read.
        advance: called with how many more reviews were read.
        processes: processes that tokenise, see `tokenize_all`.

    Raises:
        DataError: as `read_reviews`.
        WorkerError: a tokenizer process ended early.
    """
    bad_rows, columns, counter = BadRows(read.on_error), ColumnLog(), LabelCounter()
    reviews = read_reviews(sources, read, bad_rows=bad_rows, columns=columns) if sources else ()
    steps = text.clean if text.tokenizer == "word" and tokenizer is None else None
    if isinstance(tokenizer, WordTokenizer):
        steps = tokenizer.steps
    path = folder / part_name(share)
    with atomic_write(path) as new:
        new.mkdir()
        chunks = text_chunks(iter(reviews), counter, advance)
        with closing(tokenize_all(chunks, steps, processes)) as batches:
            words = list(_write_segments(batches, new, text, tokenizer))
        found = {
            "words": words,
            "labels": [[raw, *asdict(one).values()] for raw, one in counter.labels().items()],
            "columns": [one.to_dict() for one in columns.read],
        }
        (new / FILE).write_text(json.dumps(found), encoding="utf-8")
        bad_rows.save(new)
    return Part.open(path)


def _write_segments(
    batches: Iterator[Any], folder: Path, text: TextConfig, tokenizer: Tokenizer | None
) -> Iterator[int | None]:
    """Write the segments; of each, yield how many words it has, None if it has no list of them."""
    for index, first in enumerate(batches):
        with ExitStack() as stack:
            reviews = folder / f"reviews-{index:05}.arrow"
            writer = stack.enter_context(CorpusWriter(reviews, texts=True))
            encoder: StreamingVocabulary | WordTokenizer | None = None
            if isinstance(tokenizer, WordTokenizer):
                encoder = tokenizer
            elif tokenizer is None and text.tokenizer == "word":
                encoder = StreamingVocabulary(text, max_bytes=sys.maxsize)
            while True:
                texts, (codes, weights), batch = first
                ids = batch.indices_T if encoder is None else word_ids(encoder, batch)
                writer.write(ids, offsets(batch.lengths_N), codes, batch.hashes_N, texts, weights)
                is_full = (
                    isinstance(encoder, StreamingVocabulary) and encoder.size_bytes > SEGMENT_BYTES
                )
                if is_full or (first := next(batches, None)) is None:
                    break
        if isinstance(encoder, StreamingVocabulary):
            table = pa.table({"word": pa.array(encoder.words(), pa.string())})
            with pa.ipc.new_file(str(folder / f"words-{index:05}.arrow"), table.schema) as sink:
                sink.write_table(table)
            yield len(encoder)
        else:
            yield None
