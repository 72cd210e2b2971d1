"""Chunk by chunk the n-gram linear model is fitted as in memory, and to all reviews."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from fixtures.tiny_problem import new_model, separable, tiny, weights_of, write_corpus
from fixtures.tiny_runs import TINY, write_fasttext
from sentir.data.dataset import EncodedCorpus, JoinedCorpora, Reviews
from sentir.nn.classifier import SentimentClassifier
from sentir.training import (
    lbfgs_regression,
    ngram_candidates,
    ngram_chunks,
    ngram_counts,
    ngram_regression,
)
from sentir.training.class_weights import balanced_class_weights
from sentir.training.lbfgs_regression import FITTING
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.run import train as train_run

CONFIG = tiny(ngram_buckets=4096, max_length=30)


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Everything is above the cap, and chunks are tiny."""
    monkeypatch.setattr(ngram_counts, "MAX_TOKENS", 0)
    monkeypatch.setattr(ngram_chunks, "CHUNK_TOKENS", 100)
    monkeypatch.setattr(ngram_chunks, "BLOCK", 8)
    return monkeypatch


def noisy(path: Path, count: int, classes: int, *, few: int = 0) -> EncodedCorpus:
    """Words of three classes overlap, and a tenth of the labels are wrong."""
    random = np.random.default_rng(sum(path.name.encode()))
    labels = random.integers(0, classes, count)
    labels[: few and count * 2 // 3] = 0
    reviews = [(random.integers(2, 9, random.integers(1, 12)) + 4 * label) for label in labels]
    wrong = random.random(count) < 0.1
    labels = np.where(wrong, random.integers(0, classes, count), labels)
    return write_corpus(path, [ids.tolist() for ids in reviews], labels.tolist())


def loss(logits_NO: npt.NDArray[np.float64], corpus: EncodedCorpus, classes: int) -> float:
    model = new_model(CONFIG, classes=classes)
    return float(model.loss(torch.from_numpy(logits_NO), torch.from_numpy(corpus.labels_N)))


def fit(
    folder: Path,
    train: Reviews,
    valid: EncodedCorpus,
    *,
    classes: int = 2,
    model: SentimentClassifier | None = None,
    balanced: bool = False,
    **options: Any,
) -> tuple[SentimentClassifier, npt.NDArray[np.float64]]:
    """A fit beside a network that says nothing."""
    model = model or new_model(CONFIG, classes=classes)
    if balanced:
        model.set_class_weights(balanced_class_weights(valid.labels_N, classes))
    silence_NO = np.zeros((len(valid), 1 if classes == 2 else classes))
    return model, fit_ngram_linear(
        model, train, valid, silence_NO, 30, folder=folder / "cache", **options
    )


def both(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *given: Any, **options: Any
) -> list[tuple[SentimentClassifier, npt.NDArray[np.float64]]]:
    """The fit in memory, and the one by chunks."""
    with monkeypatch.context() as patched:
        patched.setattr(ngram_counts, "MAX_TOKENS", 10**9)
        in_memory = fit(folder, *given, **options)
    return [in_memory, fit(folder, *given, **options)]


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(("classes", "ordered"), [(2, False), (3, False), (3, True)])
def test_the_loss_is_that_of_the_fit_in_memory(
    tmp_path: Path,
    chunks: pytest.MonkeyPatch,
    classes: int,
    ordered: bool,
    balanced: bool,
    soft: bool,
) -> None:
    chunks.setattr(ngram_regression, "TOLERANCE", 1e-5)
    chunks.setattr(lbfgs_regression, "TOLERANCE", 1e-8)
    train: Reviews = noisy(tmp_path / "t", 300, classes, few=balanced)
    valid = noisy(tmp_path / "v", 100, classes)
    if soft:
        random = np.random.default_rng(0)
        hard_NC = np.eye(classes)[train.targets]
        soft_NC = 0.7 * hard_NC + 0.3 * random.dirichlet(np.ones(classes), len(train))
        train = JoinedCorpora([train], soft_NC.astype(np.float32))
    (_, in_memory), (_, by_chunks) = both(
        tmp_path, chunks, train, valid, classes=classes, balanced=balanced, ordered=ordered
    )
    wanted = loss(in_memory, valid, classes)
    assert wanted < 0.9 * np.log(classes)
    assert loss(by_chunks, valid, classes) == pytest.approx(wanted, abs=1e-4)


def test_reviews_that_count_more(tmp_path: Path, chunks: pytest.MonkeyPatch) -> None:
    train, valid = noisy(tmp_path / "t", 300, 2), noisy(tmp_path / "v", 100, 2)
    weighted = JoinedCorpora([train], train.labels_N)
    weighted.weights_N = np.where(train.labels_N == 1, 1.8, 0.2).astype(np.float32)
    (_, in_memory), (_, by_chunks) = both(tmp_path, chunks, weighted, valid)
    assert loss(by_chunks, valid, 2) == pytest.approx(loss(in_memory, valid, 2), abs=1e-4)
    _, unweighted = fit(tmp_path, train, valid)
    assert np.abs(by_chunks - unweighted).max() > 0.1


@pytest.mark.parametrize(("classes", "ordered"), [(2, False), (3, False), (3, True)])
def test_a_model_goes_on_learning_as_in_memory(
    tmp_path: Path, chunks: pytest.MonkeyPatch, classes: int, ordered: bool
) -> None:
    first, more = noisy(tmp_path / "t", 200, classes), noisy(tmp_path / "more", 150, classes)
    valid = noisy(tmp_path / "v", 100, classes)
    # Within the usual passes liblinear does not reach the optimum of so few words.
    chunks.setattr(ngram_regression, "MAX_ITERATIONS", 10**5)
    chunks.setattr(ngram_regression, "TOLERANCE", 1e-5)
    chunks.setattr(lbfgs_regression, "TOLERANCE", 1e-8)
    answers, keys = [], []
    for limit in (10**9, 0):
        chunks.setattr(ngram_counts, "MAX_TOKENS", 10**9)
        options = {"classes": classes, "ordered": ordered}
        model, _ = fit(tmp_path, first, valid, **options)
        chunks.setattr(ngram_counts, "MAX_TOKENS", limit)
        model, told_NO = fit(tmp_path, more, valid, model=model, refit=True, **options)
        answers.append(loss(told_NO, valid, classes))
        keys.append(weights_of(model)["ngram_linear.ngram_fingerprints"].tolist())
    assert answers[1] == pytest.approx(answers[0], abs=2e-4)
    assert keys[0] == keys[1]  # no new n-grams


def test_the_size_of_chunks_changes_nothing(tmp_path: Path, chunks: pytest.MonkeyPatch) -> None:
    train, valid = noisy(tmp_path / "t", 300, 2), noisy(tmp_path / "v", 100, 2)
    models = []
    for tokens in (1, 100, 10**6):
        chunks.setattr(ngram_chunks, "CHUNK_TOKENS", tokens)
        models.append(fit(tmp_path, train, valid, refit=True))
    for model, told_NO in models[1:]:
        np.testing.assert_allclose(told_NO, models[0][1], atol=1e-3)
        np.testing.assert_array_equal(
            *(weights_of(one)["ngram_linear.word_squared_scales"] for one in (model, models[0][0]))
        )


def test_every_review_is_fitted_to(tmp_path: Path, chunks: pytest.MonkeyPatch) -> None:
    """A sample of the tokens would leave out most of the words."""
    chunks.setattr(ngram_counts, "MAX_TOKENS", 30)
    reviews = [[word, 9] for word in range(10, 18) for _ in range(10)]
    labels = [word % 2 for word, _ in reviews]
    train = write_corpus(tmp_path / "t", reviews, labels)
    model, told_NO = fit(tmp_path, train, train)
    assert ((told_NO[:, 0] > 0) == train.labels_N).all()
    assert model.ngram_linear is not None
    assert model.ngram_linear.word_weights[10:18].all()


def test_more_ngrams_than_are_counted_and_fitted(
    tmp_path: Path, chunks: pytest.MonkeyPatch
) -> None:
    train, valid = separable(tmp_path / "t", 200), separable(tmp_path / "v", 60)
    chunks.setattr(ngram_candidates, "COUNTED_PER_ROW", 8)
    model = new_model(tiny(ngram_buckets=8, max_length=30))
    _, told_NO = fit(tmp_path, train, valid, model=model)
    assert loss(told_NO, valid, 2) < 0.1
    assert weights_of(model)["ngram_linear.ngram_fingerprints"].shape == (8,)


def test_reviews_without_a_pair_and_a_class_without_reviews(
    tmp_path: Path, chunks: pytest.MonkeyPatch
) -> None:
    train = write_corpus(tmp_path / "t", [[], [2]] * 20, [0, 1] * 20)
    _, told_NO = fit(tmp_path, train, train)
    assert loss(told_NO, train, 2) < 0.2
    model, told_NO = fit(tmp_path, train, train, classes=3)
    assert loss(told_NO, train, 3) < 0.2
    assert not weights_of(model)["ngram_linear.word_weights"][:, 2].any()


def test_nothing_is_left_behind(tmp_path: Path, chunks: pytest.MonkeyPatch) -> None:
    train = separable(tmp_path / "t", 60)
    told: list[tuple[str, int]] = []

    def advance(what: str, count: int) -> None:
        told.append((what, count))
        if len(told) == 30:
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fit(tmp_path, train, train, advance=advance)
    assert list((tmp_path / "cache").iterdir()) == []
    told.extend([("", 0)] * 30)
    fit(tmp_path, train, train, advance=advance)
    assert list((tmp_path / "cache").iterdir()) == []
    assert told[-1] == (FITTING, 0)  # it is done
    counted = [count for what, count in told[60:] if what == "counting n-grams"]
    assert (sum(counted), len(counted) > 3) == (60, True)


def test_a_run_above_the_cap_resumes_within_the_fit(
    tmp_path: Path, chunks: pytest.MonkeyPatch
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 300)
    config = TINY.override({"ngram_buckets": 256})
    seen: list[str] = []

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "progress":
            seen.append(event["what"])
            if seen.count(FITTING) == 20:
                raise RuntimeError("killed")

    whole = train_run(train=str(file), output=tmp_path / "whole", config=config)
    with pytest.raises(RuntimeError, match="killed"):
        train_run(train=str(file), output=tmp_path / "run", config=config, callbacks=[stop])
    resumed = train_run(train=str(file), output=tmp_path / "run", config=config, resume=True)
    for name, weight in whole.bundle.weights.items():
        assert np.array_equal(weight, resumed.bundle.weights[name]), name
    assert not list((tmp_path / "run" / "cache").rglob(".ngrams*"))


def test_memory_does_not_grow_with_the_reviews(tmp_path: Path, chunks: pytest.MonkeyPatch) -> None:
    """Apart from some bytes a review; most n-grams are new in each review, as in real ones."""
    chunks.setattr(ngram_chunks, "CHUNK_TOKENS", 8192)
    random, peaks_bytes = np.random.default_rng(0), []
    valid = separable(tmp_path / "v", 40)
    for count in (100, 1500, 6000):  # the first imports modules
        labels = random.integers(0, 2, count)
        reviews = random.integers(2, 400, (count, 25)) + 100 * labels[:, None]
        train = write_corpus(tmp_path / f"t{count}", reviews.tolist(), labels.tolist())
        model = new_model(tiny(ngram_buckets=512, max_length=30), words=500)
        del reviews
        tracemalloc.start()
        fit(tmp_path, train, valid, model=model)
        peaks_bytes.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks_bytes[2] < peaks_bytes[1] + 40 * (6000 - 1500)
