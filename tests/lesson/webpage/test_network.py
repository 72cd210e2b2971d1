from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sentir.bundle import load_bundle
from sentir.errors import UsageError
from sentir.explanation.explain import explain
from sentir.inference.predictor import Predictor
from sentir.io.builtin import builtin_reviews
from sentir.lesson.webpage.network import SEEDS, SMALL, small_network, train_network
from sentir.lesson.webpage.page import EXAMPLES, EXPERIMENTS
from sentir.synthetic.remarks import remarks
from sentir.synthetic.reviews import LANGUAGES
from sentir.synthetic.short_sentences import short_sentences
from sentir.text.tokenizer import UNK


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_small_network_answers_unseen_synthetic_reviews(language: str) -> None:
    bundle = small_network(language)
    assert bundle.config == SMALL.override({"seed": SEEDS[language]})
    name = {"en": "sample", "es": "sample_es"}[language]
    predictor = Predictor(bundle)
    for rows in (
        builtin_reviews(f"{name}:test"),
        short_sentences(300, language=language, seed=1),
        remarks(300, language=language, seed=1),
    ):
        labels, texts = zip(*(rows or ()), strict=True)
        answers = predictor.predict(texts)
        right = [answer.label == label for answer, label in zip(answers, labels, strict=True)]
        assert sum(right) / len(right) > 0.97


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_small_network_knows_the_words_of_the_examples(language: str) -> None:
    tokenizer = small_network(language).tokenizer
    assert all(tokenizer.encode([text])[0].count(UNK) == 0 for text in EXAMPLES[language])
    for experiment in EXPERIMENTS[language]:
        assert experiment["word"] in tokenizer.tokens(experiment["text"])


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("es", "Excelente producto, llegó rápido", "No vale la pena, llegó roto"),
        ("en", "Great product, fast delivery", "Not worth the money, it broke"),
    ],
)
def test_the_small_network_knows_remarks_and_what_it_does_not_know(
    language: str, good: str, bad: str
) -> None:
    predictor = Predictor(small_network(language))
    shares = predictor.predict_proba([good, bad, "xyzzy", "xyz qwe asd zxc"])[:, 1]
    assert shares[0] > 0.9
    assert shares[1] < 0.1
    assert np.all(np.abs(shares[2:] - 0.5) < 0.15)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_moves_in_the_examples(language: str) -> None:
    for text in EXAMPLES[language]:
        answer_T = explain(small_network(language), text).answer_TC[:, 1]
        assert answer_T.max() - answer_T.min() > 0.5
        assert abs(answer_T[-1] - 0.5) > 0.45


def test_a_network_can_be_trained_again(tmp_path: Path) -> None:
    config = SMALL.override({"epochs": 1, "max_vocab_size": 100})
    folder = tmp_path / "es"
    trained = train_network("es", folder, config=config, reviews=200, sentences=40, said=40)
    loaded = load_bundle(folder)
    assert loaded.synthetic
    assert loaded.config == trained.config == config.override({"seed": SEEDS["es"]})
    assert loaded.weights.keys() == trained.weights.keys()
    assert all(
        np.array_equal(loaded.weights[name], trained.weights[name]) for name in loaded.weights
    )
    assert "la" in loaded.tokenizer.vocabulary


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="no network reads 'fr'; use one of en, es"):
        small_network("fr")
    with pytest.raises(UsageError, match="language 'fr' has no grammar"):
        train_network("fr", Path("nowhere"))
