"""Gates and attention are those of the network's last layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fixtures.toy_bundle import toy
from sentir.bundle import Bundle
from sentir.explanation.explain import explain
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
    "qrnn": ["forget", "output"],
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


@pytest.mark.parametrize("bidirectional", [False, True])
def test_attention_weights_are_those_of_the_pooling(bidirectional: bool) -> None:
    bundle = toy(cell="gru", pooling="attention", bidirectional=bidirectional)
    model = restore_classifier(bundle)
    seen: list[torch.Tensor] = []
    assert model.pooling.score is not None
    model.pooling.score.register_forward_hook(lambda _, inputs, scores: seen.append(scores))
    ids_BT = torch.tensor(bundle.tokenizer.encode([TEXT]))
    with torch.inference_mode():
        model(ids_BT, torch.tensor([13]))
    weights_T = explain(bundle, TEXT).attention_T
    assert weights_T is not None
    assert weights_T.std() > 0.01
    np.testing.assert_allclose(weights_T, seen[0].flatten().softmax(0), rtol=0, atol=TOLERANCE)


def test_other_poolings_have_no_attention_weights() -> None:
    assert explain(toy(), TEXT).attention_T is None
