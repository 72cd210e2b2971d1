"""A recurrent language model: each direction of a layer guesses the word it is about to read.

Shapes: B batch, T time, V vocabulary, E embedding, H hidden, N places with a word to guess.

Its embedding and its layer are the classifier's own parts, so what they have learnt from unlabelled
text is copied into a classifier as it is (Dai and Le 2015). The direction ahead guesses the next
word, the one that reads back the word before; neither sees what it guesses. As in the classifier
the state is zero at a text's first word, nothing stands before that word, and so it is not guessed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sentir.config import LanguageModelConfig
from sentir.nn.classifier import RecurrentLayer, reversal_index
from sentir.nn.dropout import Dropout
from sentir.nn.initialisation import init_embedding_
from sentir.nn.low_precision import linear
from sentir.nn.sampled_softmax import SampledSoftmax
from sentir.text.tokenizer import PAD, UNK

#: What a recurrent module carries on: its hidden state, and the LSTM's cell.
State = Tensor | tuple[Tensor, Tensor]


class LanguageModelOutput(NamedTuple):
    """What one direction gives at every place that has a word to guess, and that word."""

    outputs_NE: Tensor
    targets_N: Tensor


class LanguageModel(nn.Module):
    """A language model in two directions.

    Args:
        config: what the network is.
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
        # From a state to the space of the words' vectors, where it is compared with each of them.
        self.outputs = nn.ModuleList(
            nn.Linear(config.hidden_size, config.embedding_dim) for _ in range(2)
        )
        self.softmax = SampledSoftmax(vocabulary, config.num_sampled)

    def forward(
        self, ids_BT: Tensor, lengths_B: Tensor
    ) -> tuple[LanguageModelOutput, LanguageModelOutput]:
        """What the direction ahead and the one back give, for texts of `lengths_B` tokens each."""
        words_TBE = self.embedding_dropout(self.embedding(self._without_some(ids_BT.T)))
        states_TBF = self.layer(words_TBE, reversal_index(lengths_B, ids_BT.shape[1]))
        ahead_TBH, back_TBH = self.dropout(states_TBF).chunk(2, dim=2)
        # Place t of a pair (t, t + 1) of words is there if the text reaches the second of them.
        times_T1 = torch.arange(1, ids_BT.shape[1], device=lengths_B.device)[:, None]
        pair_TB = times_T1 < lengths_B
        first_TB, second_TB = ids_BT.T[:-1], ids_BT.T[1:]
        return (
            LanguageModelOutput(self._output(0, ahead_TBH[:-1][pair_TB]), second_TB[pair_TB]),
            LanguageModelOutput(self._output(1, back_TBH[1:][pair_TB]), first_TB[pair_TB]),
        )

    def loss(self, guesses: tuple[LanguageModelOutput, LanguageModelOutput]) -> Tensor:
        """Mean cross-entropy of both directions in nats a word, from a sample of the vocabulary."""
        weight_VE = self.embedding.weight
        losses = [self.softmax(guess.outputs_NE, weight_VE, guess.targets_N) for guess in guesses]
        total = torch.cat(losses)
        return total.sum() / max(len(total), 1)  # reviews of one word have nothing to guess

    def exact_loss(self, guess: LanguageModelOutput, places: int) -> Tensor:
        """The sum of one direction's losses over the whole vocabulary, `places` at a time, nats."""
        total = guess.outputs_NE.new_zeros(())
        for start in range(0, len(guess.targets_N), places):
            some = slice(start, start + places)
            outputs_NE, targets_N = guess.outputs_NE[some], guess.targets_N[some]
            total += self.softmax.full_loss(outputs_NE, self.embedding.weight, targets_N).sum()
        return total

    def read_forward(self, ids_TB: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores of the word that follows, (B, V), and the state to go on from.

        Args:
            ids_TB: texts of one length, or the next part of them.
            state: what this gave for the part before.
        """
        states_TBH, state = self.layer.forward_rnn(self.embedding(ids_TB), state)
        return self.softmax.scores(self._output(0, states_TBH[-1]), self.embedding.weight), state

    def set_compute_dtype(self, format: torch.dtype | None) -> None:
        """Set the number format of the recurrent layer, and of all products in training.

        None is that of the weights.
        """
        self.layer.format = self.softmax.format = format

    def _output(self, direction: int, states_NH: Tensor) -> Tensor:
        layer = self.outputs[direction]
        assert isinstance(layer, nn.Linear)
        return linear(states_NH, layer.weight, layer.bias, self.softmax.format)

    def _without_some(self, ids_TB: Tensor) -> Tensor:
        """The ids, in training some of them unknown: then what stands around must tell."""
        share = self.config.word_dropout
        if not (self.training and share):
            return ids_TB
        chosen_TB = torch.rand(ids_TB.shape, device=ids_TB.device) < share
        return ids_TB.masked_fill(chosen_TB & (ids_TB != PAD), UNK)
