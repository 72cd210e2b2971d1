"""A QRNN in training, one direction, forward and backward pass, compiled by Numba for one core.

Shapes: T time, B texts, D directions, H hidden units, G gates (3 H: forget, candidate, output); R
rows of sums, S the sums of a row and direction (2 G): what a token adds to its own gates, then what
it adds to those of the next token.

The readable twin is `sentir.nn.cells.qrnn_step`. All products are done before: what is left reads
and writes each number once, a text at a time, and the state of a text stays in the first cache.
A row of sums may be that of a word, which all of its tokens share.
"""

from __future__ import annotations

import numpy as np

from sentir.nn.kernels.primitives import HALF, ONE, Floats, Ints, compiled, tanh


@compiled
def qrnn_forward(
    sums_RDS: Floats,
    direction: int,
    rows_TB: Ints,
    order_TB: Ints,
    states_TBDH: Floats,
    cells_TBDH: Floats,
    gates_TBDG: Floats,
) -> None:
    """Compute the states of one direction, and keep what `qrnn_backward` needs.

    Args:
        sums_RDS: what tokens add to the gates; biases are part of what they add to their own.
        direction: which of the directions.
        rows_TB: the row of each token.
        order_TB: the times of each text in the order in which they are read.
        states_TBDH: filled with the hidden states.
        cells_TBDH: filled with the cell states.
        gates_TBDG: filled with the gates.
    """
    time, texts = rows_TB.shape
    units = states_TBDH.shape[3]
    cell_H, no_sums_G = np.empty(units, np.float32), np.zeros(3 * units, np.float32)
    for text in range(texts):
        cell_H[:] = 0
        before_G = no_sums_G
        for step in range(time):
            token = order_TB[step, text]
            sums_S = sums_RDS[rows_TB[token, text], direction]
            gates_G = gates_TBDG[token, text, direction]
            for gate in range(3 * units):
                gates_G[gate] = sums_S[gate] + before_G[gate]
            before_G = sums_S[3 * units :]
            state_H = states_TBDH[token, text, direction]
            cells_H = cells_TBDH[token, text, direction]
            for unit in range(units):
                forget = HALF + HALF * tanh(HALF * gates_G[unit])
                candidate = tanh(gates_G[units + unit])
                output = HALF + HALF * tanh(HALF * gates_G[2 * units + unit])
                cell = candidate + forget * (cell_H[unit] - candidate)
                gates_G[unit] = forget
                gates_G[units + unit] = candidate
                gates_G[2 * units + unit] = output
                cell_H[unit] = cell
                cells_H[unit] = cell
                state_H[unit] = output * cell


@compiled
def qrnn_backward(
    state_grads_TBDH: Floats,
    direction: int,
    rows_TB: Ints,
    order_TB: Ints,
    cells_TBDH: Floats,
    gates_TBDG: Floats,
    sum_grads_RDS: Floats,
) -> None:
    """From the gradient of the hidden states to that of the sums.

    Args:
        state_grads_TBDH: the gradient of the hidden states, from their use outside the layer.
        direction: which of the directions.
        rows_TB: the row of each token.
        order_TB: the times of each text in the order in which they are read.
        cells_TBDH: the cell states.
        gates_TBDG: the gates.
        sum_grads_RDS: the gradient of the sums is added to it.
    """
    time, texts = rows_TB.shape
    units = cells_TBDH.shape[3]
    # The gradient that a cell state gets from later tokens, and the state before the first one.
    later_H, no_cell_H = np.empty(units, np.float32), np.zeros(units, np.float32)
    grads_G = np.empty(3 * units, np.float32)
    for text in range(texts):
        later_H[:] = 0
        for step in range(time - 1, -1, -1):
            token, before = order_TB[step, text], order_TB[max(step - 1, 0), text]
            gates_G = gates_TBDG[token, text, direction]
            state_grads_H = state_grads_TBDH[token, text, direction]
            cell_before_H = cells_TBDH[before, text, direction] if step else no_cell_H
            for unit in range(units):
                forget, candidate = gates_G[unit], gates_G[units + unit]
                output = gates_G[2 * units + unit]
                gained = cell_before_H[unit] - candidate
                grad = state_grads_H[unit]
                cell_grad = grad * output + later_H[unit]
                grads_G[unit] = cell_grad * gained * forget * (ONE - forget)
                grads_G[units + unit] = cell_grad * (ONE - forget) * (ONE - candidate * candidate)
                cell = candidate + forget * gained
                grads_G[2 * units + unit] = grad * cell * output * (ONE - output)
                later_H[unit] = cell_grad * forget
            own_S = sum_grads_RDS[rows_TB[token, text], direction]
            for gate in range(3 * units):
                own_S[gate] += grads_G[gate]
            if step:
                next_G = sum_grads_RDS[rows_TB[before, text], direction, 3 * units :]
                for gate in range(3 * units):
                    next_G[gate] += grads_G[gate]


@compiled
def run_qrnn(
    sums_RDS: Floats, rows_N: Ints, starts_B: Ints, lengths_B: Ints, states_NDH: Floats
) -> None:
    """Compute the hidden states for answers, without padding; the second direction reads backwards.

    N are the tokens of all texts, one text after the other.

    Args:
        sums_RDS: what tokens add to the gates, halved for those that are sigmoids, as
            sigmoid(x) = (1 + tanh(x / 2)) / 2.
        rows_N: the row of each token.
        starts_B: each text's first token.
        lengths_B: the tokens of each text.
        states_NDH: filled with the states.
    """
    directions, units = states_NDH.shape[1:]
    cell_H, gates_G = np.empty(units, np.float32), np.empty(3 * units, np.float32)
    no_sums_G = np.zeros(3 * units, np.float32)
    for text in range(len(starts_B)):
        for direction in range(directions):
            step = 1 if direction == 0 else -1
            token = starts_B[text] if direction == 0 else starts_B[text] + lengths_B[text] - 1
            cell_H[:] = 0
            before_G = no_sums_G
            for _ in range(lengths_B[text]):
                sums_S = sums_RDS[rows_N[token], direction]
                for gate in range(3 * units):
                    gates_G[gate] = sums_S[gate] + before_G[gate]
                before_G = sums_S[3 * units :]
                state_H = states_NDH[token, direction]
                for unit in range(units):
                    forget = HALF + HALF * tanh(gates_G[unit])
                    candidate = tanh(gates_G[units + unit])
                    cell = candidate + forget * (cell_H[unit] - candidate)
                    cell_H[unit] = cell
                    output = HALF + HALF * tanh(gates_G[2 * units + unit])
                    state_H[unit] = output * cell
                token += step
