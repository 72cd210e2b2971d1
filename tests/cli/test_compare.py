"""``sentir compare``."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fixtures.command import TINY, sentir
from fixtures.compared_runs import save_run
from fixtures.tiny_runs import write_fasttext
from sentir.training.run import Run


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [
        save_run(tmp_path / "shop-0", right=80),
        save_run(tmp_path / "shop-1", seed=1, right=90),
        save_run(tmp_path / "wide", hidden_size=7),
    ]


def test_tables_page_and_picture(
    runs: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page, picture = tmp_path / "compare.html", tmp_path / "compare.svg"
    code, out, err = sentir("compare", *runs, "-o", page, "--picture", picture, capfd=capfd)
    assert code == 0
    assert "shop × 2" in out
    assert "model.hidden_size" in out
    assert "85.00\N{NBSP}% ± 7.07\N{NBSP}%" in out
    assert "warning: the validation figures are of different reviews" in err
    assert f"page    {page}\npicture {picture}\n" in err
    assert "model.hidden_size" in page.read_text("utf-8")
    ET.fromstring(picture.read_text("utf-8"))


def test_as_json(runs: list[Path], capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("compare", *runs, "--json", capfd=capfd)
    assert code == 0
    answer = json.loads(out)
    assert [group["name"] for group in answer["groups"]] == ["shop × 2", "wide"]
    assert answer["groups"][0]["figures"]["test.accuracy"]["values"] == [0.8, 0.9]


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
def test_real_runs_on_the_same_reviews(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reviews, test = (
        write_fasttext(tmp_path / "a.ft.txt", 90),
        write_fasttext(tmp_path / "t.txt", 40),
    )
    other = tmp_path / "other"
    code, *_ = sentir("train", reviews, *TINY, "--ngram-buckets", 0, "-o", other, capfd=capfd)
    assert code == 0
    arguments = ["compare", tiny_run.folder, other, "--test", test]
    code, out, err = sentir(*arguments, capfd=capfd)
    assert code == 0
    assert "on the same 40 reviews" in out
    assert "train reviews" in out
    assert "measuring: 40 reviews" in err
    assert "validation figures are of different reviews: " in err
    code, out, _ = sentir(*arguments, "--json", capfd=capfd)
    (pair,) = json.loads(out)["paired"]
    assert pair["examples"] == 40


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
def test_a_language_model_is_no_run_to_compare(
    runs: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reviews, lm = write_fasttext(tmp_path / "a.ft.txt", 60), tmp_path / "lm"
    sentir("pretrain", reviews, *TINY, "--num-sampled", 100, "-o", lm, capfd=capfd)
    code, out, err = sentir("compare", runs[0], lm, capfd=capfd)
    assert (code, out) == (2, "")
    assert "lm/model: a language model, which has learnt no labels" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--output", "a.svg"], "a.svg: --output writes HTML"),
     (["--picture", "a.png"], "a.png: --picture writes SVG, and the name ends in '.png'; end")],
)  # fmt: skip
def test_another_format_is_refused_before_anything_is_read(
    arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = sentir("compare", "absent", "absent too", *arguments, capfd=capfd)
    assert (code, out) == (2, "")
    assert message in err
