"""The estimate of the softmax is unbiased, and exact where all words are sampled."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from sentir.nn.sampled_softmax import SampledSoftmax, inclusion_probabilities
from sentir.text.tokenizer import PAD

V, E, N = 500, 12, 40


def problem(num_sampled: int) -> tuple[SampledSoftmax, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    softmax = SampledSoftmax(V, num_sampled)
    torch.nn.init.normal_(softmax.bias_V, std=0.3)
    outputs_NE, embedding_VE = torch.randn(N, E), torch.randn(V, E) * 0.2
    return softmax, outputs_NE, embedding_VE, torch.randint(1, V, (N,))


def test_all_words_in_the_sample_is_the_full_softmax() -> None:
    softmax, outputs_NE, embedding_VE, targets_N = problem(V)
    embedding_VE.requires_grad_()
    full_N = softmax.full_loss(outputs_NE, embedding_VE, targets_N)
    expected = torch.autograd.grad(full_N.mean(), [embedding_VE, softmax.bias_V])
    got_N = softmax(outputs_NE, embedding_VE, targets_N)
    got = torch.autograd.grad(got_N.mean(), [embedding_VE, softmax.bias_V])
    assert torch.allclose(got_N, full_N, atol=1e-5)
    for estimate, exact in zip(got, expected, strict=True):
        assert torch.allclose(estimate, exact, atol=1e-6)


def test_the_full_softmax_never_predicts_padding() -> None:
    softmax, outputs_NE, embedding_VE, targets_N = problem(V)
    logits_NV = softmax.logits(outputs_NE, embedding_VE)
    plain_NV = (outputs_NE @ embedding_VE.T + softmax.bias_V)[:, 1:]
    assert logits_NV[:, PAD].tolist() == [-torch.inf] * N
    expected_N = F.cross_entropy(plain_NV, targets_N - 1, reduction="none")
    got_N = softmax.full_loss(outputs_NE, embedding_VE, targets_N)
    assert torch.allclose(got_N, expected_N, atol=1e-5)


def test_the_normaliser_is_unbiased() -> None:
    softmax, outputs_NE, embedding_VE, targets_N = problem(150)
    with torch.no_grad():
        full_N = softmax.full_loss(outputs_NE, embedding_VE, targets_N).double()
        losses = [softmax(outputs_NE, embedding_VE, targets_N) for _ in range(3000)]
    ratio_N = (torch.stack(losses).double() - full_N).exp().mean(0)  # estimated over exact
    assert float((ratio_N - 1).abs().max()) < 0.05
    assert float(ratio_N.mean()) == pytest.approx(1, abs=0.008)


@pytest.mark.parametrize("num_sampled", [100, 200, 400])
def test_the_loss_comes_closer_with_more_words(num_sampled: int) -> None:
    softmax, outputs_NE, embedding_VE, targets_N = problem(num_sampled)
    with torch.no_grad():
        full_N = softmax.full_loss(outputs_NE, embedding_VE, targets_N)
        losses = [softmax(outputs_NE, embedding_VE, targets_N) for _ in range(200)]
    bias = float((torch.stack(losses) - full_N).mean())
    assert -20 / num_sampled < bias < 0.02  # negative, as the logarithm is concave


def test_a_target_in_the_sample_counts_once() -> None:
    softmax, outputs_NE, embedding_VE, targets_N = problem(150)
    sample_S = torch.tensor([3, 7, 250, 499])
    targets_N[:3] = torch.tensor([7, 499, 8])
    got_N = softmax.sampled_loss(sample_S, outputs_NE, embedding_VE, targets_N)
    logits_NV = softmax.logits(outputs_NE, embedding_VE).double().detach()
    for row in range(3):
        target = int(targets_N[row])
        total = logits_NV[row, target].exp()
        for word in sample_S.tolist():
            if word != target:
                total += logits_NV[row, word].exp() / softmax.inclusion_V[word].double()
        expected = float(total.log() - logits_NV[row, target])
        assert got_N[row].item() == pytest.approx(expected, abs=1e-4)


def test_a_sample_that_holds_nothing_but_the_target_has_a_gradient() -> None:
    softmax, outputs_NE, embedding_VE, targets_N = problem(150)
    outputs_NE.requires_grad_()
    targets_N[:] = 3
    loss_N = softmax.sampled_loss(torch.tensor([3]), outputs_NE, embedding_VE, targets_N)
    loss_N.sum().backward()
    assert loss_N.tolist() == [0.0] * N
    assert outputs_NE.grad is not None
    assert bool(outputs_NE.grad.isfinite().all())


def test_frequent_words_are_always_sampled_and_padding_never() -> None:
    inclusion_V = inclusion_probabilities(30_000, 1000)
    assert float(inclusion_V.double().sum()) == pytest.approx(1000, abs=0.1)
    assert inclusion_V[PAD] == 0
    assert inclusion_V[1:100].tolist() == [1.0] * 99
    assert bool((inclusion_V[1:].diff() <= 0).all())
    assert float(inclusion_V[-1]) > 0
    assert inclusion_probabilities(50, 100)[1:].tolist() == [1.0] * 49
