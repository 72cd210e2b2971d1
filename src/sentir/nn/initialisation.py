"""Initial weights of the embedding and of recurrent layers.

``orthogonal`` is Sentir's default. ``pytorch`` keeps what PyTorch draws, as the lecture does: a
normal distribution with standard deviation 1 for word vectors, a uniform one within 1/√H of 0 for
recurrent layers of H units. Such large word vectors differ clearly from the first step on, which
the lecture's network needs: it learns in few steps with many reviews each.
"""

from __future__ import annotations

import torch
from torch import nn

from sentir.config import Initialisation
from sentir.nn.cells import weights_of
from sentir.nn.qrnn import QRNN


def init_embedding_(embedding: nn.Embedding, how: Initialisation) -> None:
    """Draw small word vectors, unless `how` keeps PyTorch's; that of padding stays 0."""
    if how == "pytorch":
        return
    nn.init.normal_(embedding.weight, std=0.1)
    with torch.no_grad():
        embedding.weight[embedding.padding_idx].zero_()


def init_rnn_(layer: nn.RNNBase | QRNN, how: Initialisation) -> None:
    """Orthogonal recurrent weights (Saxe et al. 2014) and, for an LSTM, open forget gates.

    A forget-gate bias of 1 lets the cell state pass from the first step on (Gers et al. 2000;
    Jozefowicz et al. 2015). PyTorch has two biases: one is 1 and the other 0.
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
