"""A recurrent language model: each direction of a layer predicts the word it reads next.

Shapes: B batch, T time, V vocabulary, E embedding, H hidden, N tokens to predict.

Its embedding and its layer are of the same classes as a classifier's, so their weights, learnt from
unlabelled text, are copied into a classifier (Dai and Le 2015). The forward direction predicts the
next word, the backward direction the previous one; neither sees the word it predicts. As in the
classifier the state is zero at the start, so the first word that a direction reads is not
predicted.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sentir.config import LanguageModelConfig
from sentir.nn.dropout import Dropout
from sentir.nn.initialisation import init_embedding_
from sentir.nn.low_precision import linear
from sentir.nn.padding import reversal_index
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.sampled_softmax import SampledSoftmax
from sentir.text.tokenizer import PAD, UNK


class LanguageModelOutput(NamedTuple):
    """What one direction computed for every token to predict, and those tokens."""

    outputs_NE: Tensor
    targets_N: Tensor


class LanguageModel(nn.Module):
    """A language model in two directions.

    Args:
        config: the settings of the network.
        vocabulary: V, ids 0 to V - 1 by falling frequency; 0 is padding.
    """

    def __init__(self, config: LanguageModelConfig, *, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocabulary, config.embedding_dim, padding_idx=PAD)
        init_embedding_(self.embedding, "orthogonal")
        self.embedding_dropout = Dropout(config.embedding_dropout)
        self.layer = RecurrentLayer(
            config.cell, config.embedding_dim, config.hidden_size, bidirectional=True
        )
        self.dropout = Dropout(config.dropout)
        # From a state to the space of word vectors, where it is compared with each of them.
        self.outputs = nn.ModuleList(
            nn.Linear(config.hidden_size, config.embedding_dim) for _ in range(2)
        )
        self.softmax = SampledSoftmax(vocabulary, config.num_sampled)

    def forward(
        self, ids_BT: Tensor, lengths_B: Tensor
    ) -> tuple[LanguageModelOutput, LanguageModelOutput]:
        """What both directions compute, forward first, for texts of `lengths_B` tokens each."""
        words_TBE = self.embedding_dropout(self.embedding(self._word_dropout(ids_BT.T)))
        states_TBF = self.layer(words_TBE, reversal_index(lengths_B, ids_BT.shape[1]))
        forward_TBH, backward_TBH = self.dropout(states_TBF).chunk(2, dim=2)
        # A pair of neighbours exists if the text reaches the second of them.
        second_time_T1 = torch.arange(1, ids_BT.shape[1], device=lengths_B.device)[:, None]
        pair_TB = second_time_T1 < lengths_B
        first_TB, second_TB = ids_BT.T[:-1], ids_BT.T[1:]
        return (
            LanguageModelOutput(self._output(0, forward_TBH[:-1][pair_TB]), second_TB[pair_TB]),
            LanguageModelOutput(self._output(1, backward_TBH[1:][pair_TB]), first_TB[pair_TB]),
        )

    def loss(self, outputs: tuple[LanguageModelOutput, LanguageModelOutput]) -> Tensor:
        """Mean cross-entropy of both directions (nats per token), by the sampled softmax."""
        weight_VE = self.embedding.weight
        losses_N = torch.cat(
            [self.softmax(output.outputs_NE, weight_VE, output.targets_N) for output in outputs]
        )
        return losses_N.sum() / max(len(losses_N), 1)  # of one-word reviews nothing is predicted

    def exact_loss(self, output: LanguageModelOutput, chunk: int) -> Tensor:
        """The sum of one direction's losses, full softmax (nats); `chunk` tokens at a time."""
        total = output.outputs_NE.new_zeros(())
        for start in range(0, len(output.targets_N), chunk):
            part = slice(start, start + chunk)
            outputs_NE, targets_N = output.outputs_NE[part], output.targets_N[part]
            total += self.softmax.full_loss(outputs_NE, self.embedding.weight, targets_N).sum()
        return total

    def set_compute_dtype(self, dtype: torch.dtype | None) -> None:
        """Set the number format of the layer and of matrix products; None: that of the weights."""
        self.layer.compute_dtype = self.softmax.compute_dtype = dtype

    def _output(self, direction: int, states_NH: Tensor) -> Tensor:
        layer = self.outputs[direction]
        assert isinstance(layer, nn.Linear)
        return linear(states_NH, layer.weight, layer.bias, self.softmax.compute_dtype)

    def _word_dropout(self, ids_TB: Tensor) -> Tensor:
        """The ids, in training a share of them replaced by `UNK`."""
        share = self.config.word_dropout
        if not (self.training and share):
            return ids_TB
        dropped_TB = torch.rand(ids_TB.shape, device=ids_TB.device) < share
        return ids_TB.masked_fill(dropped_TB & (ids_TB != PAD), UNK)
