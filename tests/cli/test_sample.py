"""``sentir sample``."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.command import TINY, sentir


def test_sample_writes_what_train_reads(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "a.ft.txt.bz2", "a.jsonl.gz", "a.parquet"):
        file = tmp_path / name
        code, _, err = sentir(
            "sample", "--count", "60", "--language", "es", "-o", file, capfd=capfd
        )
        assert code == 0, err
        code, _, err = sentir("train", file, "-o", tmp_path / f"{name}.run", *TINY, capfd=capfd)
        assert code == 0, err
    code, _, err = sentir("sample", "--language", "la", capfd=capfd)
    assert code == 2
    assert "la" in err
