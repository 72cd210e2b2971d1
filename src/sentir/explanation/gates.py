"""What the last layer kept, took in and showed at each token, and what its pooling looked at.

The gates come from the cells of `sentir.inference.cells` run with the trained weights.

Shapes: T tokens of the text, E numbers per token that a layer reads, H hidden units, F features of
a state (directions times H).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.data.batching import pad_arrays
from sentir.inference.cells import Trace, unroll
from sentir.inference.network import Floats, NetworkWeights
from sentir.inference.packed import PackedBatch

#: What a gate does, in short; 0 nothing, 1 all.
MEANING = {
    "forget": "keeps of the past",
    "input": "takes in",
    "output": "shows",
    "reset": "lets the candidate see the past",
    "update": "keeps of the past",
}


class LastLayer(NamedTuple):
    """The last layer along a text; see `sentir.explanation.explain.Explanation`."""

    gates: dict[str, dict[str, Floats]]
    memory: dict[str, Floats]
    attention_T: Floats | None


def last_layer(network: NetworkWeights, ids: list[int]) -> LastLayer:
    """The gates, the memory and the attention weights of one text."""
    traces = _traces(network, ids)
    return LastLayer(
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
        attention_T=None if network.query_F is None else _attention(network.query_F, traces),
    )


def _traces(network: NetworkWeights, ids: list[int]) -> dict[str, Trace]:
    """What each direction of the last layer did, in the order of the text, for a batch of one."""
    cell = network.config.cell
    states_TBE = network.embed(PackedBatch.of(pad_arrays([ids], len(ids))))[:, None]
    traces: list[Trace] = []
    for forward, *backward in network.layers:
        traces = [unroll(cell, states_TBE, forward)]
        traces += [unroll(cell, states_TBE[::-1], weights).backwards() for weights in backward]
        states_TBE = np.concatenate([trace.hidden_TBH for trace in traces], axis=2)
    return dict(zip(("forward", "backward"), traces, strict=False))


def _attention(query_F: npt.NDArray[np.float32], traces: dict[str, Trace]) -> Floats:
    """The weight of each token's state in the pooled one, as `sentir.nn.pooling.Pooling`, (T,)."""
    states_TF = np.concatenate([trace.hidden_TBH[:, 0] for trace in traces.values()], axis=1)
    scores_T = (np.tanh(states_TF) @ query_F).astype(np.float64)
    exponentials_T = np.exp(scores_T - scores_T.max())
    weights_T: Floats = exponentials_T / exponentials_T.sum()
    return weights_T


def _mean(values_TBH: npt.NDArray[np.float32]) -> Floats:
    """The mean over the units, (T,), for a batch of one text."""
    mean_T: Floats = values_TBH.mean(axis=(1, 2), dtype=np.float64)
    return mean_T
