"""A language model does not see what it predicts, and padding changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sentir.config import LanguageModelConfig
from sentir.data.batching import pad
from sentir.nn.language_model import LanguageModel, LanguageModelOutput

V = 30


def new_model(**settings: float | str) -> LanguageModel:
    torch.manual_seed(0)
    config = LanguageModelConfig(embedding_dim=7, hidden_size=5, **settings)  # type: ignore[arg-type]
    model = LanguageModel(config, vocabulary=V)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return model.eval()


def predict(
    model: LanguageModel, reviews: list[list[int]]
) -> tuple[LanguageModelOutput, LanguageModelOutput]:
    """What the forward and the backward direction compute."""
    batch = pad(reviews, 100)
    with torch.no_grad():
        forward, backward = model(batch.ids_BT, batch.lengths_B)
    return forward, backward


def same_rows(one: LanguageModelOutput, other: LanguageModelOutput) -> list[bool]:
    return (one.outputs_NE == other.outputs_NE).all(dim=1).tolist()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_no_direction_sees_what_it_predicts(cell: str) -> None:
    model = new_model(cell=cell)
    review = [4, 9, 2, 17, 5, 8, 11]
    forward, backward = predict(model, [review])
    assert forward.targets_N.tolist() == review[1:]
    assert backward.targets_N.tolist() == review[:-1]
    for changed in range(len(review)):
        other_review = [*review[:changed], 29, *review[changed + 1 :]]
        other_forward, other_backward = predict(model, [other_review])
        # Output n is forward of word n + 1, made of words 0 to n; backward of word n, made of
        # those from n + 1 on.
        outputs = range(len(review) - 1)
        assert same_rows(forward, other_forward) == [n < changed for n in outputs]
        assert same_rows(backward, other_backward) == [n >= changed for n in outputs]


def test_padding_and_other_reviews_of_the_batch_change_nothing() -> None:
    model = new_model()
    reviews = [[3, 4, 5], list(range(2, 27)), [6], [7, 8]]
    together = predict(model, reviews)
    alone = [predict(model, [review]) for review in reviews]
    for direction in range(2):
        by_target: dict[int, list[Tensor]] = {}
        for outputs in alone:
            for output_E, target in zip(*outputs[direction], strict=True):
                by_target.setdefault(int(target), []).append(output_E)
        predicted = [int(target) for target in together[direction].targets_N]
        assert len(predicted) == sum(len(review) - 1 for review in reviews)
        assert sorted(predicted) == sorted(
            target for target, outputs_E in by_target.items() for _ in outputs_E
        )
        for output_E, target in zip(*together[direction], strict=True):
            distances = [float((output_E - other).abs().max()) for other in by_target[int(target)]]
            assert min(distances) < 1e-5


def test_with_all_words_sampled_the_loss_is_the_exact_one() -> None:
    model = new_model(num_sampled=100)  # more than V
    outputs = predict(model, [[3, 4, 5, 6, 7], [9, 8]])
    exact = sum(model.exact_loss(output, 2).item() for output in outputs)
    assert model.loss(outputs).item() * 10 == pytest.approx(exact, rel=1e-5)


def test_reviews_of_one_word_have_no_loss_and_finite_gradients() -> None:
    model = new_model().train()
    batch = pad([[4], [5]], 100)
    loss = model.loss(model(batch.ids_BT, batch.lengths_B))
    loss.backward()
    assert loss.item() == 0
    assert all(w.grad is None or bool(w.grad.isfinite().all()) for w in model.parameters())


def test_word_dropout_reads_words_as_unknown_in_training_only() -> None:
    model = new_model(word_dropout=0.5, embedding_dropout=0.0, dropout=0.0)
    ids_TB = torch.randint(2, V, (40, 25))
    ids_TB[30:] = 0
    assert torch.equal(model._word_dropout(ids_TB), ids_TB)
    read_TB = model.train()._word_dropout(ids_TB)
    changed_TB = read_TB != ids_TB
    assert bool((read_TB[changed_TB] == 1).all())
    assert not changed_TB[30:].any()
    assert 0.4 < float(changed_TB[:30].float().mean()) < 0.6


def test_the_word_matrix_is_shared_by_input_and_output() -> None:
    model = new_model().train()
    assert sum(w.numel() for w in model.parameters() if len(w) == V and w.ndim == 2) == V * 7
    batch = pad([[4, 5, 6]], 100)
    model.loss(model(batch.ids_BT, batch.lengths_B)).backward()
    assert model.embedding.weight.grad is not None
    assert bool((model.embedding.weight.grad[20] != 0).any())  # not read: a negative word


def test_the_number_format_reaches_the_layer() -> None:
    model = new_model()
    model.set_compute_dtype(torch.bfloat16)
    assert model.layer.compute_dtype is torch.bfloat16
