"""Commands that several processes run together, started as a launcher starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.ranks import environments
from fixtures.tiny_runs import write_fasttext
from sentir.errors import UsageError
from sentir.training.process_group import joined

SMALL = (
    "--epochs", "1", "--batch-size", "32", "--embedding-dim", "8", "--hidden-size", "8",
    "--max-length", "40", "--ngram-buckets", "0", "--embedding-init", "random", "--device", "cpu",
)  # fmt: skip


def together(folder: Path, *commands: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """The exit code, output and messages of each process, which run at the same time."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "sentir", *command],
            cwd=folder,
            env={**os.environ, **environment, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for command, environment in zip(commands, environments(len(commands)), strict=True)
    ]
    results = [process.communicate(timeout=120) for process in processes]
    return [
        (process.returncode, *result) for process, result in zip(processes, results, strict=True)
    ]


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    write_fasttext(tmp_path / "train.ft.txt", 120)
    # Rank 1 needs neither the reviews nor the same name of the folder.
    (tmp_path / "mounted").symlink_to(tmp_path, target_is_directory=True)
    mine = ("train", "train.ft.txt", *SMALL, "--output", "run")
    theirs = ("train", "elsewhere.ft.txt", *SMALL, "--output", str(tmp_path / "mounted" / "run"))
    first, second = together(tmp_path, mine, theirs)
    assert first[0] == 0, first[2]
    assert second == (0, "", "")
    assert "validation" in first[1]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "run.json", "model", "report.html", "metrics.jsonl", "cache",
    }  # fmt: skip
    assert "2 processes" in (tmp_path / "run" / "report.html").read_text()
    mark = json.loads((tmp_path / "run" / "run.json").read_text())
    # The command is repeated after it has finished: another host was lost at the very end.
    model = (tmp_path / "run" / "model" / "model.safetensors").read_bytes()
    again, other = together(tmp_path, *[(*mine, "--resume-if-begun")] * 2)
    assert again == (0, "", "run: this run has finished; --overwrite trains anew\n")
    assert other == (0, "", "")
    assert json.loads((tmp_path / "run" / "run.json").read_text()) == mark
    assert (tmp_path / "run" / "model" / "model.safetensors").read_bytes() == model


@pytest.mark.parametrize(
    ("mine", "theirs", "reporter", "message"),
    [
        pytest.param(
            ("none.csv",), ("none.csv",), 0, "error: none.csv: no such file", id="reviews"
        ),
        pytest.param(
            ("--valid-fraction", "7"),
            ("--valid-fraction", "7"),
            0,
            "error: command line: ",
            id="setting",
            marks=pytest.mark.long,
        ),
        pytest.param(
            ("--config", "none.toml"),
            (),
            0,
            "error: none.toml: no such file",
            id="file of rank 0",
            marks=pytest.mark.long,
        ),
        pytest.param(
            (),
            ("--config", "none.toml"),
            1,
            "error: none.toml: no such file",
            id="file of rank 1",
            marks=pytest.mark.long,
        ),
        pytest.param(
            (),
            ("--seed", "3"),
            1,
            "error: rank 1: seed = 3, and rank 0 has 0; give every process",
            id="disagreement",
        ),
        pytest.param(
            (),
            ("--output", "other"),
            1,
            "error: other/cache/",
            id="not shared",
            marks=pytest.mark.long,
        ),
    ],
)
def test_an_error_ends_all_and_is_reported_once(
    tmp_path: Path, mine: tuple[str, ...], theirs: tuple[str, ...], reporter: int, message: str
) -> None:
    write_fasttext(tmp_path / "train.ft.txt", 60)
    common = ("train", *SMALL, "--output", "run")
    results = together(
        tmp_path,
        (*common, *(mine if mine[:1] == ("none.csv",) else ("train.ft.txt", *mine))),
        (*common, *(theirs if theirs[:1] == ("none.csv",) else ("train.ft.txt", *theirs))),
    )
    assert [code for code, _, _ in results] == [2, 2]
    said = [
        [line for line in errors.splitlines() if line.startswith("error")]
        for _, _, errors in results
    ]
    assert len(said[reporter]) == 1
    assert said[reporter][0].startswith(message)
    assert said[1 - reporter] == []
    assert "Traceback" not in results[0][2] + results[1][2]
    assert not (tmp_path / "run" / "model").exists()


def test_half_of_a_launcher_s_variables_are_refused() -> None:
    with pytest.raises(UsageError, match="WORLD_SIZE is 4, and RANK is not set; start with"):
        joined({"WORLD_SIZE": "4"}).__enter__()
    with joined({"WORLD_SIZE": "1"}) as alone:
        assert (alone.rank, alone.size) == (0, 1)
