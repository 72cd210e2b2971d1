"""The network: embedding, recurrent layers, pooling, head.

Shapes: B batch, T time, V vocabulary, E embedding, F features of a state (directions times hidden
units), C classes, O outputs (1 for two classes, else C).

Padding is on the right and never changes an answer: the forward direction meets it only after the
text, the backward direction reads the text reversed within its own length, and pooling leaves it
out. The state is zero at the start of every text.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sentir.config import ModelConfig
from sentir.nn.bigrams import HashedBigrams
from sentir.nn.dropout import Dropout
from sentir.nn.initialisation import init_embedding_
from sentir.nn.low_precision import round_to_half
from sentir.nn.ngram_linear import NgramLinear
from sentir.nn.padding import padding_mask, reversal_index, scaled_sum
from sentir.nn.pooling import Pooling
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.row_embedding import RowEmbedding
from sentir.weights import EMPTY_TABLE, NgramTableSize


class SentimentClassifier(nn.Module):
    """A recurrent classifier of reviews.

    Args:
        config: the settings of the network.
        vocabulary: V, ids 0 to V - 1; 0 is padding.
        classes: C, two or more.
        ngram_table: the size of the table of n-grams, which grows when it is fitted.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        vocabulary: int,
        classes: int,
        ngram_table: NgramTableSize = EMPTY_TABLE,
    ) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.class_weights_C: Tensor | None = None
        self.embedding = RowEmbedding(vocabulary, config.embedding_dim)
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
                features if index else config.embedding_dim,
                config.hidden_size,
                bidirectional=config.bidirectional,
                initialisation=config.initialisation,
            )
            for index in range(config.num_layers)
        )
        # Not nn.LSTM's own dropout between layers, which computes wrongly on Apple's mps with
        # several layers (PyTorch issues 190056, 180744, 173640).
        self.dropout = Dropout(config.dropout)
        self.pooling = Pooling(
            config.pooling, config.hidden_size, bidirectional=config.bidirectional
        )
        self.head_dropout = Dropout(config.head_dropout)
        self.embedding_skip_dropout = (
            Dropout(config.embedding_skip_dropout) if config.embedding_skip else None
        )
        head_inputs = features + (config.embedding_dim if config.embedding_skip else 0)
        outputs = 1 if classes == 2 else classes
        self.head = nn.Linear(head_inputs, outputs)
        self.ngram_linear = (
            NgramLinear(vocabulary, outputs, ngram_table) if config.ngram_buckets else None
        )

    def forward(self, ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """Logits of shape (B, O) for ids of shape (B, T) with `lengths_B` tokens each."""
        shares_words = self.config.cell == "qrnn" or (self.config.cell == "gru" and self.training)
        if shares_words and self.bigrams is None:
            return self._forward_words(ids_BT, lengths_B)
        return self.forward_embedded(self.embed(ids_BT.T), ids_BT, lengths_B)

    def embed(self, ids_TB: Tensor) -> Tensor:
        """What the first layer reads, (T, B, E): the vectors of words, with those of bigrams."""
        words_TBE: Tensor = self.embedding(ids_TB)
        return words_TBE if self.bigrams is None else words_TBE + self.bigrams(ids_TB)

    def forward_embedded(self, words_TBE: Tensor, ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """As `forward`, given what `embed` makes of the ids."""
        reversal_index_TB = reversal_index(lengths_B, ids_BT.shape[1])
        words_TBE = self.embedding_dropout(words_TBE)
        states_TBF = self.layers[0](words_TBE, reversal_index_TB)
        skip_BE = scaled_sum(words_TBE, lengths_B) if self.config.embedding_skip else None
        return self._forward_states(states_TBF, skip_BE, ids_BT, lengths_B, reversal_index_TB)

    def _forward_words(self, ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """As `forward`, where what the first layer makes of a word is computed once a batch.

        In training all tokens of a word share one dropout mask, as in Gal and Ghahramani (2016).
        """
        reversal_index_TB = reversal_index(lengths_B, ids_BT.shape[1])
        words_UE, rows_BT = self.embedding.distinct(ids_BT)
        words_UE = self.embedding_dropout(words_UE)
        first = self.layers[0]
        assert isinstance(first, RecurrentLayer)
        states_TBF = first.forward_words(words_UE, rows_BT.T, reversal_index_TB)
        skip_BE = None
        if self.config.embedding_skip:  # as `scaled_sum`, by way of how often a text has each word
            roots_B1 = lengths_B[:, None].to(words_UE.dtype).sqrt()
            shares_BT = (~padding_mask(ids_BT.T, lengths_B)).T / roots_B1
            shares_BU = words_UE.new_zeros(len(ids_BT), len(words_UE))
            shares_BU.scatter_add_(1, rows_BT, shares_BT)
            skip_BE = shares_BU @ words_UE
        return self._forward_states(states_TBF, skip_BE, ids_BT, lengths_B, reversal_index_TB)

    def _forward_states(
        self,
        states_TBF: Tensor,
        skip_BE: Tensor | None,
        ids_BT: Tensor,
        lengths_B: Tensor,
        reversal_index_TB: Tensor,
    ) -> Tensor:
        """As `forward`, given the first layer's states and the scaled sum of the word vectors."""
        for layer in self.layers[1:]:
            states_TBF = layer(self.dropout(states_TBF), reversal_index_TB)
        features_BF = self.head_dropout(self.pooling(states_TBF, lengths_B))
        if self.embedding_skip_dropout is not None:  # single words reach the head directly
            features_BF = torch.cat([features_BF, self.embedding_skip_dropout(skip_BE)], dim=1)
        logits_BO: Tensor = self.head(features_BF)
        if self.ngram_linear is not None:
            logits_BO = logits_BO + self.ngram_linear(ids_BT.T, lengths_B)
        return logits_BO

    def set_compute_dtype(self, dtype: torch.dtype | None) -> None:
        """Set the number format that the recurrent layers compute in; None: that of the weights."""
        for layer in self.layers:
            assert isinstance(layer, RecurrentLayer)
            layer.compute_dtype = dtype

    def round_tables(self) -> None:
        """Round the vectors of words and bigrams to 16 bits, as they are saved.

        They are most of a network. What is measured from then on is what a loaded model gives.
        """
        with torch.no_grad():
            self.embedding.weight.copy_(round_to_half(self.embedding.weight))
            if self.bigrams is not None:
                self.bigrams.vectors.weight.copy_(round_to_half(self.bigrams.vectors.weight))

    def set_class_weights(self, weights_C: Tensor | None) -> None:
        """Set how much a review of each class counts in the loss; None: all count 1."""
        self.class_weights_C = weights_C

    def loss(self, logits_BO: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy (nats): binary on one output, else softmax; weighted by class.

        Args:
            logits_BO: what `forward` gave.
            targets: the classes, integers of shape (B,), or probabilities of all classes, (B, C),
                such as a teacher's.
        """
        weights_C = self.class_weights_C
        if targets.is_floating_point():
            log_probabilities_BC = (
                F.logsigmoid(torch.cat([-logits_BO, logits_BO], dim=1))
                if self.classes == 2
                else logits_BO.log_softmax(dim=1)
            )
            if weights_C is not None:
                targets = targets * weights_C.to(targets)
            return -(targets * log_probabilities_BC).sum(dim=1).mean()
        if self.classes == 2:
            losses_B = F.binary_cross_entropy_with_logits(
                logits_BO[:, 0], targets.to(logits_BO), reduction="none"
            )
        else:
            losses_B = F.cross_entropy(logits_BO, targets.long(), reduction="none")
        if weights_C is not None:
            losses_B = losses_B * weights_C.to(losses_B)[targets]
        return losses_B.mean()

    def probabilities(self, logits_BO: Tensor) -> Tensor:
        """Probabilities of shape (B, C), rows summing to 1."""
        if self.classes == 2:
            return torch.cat([torch.sigmoid(-logits_BO), torch.sigmoid(logits_BO)], dim=1)
        return logits_BO.softmax(dim=1)
