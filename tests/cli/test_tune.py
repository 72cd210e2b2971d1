"""``sentir tune``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.command import TINY, sentir
from fixtures.tiny_runs import write_fasttext

OPTIONS = (
    "--trials",
    3,
    "--seeds",
    1,
    "--search",
    "learning-rate, head_dropout",
    "--ngram-buckets",
    0,
)


def test_a_search_and_its_best_settings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reviews = write_fasttext(tmp_path / "reviews.ft.txt", 120)
    folder = tmp_path / "search"
    code, out, err = sentir("tune", reviews, *TINY, *OPTIONS, "-o", folder, capfd=capfd)
    assert code == 0
    assert f"settings  {folder / 'best.toml'}\npage      {folder / 'tune.html'}" in out
    assert "trial 0, the preset: validation loss" in err
    assert err.count("rows: 120") == 1  # said of the first trial, and true of all
    code, *_ = sentir(
        "train", reviews, "--config", folder / "best.toml", "-o", tmp_path / "run", capfd=capfd
    )
    assert code == 0

    code, out, _ = sentir(
        "tune", reviews, *TINY, *OPTIONS, "-o", folder, "--resume", "--json", capfd=capfd
    )
    assert code == 0
    found = json.loads(out)
    assert [trial["number"] for trial in found["trials"]] == [0, 1, 2]
    assert Path(found["model"]).is_dir()


def test_a_folder_with_a_search_is_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reviews = write_fasttext(tmp_path / "reviews.ft.txt", 60)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "tune.json").write_text("{}", "utf-8")
    code, _, err = sentir("tune", reviews, "-o", tmp_path / "s", capfd=capfd)
    assert code == 2
    assert "a search is here; go on with --resume, or --overwrite it" in err
