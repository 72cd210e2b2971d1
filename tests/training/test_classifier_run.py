"""What a classifier learns from besides the reviews."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.polar_reviews import polar_texts
from fixtures.tiny_runs import TINY, kill
from sentir.inference.predictor import load
from sentir.nn.restore import restore_classifier
from sentir.training.distillation import Teacher
from sentir.training.run import Run, train

CONFIG = TINY.override(
    {"ngram_buckets": 4096, "negation_examples": 1.0, "epochs": 2, "eval_steps": 2, "patience": 0}
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    texts, labels = polar_texts(120)
    lines = [
        f"__label__{('neg', 'pos')[label]} {text} no{row}\n"
        for row, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    path = tmp_path / "polar.ft.txt"
    path.write_text("".join(lines), "utf-8")
    return path


def learnt_from(run: Run) -> int:
    """Reviews and examples of an epoch."""
    return int(run.bundle.metrics["training"]["reviews"]) // 2


def test_as_many_examples_as_are_asked_for_are_learnt_from(
    file: Path, tmp_path: Path, messages
) -> None:
    def read(name: str, **changes: object) -> int:
        changes = {"config": CONFIG, **changes}
        return learnt_from(train(train=str(file), output=tmp_path / name, **changes))

    plain = read("none", negation_examples=0.0)
    assert "examples of negation" not in messages.logged()
    made = read("some") - plain
    assert f"examples of negation: {made}," in messages.logged()
    assert 0.4 * plain <= made <= plain  # there are fewer sentences of reviews than are asked for
    assert read("subwords", tokenizer="bpe", max_vocab_size=120) == plain
    assert read("classes", labels="neg=ham,pos=spam") == plain


def test_a_resumed_run_learns_from_the_same_examples(file: Path, tmp_path: Path) -> None:
    whole = train(train=str(file), output=tmp_path / "whole", config=CONFIG)
    with pytest.raises(RuntimeError, match="killed"):
        train(train=str(file), output=tmp_path / "run", config=CONFIG, callbacks=[kill])
    resumed = train(train=str(file), output=tmp_path / "run", config=CONFIG, resume=True)
    weights = resumed.bundle.weights
    assert weights.keys() == whole.bundle.weights.keys()
    for name, weight in whole.bundle.weights.items():
        assert (weight == weights[name]).all(), name
    assert restore_classifier(resumed.bundle).ngram_linear is not None


def test_examples_are_learnt_beside_the_answers_of_a_teacher(file: Path, tmp_path: Path) -> None:
    teacher: Teacher = load(train(train=str(file), output=tmp_path / "a", config=CONFIG).folder)
    unlabelled = tmp_path / "unlabelled.txt"
    unlabelled.write_text("".join(f"{text} more\n" for text in polar_texts(40, seed=1)[0]))
    run = train(
        train=str(file), unlabelled=str(unlabelled), teachers=[teacher],
        output=tmp_path / "b", config=CONFIG,
    )  # fmt: skip
    assert learnt_from(run) > 120 + 40


@pytest.mark.parametrize(
    ("labels", "changes", "is_ordinal"),
    [
        ("123", {}, True),
        ("123", {"ordinal": False}, False),
        ("abc", {}, False),
    ],
)
def test_the_order_of_ordered_classes_is_learnt(
    tmp_path: Path, labels: str, changes: dict[str, object], is_ordinal: bool
) -> None:
    """The n-grams have one scale for all boundaries, or one per class."""
    texts, _ = polar_texts(120)
    lines = [f"__label__{labels[row % 3]} {text} no{row}\n" for row, text in enumerate(texts)]
    path = tmp_path / "stars.ft.txt"
    path.write_text("".join(lines), "utf-8")
    run = train(train=str(path), output=tmp_path / "run", config=CONFIG.override(changes))
    scales_VO = run.bundle.weights["ngram_linear.word_squared_scales"]
    assert scales_VO.any()
    assert bool((scales_VO == scales_VO[:, :1]).all()) is is_ordinal
    assert (run.validation.mean_absolute_error is not None) is (labels == "123")
