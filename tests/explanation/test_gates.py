"""An explanation holds the gates of the last layer and the answers of the predictor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fixtures.toy_bundle import toy
from sentir.bundle import Bundle, save_bundle
from sentir.errors import BundleError, UsageError
from sentir.explanation.gates import explain
from sentir.inference.predictor import Predictor
from sentir.nn.cells import MODULES, unroll, weights_of
from sentir.nn.restore import restore_classifier

# Answers to one text and to a batch of its prefixes differ in the order of sums, in float32.
TOLERANCE = 1e-6
TEXT = "The hotel was not bad, la habitación estaba xyzzy. Good!"
TOKENS = ["the", "hotel", "was", "not", "bad", ",", "la", "habitación", "estaba", "xyzzy", ".",
          "good", "!"]  # fmt: skip
GATES = {
    "lstm": ["input", "forget", "output"],
    "gru": ["reset", "update"],
    "rnn": [],
}
MAKES = [
    {"cell": cell, "bidirectional": bidirectional, "num_layers": layers}
    for cell in MODULES
    for bidirectional in (False, True)
    for layers in (1, 2)
]


def last_layer_by_hand(bundle: Bundle, direction: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Gates and memory along the text, without `reverse_padded` and without batches."""
    model = restore_classifier(bundle)
    with torch.inference_mode():
        x_TBE = model.embedding(torch.tensor(bundle.tokenizer.encode([TEXT])).T)
        for layer in model.layers[:-1]:
            parts = [layer.forward_rnn(x_TBE)[0]]
            if layer.backward_rnn is not None:
                parts.append(layer.backward_rnn(x_TBE.flip(0))[0].flip(0))
            x_TBE = torch.cat(parts, dim=2)
        last = getattr(model.layers[-1], f"{direction}_rnn")
        inputs_TBE = x_TBE if direction == "forward" else x_TBE.flip(0)
        trace = unroll(bundle.config.model.cell, inputs_TBE, weights_of(last))
    carried_TBH = trace.hidden_TBH if trace.cell_TBH is None else trace.cell_TBH
    means = {
        name: value_TBH.mean(dim=(1, 2)).numpy()
        for name, value_TBH in {**trace.gates, "memory": carried_TBH.abs()}.items()
    }
    if direction == "backward":
        means = {name: value_T[::-1] for name, value_T in means.items()}
    memory = means.pop("memory")
    return means, memory


@pytest.mark.parametrize("make", MAKES, ids=lambda make: "-".join(map(str, make.values())))
def test_gates_are_those_of_the_last_layer(make: dict[str, Any]) -> None:
    bundle = toy(**make)
    explanation = explain(bundle, TEXT)
    assert list(explanation.gates) == (
        ["forward", "backward"] if make["bidirectional"] else ["forward"]
    )
    assert list(explanation.memory) == list(explanation.gates)
    for direction, gates in explanation.gates.items():
        expected, memory = last_layer_by_hand(bundle, direction)
        assert sorted(gates) == sorted(GATES[make["cell"]])
        for name, values in gates.items():
            assert values.shape == (13,)
            assert values.std() > 0.005
            np.testing.assert_allclose(values, expected[name], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(explanation.memory[direction], memory, rtol=0, atol=TOLERANCE)


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


def test_the_model_may_be_a_folder_or_loaded(tmp_path: Path) -> None:
    bundle = toy()
    save_bundle(bundle, tmp_path / "run" / "model")
    expected = explain(bundle, TEXT).to_dict()
    for model in (tmp_path / "run", str(tmp_path / "run"), Predictor(bundle)):
        assert explain(model, TEXT).to_dict() == expected
    with pytest.raises(BundleError, match="no model here"):
        explain(tmp_path / "absent", TEXT)
