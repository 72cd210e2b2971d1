"""An LSTM unit that remembers one bit: its gates set by hand and read step by step.

The input gate opens at an input of 1 and the forget gate shuts at an input of -1. So a 1 sets the
cell, a -1 clears it, and a 0 leaves it as it is.
"""

import torch

from sentir.nn.cells import Weights, unroll

OPEN = 10.0  # sigmoid(10) is nearly 1, sigmoid(-10) nearly 0

weights = Weights(
    # Rows: input gate, forget gate, candidate, output gate; the column is the only input.
    input_GE=torch.tensor([[2 * OPEN], [2 * OPEN], [0.0], [0.0]]),
    hidden_GH=torch.zeros(4, 1),
    input_bias_G=torch.tensor([-OPEN, OPEN, OPEN, OPEN]),
    hidden_bias_G=torch.zeros(4),
)
inputs = [0, 1, 0, 0, -1, 0]
trace = unroll("lstm", torch.tensor(inputs, dtype=torch.float32).reshape(-1, 1, 1), weights)
assert trace.cell_TBH is not None

print("input  forget gate  input gate   cell")
for step, value in enumerate(inputs):
    forget, take = (float(trace.gates[name][step]) for name in ("forget", "input"))
    print(f"{value:5}  {forget:11.2f}  {take:10.2f}  {float(trace.cell_TBH[step]):5.2f}")
