from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fixtures.tiny_problem import new_model, same, separable, tiny, weights_of, write_corpus
from sentir.config import Config
from sentir.data.batching import pad
from sentir.data.dataset import EncodedCorpus
from sentir.errors import ConfigError
from sentir.nn.classifier import SentimentClassifier
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.classification import fit_classifier, probabilities
from sentir.training.loop import learning_rate_at, stop_reason

Event = dict[str, Any]


def corpora(
    folder: Path, train: int, valid: int, *, wrong: float = 0.0
) -> tuple[EncodedCorpus, EncodedCorpus]:
    """So many reviews; a share of the training labels may be wrong."""
    return separable(folder / "train", train, wrong=wrong), separable(folder / "valid", valid)


class Trained:
    """A finished run, and everything it told."""

    def __init__(
        self,
        folder: Path,
        config: Config,
        corpora: tuple[EncodedCorpus, EncodedCorpus],
        *,
        seed: int = 0,
        on: Callable[[Event, SentimentClassifier], None] = lambda event, model: None,
    ) -> None:
        self.model = new_model(config, seed=seed)
        self.events: list[Event] = []

        def emit(event: Event) -> None:
            self.events.append(event)
            on(event, self.model)

        self.position = fit_classifier(
            self.model, *corpora, config, checkpoints=Checkpoints(folder, ""), emit=emit
        )

    def all(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["event"] == kind]


@pytest.mark.parametrize("make", [{}, {"cell": "gru", "pooling": "last", "num_layers": 2}], ids=str)
def test_a_separable_problem_is_learnt(tmp_path: Path, make: dict[str, Any]) -> None:
    train, valid = corpora(tmp_path, 200, 50)
    run = Trained(tmp_path, tiny(**make), (train, valid))
    answers_NC = probabilities(run.model, valid, 200)
    assert (answers_NC.argmax(axis=1) == valid.labels_N).all()
    assert run.position.stopped == "finished"
    assert run.position.step == 3 * 25
    assert run.position.reviews == 600
    assert run.position.best_loss < 0.1
    assert run.all("step")[0]["loss"] == pytest.approx(math.log(2), abs=0.2)


def test_three_classes_are_learnt(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 180)
    reviews = [(random.integers(2, 8, 9) + 6 * label).tolist() for label in labels]
    corpus = write_corpus(tmp_path / "three", reviews, labels)
    config = tiny()
    model = new_model(config, classes=3)
    fit_classifier(
        model, corpus, corpus, config, checkpoints=Checkpoints(tmp_path, ""), emit=lambda _: None
    )
    assert (probabilities(model, corpus, 200).argmax(axis=1) == labels).all()


def test_events(tmp_path: Path) -> None:
    config = tiny(eval_steps=4, epochs=2)
    run = Trained(tmp_path, config, corpora(tmp_path, 45, 10))
    assert run.events[0] == {"event": "start", "step": 0, "total_steps": 12, "reviews": 0}
    steps = run.all("step")
    assert [event["step"] for event in steps] == list(range(1, 13))
    assert [event["epoch"] for event in steps] == [0] * 6 + [1] * 6
    assert [steps[at]["reviews"] for at in (5, 11)] == [45, 90]  # the odd batch is in some place
    assert [event["learning_rate"] for event in steps] == [
        learning_rate_at(config.train, n, 12) for n in range(12)
    ]
    assert [event["step"] for event in run.all("validation")] == [4, 8, 12]


@pytest.mark.parametrize(
    ("every", "wanted"), [(5, [5, 10, 12]), (0, list(range(1, 13))), (100, [12])]
)
def test_validation_every_so_often_and_at_the_end(
    tmp_path: Path, every: int, wanted: list[int]
) -> None:
    # Six steps an epoch: four times an epoch is every step.
    config = tiny(eval_steps=every, epochs=2)
    run = Trained(tmp_path, config, corpora(tmp_path, 45, 10))
    assert [event["step"] for event in run.all("validation")] == wanted


def test_of_a_small_corpus_it_is_not_validated_at_every_turn(tmp_path: Path) -> None:
    # Two steps an epoch and 45 epochs: four times an epoch would be 90 times.
    run = Trained(tmp_path, tiny(epochs=45), corpora(tmp_path, 15, 10))
    assert [event["step"] for event in run.all("validation")] == list(range(2, 91, 2))


