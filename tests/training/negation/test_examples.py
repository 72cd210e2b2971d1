from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.polar_reviews import polar_corpus
from fixtures.tiny_problem import new_model, tiny, write_corpus
from sentir.config import CLEAN_STEPS
from sentir.data.dataset import EncodedCorpus
from sentir.nn.classifier import SentimentClassifier
from sentir.text.tokenizer import WordTokenizer
from sentir.training.negation import examples as examples_module
from sentir.training.negation.examples import Examples, cached_examples
from sentir.training.ngram_linear import fit_linear_logits


def model_for(tokenizer: WordTokenizer, ngram_buckets: int = 4096) -> SentimentClassifier:
    return new_model(tiny(ngram_buckets=ngram_buckets), words=len(tokenizer.vocabulary))


def make(
    corpus: EncodedCorpus, tokenizer: WordTokenizer, model: SentimentClassifier, count: int = 100
) -> Examples:
    return Examples.make(corpus, tokenizer, model, count=count, max_length=100, seed=0)


def same(one: Examples, other: Examples) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(one[row], other[row])
        and one.targets[row] == other.targets[row]
        and one.linear_SO[row] == other.linear_SO[row]
        for row in range(len(one))
    )


def test_the_linear_logits_are_those_of_the_examples_that_it_gets_wrong(tmp_path: Path) -> None:
    corpus, tokenizer = polar_corpus(tmp_path / "train")
    model = model_for(tokenizer)
    examples = make(corpus, tokenizer, model)
    logits_SO = examples_module.LINEAR_WEIGHT * fit_linear_logits(model, corpus, 100)(examples)
    is_wrong_SO = (logits_SO > 0) != (examples.targets == 1)[:, None]
    assert 0.2 < is_wrong_SO.mean() < 0.8
    assert np.allclose(examples.linear_SO, np.where(is_wrong_SO, logits_SO, 0), atol=1e-5)
    assert examples.linear_SO.dtype == np.float32
    assert set(examples.targets) == {0, 1}
    assert examples.lengths_N.tolist() == [len(examples[row]) for row in range(len(examples))]


def test_without_the_linear_model_nothing_is_added(tmp_path: Path) -> None:
    corpus, tokenizer = polar_corpus(tmp_path / "train")
    examples = make(corpus, tokenizer, model_for(tokenizer, ngram_buckets=0))
    assert len(examples)
    assert not examples.linear_SO.any()


def test_reviews_in_no_known_language_give_no_example(tmp_path: Path) -> None:
    tokenizer = WordTokenizer(["gut", "schlecht", "war"], CLEAN_STEPS)
    corpus = write_corpus(tmp_path / "t", [[2, 4], [3, 4]] * 30, [1, 0] * 30)
    examples = make(corpus, tokenizer, model_for(tokenizer))
    assert len(examples) == 0
    assert examples.linear_SO.shape == (0, 1)


def test_saved_examples_are_loaded_as_they_were(tmp_path: Path) -> None:
    corpus, tokenizer = polar_corpus(tmp_path / "train")
    for number, count in enumerate((60, 0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        examples = make(corpus, tokenizer, model_for(tokenizer), count)
        examples.save(folder)
        assert same(Examples.load(folder), examples)


def test_they_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, tokenizer = polar_corpus(tmp_path / "train")

    def cached() -> Examples:
        return cached_examples(
            tmp_path, "kept", lambda: make(corpus, tokenizer, model_for(tokenizer), 40)
        )

    first = cached()
    monkeypatch.setattr(Examples, "make", None)
    assert same(cached(), first)
