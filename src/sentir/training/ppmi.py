"""Word vectors from the training reviews themselves: words that keep like company begin alike.

A network that has to learn from the labels alone that "dull" and "tedious" mean the same learns it
late or never. Which words stand near which says so at once: the positive pointwise mutual
information of words within a window, and its best approximation by vectors of a few numbers (Levy
and Goldberg 2014; Levy, Goldberg and Dagan 2015). It costs seconds to a minute and no outside data.

Shapes: T tokens, V vocabulary, W words that get a vector, E units of it.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sentir.data.dataset import Reviews
from sentir.text.tokenizer import PAD, SPECIAL

#: Tokens to either side that are a word's company; a nearer one counts more, as in GloVe.
WINDOW = 5
#: The most frequent words get vectors; ids go by falling frequency.
MOST_WORDS = 50_000
#: Tokens looked at: reviews at random if there are more.
MOST_TOKENS = 20_000_000
_log = logging.getLogger(__name__)

#: Flattens the frequencies of the company, so that rare words do not seem telling.
SMOOTHING = 0.75
#: Standard deviation of the vectors' numbers.
SPREAD = 0.3


def init_ppmi_(embedding: nn.Embedding, corpus: Reviews) -> None:
    """`fill_ppmi_`, and say so, as it takes a while."""
    _log.info("counting co-occurrences for PPMI word vectors")
    fill_ppmi_(embedding, corpus)


def fill_ppmi_(embedding: nn.Embedding, corpus: Reviews) -> int:
    """Begin the embedding with vectors of the words' company; rare words stay as they are.

    Args:
        embedding: of shape (V, E).
        corpus: the training reviews.

    Returns:
        How many words got a vector; none where the corpus has no more words than a vector numbers.
    """
    size = embedding.embedding_dim
    words = min(embedding.num_embeddings, MOST_WORDS)
    if words <= 2 * size:
        return 0
    told_WW = _information(_text(corpus), words)
    met_W = np.flatnonzero(np.diff(told_WW.indptr))
    if len(met_W):
        with torch.no_grad():
            embedding.weight[torch.from_numpy(met_W)] = _vectors(told_WW, size)[met_W]
    return len(met_W)


def _text(corpus: Reviews) -> npt.NDArray[np.int32]:
    """The ids of all reviews, or of enough, with a window of padding between them."""
    between = np.full(WINDOW, PAD, np.int32)
    order = np.random.default_rng(0).permutation(len(corpus))
    enough = int(np.searchsorted(np.cumsum(corpus.lengths_N[order]), MOST_TOKENS)) + 1
    parts = [part for row in order[:enough] for part in (corpus[row], between)]
    return np.concatenate(parts)


def _information(ids_T: npt.NDArray[np.int32], words: int) -> Any:
    """What each word tells of its company, where that is more than nothing: CSR (W, W)."""
    from scipy.sparse import csr_matrix

    near_WW = csr_matrix((words, words), dtype=np.float32)
    for distance in range(1, WINDOW + 1):
        one_T, other_T = ids_T[:-distance], ids_T[distance:]
        both_T = np.minimum(one_T, other_T) >= len(SPECIAL)
        both_T &= np.maximum(one_T, other_T) < words
        count_T = np.full(both_T.sum(), 1 / distance, np.float32)
        near_WW = near_WW + csr_matrix(
            (count_T, (one_T[both_T], other_T[both_T])), shape=near_WW.shape
        )
    near_WW = (near_WW + near_WW.T).tocoo()
    total_W = np.bincount(near_WW.row, weights=near_WW.data, minlength=words)
    company_W = total_W**SMOOTHING
    information = np.log(
        near_WW.data * company_W.sum() / (total_W[near_WW.row] * company_W[near_WW.col])
    )
    kept = information > 0
    return csr_matrix(
        (information[kept].astype(np.float32), (near_WW.row[kept], near_WW.col[kept])),
        shape=near_WW.shape,
    )


def _vectors(told_WW: Any, size: int) -> torch.Tensor:
    """Vectors of shape (W, E), whose products come near to what is told."""
    from sklearn.utils.extmath import randomized_svd

    left_WE, strength_E, _ = randomized_svd(told_WW, size, n_iter=3, random_state=0)
    vectors_WE = left_WE * np.sqrt(strength_E)
    spread = float(vectors_WE[np.diff(told_WW.indptr) > 0].std()) or 1.0
    return torch.from_numpy((SPREAD / spread * vectors_WE).astype(np.float32))
