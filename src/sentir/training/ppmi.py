"""PPMI word vectors: an embedding initialised from the training reviews' own co-occurrences.

From the labels alone a network learns late or never that "dull" and "tedious" mean the same; their
contexts show it at once. The matrix of positive pointwise mutual information (PPMI) of words within
a window is factorised by truncated SVD (Levy and Goldberg 2014; Levy, Goldberg and Dagan 2015). It
takes seconds to a minute and no outside data.

Shapes: T tokens, V vocabulary, W words that get a vector, E embedding.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sentir.data.batching import shuffled_rows
from sentir.data.dataset import Reviews
from sentir.text.tokenizer import PAD, SPECIAL

#: Tokens of context on either side; a nearer one counts more, as in GloVe.
WINDOW = 5
#: The most frequent words get vectors; ids go by falling frequency.
MAX_WORDS = 50_000
#: Most tokens counted: a random sample of reviews if there are more.
MAX_TOKENS = 20_000_000
#: Exponent that smooths the context distribution, against the bias of PMI to rare words.
SMOOTHING = 0.75
#: Standard deviation of the vectors' numbers.
SPREAD = 0.3

_log = logging.getLogger(__name__)


def init_ppmi_(embedding: nn.Embedding, corpus: Reviews) -> None:
    """`fill_ppmi_`, with a log message, as it takes a while."""
    _log.info("counting co-occurrences for PPMI word vectors")
    fill_ppmi_(embedding, corpus)


def fill_ppmi_(embedding: nn.Embedding, corpus: Reviews) -> int:
    """Initialise the embedding with PPMI vectors; words too rare for one stay as they are.

    Args:
        embedding: of shape (V, E).
        corpus: the training reviews.

    Returns:
        How many words got a vector: none where there are fewer words than 2 E.
    """
    size = embedding.embedding_dim
    words = min(embedding.num_embeddings, MAX_WORDS)
    if words <= 2 * size:
        return 0
    ppmi_WW = _ppmi_matrix(_token_stream(corpus), words)
    has_vector_W = np.flatnonzero(np.diff(ppmi_WW.indptr))
    if len(has_vector_W):
        with torch.no_grad():
            embedding.weight[torch.from_numpy(has_vector_W)] = _vectors(ppmi_WW, size)[has_vector_W]
    return len(has_vector_W)


def _token_stream(corpus: Reviews) -> npt.NDArray[np.int32]:
    """The ids of all reviews, or of a sample, with a window of padding between them."""
    between = np.full(WINDOW, PAD, np.int32)
    parts: list[npt.NDArray[np.int32]] = []
    tokens = 0
    for rows, _ in shuffled_rows(len(corpus), (0,)):
        read = tokens + np.cumsum(corpus.lengths_of(rows))
        enough = int(np.searchsorted(read, MAX_TOKENS)) + 1
        parts += [part for row in rows[:enough] for part in (corpus[row], between)]
        tokens = int(read[-1])
        if tokens >= MAX_TOKENS:
            break
    return np.concatenate(parts)


def _ppmi_matrix(ids_T: npt.NDArray[np.int32], words: int) -> Any:
    """The PPMI matrix in CSR form, (W, W)."""
    from scipy.sparse import csr_matrix

    count_WW = csr_matrix((words, words), dtype=np.float32)
    for distance in range(1, WINDOW + 1):
        left_T, right_T = ids_T[:-distance], ids_T[distance:]
        both_T = np.minimum(left_T, right_T) >= len(SPECIAL)
        both_T &= np.maximum(left_T, right_T) < words
        count_T = np.full(both_T.sum(), 1 / distance, np.float32)
        count_WW = count_WW + csr_matrix(
            (count_T, (left_T[both_T], right_T[both_T])), shape=count_WW.shape
        )
    count_WW = (count_WW + count_WW.T).tocoo()
    total_W = np.bincount(count_WW.row, weights=count_WW.data, minlength=words)
    context_W = total_W**SMOOTHING
    pmi = np.log(
        count_WW.data * context_W.sum() / (total_W[count_WW.row] * context_W[count_WW.col])
    )
    kept = pmi > 0
    return csr_matrix(
        (pmi[kept].astype(np.float32), (count_WW.row[kept], count_WW.col[kept])),
        shape=count_WW.shape,
    )


def _vectors(ppmi_WW: Any, size: int) -> torch.Tensor:
    """Vectors of shape (W, E) whose inner products approximate the PPMI matrix."""
    from sklearn.utils.extmath import randomized_svd

    left_WE, strength_E, _ = randomized_svd(ppmi_WW, size, n_iter=3, random_state=0)
    vectors_WE = left_WE * np.sqrt(strength_E)
    spread = float(vectors_WE[np.diff(ppmi_WW.indptr) > 0].std()) or 1.0
    return torch.from_numpy((SPREAD / spread * vectors_WE).astype(np.float32))
