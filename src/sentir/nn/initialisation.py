"""How the weights of words and recurrent layers begin.

``orthogonal`` is ours. ``pytorch`` leaves what PyTorch draws, as the lesson does: a normal
distribution of deviation 1 for the vectors of words, a uniform one within 1/√hidden of 0 for the
layers. Words so large are told apart from the first step on, which the lesson's network needs: it
learns in a few steps of many reviews each.
"""

from __future__ import annotations

import torch
from torch import nn

from sentir.config import Initialisation
from sentir.nn.cells import weights_of


def init_embedding_(embedding: nn.Embedding, how: Initialisation) -> None:
    """Draw the vectors of words anew, small, unless PyTorch's are to stay; padding stays at 0."""
    if how == "pytorch":
        return
    nn.init.normal_(embedding.weight, std=0.1)
    with torch.no_grad():
        embedding.weight[embedding.padding_idx].zero_()


def init_rnn_(layer: nn.RNNBase, how: Initialisation) -> None:
    """Orthogonal memory (Saxe et al. 2014) and, for an LSTM, open forget gates.

    A forget bias of 1 lets the cell state pass from the first step on (Gers et al. 2000;
    Jozefowicz et al. 2015). PyTorch has two biases, so one holds the 1 and the other nothing.
    """
    if how == "pytorch":
        return
    for name, weight in layer.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(weight)
        elif name.startswith("weight_hh"):
            for gate in weight.data.chunk(weight.shape[0] // layer.hidden_size):
                nn.init.orthogonal_(gate)
        else:
            nn.init.xavier_uniform_(weight)
    if isinstance(layer, nn.LSTM):
        with torch.no_grad():
            weights_of(layer).input_bias_G.chunk(4)[1].fill_(1.0)
