"""Reviews without labels, and a model that answers them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fixtures.tiny_runs import TINY
from fixtures.toy_bundle import toy
from sentir.bundle import Bundle, save_bundle
from sentir.data.encoding import TrainingCorpora
from sentir.errors import DataError, UsageError
from sentir.inference.predictor import Predictor, load
from sentir.training.distillation import distilled
from sentir.training.run import Run, train


def reviews(count: int, seed: int) -> list[tuple[str, str]]:
    """Labels and texts: two words of a hundred that praise, or of a hundred that complain."""
    random = np.random.default_rng(seed)
    made = []
    for at in range(count):
        mark = "np"[at % 2]
        one, other = random.integers(0, 100, 2)
        made.append(
            ("positive" if at % 2 else "negative", f"it {mark}{one} is {mark}{other} no{at}")
        )
    return made


def with_labels(path: Path, count: int, seed: int) -> str:
    path.write_text("".join(f"__label__{label} {text}\n" for label, text in reviews(count, seed)))
    return str(path)


def unlabelled(path: Path, count: int, seed: int = 7) -> str:
    """A file of reviews without their labels."""
    path.write_text("".join(f"{text}\n" for _, text in reviews(count, seed)))
    return str(path)


def in_cache(run: Run) -> TrainingCorpora:
    (place,) = (run.folder / "cache").iterdir()
    return TrainingCorpora.open(place)


class Knowing:
    """Answers as a model does, but is told what; counts what it is asked."""

    def __init__(self, bundle: Bundle, sure: float = 0.9) -> None:
        self.bundle, self.asked, self.sure = bundle, 0, sure
        self.identity = bundle.checksum

    def predict_proba(self, texts: list[str]) -> npt.NDArray[np.float64]:
        self.asked += len(texts)
        is_praise = np.array([text.split()[1].startswith("p") for text in texts])
        return np.where(is_praise[:, None], [1 - self.sure, self.sure], [0.8, 0.2])


@pytest.fixture
def knowing(tmp_path: Path) -> Knowing:
    save_bundle(toy(), tmp_path / "toy")
    return Knowing(load(tmp_path / "toy").bundle)


def test_what_is_learnt_of_each_review(tmp_path: Path, knowing: Knowing) -> None:
    """Labels of those that have one, behind them the teacher's answers to the others."""
    file = with_labels(tmp_path / "a.ft.txt", 60, seed=1)
    more = unlabelled(tmp_path / "more.txt", 40)
    run = train(train=(file,), unlabelled=(more,), output=tmp_path / "run", config=TINY,
                teachers=[knowing])  # fmt: skip
    assert knowing.asked == 40
    corpora = in_cache(run)
    assert len(corpora.train) + len(corpora.valid) == 60
    joined = distilled(corpora, [knowing], lambda event: None)
    targets_NC = joined.targets
    assert knowing.asked == 40  # its answers are kept
    labelled = len(corpora.train)
    assert len(joined) == len(targets_NC) == labelled + 40
    assert np.array_equal(targets_NC[:labelled].argmax(axis=1), corpora.train.labels_N)
    assert set(targets_NC[:labelled].ravel()) == {0.0, 1.0}
    expected = [[0.1, 0.9] if label == "positive" else [0.8, 0.2]
                for label, _ in reviews(40, seed=7)]  # fmt: skip
    assert targets_NC[labelled:] == pytest.approx(np.array(expected))
    ids = corpora.tokenizer.encode([text for _, text in reviews(40, seed=7)])
    assert [joined[labelled + at].tolist() for at in range(40)] == ids


def test_a_student_of_few_labels_is_better_for_it(tmp_path: Path, knowing: Knowing) -> None:
    file = with_labels(tmp_path / "a.ft.txt", 40, seed=1)
    test = with_labels(tmp_path / "b.ft.txt", 300, seed=3)
    more = unlabelled(tmp_path / "more.txt", 400)
    config = TINY.override({"epochs": 6, "learning_rate": 0.01})
    alone = train(train=(file,), test=(test,), output=tmp_path / "alone", config=config)
    inputs = {"train": (file,), "test": (test,), "unlabelled": (more,)}
    student = train(**inputs, output=tmp_path / "student", config=config, teachers=[knowing])
    assert alone.test is not None
    assert student.test is not None
    assert student.test.accuracy > alone.test.accuracy + 0.1
    assert "400 from" in (student.folder / "report.html").read_text()
    training = json.loads((student.folder / "model" / "metrics.json").read_text())["training"]
    assert training["teachers"] == [knowing.identity]


