from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.tiny_problem import new_model, same, separable, tiny, weights_of, write_corpus
from sentir.data.dataset import EncodedCorpus, JoinedCorpora
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.ngram_linear import fingerprint, ngram_keys
from sentir.nn.restore import to_arrays
from sentir.training import ngram_counts, ngram_table
from sentir.training.classification import logits, probabilities
from sentir.training.ngram_linear import fit_linear_logits, fit_ngram_linear

CONFIG = tiny(ngram_buckets=4096, max_length=30)


def loss(model: SentimentClassifier, corpus: EncodedCorpus) -> float:
    answers_NC = probabilities(model, corpus, 30)
    return float(-np.log(answers_NC[np.arange(len(corpus)), corpus.labels_N]).mean())


def fit(model: SentimentClassifier, train: EncodedCorpus, valid: EncodedCorpus) -> None:
    fit_ngram_linear(model, train, valid, logits(model, valid, 30), 30)


def test_words_that_tell_are_found(tmp_path: Path) -> None:
    train, valid = separable(tmp_path / "t", 200), separable(tmp_path / "v", 60)
    model = new_model(CONFIG)
    before = loss(model, valid)
    fit(model, train, valid)
    assert before > 0.6
    assert loss(model, valid) < 0.1


def test_pairs_that_tell_are_found(tmp_path: Path) -> None:
    """Which of two words comes first: no single word knows."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 300)
    reviews = [[9, 2, 3, 9] if label else [9, 3, 2, 9] for label in labels]
    train = write_corpus(tmp_path / "t", reviews[:200], labels[:200].tolist())
    valid = write_corpus(tmp_path / "v", reviews[200:], labels[200:].tolist())
    model = new_model(CONFIG)
    fit(model, train, valid)
    assert loss(model, valid) < 0.1


def test_triples_that_tell_are_found(tmp_path: Path) -> None:
    """Whether a word comes twice between two others: each word and pair is in all reviews."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 300)
    reviews = [[2, 3, 2, 4, 3, 4] if label else [2, 3, 4, 3, 2, 4] for label in labels]
    train = write_corpus(tmp_path / "t", reviews[:200], labels[:200].tolist())
    valid = write_corpus(tmp_path / "v", reviews[200:], labels[200:].tolist())
    model = new_model(CONFIG)
    fit(model, train, valid)
    assert loss(model, valid) < 0.1


def test_of_more_than_there_may_be_those_of_most_weight_stay(tmp_path: Path) -> None:
    reviews, labels = [[6, 7]] * 3 + [[2, 3]] * 50 + [[4]] * 50, [1] * 53 + [0] * 50
    train = write_corpus(tmp_path / "t", reviews, labels)
    model = new_model(tiny(ngram_buckets=1, max_length=30))
    fit(model, train, train)
    assert model.ngram_linear is not None
    strongest_TB = next(ngram_keys(torch.tensor([[2], [3]])))
    assert model.ngram_linear.ngram_fingerprints.item() == fingerprint(strongest_TB)[1, 0]


def test_the_table_has_the_size_of_its_ngrams_and_numbers_of_16_bits(tmp_path: Path) -> None:
    train = separable(tmp_path / "t", 200, wrong=0.1)
    model = new_model(CONFIG)
    fit(model, train, train)
    assert model.ngram_linear is not None
    tables = to_arrays(model.ngram_linear)
    rows, owned = len(tables["ngram_weights"]), np.count_nonzero(tables["ngram_fingerprints"])
    assert rows % ngram_table.ROW_UNIT == 0
    assert 0 <= rows - owned < ngram_table.ROW_UNIT
    for name in ("word_weights", "word_squared_scales", "ngram_weights", "ngram_squared_scales"):
        assert tables[name].any()
        assert np.array_equal(tables[name], tables[name].astype(np.float16))


@pytest.mark.parametrize("texts", [[[2], [3]], [[], [2]]])
def test_reviews_without_a_pair(tmp_path: Path, texts: list[list[int]]) -> None:
    train = write_corpus(tmp_path / "t", texts * 20, [0, 1] * 20)
    model = new_model(CONFIG)
    fit(model, train, train)
    assert loss(model, train) < 0.2


def test_probable_classes_count_as_each_class_as_often(tmp_path: Path) -> None:
    """A word that the targets call 3 to 1 is as one of which three reviews in four are praise."""
    soft = write_corpus(tmp_path / "s", [[2], [3]] * 100, [0] * 200)
    hard = write_corpus(tmp_path / "h", [[2], [3]] * 100, [1, 0, 1, 1, 1, 0, 0, 0] * 25)
    valid = write_corpus(tmp_path / "v", [[2], [3]] * 4, [1, 0, 1, 1, 1, 0, 0, 0])
    targets_NC = np.array([[0.25, 0.75], [0.75, 0.25]] * 100, np.float32)
    found = []
    for train in (JoinedCorpora([soft], targets_NC), hard):
        model = new_model(CONFIG)
        for part in model.head.parameters():
            torch.nn.init.zeros_(part)
        silence_NO = logits(model, valid, 30)
        found.append(fit_ngram_linear(model, train, valid, silence_NO, 30))
    assert 0.6 < 1 / (1 + np.exp(-found[0][0, 0])) < 0.9
    np.testing.assert_allclose(*found, atol=1e-3)


