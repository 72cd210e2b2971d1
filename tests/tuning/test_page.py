"""The page of a search, and its lines for the terminal."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fixtures.compared_runs import save_run
from sentir.config import Config
from sentir.inference.compare import compare
from sentir.tuning.page import describe_trial, trial_rows, verdict, write_search
from sentir.tuning.result import Search, TrialResult
from sentir.tuning.space import choose_space, values_of


def result(number: int, loss: float | None, state: str = "complete") -> TrialResult:
    space = choose_space(Config(), ())
    settings = values_of(Config(), space) | {"learning_rate": 0.001 * (number + 1)}
    accuracy = None if loss is None else 0.9
    return TrialResult(
        number=number, settings=settings, state=state, loss=loss, accuracy=accuracy, seconds=12.3
    )


@pytest.fixture
def search(tmp_path: Path) -> Search:
    runs = [
        save_run(tmp_path / "preset", seed=0, right=80),
        save_run(tmp_path / "preset-seed-1", seed=1, right=82),
        save_run(tmp_path / "trial-2", seed=0, right=85, hidden_size=7),
        save_run(tmp_path / "trial-2-seed-1", seed=1, right=84, hidden_size=7),
    ]
    trials = (result(0, 0.5), result(1, None, "pruned"), result(2, 0.25))
    return Search(
        folder=tmp_path / "search", config=Config(), best=trials[2], trials=trials,
        space=choose_space(Config(), ()), minutes=30, comparison=compare(runs), interrupted=False,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")
def test_the_page_shows_trials_settings_and_spread(search: Search, tmp_path: Path) -> None:
    write_search(search, tmp_path / "tune.html")
    page = (tmp_path / "tune.html").read_text("utf-8")
    assert "3 trials in 30 minutes" in page
    assert "Validation loss of 2 trials; 1 more were ended early." in page
    assert page.count("<svg") >= 4
    assert "preset × 2" in page
    assert "embedding_skip_dropout" in page


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")
def test_the_verdict_is_by_the_seeds_that_the_search_has_not_seen(search: Search) -> None:
    assert "With 1 other seed, which the search has not seen" in verdict(search)


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")
def test_one_seed_says_nothing_of_chance(search: Search, tmp_path: Path) -> None:
    single = compare([tmp_path / "preset", tmp_path / "trial-2"])
    assert "may be chance" in verdict(dataclasses.replace(search, comparison=single))
    kept = dataclasses.replace(search, comparison=None, best=search.trials[0])
    assert "No trial has a lower validation loss than the preset (0.5000)" in verdict(kept)


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")
def test_rows_begin_with_the_best(search: Search) -> None:
    assert [row[:2] for row in trial_rows(search)] == [
        ["2", "0.2500"], ["0", "0.5000"], ["1", "pruned"],
    ]  # fmt: skip


def test_a_trial_in_one_line() -> None:
    best = result(2, 0.25)
    assert describe_trial(best, best).startswith(
        "trial 2: validation loss 0.2500, accuracy 90.00% (best so far), 12 s: learning_rate 0.003"
    )
    assert describe_trial(result(1, None, "pruned"), best).startswith("trial 1: pruned, 12 s")
    assert describe_trial(result(0, 0.5), best).startswith("trial 0, the preset: validation loss")
