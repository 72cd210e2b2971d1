"""What the network kept, took in and showed at each token, and how its answer changed.

The gates come from the cells of `sentir.inference.cells` run with the trained weights. The answer
after each token is the model's own for the text read so far.

Shapes: T tokens of the text, E numbers per token that a layer reads, H hidden units, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sentir.bundle import Bundle, HasBundle, as_bundle
from sentir.data.batching import pad_arrays, truncate
from sentir.errors import UsageError
from sentir.inference.cells import Trace, unroll
from sentir.inference.engines import Engine
from sentir.inference.network import Floats, NetworkWeights
from sentir.inference.packed import PackedBatch
from sentir.inference.predictor import Predictor
from sentir.text.tokenizer import UNK

#: What a gate does, in short; 0 nothing, 1 all.
MEANING = {
    "forget": "keeps of the past",
    "input": "takes in",
    "output": "shows",
    "reset": "lets the candidate see the past",
    "update": "keeps of the past",
}


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
        model: the folder of a model or a run, a bundle, or a loaded model (`sentir.load`), which
            answers with its own engine and precision.
        text: the review.

    Raises:
        BundleError: there is no classifier in the folder.
        UsageError: the text has no token.
    """
    predictor = model if isinstance(model, Predictor) else Predictor(as_bundle(model))
    bundle = predictor.bundle
    all_ids = bundle.tokenizer.encode([text])[0]
    if not all_ids:
        raise UsageError("the text holds no word", todo="give a text to explain")
    all_tokens = bundle.tokenizer.tokens(text)
    kept = truncate(np.arange(len(all_ids)), bundle.config.text.max_length)
    ids = [all_ids[index] for index in kept]
    traces = _last_layer(NetworkWeights.of(bundle), ids)
    return Explanation(
        tokens=[all_tokens[index] for index in kept],
        known=[id != UNK for id in ids],
        labels=bundle.labels.names,
        answer_TC=_answers(predictor.engine, ids),
        gates={
            direction: {
                name: _mean(gate_TBH)
                for name, gate_TBH in trace.gates.items()
                if name != "candidate"
            }
            for direction, trace in traces.items()
        },
        memory={
            direction: _mean(np.abs(trace.hidden_TBH if trace.cell_TBH is None else trace.cell_TBH))
            for direction, trace in traces.items()
        },
    )


def _answers(engine: Engine, ids: list[int]) -> Floats:
    """The answer to each prefix of the text, from one token to all of them, (T, C)."""
    answers = []
    for start in range(0, len(ids), engine.batch_size):
        ends = range(start + 1, min(start + engine.batch_size, len(ids)) + 1)
        answers.append(engine.probabilities(pad_arrays([ids[:end] for end in ends], len(ids))))
    return np.concatenate(answers)


def _last_layer(network: NetworkWeights, ids: list[int]) -> dict[str, Trace]:
    """What each direction of the last layer did, in the order of the text, for a batch of one."""
    cell = network.config.cell
    states_TBE = network.embed(PackedBatch.of(pad_arrays([ids], len(ids))))[:, None]
    traces: list[Trace] = []
    for forward, *backward in network.layers:
        traces = [unroll(cell, states_TBE, forward)]
        traces += [unroll(cell, states_TBE[::-1], weights).backwards() for weights in backward]
        states_TBE = np.concatenate([trace.hidden_TBH for trace in traces], axis=2)
    return dict(zip(("forward", "backward"), traces, strict=False))


def _mean(values_TBH: npt.NDArray[np.float32]) -> Floats:
    """The mean over the units, (T,), for a batch of one text."""
    mean_T: Floats = values_TBH.mean(axis=(1, 2), dtype=np.float64)
    return mean_T