def test_fitted_once_more_to_all(tmp_path: Path) -> None:
    """A word that stands in validation reviews only has a weight in the end, if it is wanted."""
    train = write_corpus(tmp_path / "t", [[2, 3], [4, 5]] * 50, [0, 1] * 50)
    valid = write_corpus(tmp_path / "v", [[15], [15], [2]], [1, 1, 0])
    outcomes = []
    for refit in (False, True):
        model = new_model(CONFIG)
        network_NO = logits(model, valid, 30)
        outcomes.append(fit_ngram_linear(model, train, valid, network_NO, 30, refit=refit))
        assert model.ngram_linear is not None
        assert bool(model.ngram_linear.word_weights[15].any()) == refit
    assert np.array_equal(*outcomes)  # which are from before that


def test_the_intercept_is_fitted_once_more_too(tmp_path: Path) -> None:
    """One word stands in praise alone, so what has it not must be moved the other way."""
    reviews, labels = [[9, 15], [9]], [1, 0]
    few = write_corpus(tmp_path / "t", reviews * 4, labels * 4)
    bulk = write_corpus(tmp_path / "v", reviews * 200, labels * 200)
    model = new_model(CONFIG)
    for part in model.head.parameters():  # a network that says nothing
        torch.nn.init.zeros_(part)
    fit_ngram_linear(model, few, bulk, logits(model, bulk, 30), 30, refit=True)
    found_NO = logits(model, bulk, 30)
    assert found_NO.mean() == pytest.approx(0, abs=0.05)
    assert found_NO.max() > 3


def test_what_is_told_of_validation_is_what_the_model_answers(tmp_path: Path) -> None:
    train, valid = separable(tmp_path / "t", 100, wrong=0.2), separable(tmp_path / "v", 50)
    model = new_model(CONFIG)
    told_NO = fit_ngram_linear(model, train, valid, logits(model, valid, 30), 30)
    # Up to the rounding of weights to 16 bits: less than 0.001 of a probability.
    np.testing.assert_allclose(logits(model, valid, 30), told_NO, atol=4e-3 * np.abs(told_NO).max())


def test_three_classes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    reviews = [(random.integers(2, 7, 6) + 5 * label).tolist() for label in labels]
    train = write_corpus(tmp_path / "t", reviews[:200], labels[:200].tolist())
    valid = write_corpus(tmp_path / "v", reviews[200:], labels[200:].tolist())
    model = new_model(CONFIG, classes=3)
    fit(model, train, valid)
    assert loss(model, valid) < 0.3


@pytest.mark.parametrize("classes", [2, 3])
def test_terms_that_tell_nothing_do_no_harm(tmp_path: Path, classes: int) -> None:
    """The labels are noise: no mix is worse than the network alone where it is measured."""
    random = np.random.default_rng(1)
    reviews = random.integers(2, 20, (300, 8)).tolist()
    labels = random.integers(0, classes, 300).tolist()
    train = write_corpus(tmp_path / "t", reviews[:200], labels[:200])
    valid = write_corpus(tmp_path / "v", reviews[200:], labels[200:])
    model = new_model(CONFIG, classes=classes)
    before = loss(model, valid)
    fit(model, train, valid)
    assert loss(model, valid) <= before + 1e-3


def test_the_answers_are_the_mix_of_both_parts(tmp_path: Path) -> None:
    train, valid = separable(tmp_path / "t", 100, wrong=0.2), separable(tmp_path / "v", 50)
    model, alone = new_model(CONFIG), new_model(CONFIG)
    fit(model, train, valid)
    again = new_model(CONFIG)
    fit(again, train, valid)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])  # no chance in it
        if "ngram_linear" not in name and "head" not in name:
            assert torch.equal(weight, alone.state_dict()[name])


def test_a_large_corpus_is_fitted_to_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its labels stand in order: the part is taken at random."""
    labels = [0] * 150 + [1] * 150
    reviews = [[2 + label, 9, 10] for label in labels]
    train = write_corpus(tmp_path / "t", reviews, labels)
    monkeypatch.setattr(ngram_counts, "MAX_TOKENS", 180)
    model = new_model(CONFIG)
    fit(model, train, train)
    assert loss(model, train) < 0.1


def test_fit_before_training_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    train, valid = separable(tmp_path / "t", 200), separable(tmp_path / "v", 60)
    model = new_model(CONFIG)
    before = weights_of(model)
    logits_NO = fit_linear_logits(model, train, 30)(valid)
    assert same(before, weights_of(model))
    assert ((logits_NO[:, 0] > 0) == valid.labels_N).mean() > 0.95
