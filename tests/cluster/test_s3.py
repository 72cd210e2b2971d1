"""``s3://`` on a server that stands in for S3 (moto); run with ``python3 dev.py cluster``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.command import TINY
from fixtures.command import sentir as command
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import save_bundle
from sentir.data.cache import fingerprint
from sentir.errors import DataError
from sentir.io import stores
from sentir.io.paths import expand_sources
from sentir.io.reader import read_reviews
from sentir.io.writer import check_output, open_output
from sentir.synthetic.reviews import sample_reviews

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default")]
s3fs = pytest.importorskip("s3fs", reason="no s3fs: pip install 'sentir[s3]'")
pytest.importorskip("moto", reason="no stand-in: pip install 'moto[server,s3]'")
#: From this size on an object is uploaded in parts (bytes).
PART_BYTES = 5 << 20


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An empty bucket, ``s3://reviews``; its client."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("reviews")
    yield system
    system.invalidate_cache()
    system.rm("reviews", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def put_reviews(bucket: Any, name: str, count: int, seed: int = 0) -> None:
    lines = [json.dumps({"label": label, "text": text})
             for label, text in sample_reviews(count, seed=seed)]  # fmt: skip
    bucket.pipe_file(f"reviews/{name}", "\n".join(lines).encode())


def test_train_evaluate_and_predict(
    bucket: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put_reviews(bucket, "train/a.jsonl", 100)
    put_reviews(bucket, "train/b.jsonl", 100, seed=1)
    put_reviews(bucket, "test.jsonl", 40, seed=2)
    run = tmp_path / "run"
    given = ("s3://reviews/train/*.jsonl", "--test", "s3://reviews/test.jsonl")
    code, _, err = command("train", *given, "--output", run, *TINY, capfd=capfd)
    assert code == 0, err
    code, out, err = command("evaluate", run, "s3://reviews/train/", "--json", capfd=capfd)
    assert (code, json.loads(out)["examples"]) == (0, 200), err
    target = "s3://reviews/out/labelled.parquet"
    code, _, err = command("predict", run, "--file", given[0], "-o", target, capfd=capfd)
    assert code == 0, err
    assert len(list(read_reviews([target]))) == 200


def test_patterns_and_versions(bucket: Any) -> None:
    for name in ("in/b.csv", "in/a.csv", "in/deep/c.csv"):
        bucket.pipe_file(f"reviews/{name}", b"label,text\npos,a film\n")
    bucket.touch("reviews/in/empty/")  # what a console leaves
    assert expand_sources(["s3://reviews/in/*.csv"]) == [
        "s3://reviews/in/a.csv", "s3://reviews/in/b.csv",
    ]  # fmt: skip
    assert stores.file_sizes("s3://reviews/in") == {"a.csv": 22, "b.csv": 22, "deep/c.csv": 22}
    before = fingerprint(["s3://reviews/in"]), fingerprint(["s3://reviews/in/a.csv"])
    s3fs.S3FileSystem.clear_instance_cache()
    assert (fingerprint(["s3://reviews/in"]), fingerprint(["s3://reviews/in/a.csv"])) == before
    bucket.pipe_file("reviews/in/a.csv", b"label,text\nneg,a film\n")
    s3fs.S3FileSystem.clear_instance_cache()
    after = fingerprint(["s3://reviews/in"]), fingerprint(["s3://reviews/in/a.csv"])
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_an_upload_is_whole_or_not_there(bucket: Any) -> None:
    address = "s3://reviews/out/large.csv"
    content = os.urandom(3 * PART_BYTES)
    for size in (100, len(content)):
        with pytest.raises(ZeroDivisionError), open_output(address) as stream:  # noqa: PT012
            stream.write(content[:size])
            raise ZeroDivisionError
        assert not stores.exists(address)
    with open_output(address) as stream:
        stream.write(content)
    assert bucket.cat_file("reviews/out/large.csv") == content


def test_a_kill_during_an_upload(bucket: Any) -> None:
    bucket.pipe_file("reviews/out.csv", b"old")
    program = (
        "import os, signal, s3fs\n"
        "from sentir.io.writer import open_output\n"
        "async def killed(*arguments, **options):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "s3fs.S3FileSystem._upload_file_part_concurrent = killed\n"
        "with open_output('s3://reviews/out.csv') as stream:\n"
        "    stream.write(bytes(1 << 28))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=120, check=False)
    assert done.returncode == -9
    bucket.invalidate_cache()
    assert bucket.cat_file("reviews/out.csv") == b"old"
    assert bucket.ls("reviews") == ["reviews/out.csv"]


def test_what_is_said_of_failures(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for ask in (lambda at: list(read_reviews([at])), check_output):
        with pytest.raises(DataError, match=r"s3://nowhere-at-all/a\.csv: no such bucket; check"):
            ask("s3://nowhere-at-all/a.csv")
    with pytest.raises(DataError, match=r"s3://reviews/gone\.csv: no such file; check the name"):
        list(read_reviews(["s3://reviews/gone.csv"]))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    for ask in (lambda at: list(read_reviews([at])), check_output):
        with pytest.raises(DataError, match=r"there are no credentials for it \(.*; log in to"):
            ask("s3://reviews/a.csv")


def test_parts_of_a_folder_in_a_bucket_after_a_kill(
    bucket: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    save_bundle(toy(), tmp_path / "model")
    ids = []
    for number in range(6):
        rows = [{"id": f"{number}-{row}", "text": text or "a film"}
                for row, text in enumerate(random_texts(30, seed=number))]  # fmt: skip
        ids += [row["id"] for row in rows]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        bucket.pipe_file(f"reviews/in/{number}.jsonl", lines.encode())
    arguments = (tmp_path / "model", "s3://reviews/in/", "-o", "s3://reviews/out/", "--part")
    program = (
        "import os, signal, s3fs, sys\n"
        "put, puts = s3fs.S3FileSystem._put_file, []\n"
        "async def killed(self, local, remote, **options):\n"
        "    puts.append(remote)\n"
        "    if len(puts) == 3:\n"  # the manifest, a file, and now
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    await put(self, local, remote, **options)\n"
        "s3fs.S3FileSystem._put_file = killed\n"
        "from sentir.cli import main\n"
        "main()\n"
    )
    command_line = [sys.executable, "-c", program, "predict", *map(str, arguments), "0/2"]
    done = subprocess.run(command_line, timeout=120, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    assert len(system.ls("reviews/out")) == 2
    for part, said in (("0/2", "files: 2 written, 1 there already"), ("1/2", "files: 3 written")):
        code, _, err = command("predict", *arguments, part, capfd=capfd)
        assert code == 0, err
        assert said in err
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    answered = [json.loads(line) for name in system.ls("reviews/out") if "_sentir" not in name
                for line in system.cat_file(name).splitlines()]  # fmt: skip
    assert Counter(row["id"] for row in answered) == Counter(ids)
    assert all(row["prediction"] for row in answered)
    save_bundle(toy(seed=1), tmp_path / "model")
    code, _, err = command("predict", *arguments, "0/2", capfd=capfd)
    assert code == 2
    assert "s3://reviews/out/: made by the model sha256:" in err
