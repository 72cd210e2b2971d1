"""``sentir encode``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.command import TINY, sentir
from fixtures.tiny_runs import write_fasttext


def test_parts_are_encoded_joined_and_trained_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [write_fasttext(tmp_path / f"{seed}.ft.txt", 80, seed=seed) for seed in range(2)]
    enc = tmp_path / "enc"
    for part in ("1/2", "0/2"):
        code, out, err = sentir("encode", *files, "-o", enc, "--part", part, capfd=capfd)
        assert code == 0, err
        assert f"part {part}  {enc} (when all are there: sentir encode --join {enc})" in out
    code, out, err = sentir("encode", "--join", enc, capfd=capfd)
    assert code == 0, err
    assert "144 reviews to train on, 16 for validation" in out
    run = tmp_path / "run"
    options = [*TINY, "--ngram-buckets", "64", "--embedding-init", "random"]
    code, out, err = sentir("train", enc, "-o", run, *options, capfd=capfd)
    assert code == 0, err
    assert (run / "model").is_dir()
    code, _, err = sentir("train", enc, "-o", tmp_path / "b", "--min-count", 7, capfd=capfd)
    assert code == 2
    assert "min_count is 7, and the reviews were encoded with 2; set --min-count to that" in err
    code, _, err = sentir("evaluate", run, enc, capfd=capfd)
    assert code == 2


def test_processes_train_on_a_folder_that_is_only_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, enc = write_fasttext(tmp_path / "a.ft.txt", 160), tmp_path / "enc"
    code, _, err = sentir("encode", file, "-o", enc, capfd=capfd)
    assert code == 0, err
    before = {path: path.stat().st_mtime_ns for path in enc.rglob("*")}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run = tmp_path / "run"
    options = [*map(str, TINY), "--negation-examples", "0.5"]
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "sentir", "train", enc, "-o", run, *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (run / "model").is_dir()
    assert {path: path.stat().st_mtime_ns for path in enc.rglob("*")} == before
    assert list((run / "cache").glob("negation-*"))


def test_one_process_does_it_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file, config = write_fasttext(tmp_path / "a.ft.txt", 80), tmp_path / "c.toml"
    config.write_text('preset = "fast"\nmin_count = 3\n')
    arguments = ("encode", file, "-o", tmp_path / "enc", "--config", config)
    for _ in range(2):  # the second time it is there
        code, out, err = sentir(*arguments, capfd=capfd)
        assert code == 0, err
        assert "72 reviews to train on, 8 for validation" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.csv"], "no files, or no --output; sentir encode FILE -o FOLDER, or --join FOLDER"),
        (["a.csv", "--join", "enc"], "--join with files, --output or --part"),
        (["a.csv", "-o", "enc", "--part", "8/8"], "parts are counted from 0: 0/8 to 7/8"),
        (["--join", "nowhere"], "nowhere: not a folder of encoded reviews"),
    ],
)
def test_encode_refuses(
    arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("encode", *arguments, capfd=capfd)
    assert code == 2
    assert message in err


def test_the_help_shows_no_option_without_effect(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("encode", "--help-all", capfd=capfd)
    assert code == 0
    assert "--min-count" in out
    assert "--max-length" not in out
    assert "--epochs" not in out