def test_validation_measures_the_validation_reviews_and_nothing_else(tmp_path: Path) -> None:
    valid = separable(tmp_path / "valid", 30, wrong=0.2)
    run = Trained(tmp_path, tiny(), (separable(tmp_path / "train", 60), valid))
    answers_NC = probabilities(run.model, valid, 200)
    best = min(run.all("validation"), key=lambda event: float(event["loss"]))
    losses = -np.log(answers_NC[np.arange(30), valid.labels_N])
    assert best["loss"] == pytest.approx(losses.mean())
    assert best["accuracy"] == (answers_NC.argmax(axis=1) == valid.labels_N).mean()
    assert run.position.best_loss == best["loss"]
    # It cannot touch test: it is given none.
    given = inspect.signature(fit_classifier).parameters
    assert [name for name in given if given[name].kind is not inspect.Parameter.KEYWORD_ONLY] == [
        "model", "train", "valid", "config",
    ]  # fmt: skip


def test_the_best_model_is_the_one_returned(tmp_path: Path) -> None:
    best: dict[str, torch.Tensor] = {}
    last: dict[str, torch.Tensor] = {}

    def remember(event: Event, model: SentimentClassifier) -> None:
        if event["event"] == "validation":
            last.update(weights_of(model))
            if event["best"]:
                best.update(weights_of(model))

    # So many wrong labels, learnt by heart: the validation loss soon rises.
    config = tiny(epochs=20, learning_rate=0.05, schedule="constant", patience=0)
    both = corpora(tmp_path, 60, 60, wrong=0.4)
    run = Trained(tmp_path, config, both, on=remember)
    assert run.position.best_step is not None
    assert run.position.best_step < run.position.step
    assert same(weights_of(run.model), best)
    assert not same(best, last)
    assert not run.model.training


def test_early_stopping(tmp_path: Path) -> None:
    config = tiny(epochs=50, learning_rate=0.05, schedule="constant", patience=3, eval_steps=40)
    both = corpora(tmp_path, 80, 60, wrong=0.4)
    run = Trained(tmp_path, config, both)
    assert run.position.stopped == "no better"
    assert run.position.validations_since_best == 3
    assert run.position.best_step == run.position.step - 120
    assert [event["best"] for event in run.all("validation")][-4:] == [True, False, False, False]
    assert run.position.step < 500


@pytest.mark.parametrize("step", [1, 4, 5, 17])
def test_an_interrupted_run_leaves_its_best_model(tmp_path: Path, step: int) -> None:
    def interrupt(event: Event, model: SentimentClassifier) -> None:
        if event["event"] == "step" and event["step"] == step:
            raise KeyboardInterrupt

    valid = separable(tmp_path / "valid", 20)
    config = tiny(eval_steps=5)
    run = Trained(tmp_path, config, (separable(tmp_path / "train", 80), valid), on=interrupt)
    assert run.position.stopped == "interrupted"
    # Before the first validation there is one for the purpose, later the best so far is taken.
    validated = run.all("validation")
    assert [event["step"] for event in validated] == {17: [5, 10, 15]}.get(step, [step])
    assert run.position.best_step == validated[-1]["step"]
    losses = -np.log(probabilities(run.model, valid, 200)[np.arange(20), valid.labels_N])
    assert losses.mean() == pytest.approx(run.position.best_loss)


