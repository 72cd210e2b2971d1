"""Sizes in the footers of Parquet files, whole and damaged."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fixtures.review_files import ROWS, write_parquet
from sentir.io.parquet_footer import row_groups

_TABLE = pa.table(
    {
        "text": ["a", None, "b" * 200, "ñ"] * 20,
        "words": [["x", "y"], [], None, ["z"]] * 20,
        "more": [{"a": number, "b": {"c": 0.5}} for number in range(80)],
        "is": [True, False, None, True] * 20,
        **{f"c{number}": [number] * 80 for number in range(20)},
    }
).replace_schema_metadata({"key": "value" * 50})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"row_group_size": 7, "compression": "zstd", "write_page_index": True},
        {"use_dictionary": False, "version": "1.0", "compression": "none"},
        {"sorting_columns": [pq.SortingColumn(0)], "write_page_checksum": True},
    ],
)
def test_the_sizes_are_those_that_pyarrow_tells(options: dict[str, Any]) -> None:
    pq.write_table(_TABLE, file := io.BytesIO(), **options)
    metadata: Any = pq.ParquetFile(file).metadata
    expected = []
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        columns = [group.column(index) for index in range(group.num_columns)]
        expected.append(
            (
                group.num_rows,
                [
                    (
                        column.path_in_schema,
                        column.num_values,
                        column.total_uncompressed_size,
                        column.total_compressed_size,
                        column.dictionary_page_offset,
                    )
                    for column in columns
                ],
            )
        )
    assert list(row_groups(file)) == expected


def test_a_file_without_rows() -> None:
    pq.write_table(_TABLE.slice(0, 0), file := io.BytesIO())
    assert sum(rows for rows, _ in row_groups(file)) == 0


@pytest.mark.parametrize("footer", [b"", b"\x49\x1c", b"\x4c\xff", b"\x49\x1c\x15\0\0", b"\x1d\0"])
def test_a_damaged_footer(footer: bytes) -> None:
    data = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    with pytest.raises(EOFError, match="the footer is damaged"):
        list(row_groups(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x26\x08\x1c", b"\x29\x08\x1c"),  # a number is a list
        (b"\x16\x04\x16", b"\x16\x03\x16"),  # and below 0
    ],
)
def test_numbers_that_are_none(old: bytes, new: bytes) -> None:
    pq.write_table(pa.table({"text": ["good", "bad"]}), file := io.BytesIO())
    data = file.getvalue()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert old in data[start:]
    damaged = data[:start] + data[start:].replace(old, new)
    with pytest.raises(EOFError, match="the footer is damaged"):
        list(row_groups(io.BytesIO(damaged)))


_DAMAGE = """
import sys
from pathlib import Path
from sentir.config import ReadOptions
from sentir.errors import DataError
from sentir.io.reader import read_reviews

path = Path(sys.argv[1])
whole = path.read_bytes()
size = int.from_bytes(whole[-8:-4], "little")
for at in range(len(whole) - 8 - size, len(whole) - 8):
    for change in (1, 255):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
        try:
            list(read_reviews([str(path)], ReadOptions(on_error="skip")))
        except DataError:
            pass
print("read")
"""


def test_no_byte_of_the_footer_ends_the_process(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", ROWS[:3])
    command = [sys.executable, "-W", "ignore", "-c", _DAMAGE, str(tmp_path / "a.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr[-2000:]
