"""The valid inputs that the fuzzer mutates, by format; a new format is a new entry of `FORMATS`."""

from __future__ import annotations

import bz2
import datetime as dt
import decimal
import functools
import gzip
import io
import json
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import zstandard


@dataclass(frozen=True)
class Format:
    """Valid files of one format.

    Attributes:
        extension: of their names.
        seeds: makes their contents.
        is_text: whether they may be compressed as a whole, and mutated line by line.
    """

    extension: str
    seeds: Callable[[], Sequence[bytes]]
    is_text: bool = True


ROWS = [
    ("The film was not bad at all.", "positive"),
    ('She said "never again", twice;\nand left', "negative"),
    ("Nos encantó: habitación limpia, personal amable 😀", "positive"),
    ("=cmd|' /C calc'!A0\tdull", "negative"),
    ("", "positive"),
    ("awful", "1"),
]
_QUOTED = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in ROWS]
_LINES = [" ".join(text.split()) or "empty" for text, _ in ROWS]


def _fasttext() -> list[bytes]:
    lines = [f"__label__{label} {text}" for text, (_, label) in zip(_LINES, ROWS, strict=True)]
    tabs = [f"__label__{label}\t{text}" for text, (_, label) in zip(_LINES, ROWS, strict=True)]
    return _encoded("\n".join(lines) + "\n", "\r\n".join(tabs))


def _csv(delimiter: str = ",") -> list[bytes]:
    header = delimiter.join(["text", "label"])
    rows = [delimiter.join(row) for row in _QUOTED]
    stars = [delimiter.join([str(number % 5 + 1), text]) for number, text in enumerate(_LINES)]
    stars.append(delimiter.join(["5", '"Love it so much']))
    backslashes = [delimiter.join([f'"a \\"b\\" {row}"', "1.0"]) for row in range(4)]
    wide = [delimiter.join(f"c{column}" for column in range(9)) + f"{delimiter}review{delimiter}y"]
    wide += [delimiter.join(["x"] * 9 + ["good one", "pos"])] * 3
    return _encoded(
        "\n".join([header, *rows]) + "\n",
        "\r\n".join([header, *rows]) + "\r\n",
        "\r".join([header, *rows]),
        "\n".join(["rating" + delimiter + "body", *stars]) + "\n",
        "\n".join(stars) + "\n",
        "\n".join([header, *backslashes]) + "\n",
        "\n".join(wide) + "\n",
        f"sep={delimiter}\n" + "\n".join([header, *rows]) + "\n",
        "\ufeff" + "\n".join([header, *rows, delimiter, header, *rows]) + "\n",
    )


def _jsonl() -> list[bytes]:
    records = [{"text": text, "label": label} for text, label in ROWS]
    nested = [{"review": {"text": text, "id": 7}, "stars": 4.0, "n": None} for text, _ in ROWS]
    lines = ["\n".join(map(json.dumps, rows)) + "\n" for rows in (records, nested)]
    odd = '{"text": "half \\ud83d", "label": 1e400}\n{"text": "a", "label": NaN}\n'
    columns = json.dumps({"text": dict(enumerate(_LINES)), "label": dict.fromkeys(range(6), 1)})
    return _encoded(*lines, odd, json.dumps(records), json.dumps(records, indent=1), columns)


def _json() -> list[bytes]:
    """What is not one object per line: arrays, several lines, and all that pandas writes."""
    names, values = (
        ["text", "label"],
        [[text, label] for text, (_, label) in zip(_LINES, ROWS, strict=True)],
    )
    rows = [dict(zip(names, row, strict=True)) for row in values]
    columns = {name: {str(i): row[name] for i, row in enumerate(rows)} for name in names}
    schema = {"fields": [{"name": name, "type": "string"} for name in names]}
    pandas = [
        rows,
        {"columns": names, "index": list(range(6)), "data": values},
        {str(number): row for number, row in enumerate(rows)},
        columns,
        values,
        {"schema": schema, "data": rows},
    ]
    records = [{"text": text, "label": label} for text, label in ROWS]
    nested = [{"review": {"text": text, "more": {"stars": [4]}}, "label": 4} for text in _LINES]
    return _encoded(
        json.dumps(records),
        json.dumps(records, indent=2),
        "\n".join(json.dumps(record, indent=1) for record in nested),
        json.dumps({"version": 1, "data": nested, "meta": {"text": "x"}}),
        json.dumps({"text": _LINES, "label": [1] * 6}),
        json.dumps([list(record.values()) for record in records]),
        json.dumps([dict.fromkeys("abc", 1), *records, None, 3, "x"]),
        *map(json.dumps, pandas),
    )


def _text() -> list[bytes]:
    return _encoded("\n".join(_LINES) + "\n", "\r".join(_LINES), "awful😡\\nbad\n" * 3)


