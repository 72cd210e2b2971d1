"""Downloads that were interrupted go on where they stopped."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

from fixtures.local_hub import free_address, local_hub, parquet
from sentir.errors import DataError
from sentir.io.hub import fetch_dataset, size_of
from sentir.io.reader import read_reviews

LETTERS = random.Random(0).choices("abcdefghijklmnopqrstuvwxyz ", k=40_000)
LARGE = parquet((1, "Great", "".join(LETTERS)))
NAME = "amazon_polarity/test-00000-of-00001.parquet"
ARRIVED = 10_000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits before it tries again, and writes 10 MB at once."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", ARRIVED // 10)


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("parts/*") if path.suffix != ".lock"]


@pytest.mark.parametrize("spoilt", [False, True], ids=["kept", "spoilt"])
def test_an_interrupted_download_goes_on(
    spoilt: bool, use_hub: Callable[[str], None], tmp_path: Path
) -> None:
    with local_hub({NAME: LARGE}, breaks_after=ARRIVED) as (address, _):
        use_hub(address)
        assert size_of("amazon_polarity", "test") == (len(LARGE), 0)
        with pytest.raises(DataError, match="cannot be downloaded"):
            fetch_dataset("amazon_polarity", "test")
    (part,) = parts(tmp_path)
    assert part.stat().st_size == ARRIVED
    if spoilt:
        part.write_bytes(b"x" * ARRIVED)
    with local_hub({NAME: LARGE}) as (address, requested):
        use_hub(address)
        assert size_of("amazon_polarity", "test") == (len(LARGE), ARRIVED)
        if spoilt:
            with pytest.raises(DataError, match="are not those of the file"):
                fetch_dataset("amazon_polarity", "test")
            assert parts(tmp_path) == []
        (review,) = read_reviews(["amazon_polarity:test"])
        assert review.text == f"Great: {''.join(LETTERS)}".strip()
        assert any(path.endswith(f"{NAME} {ARRIVED}-") for path in requested)
        assert size_of("amazon_polarity", "test") == (len(LARGE), len(LARGE))
    assert parts(tmp_path) == []
    use_hub(free_address())
    (file,) = fetch_dataset("amazon_polarity", "test")
    assert file.read_bytes() == LARGE


def test_the_size_needs_the_hub(use_hub: Callable[[str], None]) -> None:
    use_hub(free_address())
    with pytest.raises(DataError, match="check the network"):
        size_of("amazon_polarity")
