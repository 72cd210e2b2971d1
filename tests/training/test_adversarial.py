"""The noise has the stated length, and is the worst of that length."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fixtures.tiny_problem import V, new_model, separable, tiny
from sentir.data.batching import Batch, pad
from sentir.nn.classifier import SentimentClassifier
from sentir.training.adversarial import adversarial_loss, worst_perturbation
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier


def problem(**settings: object) -> tuple[SentimentClassifier, Batch, torch.Tensor]:
    model = new_model(tiny(head_dropout=0.0, **settings))
    reviews = [torch.randint(2, V, (length,)).tolist() for length in (3, 12, 1, 7)]
    return model, pad(reviews, 50), torch.tensor([0, 1, 1, 0])


def test_the_step_has_the_stated_length_and_spares_padding() -> None:
    torch.manual_seed(0)
    words_TBE, slope_TBE = torch.randn(9, 3, 4), torch.randn(9, 3, 4) * 1e-25
    lengths_B = torch.tensor([9, 2, 5])
    step_TBE = worst_perturbation(words_TBE, slope_TBE, lengths_B, 0.25)
    for row, length in enumerate(lengths_B.tolist()):
        assert not step_TBE[length:, row].any()
        step, words = step_TBE[:length, row].flatten(), words_TBE[:length, row].flatten()
        assert float(step.norm()) == pytest.approx(0.25 * float(words.norm()), rel=1e-5)
        slope = slope_TBE[:length, row].flatten() * 1e25
        assert float(torch.cosine_similarity(step, slope, dim=0)) == pytest.approx(1, abs=1e-5)


def test_no_slope_no_step() -> None:
    step_TBE = worst_perturbation(
        torch.ones(3, 2, 4), torch.zeros(3, 2, 4), torch.tensor([3, 1]), 0.5
    )
    assert not step_TBE.any()


def test_the_worst_step_harms_more_than_others_of_its_length() -> None:
    torch.manual_seed(1)
    model, batch, labels_B = problem()
    words_TBE = model.embed(batch.ids_BT.T).detach().requires_grad_()

    def loss(beside_TBE: torch.Tensor) -> torch.Tensor:
        return model.loss(
            model.forward_embedded(beside_TBE, batch.ids_BT, batch.lengths_B), labels_B
        )

    (slope_TBE,) = torch.autograd.grad(loss(words_TBE), words_TBE)
    with torch.no_grad():
        worst = loss(words_TBE + worst_perturbation(words_TBE, slope_TBE, batch.lengths_B, 0.1))
        for _ in range(20):
            other_TBE = torch.randn_like(words_TBE)
            other = loss(words_TBE + worst_perturbation(words_TBE, other_TBE, batch.lengths_B, 0.1))
            assert other < worst
        assert worst > loss(words_TBE)


@pytest.mark.parametrize(
    "settings", [{}, {"freeze_embedding": True}, {"bigram_buckets": 20, "embedding_skip": True}]
)
def test_the_loss_is_the_mean_of_both_and_nothing_else_at_no_noise(
    settings: dict[str, object],
) -> None:
    torch.manual_seed(2)
    model, batch, labels_B = problem(**settings)
    model.eval()
    plain = model.loss(model(batch.ids_BT, batch.lengths_B), labels_B)
    assert adversarial_loss(model, batch, labels_B, 0.0).item() == pytest.approx(plain.item())
    loss = adversarial_loss(model, batch, labels_B, 0.3)
    assert loss.item() > plain.item()
    loss.backward()
    assert model.head.weight.grad is not None
    assert (model.embedding.weight.grad is None) == bool(settings.get("freeze_embedding"))


def test_logits_are_added_in_both_halves() -> None:
    torch.manual_seed(2)
    model, batch, labels_B = problem()
    model.eval()
    added_BO = torch.randn(len(labels_B), 1)
    plain = model.loss(model(batch.ids_BT, batch.lengths_B) + added_BO, labels_B)
    assert adversarial_loss(model, batch, labels_B, 0.0, added_BO).item() == pytest.approx(
        plain.item()
    )


@pytest.mark.parametrize(
    "settings", [{}, {"bigram_buckets": 20, "embedding_skip": True, "ngram_buckets": 50}]
)
def test_the_weights_get_the_gradient_of_both_halves(settings: dict[str, object]) -> None:
    torch.manual_seed(3)
    model, batch, labels_B = problem(**settings)
    model.eval()

    def loss(words_TBE: torch.Tensor) -> torch.Tensor:
        return model.loss(
            model.forward_embedded(words_TBE, batch.ids_BT, batch.lengths_B), labels_B
        )

    words_TBE = model.embed(batch.ids_BT.T)
    (slope_TBE,) = torch.autograd.grad(loss(words_TBE), words_TBE, retain_graph=True)
    step_TBE = worst_perturbation(words_TBE.detach(), slope_TBE, batch.lengths_B, 0.3)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    mean = (loss(words_TBE) + loss(words_TBE + step_TBE)) / 2
    wanted = torch.autograd.grad(mean, weights, allow_unused=True)
    found_loss = adversarial_loss(model, batch, labels_B, 0.3)
    found_loss.backward()
    torch.testing.assert_close(found_loss.detach(), mean.detach())
    for weight, slope in zip(weights, wanted, strict=True):
        assert (weight.grad is None) == (slope is None)
        if slope is not None:
            torch.testing.assert_close(weight.grad, slope, rtol=1e-4, atol=1e-7)


def test_a_problem_is_learnt_with_noise(tmp_path: Path) -> None:
    train, valid = separable(tmp_path / "train", 200), separable(tmp_path / "valid", 50)
    config = tiny(adversarial_epsilon=0.1, gradual_unfreezing=0.2)
    model = new_model(config)
    position = fit_classifier(
        model, train, valid, config, checkpoints=Checkpoints(tmp_path, ""), emit=lambda event: None
    )
    assert position.best_loss < 0.1
