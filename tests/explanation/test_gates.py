from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from fixtures.toy_bundle import toy
from sentir.bundle import Bundle
from sentir.errors import UsageError
from sentir.explanation.gates import Explanation, explain
from sentir.inference.predictor import Predictor
from sentir.nn.cells import MODULES, unroll, weights_of
from sentir.nn.restore import restore_classifier

# Answers to one text and to a batch of its beginnings differ in the order of sums, in float32.
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
    {"cell": cell, "bidirectional": both, "num_layers": layers}
    for cell in MODULES
    for both in (False, True)
    for layers in (1, 2)
]


def last_layer_by_hand(bundle: Bundle, direction: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Gates and memory along the text, by means that need neither `reverse_padded` nor batches."""
    model = restore_classifier(bundle)
    with torch.inference_mode():
        x_TBE = model.embedding(torch.tensor(bundle.tokenizer.encode([TEXT])).T)
        for layer in model.layers[:-1]:
            parts = [layer.forward_rnn(x_TBE)[0]]
            if layer.backward_rnn is not None:
                parts.append(layer.backward_rnn(x_TBE.flip(0))[0].flip(0))
            x_TBE = torch.cat(parts, dim=2)
        last = getattr(model.layers[-1], f"{direction}_rnn")
        read = x_TBE if direction == "forward" else x_TBE.flip(0)
        trace = unroll(bundle.config.model.cell, read, weights_of(last))
    carried = trace.hidden_TBH if trace.cell_TBH is None else trace.cell_TBH
    told = {**trace.gates, "memory": carried.abs()}
    along = {name: value.mean(dim=(1, 2)).numpy() for name, value in told.items()}
    if direction == "backward":
        along = {name: value[::-1] for name, value in along.items()}
    memory = along.pop("memory")
    return along, memory


@pytest.mark.parametrize("make", MAKES, ids=lambda make: "-".join(map(str, make.values())))
def test_gates_are_those_of_the_last_layer(make: dict[str, Any]) -> None:
    bundle = toy(**make)
    told = explain(bundle, TEXT)
    assert list(told.gates) == (["forward", "backward"] if make["bidirectional"] else ["forward"])
    assert list(told.memory) == list(told.gates)
    for direction, gates in told.gates.items():
        wanted, memory = last_layer_by_hand(bundle, direction)
        assert sorted(gates) == sorted(GATES[make["cell"]])
        for name, values in gates.items():
            assert values.shape == (13,)
            assert values.std() > 0.005
            np.testing.assert_allclose(values, wanted[name], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(told.memory[direction], memory, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("make", MAKES, ids=lambda make: "-".join(map(str, make.values())))
@pytest.mark.parametrize("classes", [2, 3])
def test_answers_are_the_predictors_for_the_text_so_far(make: dict[str, Any], classes: int) -> None:
    bundle = toy(classes=classes, **make)
    told = explain(bundle, TEXT)
    assert told.answer_TC.shape == (13, classes)
    predictor = Predictor(bundle)
    beginnings = [" ".join(TOKENS[:end]) for end in range(1, 14)]
    wanted_TC = predictor.predict_proba(beginnings)
    np.testing.assert_allclose(told.answer_TC, wanted_TC, rtol=0, atol=TOLERANCE)
    last_C = predictor.predict_proba([TEXT])[0]
    np.testing.assert_allclose(told.answer_TC[-1], last_C, rtol=0, atol=TOLERANCE)


def test_tokens_are_told_from_unknown_ones() -> None:
    told = explain(toy(), TEXT)
    assert told.tokens == TOKENS
    assert [token for token, known in zip(told.tokens, told.known, strict=True) if not known] == [
        "xyzzy", "!",
    ]  # fmt: skip
    assert told.labels == ("negative", "positive")


def test_a_long_text_is_cut_where_the_model_cuts_it() -> None:
    bundle = toy(max_length=100)
    words = "good bad dull ".split() * 50
    text = " ".join(words)
    told = explain(bundle, text)
    assert len(told.tokens) == len(told.known) == len(told.answer_TC) == 100
    assert told.tokens == words[:25] + words[-75:]
    last_C = Predictor(bundle).predict_proba([text])[0]
    np.testing.assert_allclose(told.answer_TC[-1], last_C, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the text holds no word; give a text to explain"):
        explain(toy(), text)


def test_plain_data() -> None:
    told: Explanation = explain(toy(), "not good")
    plain = json.loads(json.dumps(told.to_dict()))
    assert plain["tokens"] == ["not", "good"]
    assert plain["known"] == [True, True]
    assert plain["labels"] == ["negative", "positive"]
    assert np.array_equal(plain["answer"], told.answer_TC)
    assert np.array_equal(plain["gates"]["backward"]["forget"], told.gates["backward"]["forget"])
    assert np.array_equal(plain["memory"]["forward"], told.memory["forward"])