def test_a_review_with_a_label_is_no_unlabelled_one(tmp_path: Path, knowing: Knowing) -> None:
    """Its label is known, and where it is set aside the teacher must not tell it."""
    file = with_labels(tmp_path / "a.ft.txt", 60, seed=7)
    more = unlabelled(tmp_path / "more.txt", 100)
    inputs = {"train": (file,), "unlabelled": (more,)}
    run = train(**inputs, output=tmp_path / "run", config=TINY, teachers=[knowing])
    corpora = in_cache(run)
    assert corpora.unlabelled is not None
    assert knowing.asked == len(corpora.unlabelled) == 40
    with pytest.raises(
        DataError, match="all 60 unlabelled reviews are also among those with labels"
    ):
        train(train=(file,), unlabelled=(file,), output=tmp_path / "run",
              config=TINY, teachers=[knowing], overwrite=True)  # fmt: skip


def test_each_teacher_is_asked_once(tmp_path: Path, knowing: Knowing, messages) -> None:
    file = with_labels(tmp_path / "a.ft.txt", 60, seed=1)
    inputs = {"train": (file,), "unlabelled": (unlabelled(tmp_path / "more.txt", 40),)}
    train(**inputs, output=tmp_path / "run", config=TINY, teachers=[knowing])
    assert "a teacher labels 40 reviews" in messages.logged()
    save_bundle(toy(seed=1), tmp_path / "other")
    other = Knowing(load(tmp_path / "other").bundle, sure=0.7)
    run = train(**inputs, output=tmp_path / "run", config=TINY, teachers=[other], overwrite=True)
    assert other.asked == knowing.asked == 40
    corpora = in_cache(run)
    one_NC, other_NC, both_NC = (
        distilled(corpora, teachers, lambda event: None).targets
        for teachers in ([knowing], [other], [knowing, other])
    )
    np.testing.assert_allclose(both_NC, (one_NC + other_NC) / 2, atol=1e-6)
    assert not np.allclose(one_NC, other_NC)


def test_answers_of_8_bits_are_not_taken_for_others(tmp_path: Path) -> None:
    save_bundle(toy(), tmp_path / "toy")
    teachers = [
        load(tmp_path / "toy", *which) for which in (("onnx",), ("torch",), ("onnx", "int8"))
    ]
    onnx, torch, int8 = (teacher.identity for teacher in teachers)
    assert onnx == torch != int8
    file = with_labels(tmp_path / "a.ft.txt", 60, seed=1)
    inputs = {"train": (file,), "unlabelled": (unlabelled(tmp_path / "more.txt", 40),)}
    for teacher in (teachers[0], teachers[2]):
        run = train(
            **inputs, output=tmp_path / "run", config=TINY, teachers=[teacher], overwrite=True
        )
    (place,) = (run.folder / "cache").iterdir()
    assert len(list(place.glob("teacher-*"))) == 2


def test_a_resumed_run_has_the_same_teacher(tmp_path: Path, knowing: Knowing) -> None:
    file = with_labels(tmp_path / "a.ft.txt", 60, seed=1)
    inputs = {"train": (file,), "unlabelled": (unlabelled(tmp_path / "more.txt", 40),)}

    def stop(event: dict[str, object]) -> None:
        if event["event"] == "step" and event["step"] == 6:
            raise KeyboardInterrupt

    config = TINY.override({"eval_steps": 5, "batch_size": 8})
    train(**inputs, output=tmp_path / "run", config=config, teachers=[knowing], callbacks=[stop])
    save_bundle(toy(seed=1), tmp_path / "other")
    with pytest.raises(DataError, match="other settings or data"):
        train(**inputs, output=tmp_path / "run", config=config, teachers=[load(tmp_path / "other")],
              resume=True)  # fmt: skip
    resumed = train(
        **inputs, output=tmp_path / "run", config=config, teachers=[knowing], resume=True
    )
    whole = train(**inputs, output=tmp_path / "whole", config=config, teachers=[knowing])
    assert resumed.validation == whole.validation


def test_one_without_the_other(tmp_path: Path, knowing: Knowing) -> None:
    with pytest.raises(UsageError, match="unlabelled reviews, and no teacher"):
        train(train=("sample",), unlabelled=("sample",), output=tmp_path / "run")
    with pytest.raises(UsageError, match="a teacher, and no unlabelled reviews"):
        train(train=("sample",), output=tmp_path / "run", teachers=[knowing])
    with pytest.raises(UsageError, match="not read from a folder"):
        train(train=("sample",), unlabelled=("sample",), output=tmp_path / "run",
              teachers=[Predictor(toy())])  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_other_classes(tmp_path: Path) -> None:
    save_bundle(toy(classes=3), tmp_path / "toy")
    file = with_labels(tmp_path / "a.ft.txt", 60, seed=1)
    inputs = {"train": (file,), "unlabelled": (unlabelled(tmp_path / "more.txt", 40),)}
    with pytest.raises(UsageError, match="its classes are negative, neutral, positive, those"):
        train(**inputs, output=tmp_path / "run", config=TINY, teachers=[load(tmp_path / "toy")])
