"""``sentir train``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.command import TINY, sentir
from fixtures.tiny_runs import write_fasttext
from sentir.synthetic.reviews import sample_reviews
from sentir.training.run import Run


def test_train_evaluate_predict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train_file = write_fasttext(tmp_path / "train.ft.txt", 150)
    test_file = write_fasttext(tmp_path / "test.ft.txt", 40, seed=1)
    run = tmp_path / "run"
    code, out, err = sentir(
        "train", train_file, "--test", test_file, "-o", run, "--baseline", *TINY, capfd=capfd
    )
    assert code == 0, err
    assert "bag of words" in out
    assert "40 examples" in out
    assert "validation loss" in err
    code, out, _ = sentir("evaluate", run, test_file, "--json", capfd=capfd)
    figures = json.loads(out)
    saved = json.loads((run / "model" / "metrics.json").read_text())["test"]
    assert figures["accuracy"] == pytest.approx(saved["accuracy"])
    assert figures["loss"] == pytest.approx(saved["loss"])
    assert figures["mistakes"]
    code, out, _ = sentir("evaluate", run, test_file, capfd=capfd)
    assert code == 0
    assert "most confident mistakes" in out
    names = {"positive", "negative"}
    assert {figures["mistakes"][0][key] for key in ("label", "predicted")} == names
    assert re.search(r"% predicted (positive|negative), labelled (positive|negative): ", out)


def test_a_stray_row_may_hold_what_looks_like_markup(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write_fasttext(tmp_path / "a[old].ft.txt", 100)
    with file.open("a", encoding="utf-8") as more:
        more.write("__label__[/b] a film\n")
    asked = ("--on-error", "skip", "-o", tmp_path / "run[1]")
    code, out, err = sentir("train", file, *asked, *TINY, capfd=capfd)
    assert code == 0, err
    assert f"{file}:101: label '[/b]'" in err
    assert "run[1]" in out


def test_learn_from_a_teacher(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write_fasttext(tmp_path / "train.ft.txt", 60, seed=3)
    more = tmp_path / "more.txt"
    more.write_text("".join(f"{text}\n" for _, text in sample_reviews(50, seed=4)))
    asked = ["--unlabelled", more, "--teacher", tiny_run.folder, "--teacher-precision", "int8"]
    code, out, err = sentir("train", file, "-o", tmp_path / "run", *asked, *TINY, capfd=capfd)
    assert code == 0, err
    assert "teacher: 50 reviews" in err
    assert "validation" in out
    code, _, err = sentir("train", file, "-o", tmp_path / "other", *asked[:2], *TINY, capfd=capfd)
    assert code == 2
    assert "give a trained model with --teacher" in err
    code, _, err = sentir("train", file, "-o", tmp_path / "other", *asked[2:4], *TINY, capfd=capfd)
    assert code == 2
    assert "give them with --unlabelled" in err


def test_errors_come_before_pytorch_and_the_reviews(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,revew,rating_count\n1,so good,3\n")
    code = (
        "import sys; from sentir.__main__ import main\n"
        "try: main()\nfinally: print('torch' in sys.modules)"
    )
    for command in ("train", "pretrain"):
        arguments = (command, str(file), "-o", str(tmp_path / "runs" / "a"))
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "False\n"), done.stderr
        assert "pass --text-column 'revew' if that is it" in done.stderr
    assert list(tmp_path.iterdir()) == [file]
