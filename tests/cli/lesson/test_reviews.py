from __future__ import annotations

import json
from pathlib import Path

from fixtures.lesson_command import expect_refusal, run_lesson
from fixtures.tiny_runs import write_fasttext
from sentir.training.run import Run


def test_pitfalls_compares_and_saves_a_figure(tmp_path: Path) -> None:
    train = write_fasttext(tmp_path / "train.ft.txt", 300)
    test = write_fasttext(tmp_path / "test.ft.txt", 40, seed=1)
    picture = tmp_path / "pitfalls.svg"
    small = ("--count", "200", "--hidden", "4", "--epochs", "1", "--only", "fixed, carried")
    output = run_lesson(
        "pitfalls", str(train), "--test", str(test), *small, "--picture", str(picture)
    )
    assert "state carried between batches" in output
    assert picture.read_text("utf-8").startswith("<?xml")
    assert "estado arrastrado entre lotes" in run_lesson("pitfalls", *small, "--language", "es")
    data = json.loads(run_lesson("pitfalls", *small, "--json"))
    assert [curve["pitfall"] for curve in data["curves"]] == ["fixed", "carried"]
    assert data["recipe"]["hidden_size"] == 4
    expect_refusal("no test reviews; give some with --test", "pitfalls", str(train))


def test_horizon_reads_a_run(tiny_run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "horizon.png"
    common = ("horizon", str(tiny_run.folder), "sample:test", "--count", "20")
    output = run_lesson(*common, "--language", "es", "--picture", str(picture))
    assert "20 textos" in output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert json.loads(run_lesson(*common, "--json"))["agreement"]["last"][-1] == 1.0


def test_units_trains_on_reviews_of_the_user(tmp_path: Path) -> None:
    reviews = write_fasttext(tmp_path / "reviews.ft.txt", 300)
    data = json.loads(run_lesson("units", str(reviews), "--steps", "2", "--json"))
    assert {best["name"] for best in data["best"]} == {"negation", "sentence", "word"}
    assert "unidad" in run_lesson("units", str(reviews), "--steps", "2", "--language", "es")
