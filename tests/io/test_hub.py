"""Data sets by name, from a local server in place of the Hugging Face hub."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import close_session, constants

from sentir.errors import DataError
from sentir.io.hub import DATASETS, fetch_dataset, find_dataset
from sentir.io.reader import detect_format, read_reviews

REVISION = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "fancyzhx/amazon_polarity"


def parquet(*rows: tuple[int, str, str]) -> bytes:
    labels, titles, contents = zip(*rows, strict=True)
    buffer = io.BytesIO()
    pq.write_table(pa.table({"label": labels, "title": titles, "content": contents}), buffer)
    return buffer.getvalue()


FILES = {
    "README.md": b"# A data set\n",
    "amazon_polarity/train-00000-of-00002.parquet": parquet((1, "Great", "I liked it")),
    "amazon_polarity/train-00001-of-00002.parquet": parquet((0, "Bad", "Broke"), (1, "Ok", "Fine")),
    "amazon_polarity/test-00000-of-00001.parquet": parquet((0, "Meh", "No")),
}


@contextmanager
def local_hub(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server of one data set; yields its address and the list of requested paths."""
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.wfile.write(self.answer())

        def answer(self) -> bytes:
            path = self.path.partition("?")[0]
            requested.append(path)
            resolve = f"/datasets/{REPOSITORY}/resolve/{REVISION}/"
            if path.startswith(f"/api/datasets/{REPOSITORY}/revision/"):
                body = json.dumps({"id": REPOSITORY, "sha": REVISION, "siblings": []}).encode()
            elif path.startswith(f"/api/datasets/{REPOSITORY}/tree/{REVISION}"):
                body = json.dumps(
                    [
                        {"type": "file", "path": name, "size": len(data), "oid": oid(data)}
                        for name, data in files.items()
                    ]
                ).encode()
            elif path.startswith(resolve) and path.removeprefix(resolve) in files:
                body = files[path.removeprefix(resolve)]
            else:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{oid(body)}"')
            self.send_header("X-Repo-Commit", REVISION)
            self.end_headers()
            return body

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requested
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def oid(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@pytest.fixture
def use_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Points the hub's client, which reads the environment once, at an address."""

    def use(address: str) -> None:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            address + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        close_session()

    yield use
    close_session()


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


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