@pytest.mark.parametrize("validation", [1, 2])
def test_an_interrupt_while_the_best_is_saved(
    tmp_path: Path, validation: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    save, calls = Checkpoints.save_best, 0

    def interrupted(self: Checkpoints, model: SentimentClassifier) -> None:
        nonlocal calls
        calls += 1
        if calls == validation:
            raise KeyboardInterrupt
        save(self, model)

    monkeypatch.setattr(Checkpoints, "save_best", interrupted)
    valid = separable(tmp_path / "valid", 20)
    run = Trained(tmp_path, tiny(eval_steps=5), (separable(tmp_path / "train", 80), valid))
    assert run.position.stopped == "interrupted"
    losses = -np.log(probabilities(run.model, valid, 200)[np.arange(20), valid.labels_N])
    assert losses.mean() == pytest.approx(run.position.best_loss)


def test_divergence_is_an_error(tmp_path: Path) -> None:
    def spoil(event: Event, model: SentimentClassifier) -> None:
        if event["event"] == "step" and event["step"] == 7:
            with torch.no_grad():
                model.head.weight.fill_(torch.nan)

    with pytest.raises(ConfigError, match="nan at step 10: training has diverged; lower"):
        Trained(tmp_path, tiny(eval_steps=5), corpora(tmp_path, 80, 9), on=spoil)


def test_same_seed_same_weights(tmp_path: Path) -> None:
    both = corpora(tmp_path, 60, 20)

    def trained(name: str, seed: int) -> dict[str, torch.Tensor]:
        config = tiny(embedding_dropout=0.2, head_dropout=0.5, seed=seed, epochs=2)
        return weights_of(Trained(tmp_path / name, config, both, seed=seed).model)

    first = trained("a", 0)
    assert same(first, trained("b", 0))
    assert not same(first, trained("c", 1))


def test_every_batch_starts_from_the_zero_state(tmp_path: Path) -> None:
    corpus = separable(tmp_path / "train", 30)
    model = new_model(tiny(head_dropout=0.0)).train()
    one, other = pad([corpus[0], corpus[1]], 200), pad([corpus[2], corpus[3]], 200)
    first = model(one.ids_BT, one.lengths_B)
    model(other.ids_BT, other.lengths_B)
    assert torch.equal(model(one.ids_BT, one.lengths_B), first)


def test_answers_do_not_depend_on_the_order_of_the_batches(tmp_path: Path) -> None:
    corpus = separable(tmp_path / "train", 30)
    order = np.random.default_rng(0).permutation(30)
    mixed = write_corpus(tmp_path / "mixed", [corpus[at] for at in order], corpus.labels_N[order])
    model = new_model(tiny())
    answers_NC = probabilities(model, corpus, 200)
    assert answers_NC.std(axis=0).min() > 1e-3
    for size in (1, 7, 256):
        advanced: list[int] = []
        mixed_NC = probabilities(model, mixed, 200, batch_size=size, advance=advanced.append)
        np.testing.assert_allclose(mixed_NC, answers_NC[order], rtol=0, atol=1e-6)  # float32
        assert sum(advanced) == 30


def test_learning_rates() -> None:
    def rates(schedule: str, warmup: float) -> list[float]:
        config = tiny(schedule=schedule, warmup_ratio=warmup, learning_rate=0.8)
        return [learning_rate_at(config.train, step, 10) for step in range(10)]

    assert rates("constant", 0.0) == [0.8] * 10
    assert rates("constant", 0.4) == pytest.approx([0.2, 0.4, 0.6, 0.8, *[0.8] * 6])
    assert rates("linear", 0.0) == pytest.approx([0.8 - 0.08 * step for step in range(10)])
    assert rates("linear", 0.2) == pytest.approx([0.4, 0.8, *(0.8 - 0.1 * n for n in range(8))])
    cosine = rates("cosine", 0.2)
    assert cosine[:3] == pytest.approx([0.4, 0.8, 0.8])
    assert cosine[6] == pytest.approx(0.4)  # half-way
    assert cosine[9] == pytest.approx(0.4 * (1 + math.cos(math.pi * 7 / 8)))
    assert all(later < earlier for earlier, later in pairwise(cosine[2:]))


@pytest.mark.parametrize(
    ("settings", "position", "reason"),
    [
        ({"patience": 2}, {"step": 200, "best_step": 90, "validations_since_best": 1}, ""),
        ({"patience": 2}, {"step": 200, "best_step": 90, "validations_since_best": 2}, "no better"),
        # Validations after each few steps are not enough.
        ({"patience": 2}, {"step": 200, "best_step": 101, "validations_since_best": 9}, ""),
        ({"patience": 0}, {"step": 200, "best_step": 1, "validations_since_best": 99}, ""),
        ({"patience": 2}, {"step": 300, "best_step": 1, "validations_since_best": 2}, "finished"),
    ],
)
def test_why_stop(settings: dict[str, int], position: dict[str, int], reason: str) -> None:
    assert stop_reason(tiny(**settings).train, Position(**position), 300) == reason
