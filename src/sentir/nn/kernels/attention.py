"""Attention pooling in training, forward and backward pass, compiled by Numba for one core.

Shapes: T time, B texts, F features of a state.

The readable twin is `sentir.nn.pooling.Pooling`, whose dozen operations each pass over all states.
"""

from __future__ import annotations

import numpy as np

from sentir.nn.kernels.primitives import ONE, Floats, Ints, compiled, tanh


@compiled
def attention_forward(
    states_TBF: Floats, lengths_B: Ints, query_F: Floats, weights_TB: Floats, pooled_BF: Floats
) -> None:
    """Fill `weights_TB` with the attention weights, and `pooled_BF` with the weighted means."""
    features = len(query_F)
    for text in range(len(lengths_B)):
        length, largest = lengths_B[text], np.float32(-np.inf)
        for time in range(length):
            state_F, score = states_TBF[time, text], np.float32(0)
            for feature in range(features):
                score += query_F[feature] * tanh(state_F[feature])
            weights_TB[time, text] = score
            largest = max(largest, score)
        total = np.float32(0)
        for time in range(length):
            weights_TB[time, text] = np.exp(weights_TB[time, text] - largest)
            total += weights_TB[time, text]
        pooled_F = pooled_BF[text]
        pooled_F[:] = 0
        for time in range(length):
            weights_TB[time, text] /= total
            state_F, weight = states_TBF[time, text], weights_TB[time, text]
            for feature in range(features):
                pooled_F[feature] += weight * state_F[feature]


@compiled
def attention_backward(
    pooled_grads_BF: Floats,
    states_TBF: Floats,
    lengths_B: Ints,
    query_F: Floats,
    weights_TB: Floats,
    pooled_BF: Floats,
    state_grads_TBF: Floats,
    query_grads_F: Floats,
) -> None:
    """From the gradient of the weighted means to that of the states and of the query.

    Args:
        pooled_grads_BF: the gradient of `pooled_BF`.
        states_TBF: the states.
        lengths_B: the tokens of each text.
        query_F: what states are compared with.
        weights_TB: as `attention_forward` left them.
        pooled_BF: as it left them.
        state_grads_TBF: filled where there are tokens.
        query_grads_F: the gradient of the query is added to it.
    """
    features = len(query_F)
    for text in range(len(lengths_B)):
        grads_F, pooled_F = pooled_grads_BF[text], pooled_BF[text]
        for time in range(lengths_B[text]):
            state_F, state_grads_F = states_TBF[time, text], state_grads_TBF[time, text]
            weight, score_grad = weights_TB[time, text], np.float32(0)
            for feature in range(features):
                score_grad += grads_F[feature] * (state_F[feature] - pooled_F[feature])
            score_grad *= weight
            for feature in range(features):
                bounded = tanh(state_F[feature])
                query_grads_F[feature] += score_grad * bounded
                state_grads_F[feature] = weight * grads_F[feature] + (
                    score_grad * query_F[feature] * (ONE - bounded * bounded)
                )
