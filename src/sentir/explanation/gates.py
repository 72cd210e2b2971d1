"""What the network kept, took in and showed at each token, and how its answer moved.

The gates come from the readable cells of `sentir.nn.cells` run on the trained weights. The answer
after each token is the classifier's own for the text read so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import Bundle
from sentir.data.batching import pad, truncate
from sentir.errors import UsageError
from sentir.nn.cells import unroll, weights_of
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.padding import reversal_index, reverse_padded
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import UNK

#: Prefixes whose answers are computed together.
BATCH = 64

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One text as the network read it; T tokens.

    Attributes:
        tokens: as they were read, truncated to the model's length.
        known: whether each token has a vector of its own.
        labels: class names.
        answer_TC: probabilities after each token.
        gates: the mean over a layer's units of each gate at each token, by direction (``ahead``,
            ``back``), then by the gate's name; each (T,). Of the last layer, which feeds the
            answer. The candidate, from -1 to 1, is left out: its mean says nothing.
        memory: the mean size of the carried state (the LSTM's cell state) at each token, by
            direction.
    """

    tokens: list[str]
    known: list[bool]
    labels: tuple[str, ...]
    answer_TC: Floats
    gates: dict[str, dict[str, Floats]]
    memory: dict[str, Floats]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return {
            "tokens": self.tokens,
            "known": self.known,
            "labels": list(self.labels),
            "answer": self.answer_TC.tolist(),
            "gates": {
                direction: {name: gate.tolist() for name, gate in gates.items()}
                for direction, gates in self.gates.items()
            },
            "memory": {direction: size.tolist() for direction, size in self.memory.items()},
        }


def explain(bundle: Bundle, text: str) -> Explanation:
    """Read one text step by step.

    Raises:
        UsageError: the text holds no token.
    """
    whole = bundle.tokenizer.encode([text])[0]
    if not whole:
        raise UsageError("the text holds no word", todo="give a text to explain")
    read = truncate(np.arange(len(whole)), bundle.config.text.max_length)
    ids = [whole[at] for at in read]
    every = bundle.tokenizer.tokens(text)
    tokens = [every[at] for at in read]
    network = restore_classifier(bundle)
    gates, memory = _gates(network, ids)
    return Explanation(
        tokens=tokens,
        known=[id != UNK for id in ids],
        labels=bundle.labels.names,
        answer_TC=_answers(network, ids),
        gates=gates,
        memory=memory,
    )


def _answers(model: SentimentClassifier, ids: list[int]) -> Floats:
    """The answer to each beginning of the text, from one token to all of them."""
    answers = []
    with torch.inference_mode():
        for start in range(0, len(ids), BATCH):
            ends = range(start + 1, min(start + BATCH, len(ids)) + 1)
            batch = pad([ids[:end] for end in ends], len(ids))
            logits_BO = model(batch.ids_BT, batch.lengths_B).double()
            answers.append(model.probabilities(logits_BO).numpy())
    return np.concatenate(answers)


def _gates(
    model: SentimentClassifier, ids: list[int]
) -> tuple[dict[str, dict[str, Floats]], dict[str, Floats]]:
    gates: dict[str, dict[str, Floats]] = {}
    memory: dict[str, Floats] = {}
    with torch.inference_mode():
        reversal_index_TB = reversal_index(torch.tensor([len(ids)]), len(ids))
        states_TBF = model.embed(torch.tensor([ids]).T)
        *below, last = model.layers
        for layer in below:
            states_TBF = layer(states_TBF, reversal_index_TB)
        assert isinstance(last, RecurrentLayer)
        for name, direction in (("forward", last.forward_rnn), ("backward", last.backward_rnn)):
            if direction is None:
                continue
            read_TBF = (
                reverse_padded(states_TBF, reversal_index_TB) if name == "backward" else states_TBF
            )
            trace = unroll(model.config.cell, read_TBF, weights_of(direction))
            carried_TBH = trace.hidden_TBH if trace.cell_TBH is None else trace.cell_TBH
            # Told along the text, whichever way it was read.
            along = slice(None, None, -1 if name == "backward" else 1)
            memory[name] = carried_TBH.abs().mean(dim=(1, 2)).double().numpy()[along]
            gates[name] = {
                gate: value_TBH.mean(dim=(1, 2)).double().numpy()[along]
                for gate, value_TBH in trace.gates.items()
                if gate != "candidate"
            }
    return gates, memory
