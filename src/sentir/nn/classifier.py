"""The network: embedding, recurrent stack, pooling, head.

Shapes: B batch, T time, V vocabulary, E embedding, H hidden, D directions, F features (D x H),
C classes, O outputs (1 for two classes, else C).

Padding lies on the right and never changes an answer: a forward reader meets it only after the
text, a backward reader is fed the text turned round within its own length, and pooling looks at
the text's positions alone. The state starts at zero for every batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from sentir.config import Initialisation, ModelConfig
from sentir.nn.bigrams import HashedBigrams
from sentir.nn.cells import MODULES
from sentir.nn.dropout import Dropout
from sentir.nn.initialisation import init_embedding_, init_rnn_
from sentir.nn.kernels.availability import can_train_with_numba
from sentir.nn.ngram_linear import NgramLinear, padding_mask, scaled_sum
from sentir.text.tokenizer import PAD

#: Reviews that oneDNN's LSTM is given at a time in bfloat16: with more it asks the system for so
#: much memory at every call that a third of the time goes there.
MOST_REVIEWS = 200


class RecurrentLayer(nn.Module):
    """One recurrent layer in one or two directions, each a plain one-layer ``torch.nn`` module.

    Attributes:
        format: the number format it computes in. The weights stay float32: where the format is
            narrower they are rounded anew at each use, and the gradient reaches the float32 ones
            (Micikevicius et al. 2018).
    """

    def __init__(
        self,
        cell: str,
        inputs: int,
        hidden: int,
        *,
        bidirectional: bool,
        initialisation: Initialisation = "orthogonal",
    ) -> None:
        super().__init__()
        self.format: torch.dtype | None = None
        self.forward_rnn = MODULES[cell](inputs, hidden)
        self.backward_rnn = MODULES[cell](inputs, hidden) if bidirectional else None
        for direction in (self.forward_rnn, self.backward_rnn):
            if direction is not None:
                init_rnn_(direction, initialisation)

    def forward(self, x_TBE: Tensor, reversal_index_TB: Tensor) -> Tensor:
        """States of shape (T, B, F); `reversal_index_TB` is `turned` of the batch's lengths."""
        directions = [(self.forward_rnn, x_TBE)]
        if self.backward_rnn is not None:
            directions.append((self.backward_rnn, reverse_padded(x_TBE, reversal_index_TB)))
        if self.training and self.format is None and can_train_with_numba(self.forward_rnn, x_TBE):
            # Only here, as Numba takes a second to load.
            from sentir.nn.kernels.gru_autograd import states

            ahead_TBH, *backward = states(directions)
        else:
            ahead_TBH, *backward = (self._states(layer, read) for layer, read in directions)
        return (
            torch.cat([ahead_TBH, reverse_padded(backward[0], reversal_index_TB)], dim=2)
            if backward
            else ahead_TBH
        )

    def _states(self, direction: nn.Module, x_TBE: Tensor) -> Tensor:
        if self.format is None:
            states_TBH: Tensor = direction(x_TBE)[0]
            return states_TBH
        if x_TBE.is_cuda:  # cuDNN wants the rounded weights in one piece: autocast sees to that
            with torch.autocast("cuda", self.format):
                states_TBH = direction(x_TBE)[0]
        else:
            rounded = {name: part.to(self.format) for name, part in direction.named_parameters()}
            parts = torch.split(x_TBE.to(self.format), MOST_REVIEWS, dim=1)
            states = [functional_call(direction, rounded, (x.contiguous(),))[0] for x in parts]
            states_TBH = torch.cat(states, dim=1) if len(states) > 1 else states[0]
        return states_TBH.to(x_TBE.dtype)


def reversal_index(lengths_B: Tensor, longest: int) -> Tensor:
    """For each place of a text the place it has when the text is read backwards, (T, B).

    Padding stays where it is, so turning twice is no change.
    """
    at_T1 = torch.arange(longest, device=lengths_B.device)[:, None]
    last_1B = lengths_B[None, :] - 1
    return torch.where(at_T1 <= last_1B, last_1B - at_T1, at_T1)


def reverse_padded(x_TBE: Tensor, reversal_index_TB: Tensor) -> Tensor:
    """The same texts read from their other end."""
    size = x_TBE.shape[1]
    flat = (
        reversal_index_TB * size + torch.arange(size, device=reversal_index_TB.device)
    ).flatten()
    return x_TBE.flatten(0, 1).index_select(0, flat).view_as(x_TBE)


