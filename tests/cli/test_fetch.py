"""``sentir fetch``."""

from __future__ import annotations

import bz2
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.command import sentir
from fixtures.local_hub import FILES, free_address, local_hub


def test_fetch_says_the_size_and_writes_the_lessons_form(
    use_hub: Callable[[str], None], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "train.ft.txt.bz2"
    with local_hub(FILES) as (address, requested):
        use_hub(address)
        code, printed, err = sentir("fetch", "amazon_polarity", "--dry-run", capfd=capfd)
        assert (code, printed) == (0, "")
        assert err == "amazon_polarity: 0.0 MB, of which 0.0 MB are here\n"
        assert not any(".parquet" in path for path in requested)
        code, _, err = sentir(
            "fetch", "amazon_polarity", "--lines", 2, "--output", target, capfd=capfd
        )
        assert code == 0, err
        assert bz2.decompress(target.read_bytes()).decode().splitlines() == [
            "__label__2 Great: I liked it",
            "__label__1 Bad: Broke",
        ]
        code, printed, err = sentir("fetch", "amazon_polarity:test", capfd=capfd)
        assert code == 0, err
        assert Path(printed.strip()).name == "test-00000-of-00001.parquet"
    use_hub(free_address())  # the hub is gone: the cache is enough, but for the size
    code, printed, err = sentir("fetch", "amazon_polarity:test", capfd=capfd)
    assert (code, Path(printed.strip()).name) == (0, "test-00000-of-00001.parquet"), err
    code, _, err = sentir("fetch", "amazon_polarity:test", "--dry-run", capfd=capfd)
    assert code == 2
    assert "check the network" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no data set 'nothing'; take one of amazon_polarity, yelp_polarity, imdb"),
        (["imdb", "--lines", "3"], "--lines without a file to write them to; add --output FILE"),
        (["imdb:dev"], "imdb: no split 'dev'; did you mean imdb:"),
    ],
)
def test_fetch_refuses(
    arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("fetch", *arguments, capfd=capfd)
    assert code == 2
    assert message in err
