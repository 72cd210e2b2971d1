"""What the network kept, took in and showed at each token, and how its answer changed.

The gates come from the readable cells of `sentir.nn.cells` run with the trained weights. The answer
after each token is the classifier's own for the text read so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import Bundle, HasBundle, as_bundle
from sentir.data.batching import pad, truncate
from sentir.errors import UsageError
from sentir.nn.cells import unroll, weights_of
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.padding import reversal_index, reverse_padded
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import UNK

#: Prefixes of a text whose answers are computed together.
BATCH = 64

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One text as the network read it; T tokens.

    Attributes:
        tokens: as they were read, truncated to the model's length.
        known: whether each token has its own vector.
        labels: class names.
        answer_TC: probabilities after each token.
        gates: the mean over a layer's units of each gate at each token, by direction (``forward``,
            ``backward``), then by the gate's name; each (T,). Of the last layer, which the answer
            is computed from. The candidate, from -1 to 1, is left out: its mean says nothing.
        memory: the mean absolute value of the state that is carried (the LSTM's cell state) at each
            token, by direction.
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
                direction: {name: gate_T.tolist() for name, gate_T in gates.items()}
                for direction, gates in self.gates.items()
            },
            "memory": {direction: size_T.tolist() for direction, size_T in self.memory.items()},
        }


def explain(model: str | Path | Bundle | HasBundle, text: str) -> Explanation:
    """Read one text step by step.

    Args:
        model: the folder of a model or a run, a bundle, or a loaded model (`sentir.load`).
        text: the review.

    Raises:
        BundleError: there is no classifier in the folder.
        UsageError: the text has no token.
    """
    bundle = as_bundle(model)
    all_ids = bundle.tokenizer.encode([text])[0]
    if not all_ids:
        raise UsageError("the text holds no word", todo="give a text to explain")
    all_tokens = bundle.tokenizer.tokens(text)
    kept = truncate(np.arange(len(all_ids)), bundle.config.text.max_length)
    ids = [all_ids[index] for index in kept]
    network = restore_classifier(bundle)
    gates, memory = _gates(network, ids)
    return Explanation(
        tokens=[all_tokens[index] for index in kept],
        known=[id != UNK for id in ids],
        labels=bundle.labels.names,
        answer_TC=_answers(network, ids),
        gates=gates,
        memory=memory,
    )


def _answers(network: SentimentClassifier, ids: list[int]) -> Floats:
    """The answer to each prefix of the text, from one token to all of them, (T, C)."""
    answers = []
    with torch.inference_mode():
        for start in range(0, len(ids), BATCH):
            ends = range(start + 1, min(start + BATCH, len(ids)) + 1)
            batch = pad([ids[:end] for end in ends], len(ids))
            logits_BO = network(batch.ids_BT, batch.lengths_B).double()
            answers.append(network.probabilities(logits_BO).numpy())
    return np.concatenate(answers)


def _gates(
    network: SentimentClassifier, ids: list[int]
) -> tuple[dict[str, dict[str, Floats]], dict[str, Floats]]:
    """The gates and the memory of `Explanation`."""
    gates: dict[str, dict[str, Floats]] = {}
    memory: dict[str, Floats] = {}
    with torch.inference_mode():
        reversal_index_TB = reversal_index(torch.tensor([len(ids)]), len(ids))
        states_TBF = network.embed(torch.tensor([ids]).T)
        *lower, last = network.layers
        for layer in lower:
            states_TBF = layer(states_TBF, reversal_index_TB)
        assert isinstance(last, RecurrentLayer)
        for direction, rnn in (("forward", last.forward_rnn), ("backward", last.backward_rnn)):
            if rnn is None:
                continue
            inputs_TBF, in_text_order = states_TBF, slice(None)
            if direction == "backward":
                inputs_TBF = reverse_padded(states_TBF, reversal_index_TB)
                in_text_order = slice(None, None, -1)
            trace = unroll(network.config.cell, inputs_TBF, weights_of(rnn))
            carried_TBH = trace.hidden_TBH if trace.cell_TBH is None else trace.cell_TBH
            memory[direction] = _mean(carried_TBH.abs())[in_text_order]
            gates[direction] = {
                name: _mean(gate_TBH)[in_text_order]
                for name, gate_TBH in trace.gates.items()
                if name != "candidate"
            }
    return gates, memory


def _mean(values_TBH: torch.Tensor) -> Floats:
    """The mean over the units, (T,), for a batch of one text."""
    mean_T: Floats = values_TBH.mean(dim=(1, 2)).double().numpy()
    return mean_T
