"""The long benchmarks: resuming, and tables and plots drawn from synthetic results."""

from __future__ import annotations

import base64
import bz2
import re
import sys
from pathlib import Path
from typing import Any

import ablation
import distillation
import learning_curves
import measurements
import numpy as np
import page
import pytest
import tools
from measurements import Row
from reviews import read_labelled, read_lines, reviews_file, shuffled, write_lines
from settings import parse_settings

from sentir import Config, train
from sentir.synthetic.reviews import sample_reviews

TINY = "hidden_size=4 embedding_dim=4 epochs=1 max_length=20 ngram_buckets=512".split()


def job(seed: int, done: list[int], recipe: str = "r") -> measurements.Job:
    def measure() -> Row:
        done.append(seed)
        return {"accuracy": seed / 10}

    return measurements.Job({"seed": seed, "recipe": recipe}, f"seed {seed}", measure)


def test_a_job_with_a_result_is_skipped(tmp_path: Path) -> None:
    path, done = tmp_path / "new" / "results.jsonl", list[int]()
    measurements.run_missing([job(0, done)], path, again=False)
    measurements.run_missing([job(0, done), job(1, done)], path, again=False)
    assert done == [0, 1]
    measurements.run_missing([job(1, done)], path, again=True)
    measurements.run_missing([job(1, done, recipe="other")], path, again=False)
    assert done == [0, 1, 1, 1]
    rows = measurements.read_rows(path)
    assert [row["seed"] for row in rows] == done
    assert {"command", "date", "commit", "processor"} <= rows[0].keys()


def test_results_before_an_interruption_are_kept(tmp_path: Path) -> None:
    def interrupt() -> Row:
        raise KeyboardInterrupt

    path, done = tmp_path / "results.jsonl", list[int]()
    with pytest.raises(KeyboardInterrupt):
        measurements.run_missing(
            [job(0, done), measurements.Job({"seed": 1}, "", interrupt)], path, again=False
        )
    assert [row["seed"] for row in measurements.read_rows(path)] == [0]


def test_the_newest_recipe_and_the_last_result_of_each_job_are_shown() -> None:
    rows = [
        {"tool": tool, "seed": seed, "recipe": recipe, "index": index}
        for index, (tool, seed, recipe) in enumerate(
            [("a", 0, "old"), ("a", 1, "old"), ("b", 0, "old"), ("a", 0, "new"), ("a", 0, "new")]
        )
    ]
    shown = measurements.latest(rows, series=["tool"], job=["seed"])
    assert sorted(row["index"] for row in shown) == [2, 4]


def test_a_small_subset_lies_within_a_large_one(tmp_path: Path) -> None:
    lines = [f"__label__{1 + row % 2} text {row}" for row in range(50)]
    parts = []
    for count, seed in ((10, 0), (30, 0), (30, 1)):
        write_lines(shuffled(lines, seed)[:count], tmp_path / "part.ft.txt")
        parts.append(list(read_lines(tmp_path / "part.ft.txt")))
    small, large, other = parts
    assert large[:10] == small
    assert len(set(large)) == 30
    assert set(large) != set(other)
    assert read_labelled(tmp_path / "part.ft.txt")[1][0].startswith("text ")


def test_missing_reviews_end_the_program(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="SENTIR_DATA"):
        reviews_file(tmp_path, "amazon")


def test_fasttext_is_given_more_epochs_with_fewer_reviews() -> None:
    assert tuple(tools.candidates(25_000)) == tools.SETTINGS
    assert tools.candidates(1000)[3:] == [(0.1, 50), (0.5, 50), (0.1, 200)]


def curve_row(tool: str, reviews: int, seed: int, accuracy: float, **more: Any) -> Row:
    return {"corpus": "imdb", "tool": tool, "set": {}, "lm": None, "reviews": reviews, "seed": seed,
            "recipe": "r", "minutes": 1.0, "accuracy": accuracy, "calibration_error": 0.01,
            **more}  # fmt: skip


