"""What the fuzzer reads malformed inputs with, and what must hold of each reading."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch

from attack.archives import PACKED, PARTS, Tree
from attack.mutator import mutate
from attack.seeds import COMPRESS, FORMATS, seeds
from fixtures.toy_bundle import WORDS
from sentir.config import CLEAN_STEPS, Config, ReadOptions, read_toml
from sentir.errors import DataError, SentirError
from sentir.io.labels import LabelScheme, RawLabel
from sentir.io.paths import split_part
from sentir.io.reader import BadRows, Review, read_reviews, table_types
from sentir.io.writer import output_format, write_records
from sentir.nn.word_vectors import load_vectors
from sentir.text.tokenizer import UNK, WordTokenizer

#: Rows read of one input: a small file may promise many.
MAX_ROWS = 20_000
#: Longest message of an error (characters).
MAX_MESSAGE = 3_000


@dataclass(frozen=True)
class Input:
    """One malformed input, and how it is read."""

    kind: str
    name: str
    content: bytes | Tree
    read: Callable[[Path], None]
    how: dict[str, Any]

    def write(self, path: Path) -> None:
        if isinstance(self.content, bytes):
            path.write_bytes(self.content)
        else:
            self.content.write(path)


@functools.lru_cache
def all_seeds() -> Sequence[bytes]:
    return tuple(itertools.chain.from_iterable(map(seeds, FORMATS)))


_KINDS = [
    *FORMATS,
    *(kind for kind in FORMATS if FORMATS[kind].extension != ".arrow"),  # slow to open
    *(kind for kind, one in PACKED.items() for _ in range(one.weight)),
]


def make_input(draw: Random) -> Input:
    """A malformed file, archive or folder of reviews; sometimes of settings or word vectors."""
    kind = draw.choice([*_KINDS, *_OTHERS])
    if kind in _OTHERS:
        valid, name, read_other = _OTHERS[kind]
        return Input(kind, name, mutate(draw.choice(valid), valid, draw), read_other, {})
    content, name = _packed(kind, draw) if kind in PACKED else _file(kind, draw)
    part = draw.choice(PARTS) if kind in PACKED and draw.random() < 0.2 else ""
    options = _options(draw)
    labelled, keep_empty = draw.random() < (0.1 if kind == "text" else 0.6), draw.random() < 0.3
    output = draw.choice(OUTPUTS) if draw.random() < 0.2 else None

    def read(path: Path) -> None:
        source = f"{path}:{part}" if part else str(path)
        _read_reviews(source, options, labelled, keep_empty, output and str(path.parent / output))

    how = {"options": asdict(options), "labelled": labelled, "keep_empty": keep_empty, "part": part}
    return Input(kind, name, content, read, {**how, "output": output})


def _file(kind: str, draw: Random) -> tuple[bytes, str]:
    format = FORMATS[kind]
    others = seeds(kind) if draw.random() < 0.8 else all_seeds()
    content = mutate(draw.choice(seeds(kind)), others, draw)
    name = f"reviews{format.extension}"
    if format.is_text and draw.random() < 0.1:
        packing = draw.choice(list(COMPRESS))
        content, name = COMPRESS[packing](content), name + packing
        if draw.random() < 0.7:
            content = mutate(content, others, draw)
    return content, name


def _packed(kind: str, draw: Random) -> tuple[bytes | Tree, str]:
    extension = PACKED[kind].extension if draw.random() < 0.9 else draw.choice(["", ".csv"])
    return PACKED[kind].make(draw), f"reviews{extension}"


def _options(draw: Random) -> ReadOptions:
    """Mostly the defaults, but for ``on_error``."""
    changes: dict[str, Any] = {"on_error": draw.choice(["raise", "skip", "skip", "skip"])}
    if draw.random() < 0.3:
        for name, values in _CHOICES.items():
            if draw.random() < 0.2:
                changes[name] = draw.choice(values)
    return ReadOptions(**changes)


_CHOICES: dict[str, Sequence[Any]] = {
    "format": ("fasttext", "csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx", "text"),
    "text_column": (("text",), ("body",), ("text", "label"), ("review",), ("no",)),
    "label_column": ("label", "rating", "stars", "text", "no"),
    "weight_column": ("weight", "label", "stars", "no"),
    "columns": (("label", "text"), ("text",), ("a", "text", "label"), ("text", "text")),
    "delimiter": (",", ";", "\t", "|", " ", "a"),
    "quoting": ("standard", "none", "backslash"),
    "encoding": (
        "latin-1",
        "cp1252",
        "utf-8-sig",
        "ascii",
        "shift_jis",
        "gb18030",
        "utf-7",
        "utf-16",
        "utf-16-le",
        "utf-32",
    ),
    "max_line_bytes": (1, 20, 100, 10_000),
}
OUTPUTS = ("out.csv", "out.tsv", "out.jsonl", "out.parquet", "out.txt", "out.ft.txt", "out.csv.gz")


def _read_reviews(
    source: str, options: ReadOptions, labelled: bool, keep_empty: bool, output: str | None
) -> None:
    """Read a file as training and prediction do: reviews, labels, ids, and rows written again.

    Raises:
        SentirError: what the file's reader is to raise.
        AssertionError: a promise is broken.
    """
    bad_rows = BadRows(options.on_error)
    rows = list(
        itertools.islice(
            read_reviews(
                [source], options, bad_rows=bad_rows, labelled=labelled, keep_empty=keep_empty
            ),
            MAX_ROWS,
        )
    )
    for row in rows:
        check_row(row, source, labelled, keep_empty)
    for ids in tokenizer().encode([row.text for row in rows[:50]]):
        assert all(UNK <= id < len(tokenizer().vocabulary) for id in ids)
    if output is not None:
        if output.endswith(".parquet"):
            table_types(source, options)
        _write(rows, output)
    counts = {row.label: RawLabel(1, f"{row.path}:{row.line}") for row in rows if row.label}
    if counts:
        LabelScheme.resolve(counts)


def _write(rows: Sequence[Review], output: str) -> None:
    """Write the rows with predictions, as ``sentir predict`` does."""
    format = output_format(output, "lines")
    answer: dict[str, Any] = {"prediction": "positive", "probability": 0.75}
    if format == "fasttext":
        records = [{"label": "positive", "text": row.text} for row in rows]
    else:
        records = [{**(row.fields or {"text": row.text}), **answer} for row in rows]
    write_records(records, output, format)


def check_row(row: Review, source: str, labelled: bool, keep_empty: bool) -> None:
    """Raises AssertionError: the row is not what a reader promises."""
    assert row.path.startswith(split_part(source)[0])
    assert row.line >= 1
    assert isinstance(row.text, str)
    assert keep_empty or row.text.strip()
    row.text.encode()
    if labelled and not (keep_empty and not row.text):
        assert row.label, row
    if row.label is not None:
        assert row.label == row.label.strip()
    assert 0 <= row.weight < math.inf
    assert row.fields is None or all(isinstance(name, str) for name in row.fields)


def check_message(error: SentirError) -> None:
    """Raises AssertionError: the message does not say where, or fills the screen."""
    message = str(error)
    assert error.where, f"no place in {message!r}"
    assert error.todo, f"nothing to do in {message!r}"
    assert len(message) <= MAX_MESSAGE, f"a message of {len(message):,} characters"


@functools.lru_cache
def tokenizer() -> WordTokenizer:
    return WordTokenizer(WORDS, CLEAN_STEPS)


_VECTORS = (
    b"3 4\nthe 0.5 1 -2 1e-3\nfilm 1 2 3 4\n. . . 1 1 1 1\n",
    b"the 0.5 1 -2 1e-3\ngood 1 2 3 4\n",
)
_SETTINGS = (
    b'preset = "fast"\nepochs = 3\n[model]\nhidden_size = 8\ncell = "lstm"\n',
    b"[train]\nlearning_rate = 1e-3\nprecision = \"float32\"\n[text]\nclean = ['lower', 'urls']\n",
    b'a = [[[1, 2], {b = 3}], 1979-05-27T07:32:00Z, 0x10, nan, """x\n"""]\n',
)


def _read_vectors(path: Path) -> None:
    load_vectors(str(path), tokenizer().vocabulary, torch.nn.Embedding(len(WORDS) + 2, 4))


def _read_settings(path: Path) -> None:
    changes = read_toml(path)
    changes.pop("preset", None)
    Config().override(changes, where=str(path))


#: Inputs that hold no reviews: valid contents, name, reader.
_OTHERS: dict[str, tuple[Sequence[bytes], str, Callable[[Path], None]]] = {
    "vectors": (_VECTORS, "vectors.txt", _read_vectors),
    "settings": (_SETTINGS, "settings.toml", _read_settings),
}
__all__ = ["DataError", "Input", "check_message", "make_input"]
