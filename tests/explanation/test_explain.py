"""An explanation holds the predictor's answers, each word's effect, and becomes JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.toy_bundle import toy
from sentir.bundle import save_bundle
from sentir.errors import BundleError, UsageError
from sentir.explanation.explain import explain
from sentir.inference.predictor import Predictor
from sentir.nn.cells import MODULES

# Answers to one text and to a batch of its prefixes differ in the order of sums, in float32.
TOLERANCE = 1e-6
TEXT = "The hotel was not bad, la habitación estaba xyzzy. Good!"
TOKENS = ["the", "hotel", "was", "not", "bad", ",", "la", "habitación", "estaba", "xyzzy", ".",
          "good", "!"]  # fmt: skip
MAKES = [
    {"cell": cell, "bidirectional": bidirectional, "num_layers": layers}
    for cell in MODULES
    for bidirectional in (False, True)
    for layers in (1, 2)
]


@pytest.mark.parametrize("make", MAKES, ids=lambda make: "-".join(map(str, make.values())))
@pytest.mark.parametrize("classes", [2, 3])
def test_answers_are_the_predictors_for_the_text_so_far(make: dict[str, Any], classes: int) -> None:
    bundle = toy(classes=classes, **make)
    explanation = explain(bundle, TEXT)
    assert explanation.answer_TC.shape == (13, classes)
    predictor = Predictor(bundle)
    prefixes = [" ".join(TOKENS[:end]) for end in range(1, 14)]
    expected_TC = predictor.predict_proba(prefixes)
    np.testing.assert_allclose(explanation.answer_TC, expected_TC, rtol=0, atol=TOLERANCE)
    last_C = predictor.predict_proba([TEXT])[0]
    np.testing.assert_allclose(explanation.answer_TC[-1], last_C, rtol=0, atol=TOLERANCE)


def test_tokens_are_told_from_unknown_ones() -> None:
    explanation = explain(toy(), TEXT)
    assert explanation.tokens == TOKENS
    known = zip(explanation.tokens, explanation.known, strict=True)
    assert [token for token, is_known in known if not is_known] == ["xyzzy", "!"]
    assert explanation.labels == ("negative", "positive")


def test_a_long_text_is_truncated_as_the_model_does() -> None:
    bundle = toy(max_length=100)
    words = "good bad dull ".split() * 50
    text = " ".join(words)
    explanation = explain(bundle, text)
    assert len(explanation.tokens) == len(explanation.known) == len(explanation.answer_TC) == 100
    assert explanation.tokens == words[:25] + words[-75:]
    last_C = Predictor(bundle).predict_proba([text])[0]
    np.testing.assert_allclose(explanation.answer_TC[-1], last_C, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the text holds no word; give a text to explain"):
        explain(toy(), text)


def test_it_becomes_json() -> None:
    explanation = explain(toy(), "not good")
    plain = json.loads(json.dumps(explanation.to_dict()))
    assert plain["tokens"] == ["not", "good"]
    assert plain["known"] == [True, True]
    assert plain["labels"] == ["negative", "positive"]
    assert np.array_equal(plain["answer"], explanation.answer_TC)
    assert np.array_equal(
        plain["gates"]["backward"]["forget"], explanation.gates["backward"]["forget"]
    )
    assert np.array_equal(plain["memory"]["forward"], explanation.memory["forward"])
    assert plain["prediction"] in plain["labels"]
    assert plain["probability"] == max(plain["answer"][-1])
    first = explanation.words[0]
    assert plain["words"][0] == {"text": "not", "start": 0, "end": 1, "effect": first.effect}
    assert (plain["ngrams"], plain["attention"]) == (None, None)


def test_attention_and_ngrams_become_json() -> None:
    explanation = explain(toy(pooling="attention", ngram_buckets=2**16), "not good")
    plain = json.loads(json.dumps(explanation.to_dict()))
    assert sum(plain["attention"]) == pytest.approx(1)
    assert plain["ngrams"][0].keys() == {"text", "count", "effect"}
    assert {ngram["text"] for ngram in plain["ngrams"]} == {"not", "good", "not good"}


def test_the_model_may_be_a_folder_or_loaded(tmp_path: Path) -> None:
    bundle = toy()
    save_bundle(bundle, tmp_path / "run" / "model")
    expected = explain(bundle, TEXT).to_dict()
    for model in (tmp_path / "run", str(tmp_path / "run"), Predictor(bundle)):
        assert explain(model, TEXT).to_dict() == expected
    with pytest.raises(BundleError, match="no model here"):
        explain(tmp_path / "absent", TEXT)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_effect_of_a_word_is_the_answer_with_it_against_that_without_it(classes: int) -> None:
    bundle = toy(classes=classes)
    explanation, predictor = explain(bundle, TEXT), Predictor(bundle)
    best = bundle.labels.names.index(explanation.prediction)
    shortened = [" ".join(TOKENS[:place] + TOKENS[place + 1 :]) for place in range(13)]
    answers_NC = predictor.predict_proba([TEXT, *shortened])
    assert explanation.prediction == predictor.predict_one(TEXT).label
    assert explanation.probability == pytest.approx(answers_NC[0].max(), abs=TOLERANCE)
    odds_N = np.log(answers_NC[:, best] / (1 - answers_NC[:, best]))
    assert [word.text for word in explanation.words] == TOKENS
    effects = [word.effect for word in explanation.words]
    np.testing.assert_allclose(effects, odds_N[0] - odds_N[1:], rtol=0, atol=1e-4)
    assert np.std(effects) > 0.1


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("ngram_buckets", [0, 512])
def test_the_shares_of_the_parts_add_up_to_the_logit(classes: int, ngram_buckets: int) -> None:
    explanation = explain(toy(classes=classes, ngram_buckets=ngram_buckets), TEXT)
    best = explanation.labels.index(explanation.prediction)
    logits_C = np.log(explanation.answer_TC[-1])
    against = logits_C[best] - np.delete(logits_C, best).mean()
    assert sum(explanation.shares.values()) == pytest.approx(against)
    assert ("ngram_linear" in explanation.shares) == (ngram_buckets > 0)
    assert (explanation.ngrams is None) == (ngram_buckets == 0)


def test_the_strongest_words_come_first_on_request() -> None:
    explanation = explain(toy(), TEXT)
    effects = [abs(word.effect) for word in explanation.words]
    strongest = explanation.strongest(3)
    assert [abs(word.effect) for word in strongest] == sorted(effects, reverse=True)[:3]
    assert len(explanation.strongest()) == 13
