"""Fitting the linear part, and mixing it with the trained network.

The weights are those of logistic regression over words and pairs, weighed by how few reviews hold
them (the inverse document frequency of Sparck Jones 1972). How much either part is worth is what
the validation reviews say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sentir.data.batches import cut
from sentir.data.store import EncodedCorpus
from sentir.nn.bigrams import hashed_pairs
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.terms import Terms
from sentir.training.loop import logits

#: Reviews fitted to: more add little to a linear fit, and all their terms are in memory at once.
MOST_REVIEWS = 200_000
#: Inverse strengths of the penalty that are tried.
STRENGTHS = (0.1, 0.3, 1.0, 3.0)
#: A term of one review only tells nothing about another.
LEAST_REVIEWS = 2


def fit_terms(
    model: SentimentClassifier, train: EncodedCorpus, valid: EncodedCorpus, max_tokens: int
) -> None:
    """Fill `model.terms`, and scale it and the head to their best mix.

    Args:
        model: trained, its linear part still zero.
        train: reviews to fit to, `MOST_REVIEWS` of them at random if there are more.
        valid: reviews by whose loss the penalty and the mix are chosen.
        max_tokens: what is read of a review.
    """
    terms = model.terms
    assert terms is not None
    device = terms.word_weights_VO.device
    network_NO = torch.from_numpy(logits(model, valid, max_tokens))
    labels_N = torch.from_numpy(valid.labels_N).long()
    counts_NF = _counts(terms, valid, np.arange(len(valid)), max_tokens)
    candidates = []
    for weights_FO in _fitted(terms, train, max_tokens):
        linear_NO = torch.from_numpy(counts_NF @ weights_FO.numpy())
        loss, mix = _mixed(model, network_NO, linear_NO, labels_N)
        candidates.append((loss, mix, weights_FO))
    loss, (network, linear, shift_O), weights_FO = min(candidates, key=lambda found: found[0])
    _put(terms, linear * weights_FO.to(device))
    with torch.no_grad():
        model.head.weight.mul_(network)
        model.head.bias.mul_(network).add_(shift_O.to(device))


def _fitted(terms: Terms, train: EncodedCorpus, max_tokens: int) -> Iterator[Tensor]:
    """Weights of words, then of pairs, (V + P + 1, O), for each of `STRENGTHS`."""
    from scipy.sparse import diags
    from sklearn.linear_model import LogisticRegression

    rows_N = np.sort(np.random.default_rng(0).permutation(len(train))[:MOST_REVIEWS])
    labels_N = train.labels_N[rows_N]
    counts_NF = _counts(terms, train, rows_N, max_tokens)
    seen_F = np.bincount(counts_NF.indices, minlength=counts_NF.shape[1])
    rarity_F = np.log((1 + len(rows_N)) / (1 + seen_F)) + 1
    rarity_F[seen_F < LEAST_REVIEWS] = 0
    weighed_NF = counts_NF @ diags(rarity_F)
    outputs = terms.word_weights_VO.shape[1]
    for strength in STRENGTHS:
        fitted = LogisticRegression(C=strength, max_iter=300).fit(weighed_NF, labels_N)
        weights_FO = np.zeros((counts_NF.shape[1], outputs), np.float32)
        # A class that is not met keeps its zeros; where two are met the second has the weights.
        places = fitted.classes_[-len(fitted.coef_) :] if outputs > 1 else [0]
        weights_FO[:, places] = (fitted.coef_ * rarity_F).T
        yield torch.from_numpy(weights_FO)


def _counts(
    terms: Terms, corpus: EncodedCorpus, rows_N: npt.NDArray[np.int64], max_tokens: int
) -> Any:
    """How often each review holds each word and pair, over the root of its length: CSR (N, F)."""
    from scipy.sparse import csr_matrix

    words = len(terms.word_weights_VO)
    columns: list[npt.NDArray[np.int64]] = []
    values: list[npt.NDArray[np.float64]] = []
    for row in rows_N:
        ids_T = cut(corpus[row], max_tokens).astype(np.int64)
        pairs_T = hashed_pairs(torch.from_numpy(ids_T)[:, None], terms.pairs)[1:, 0].numpy()
        columns.append(np.concatenate([ids_T, words + pairs_T]))
        values.append(np.full(len(columns[-1]), max(len(ids_T), 1) ** -0.5))
    starts = np.cumsum([0, *map(len, columns)])
    shape = (len(rows_N), words + terms.pairs + 1)
    made = csr_matrix((np.concatenate(values), np.concatenate(columns), starts), shape=shape)
    made.sum_duplicates()
    return made


def _put(terms: Terms, weights_FO: Tensor) -> None:
    words = len(terms.word_weights_VO)
    terms.word_weights_VO.copy_(weights_FO[:words])
    terms.pair_weights_PO.copy_(weights_FO[words:])


def _mixed(
    model: SentimentClassifier, network_NO: Tensor, linear_NO: Tensor, labels_N: Tensor
) -> tuple[float, tuple[float, float, Tensor]]:
    """The lowest loss of a weighted sum of both, and its weights and shift.

    Weights are powers of e, so that neither part is ever turned round.
    """
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    shift_O = torch.zeros(network_NO.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, shift_O], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        network, linear = weights.exp()
        return model.loss(network * network_NO + linear * linear_NO + shift_O, labels_N)

    def closure() -> Tensor:
        optimiser.zero_grad()
        found = loss()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        network, linear = weights.exp().tolist()
        return float(loss()), (network, linear, shift_O.detach().float())