def _encoded(*contents: str) -> list[bytes]:
    """All of them in UTF-8, often, and the first in other encodings too."""
    others = ("utf-16", "utf-16-le", "utf-32", "cp1252")
    first = [contents[0].encode(encoding, errors="replace") for encoding in others]
    return [*(content.encode() for content in contents * 6), *first]


def _parquet() -> list[bytes]:
    texts, labels = zip(*ROWS, strict=True)
    count = len(ROWS)
    moment = dt.datetime(2026, 11, 27, 12, 0, 0, 1)
    tables: list[tuple[pa.Table, dict[str, Any]]] = [
        (pa.table({"text": texts, "label": labels}), {"row_group_size": 2}),
        (pa.table({"text": texts, "label": labels}), {"compression": "zstd"}),
        (pa.table({"text": texts, "label": labels}), {"compression": "gzip", "version": "1.0"}),
        (
            pa.table({"text": pa.array(texts).dictionary_encode(), "label": list(range(count))}),
            {"compression": "none"},
        ),
        (
            pa.table(
                {
                    "text": pa.array(texts, pa.large_string()),
                    "label": [0.5, None, 2.0, float("nan"), 4.5, 1.0],
                    "raw": pa.array([text.encode() for text in texts], pa.binary()),
                    "when": pa.array([moment] * count, pa.timestamp("ns")),
                    "day": pa.array([moment.date()] * count, pa.date32()),
                    "price": pa.array([decimal.Decimal("1.25")] * count, pa.decimal128(9, 2)),
                    "words": [[word] * 2 for word in _LINES],
                    "more": [{"a": 1, "b": text} for text in texts],
                }
            ),
            {"compression": "snappy"},
        ),
        (
            pa.table({"content": pa.array([text.encode() for text in texts]), "label": [True] * 6}),
            {},
        ),
        (pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.int8())}), {}),
    ]
    contents = []
    for table, options in tables:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, **options)
        contents.append(buffer.getvalue())
    return contents


def _arrow(write: Callable[[pa.Table, io.BytesIO], None]) -> list[bytes]:
    texts, labels = zip(*ROWS, strict=True)
    moments = [dt.datetime(2026, 11, 27, 12, 0, 0, 1)] * len(ROWS)
    tables = [
        pa.table({"text": texts, "label": labels}),
        pa.table({"text": pa.array(texts).dictionary_encode(), "label": list(range(6))}),
        pa.table({"text": pa.array(texts, pa.large_string()), "label": [0.5, None, 2, 1, 4.5, 1]}),
        pa.table({"review": [{"text": text, "n": [1]} for text in texts], "label": [True] * 6}),
        pa.table(
            {
                "text": pa.array(texts, pa.string_view()),
                "label": pa.array(labels),
                "when": pa.array(moments, pa.timestamp("ns")),
                "price": pa.array([decimal.Decimal("1.25")] * 6, pa.decimal128(9, 2)),
                "raw": pa.array([text.encode() for text in texts], pa.binary()),
            }
        ),
        pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.int8())}),
    ]
    contents = []
    for table in tables:
        write(table, buffer := io.BytesIO())
        contents.append(buffer.getvalue())
    return contents


def _write_file(table: pa.Table, buffer: io.BytesIO) -> None:
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=4)


def _write_stream(table: pa.Table, buffer: io.BytesIO) -> None:
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=4)


def _write_feather(table: pa.Table, buffer: io.BytesIO) -> None:
    feather.write_feather(table, buffer, compression="lz4" if len(table) else "zstd")


@functools.lru_cache
def seeds(kind: str) -> Sequence[bytes]:
    return FORMATS[kind].seeds()


FORMATS: dict[str, Format] = {
    "fasttext": Format(".ft.txt", _fasttext),
    "csv": Format(".csv", _csv),
    "semicolons": Format(".csv", functools.partial(_csv, ";")),
    "tsv": Format(".tsv", functools.partial(_csv, "\t")),
    "jsonl": Format(".jsonl", _jsonl),
    "json": Format(".json", _json),
    "text": Format(".txt", _text),
    "unnamed": Format("", lambda: [*_csv(), *_jsonl(), *_fasttext(), *_text()]),
    "parquet": Format(".parquet", _parquet, is_text=False),
    "arrow file": Format(".arrow", functools.partial(_arrow, _write_file), is_text=False),
    "arrow stream": Format(".arrow", functools.partial(_arrow, _write_stream), is_text=False),
    "feather": Format(".feather", functools.partial(_arrow, _write_feather), is_text=False),
}

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".bz2": bz2.compress,
    ".gz": functools.partial(gzip.compress, mtime=0),
    ".xz": functools.partial(lzma.compress, preset=0),
    ".zst": zstandard.compress,
}
