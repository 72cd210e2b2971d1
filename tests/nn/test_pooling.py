"""Poolings by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sentir.nn.pooling import Pooling

STATES_TBF = torch.arange(24, dtype=torch.float64).reshape(4, 2, 3).sin()
LENGTHS_B = torch.tensor([2, 4])
TEXTS = [STATES_TBF[:2, 0], STATES_TBF[:4, 1]]


@pytest.mark.parametrize(
    ("kind", "expected_BF"),
    [
        ("last", torch.stack([text[-1] for text in TEXTS])),
        ("max", torch.stack([text.amax(0) for text in TEXTS])),
        ("mean", torch.stack([text.mean(0) for text in TEXTS])),
    ],
    ids=["last", "max", "mean"],
)
def test_by_hand(kind: str, expected_BF: Tensor) -> None:
    pooled_BF = Pooling(kind, 3, bidirectional=False)(STATES_TBF, LENGTHS_B)
    torch.testing.assert_close(pooled_BF, expected_BF)


def test_attention_by_hand() -> None:
    torch.manual_seed(0)
    pooling = Pooling("attention", 3, bidirectional=False).double()
    assert pooling.score is not None
    query = pooling.score.weight[0]
    weights = [(text.tanh() @ query).softmax(dim=0) for text in TEXTS]
    expected = [weight @ text for weight, text in zip(weights, TEXTS, strict=True)]
    torch.testing.assert_close(pooling(STATES_TBF, LENGTHS_B), torch.stack(expected))


def test_last_is_the_last_token_that_each_direction_reads() -> None:
    states_TBF = torch.randn(6, 2, 4)
    last_BF = Pooling("last", 2, bidirectional=True)(states_TBF, torch.tensor([3, 6]))
    assert torch.equal(last_BF[0], torch.cat([states_TBF[2, 0, :2], states_TBF[0, 0, 2:]]))
    assert torch.equal(last_BF[1], torch.cat([states_TBF[5, 1, :2], states_TBF[0, 1, 2:]]))
