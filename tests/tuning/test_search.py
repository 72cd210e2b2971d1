"""A search: what it finds can be trained again, and kills, Ctrl-C and lack of time lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.tiny_runs import TINY, write_fasttext
from sentir.config import Config, read_toml
from sentir.errors import ConfigError, DataError, SentirError, UsageError
from sentir.training.run import train
from sentir.tuning import search as searching
from sentir.tuning.journal import open_study
from sentir.tuning.result import Search
from sentir.tuning.search import tune

pytestmark = pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # so few reviews

#: Learns too slowly to be the best.
SLOW = TINY.override({"learning_rate": 0.0005, "epochs": 4, "pooling": "mean"})

Event = dict[str, Any]
Settings = dict[str, Any]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fasttext(tmp_path_factory.mktemp("reviews") / "train.ft.txt", 150)


@pytest.fixture(scope="module")
def found(reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Search:
    folder = tmp_path_factory.mktemp("found") / "search"
    return small_search(reviews, folder, seeds=2)


def small_search(reviews: Path, folder: Path, **options: Any) -> Search:
    """A search of four trials, of which trial 0 learns too slowly to be the best."""
    defaults: Settings = {
        "minutes": 60, "trials": 4, "seeds": 1, "config": SLOW, "search": ["learning_rate"],
    }  # fmt: skip
    return tune(reviews, folder, **(defaults | options))


def test_the_best_settings_train_the_same_model_again(
    found: Search, reviews: Path, tmp_path: Path
) -> None:
    assert found.best.number != 0
    assert found.best.loss == min(trial.loss for trial in found.trials if trial.loss is not None)
    config = Config.from_dict(read_toml(found.folder / "best.toml"))
    assert config == found.config
    again = train(reviews, tmp_path / "again", config=config)
    kept = found.folder / f"trial-{found.best.number}" / "model" / "model.safetensors"
    assert (again.folder / "model" / "model.safetensors").read_bytes() == kept.read_bytes()
    assert again.validation.loss == found.best.loss


def test_trial_0_is_the_preset(found: Search) -> None:
    assert found.trials[0].settings == {"learning_rate": SLOW.train.learning_rate}


def test_preset_and_best_are_compared_with_another_seed(found: Search) -> None:
    assert found.comparison is not None
    assert [group.seeds for group in found.comparison.groups] == [[0, 1], [0, 1]]
    assert [group.name for group in found.comparison.groups] == [
        "preset", f"trial {found.best.number}",
    ]  # fmt: skip


def test_only_what_is_compared_is_kept(found: Search) -> None:
    best = f"trial-{found.best.number}"
    assert {path.name for path in found.folder.iterdir()} == {
        "tune.json", "trials.log", "best.toml", "tune.html", "cache",
        "preset", "preset-seed-1", best, f"{best}-seed-1",
    }  # fmt: skip


def test_the_reviews_are_encoded_once_per_seed(found: Search) -> None:
    seeds = {path.name: len(list(path.iterdir())) for path in (found.folder / "cache").iterdir()}
    assert seeds == {"seed-0": 1, "seed-1": 1}


def test_no_test_review_can_be_given(reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no setting 'test'"):
        small_search(reviews, tmp_path / "s", test=reviews)


def in_trial(number: int, act: Callable[[], None]) -> Callable[[Event], None]:
    """A callback that acts at the third step of a trial."""
    begun = -1

    def listen(event: Event) -> None:
        nonlocal begun
        begun += event["event"] == "start"
        if begun == number and event["event"] == "step" and event["step"] == 3:
            act()

    return listen


def kill() -> None:
    raise RuntimeError("killed")


def interrupt() -> None:
    raise KeyboardInterrupt


def outcome(search: Search) -> list[tuple[Any, ...]]:
    return [(trial.number, trial.settings, trial.state, trial.loss) for trial in search.trials]


@pytest.mark.parametrize("number", [0, 2])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(
    number: int, found: Search, reviews: Path, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        small_search(reviews, tmp_path / "s", callbacks=[in_trial(number, kill)])
    with (tmp_path / "s" / "trials.log").open("ab") as journal:
        journal.write(b'{"op_code": 4, "wor')  # as a kill leaves a line
    resumed = small_search(reviews, tmp_path / "s", resume=True)
    assert outcome(resumed) == outcome(found)


def test_ctrl_c_keeps_the_best_and_can_be_resumed(
    found: Search, reviews: Path, tmp_path: Path
) -> None:
    stopped = small_search(reviews, tmp_path / "s", callbacks=[in_trial(2, interrupt)])
    assert stopped.interrupted
    assert [trial.number for trial in stopped.trials] == [0, 1]
    assert read_toml(stopped.folder / "best.toml")["train"]["learning_rate"] in {
        trial.settings["learning_rate"] for trial in stopped.trials
    }
    resumed = small_search(reviews, tmp_path / "s", resume=True)
    assert not resumed.interrupted
    assert outcome(resumed) == outcome(found)


def test_ctrl_c_in_the_first_trial_has_no_best(reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        small_search(reviews, tmp_path / "s", callbacks=[in_trial(0, interrupt)])


def test_too_little_time_is_refused_after_one_trial(reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fewer than 3 fit") as error:
        small_search(reviews, tmp_path / "s", minutes=0.001)
    assert "--resume" in str(error.value)
    assert len(small_search(reviews, tmp_path / "s", resume=True).trials) == 4  # nothing was lost


def test_too_little_time_is_seen_within_the_first_trial(
    reviews: Path, tmp_path: Path, events: tuple[list[Event], Callable[[Event], None]]
) -> None:
    with pytest.raises(UsageError, match="fewer than 3 fit"):
        small_search(
            reviews, tmp_path / "s", minutes=0.001, epochs=50, callbacks=[events[1]], batch_size=8
        )
    assert max(event["step"] for event in events[0] if "step" in event) < 40


def test_a_finished_search_takes_another_ten_minutes(
    found: Search, reviews: Path, tmp_path: Path
) -> None:
    first = small_search(reviews, tmp_path / "s", trials=3)
    more = small_search(reviews, tmp_path / "s", trials=4, resume=True)
    assert [*outcome(first), outcome(more)[-1]] == outcome(found)


def test_a_trial_that_diverges_is_a_failed_one(
    reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = searching._Searching._train

    def diverge(self: Any, config: Config, folder: Path, callbacks: Any) -> Any:
        if folder.name == "trial-1":
            raise ConfigError("the loss is nan", todo="lower the learning rate")
        return real(self, config, folder, callbacks)

    monkeypatch.setattr(searching._Searching, "_train", diverge)
    trials = small_search(reviews, tmp_path / "s").trials
    assert [trial.state for trial in trials] == ["complete", "failed", "complete", "complete"]
    assert trials[1].loss is None


def test_a_preset_that_is_not_beaten_is_kept(reviews: Path, tmp_path: Path) -> None:
    good = TINY.override({"learning_rate": 0.02, "epochs": 6})
    space = small_search(reviews, tmp_path / "s", config=good, search=["weight_decay"], trials=3)
    if space.best.number:  # a decay may help by chance: then nothing is to be seen here
        pytest.skip("the preset was beaten")
    assert space.comparison is None
    assert space.config == good


def test_trials_that_fall_behind_are_ended_early(tmp_path: Path) -> None:
    from optuna.exceptions import TrialPruned

    study = open_study(tmp_path / "trials.log")
    for _ in range(3):
        trial = study.ask()
        trial.report(0.1, 2)
        study.tell(trial, 0.1)
    clock = searching._Clock(study.ask(), None)
    clock({"event": "start", "step": 0, "total_steps": 100})
    with pytest.raises(TrialPruned):
        clock({"event": "validation", "step": 20, "loss": 0.9})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 0}, "minutes = 0"),
        ({"minutes": float("nan")}, "minutes = nan"),
        ({"trials": 2}, "trials = 2"),
        ({"seeds": 0}, "seeds = 0"),
        ({"preset": "fast"}, "both a preset and a config"),
        ({"search": ["cell"]}, "no setting that can be searched: 'cell'"),
        ({"learning_rate": 0.1}, "learning_rate is both given and searched"),
        ({"resume": True, "overwrite": True}, "exclude each other"),
    ],
)
def test_refused(options: Settings, message: str, reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(SentirError, match=message):
        small_search(reviews, tmp_path / "s", **options)


def test_a_search_of_other_settings_is_not_gone_on_with(found: Search, reviews: Path) -> None:
    with pytest.raises(DataError, match="other reviews or settings"):
        small_search(reviews, found.folder, search=["batch_size"], resume=True)


def test_several_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "2")
    with pytest.raises(UsageError, match="a search runs in one process; start sentir tune without"):
        tune("reviews.csv", tmp_path / "search")