def test_learning_curves_are_drawn(tmp_path: Path) -> None:
    rows = learning_curves.current_rows(
        [
            curve_row("base", 1000, 0, 0.80),
            curve_row("base", 1000, 1, 0.82),
            curve_row("base", 5000, 0, 0.90),
            curve_row("base", 5000, 0, 0.85, set={"hidden_size": 32}),
            curve_row("best", 5000, 0, 0.91, set={"epochs": 2}, lm=89.8),
            curve_row("best", 5000, 0, 0.92, set={"epochs": 2}, lm=80.1),
            curve_row("tfidf", 1000, 0, 0.79),
        ]
    )
    table = learning_curves.markdown(rows).splitlines()
    assert table[2].startswith("| TF-IDF + logistic regression | 1,000 | 1 |")
    assert "| 1,000 | 2 | 1.0 | 81.00% ± 1.41% |" in table[3]
    assert "Sentir `base`, hidden_size = 32 | 5,000" in table[5]
    learning_curves.draw(rows, tmp_path / "curves.svg")
    svg = (tmp_path / "curves.svg").read_text("utf-8")
    for text in (
        "TF-IDF + logistic regression",
        "Sentir base<",
        "Sentir best",
        "5,000",
        "test accuracy",
    ):
        assert f">{text}" in svg
    assert "epochs = 2" in svg  # `best` has no series without changed settings
    assert "hidden_size = 32" not in svg
    assert "language model of perplexity 89.8, epochs = 2 | 5,000" in "\n".join(table)
    assert "language model of perplexity 80.1" in svg
    learning_curves.draw(rows, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text("utf-8") == svg


def test_every_variant_changes_the_preset() -> None:
    base = Config.preset("base")
    for name, changed in ablation.VARIANTS.items():
        assert (base.override(changed) == base) == (name == "base"), name


def test_the_ablation_measures_on_held_out_reviews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(_: Config, part: Path) -> tuple[set[str], float]:
        return set(read_lines(part)), 0.0

    def metrics_of(train: set[str], held_out: list[str]) -> Row:
        return {"sets": (train, set(held_out))}

    monkeypatch.setattr(ablation, "fit_ngram_linear_only", fit)
    monkeypatch.setattr(ablation, "metrics_of", metrics_of)
    lines = [f"line {row}" for row in range(100)]
    name = ablation.NGRAM_LINEAR_ONLY
    for reviews, count in ((None, 80), (30, 30)):
        folder = tmp_path / str(count)
        row = ablation.measure_variant(name, Config(), None, lines, reviews, folder)
        trained_on, held_out = row["sets"]
        assert (len(trained_on), len(held_out), trained_on & held_out) == (count, 20, set())


def ablation_row(variant: str, seed: int, correct: str, measured: str = "these") -> Row:
    bits = np.array([int(bit) for bit in correct])
    return {"corpus": "imdb", "variant": variant, "seed": seed, "recipe": "r", "changes": {},
            "lm": "", "minutes": 1.0, "loss": 0.3, "accuracy": bits.mean(), "measured": measured,
            "measured_on": len(bits), "correct": base64.b64encode(np.packbits(bits)).decode(),
            }  # fmt: skip


def test_the_ablation_compares_review_by_review() -> None:
    rows = [
        ablation_row("base", 0, "1111011101"),
        ablation_row("lstm", 0, "1111011000"),
        ablation_row("rnn", 0, "1111011000", measured="others"),
    ]
    (difference_N,) = ablation.differences(rows[1:2], rows[:1])
    assert difference_N.tolist() == [0, 0, 0, 0, 0, 0, 0, -1, 0, -1]
    table = ablation.markdown(rows)
    error = difference_N.std(ddof=1) / 10**0.5
    assert f"| -20.00 ± {100 * error:.2f} | -20.00 |" in table
    assert table.splitlines()[-1].endswith("| 0.3000 |  |  |")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A data folder with synthetic reviews in the files of a corpus."""
    (tmp_path / "amazon").mkdir()
    for seed, (part, count) in enumerate([("train", 200), ("test", 60)]):
        path = tmp_path / "amazon" / f"{part}.ft.txt.bz2"
        with bz2.open(path, "wt", encoding="utf-8") as file:
            for label, text in sample_reviews(count, seed=seed):
                file.write(f"__label__{1 + (label == 'positive')} {text}\n")
    return tmp_path


def run(program: Any, monkeypatch: pytest.MonkeyPatch, *options: str | Path) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark", "--corpus", "amazon", *map(str, options)])
    program.main()


def test_learning_curves_run(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = corpus / "curves.jsonl"
    paths = ("--data", corpus, "--results", file)
    options = ("--sizes", "100", "--tools", "tfidf,base,best")
    run(learning_curves, monkeypatch, *options, *paths, "--set", *TINY)
    printed = capsys.readouterr()
    assert "best is skipped" in printed.err
    assert len(measurements.read_rows(file)) == 2
    assert len(re.findall(r"\| 100 \|", printed.out)) == 2
    assert str(corpus) not in file.read_text("utf-8")  # no local path in the results
    picture = corpus / "curves.svg"
    run(learning_curves, monkeypatch, "--draw", *paths, "--picture", picture)
    assert picture.exists()


def test_the_ablation_runs(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = corpus / "ablation.jsonl"
    options = ("--variants", "base,ngram-linear-only,from-lm", "--reviews", "150")
    run(ablation, monkeypatch, *options, "--data", corpus, "--results", file, "--set", *TINY)
    printed = capsys.readouterr()
    assert "skipped without a language model (--lm DIR): from-lm" in printed.err
    assert len(re.findall(r"[+-]\d+\.\d\d ± \d+\.\d\d", printed.out)) == 1
    rows = measurements.read_rows(file)
    assert {row["measured_on"] for row in rows} == {40}
    assert {row["measured"] for row in rows} == {rows[0]["measured"]}
    for row in rows:
        assert ablation.correct(row).mean() == pytest.approx(row["accuracy"], abs=1e-5)


def test_teachers_and_students_are_measured(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {part: str(reviews_file(corpus, "amazon", part)) for part in ("train", "test")}
    config = Config.preset("base").override(parse_settings(TINY))
    train(**files, output=corpus / "teacher", config=config)
    train(train=files["train"], output=corpus / "untested", config=config)
    file = corpus / "distillation.jsonl"
    options = ("--data", corpus, "--results", file, "--set", *TINY, "--teachers")
    with pytest.raises(SystemExit, match="train it with --test"):
        run(distillation, monkeypatch, *options, corpus / "untested")
    with pytest.raises(SystemExit, match="amazon has no unlabelled reviews"):
        run(distillation, monkeypatch, *options, corpus / "teacher")
    with bz2.open(corpus / "amazon" / "unsup.txt.bz2", "wt", encoding="utf-8") as unlabelled:
        unlabelled.writelines(f"{text}\n" for _, text in sample_reviews(50, seed=3))
    run(distillation, monkeypatch, *options, corpus / "teacher", "--seeds", "0,1")
    rows = measurements.read_rows(file)
    assert [row["seed"] for row in rows] == [0, 1]
    assert rows[0]["teachers"][0]["network"] == "GRU of 4 units"
    capsys.readouterr()
    run(distillation, monkeypatch, "--results", file, "--draw")
    teacher, student = capsys.readouterr().out.splitlines()[2:]
    assert teacher.startswith("| GRU of 4 units, seed 0 |  | 1 |")
    assert student.startswith("| `base`, hidden_size = 4")
    assert "| GRU of 4 units, seed 0 | 2 |" in student


def test_the_page_is_drawn_from_the_results() -> None:
    message = "docs/benchmarks.md is not what python benchmarks/page.py draws"
    assert page.PAGE.read_text("utf-8") == page.page(), message


def test_every_line_of_the_page_has_its_circumstances() -> None:
    for name in ("accuracy", "tools", "cpu-time", "speed", "serving", "pretraining"):
        for row in page.read(name):
            assert row["command"].startswith(
                ("python benchmarks/", "python3 dev.py ", "sentir ")
            ), row
            assert row["processor"].startswith("AMD"), row
            assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["date"]), row
            assert row.get("commit") or row.get("recorded_in"), row


def test_the_page_states_reached_and_missed_targets() -> None:
    seeds = [curve_row("base", 25_000, seed, 0.924 + seed / 1000) for seed in range(2)]
    assert page.accuracy_target("imdb", "base", seeds).endswith("minutes: reached")
    slow = [{**row, "minutes": 26} for row in seeds]
    assert "**missed**" in page.accuracy_target("imdb", "base", slow)
    best = page.accuracy_target("imdb", "best", seeds)
    assert best == "94.0%: **missed** by 1.55 points"
    assert page.accuracy_target("imdb", "fasttext", seeds) == ""


def test_commands_of_several_seeds_are_joined() -> None:
    rows = [{"command": f"python x.py --seeds {seed} --set a=1"} for seed in (0, 1, 1)]
    assert page.commands(rows) == "```sh\npython x.py --seeds 0,1 --set a=1\n```"


def test_the_readme_lists_every_benchmark() -> None:
    folder = Path(page.__file__).parent
    text = (folder / "README.md").read_text("utf-8")
    names = {path.stem for path in folder.glob("*.py")}
    assert names == {name for name in re.findall(r"`(\w+)`", text) if name in names}