class Pooling(nn.Module):
    """From the states of all tokens to one vector a review, (T, B, F) to (B, F)."""

    def __init__(self, kind: str, hidden: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.kind, self.hidden, self.bidirectional = kind, hidden, bidirectional
        features = hidden * (2 if bidirectional else 1)
        # No bias: the softmax would not feel it.
        self.score = nn.Linear(features, 1, bias=False) if kind == "attention" else None

    def forward(self, states_TBF: Tensor, lengths_B: Tensor) -> Tensor:
        if self.kind == "last":
            # The last token each direction has read: the text's last ahead, its first back.
            rows = torch.arange(len(lengths_B), device=lengths_B.device)
            last_BF = states_TBF[lengths_B - 1, rows]
            if not self.bidirectional:
                return last_BF
            return torch.cat([last_BF[:, : self.hidden], states_TBF[0, :, self.hidden :]], dim=1)
        padding_mask_TB1 = padding_mask(states_TBF, lengths_B)[:, :, None]
        if self.kind == "max":
            return states_TBF.masked_fill(padding_mask_TB1, -torch.inf).amax(dim=0)
        if self.kind == "mean":
            total_BF = states_TBF.masked_fill(padding_mask_TB1, 0.0).sum(dim=0)
            return total_BF / lengths_B[:, None].to(total_BF.dtype)
        assert self.score is not None
        # Additive attention with one learnt query (Bahdanau et al. 2015; Yang et al. 2016).
        score_TB1 = self.score(torch.tanh(states_TBF)).masked_fill(padding_mask_TB1, -torch.inf)
        pooled_BF: Tensor = (score_TB1.softmax(dim=0) * states_TBF).sum(dim=0)
        return pooled_BF


class SentimentClassifier(nn.Module):
    """A recurrent classifier of reviews.

    Args:
        config: what the network is.
        vocabulary: V, ids 0 to V - 1; 0 is padding.
        classes: C, two or more.
    """

    def __init__(self, config: ModelConfig, *, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.class_weights_C: Tensor | None = None
        self.embedding = nn.Embedding(vocabulary, config.embedding_dim, padding_idx=PAD)
        init_embedding_(self.embedding, config.initialisation)
        self.embedding.weight.requires_grad_(not config.freeze_embedding)
        self.bigrams = (
            HashedBigrams(config.bigram_buckets, config.embedding_dim, config.bigram_dropout)
            if config.bigram_buckets
            else None
        )
        self.embedding_dropout = Dropout(config.embedding_dropout)
        features = config.hidden_size * (2 if config.bidirectional else 1)
        self.layers = nn.ModuleList(
            RecurrentLayer(
                config.cell,
                features if at else config.embedding_dim,
                config.hidden_size,
                bidirectional=config.bidirectional,
                initialisation=config.initialisation,
            )
            for at in range(config.num_layers)
        )
        # Between layers stands a dropout of its own: the one inside nn.LSTM computes wrongly on
        # Apple's mps with several layers (PyTorch issues 190056, 180744, 173640).
        self.dropout = Dropout(config.dropout)
        self.pooling = Pooling(
            config.pooling, config.hidden_size, bidirectional=config.bidirectional
        )
        self.head_dropout = Dropout(config.head_dropout)
        self.embedding_skip_dropout = (
            Dropout(config.embedding_skip_dropout) if config.embedding_skip else None
        )
        read = features + (config.embedding_dim if config.embedding_skip else 0)
        outputs = 1 if classes == 2 else classes
        self.head = nn.Linear(read, outputs)
        self.ngram_linear = (
            NgramLinear(vocabulary, config.ngram_buckets, outputs) if config.ngram_buckets else None
        )

    def forward(self, ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """Logits of shape (B, O) for ids of shape (B, T) with `lengths_B` tokens each."""
        return self.read(self.embedded(ids_BT.T), ids_BT, lengths_B)

    def read(self, words_TBE: Tensor, ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """As `forward`, of words whose vectors, `embedded`, are given."""
        reversal_index_TB = reversal_index(lengths_B, ids_BT.shape[1])
        words_TBE = self.embedding_dropout(words_TBE)
        states_TBF = words_TBE
        for at, layer in enumerate(self.layers):
            states_TBF = layer(self.dropout(states_TBF) if at else states_TBF, reversal_index_TB)
        features_BF = self.head_dropout(self.pooling(states_TBF, lengths_B))
        if self.embedding_skip_dropout is not None:  # single telling words reach the head at once
            skip_BE = self.embedding_skip_dropout(scaled_sum(words_TBE, lengths_B))
            features_BF = torch.cat([features_BF, skip_BE], dim=1)
        logits_BO: Tensor = self.head(features_BF)
        return (
            logits_BO
            if self.ngram_linear is None
            else logits_BO + self.ngram_linear(ids_BT.T, lengths_B)
        )

    def set_compute_dtype(self, format: torch.dtype | None) -> None:
        """Set the number format of the recurrent layers; None is that of the weights."""
        for layer in self.layers:
            assert isinstance(layer, RecurrentLayer)
            layer.format = format

    def embedded(self, ids_TB: Tensor) -> Tensor:
        """What the first layer reads, (T, B, E): each word's vector, with its pair's if it has."""
        words_TBE: Tensor = self.embedding(ids_TB)
        return words_TBE if self.bigrams is None else words_TBE + self.bigrams(ids_TB)

    def set_class_weights(self, weights_C: Tensor | None) -> None:
        """Set how much a review of each class counts in the loss, 1 on average; None: all alike."""
        self.class_weights_C = weights_C

    def loss(self, logits_BO: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats, binary on one output, else softmax; weighted by class.

        Targets are classes, integers of shape (B,), or their probabilities, (B, C): then the loss
        is that of each class as often as it is probable.
        """
        weights_C = self.class_weights_C
        if targets.is_floating_point():
            logs_BC = (
                F.logsigmoid(torch.cat([-logits_BO, logits_BO], dim=1))
                if self.classes == 2
                else logits_BO.log_softmax(dim=1)
            )
            share_BC = targets if weights_C is None else targets * weights_C.to(targets)
            return -(share_BC * logs_BC).sum(dim=1).mean()
        if self.classes == 2:
            each_B = F.binary_cross_entropy_with_logits(
                logits_BO[:, 0], targets.to(logits_BO), reduction="none"
            )
        else:
            each_B = F.cross_entropy(logits_BO, targets.long(), reduction="none")
        if weights_C is not None:
            each_B = each_B * weights_C.to(each_B)[targets]
        return each_B.mean()

    def probabilities(self, logits_BO: Tensor) -> Tensor:
        """Probabilities of shape (B, C), rows summing to 1."""
        if self.classes == 2:
            return torch.cat([torch.sigmoid(-logits_BO), torch.sigmoid(logits_BO)], dim=1)
        return logits_BO.softmax(dim=1)
