"""Data sets by name, from a local server in place of the Hugging Face hub."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.local_hub import FILES, free_address, local_hub
from sentir.errors import DataError
from sentir.io.hub import DATASETS, fetch_dataset, find_dataset
from sentir.io.reader import detect_format, read_reviews


def test_reviews_of_a_data_set_by_name(use_hub: Callable[[str], None]) -> None:
    with local_hub(FILES) as (address, requested):
        use_hub(address)
        reviews = list(read_reviews(["amazon_polarity"]))
        assert [(review.label, review.text) for review in reviews] == [
            ("1", "Great: I liked it"),
            ("0", "Bad: Broke"),
            ("1", "Ok: Fine"),
        ]
        assert not any("README" in path or "/test-" in path for path in requested)
        (review,) = read_reviews(["amazon_polarity:test"])
        assert review.text == "Meh: No"
    use_hub(free_address())  # the hub is gone: read from the cache
    assert len(list(read_reviews(["amazon_polarity:train"]))) == 3


def test_the_hub_refuses_the_connection(use_hub: Callable[[str], None]) -> None:
    use_hub(free_address())
    start_s = time.monotonic()
    with pytest.raises(DataError) as caught:
        fetch_dataset("amazon_polarity")
    assert time.monotonic() - start_s < 5
    message = str(caught.value)
    assert message.startswith(
        "amazon_polarity: cannot be downloaded from the Hugging Face hub (Got: ConnectError:"
    )
    assert message.endswith(
        "; check the network, set HF_ENDPOINT to a mirror, or download the Parquet files of "
        "datasets/fancyzhx/amazon_polarity by hand and pass their names"
    )


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("00001-of-00002", "split train: 1 of 2 files found"),
        ("train", "split train: no files found"),
    ],
)
def test_a_data_set_with_missing_files_is_refused(
    use_hub: Callable[[str], None], missing: str, message: str
) -> None:
    files = {name: data for name, data in FILES.items() if missing not in name}
    with local_hub(files) as (address, _):
        use_hub(address)
        with pytest.raises(DataError) as caught:
            fetch_dataset("amazon_polarity")
    assert str(caught.value) == (
        f"amazon_polarity: {message}; "
        "try again later, or download the Parquet files by hand and pass their names"
    )


def test_names_of_data_sets_and_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_dataset("imdb") == ("imdb", "train")
    assert find_dataset("imdb:test") == ("imdb", "test")
    assert find_dataset("reviews.csv") is None
    assert detect_format("imdb") == "parquet"
    with pytest.raises(DataError, match=r"^imdb: no split 'tst'; did you mean imdb:test\?$"):
        find_dataset("imdb:tst")
    Path("imdb").write_text("__label__1 a\n", encoding="utf-8")
    assert find_dataset("imdb") is None  # a file of that name is the file


def test_unknown_data_sets_and_splits_are_refused() -> None:
    with pytest.raises(DataError, match=rf"^no data set 'x'; take one of {', '.join(DATASETS)}$"):
        fetch_dataset("x")
    with pytest.raises(DataError, match=r"^imdb: no split 'dev'; take one of train, test$"):
        fetch_dataset("imdb", "dev")
