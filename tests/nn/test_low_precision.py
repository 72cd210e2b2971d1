"""A product in bfloat16 differs by its rounding alone, and trains the float32 weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from sentir.config import LanguageModelConfig
from sentir.nn.language_model import LanguageModel
from sentir.nn.low_precision import linear

#: bfloat16 rounds to 1 in 256; a sum of many rounded products is a little better off.
TOLERANCE = 1 / 128


def test_rounding_is_all_that_differs() -> None:
    torch.manual_seed(0)
    x, bias = torch.randn(30, 64), torch.randn(10)
    weight = torch.randn(10, 64, requires_grad=True)
    expected = F.linear(x, weight, bias)
    assert torch.equal(linear(x, weight, bias, None), expected)
    got = linear(x, weight, bias, torch.bfloat16)
    assert got.dtype == torch.float32
    assert (got - expected).abs().max() < TOLERANCE * expected.abs().max()
    (slope,) = torch.autograd.grad(expected.square().sum(), [weight])
    (rounded,) = torch.autograd.grad(got.square().sum(), [weight])
    assert rounded.dtype == torch.float32
    assert (rounded - slope).abs().max() < 2 * TOLERANCE * slope.abs().max()


def test_a_language_model_in_bfloat16_has_the_loss_of_float32() -> None:
    torch.manual_seed(0)
    sizes = {"embedding_dim": 16, "hidden_size": 24, "num_sampled": 100}
    config = LanguageModelConfig(**sizes, embedding_dropout=0.0, dropout=0.0)
    model = LanguageModel(config, vocabulary=300)
    torch.nn.init.normal_(model.embedding.weight[1:], std=1.0)
    ids_BT, lengths_B = torch.randint(2, 300, (6, 20)), torch.full((6,), 20)
    losses = []
    for dtype in (None, torch.bfloat16):
        model.set_compute_dtype(dtype)
        torch.manual_seed(1)  # the same sample of words
        losses.append(float(model.loss(model(ids_BT, lengths_B)).detach()))
    assert losses[0] != losses[1]
    assert abs(losses[0] - losses[1]) < TOLERANCE * losses[0]
