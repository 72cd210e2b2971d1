"""A language model sees nothing of what it guesses, and padding changes nothing."""

from __future__ import annotations

import pytest
import torch

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


def guesses(
    model: LanguageModel, reviews: list[list[int]]
) -> tuple[LanguageModelOutput, LanguageModelOutput]:
    batch = pad(reviews, 100)
    with torch.no_grad():
        found: tuple[LanguageModelOutput, LanguageModelOutput] = model(
            batch.ids_BT, batch.lengths_B
        )
    return found


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_no_direction_sees_what_it_guesses(cell: str) -> None:
    model = new_model(cell=cell)
    review = [4, 9, 2, 17, 5, 8, 11]
    ahead, back = guesses(model, [review])
    assert ahead.targets_N.tolist() == review[1:]
    assert back.targets_N.tolist() == review[:-1]
    for at in range(len(review)):
        changed = [*review[:at], 29, *review[at + 1 :]]
        other_ahead, other_back = guesses(model, [changed])
        # LanguageModelOutput n is of word n + 1 ahead, made of words 0 to n; of word n back, made of n + 1 on.
        same_ahead = [torch.equal(one, two) for one, two
                      in zip(ahead.outputs_NE, other_ahead.outputs_NE, strict=True)]  # fmt: skip
        same_back = [torch.equal(one, two) for one, two
                     in zip(back.outputs_NE, other_back.outputs_NE, strict=True)]  # fmt: skip
        assert same_ahead == [guess < at for guess in range(len(review) - 1)]
        assert same_back == [guess >= at for guess in range(len(review) - 1)]


def test_padding_and_batch_mates_change_nothing() -> None:
    model = new_model()
    reviews = [[3, 4, 5], list(range(2, 27)), [6], [7, 8]]
    together = guesses(model, reviews)
    alone = [guesses(model, [review]) for review in reviews]
    for direction in range(2):
        pairs = [
            (output, int(target))
            for found in alone
            for output, target in zip(*found[direction], strict=True)
        ]
        got = list(zip(*together[direction], strict=True))
        assert len(got) == len(pairs) == sum(len(review) - 1 for review in reviews)
        assert sorted(int(target) for _, target in got) == sorted(target for _, target in pairs)
        for output, target in got:
            near = [float((output - other).abs().max()) for other, of in pairs if of == target]
            assert min(near) < 1e-5


def test_the_loss_over_the_whole_vocabulary_is_the_exact_one() -> None:
    model = new_model(num_sampled=100)  # more than V: all of them
    found = guesses(model, [[3, 4, 5, 6, 7], [9, 8]])
    exact = sum(model.exact_loss(guess, 2).item() for guess in found)
    assert model.loss(found).item() * 10 == pytest.approx(exact, rel=1e-5)


def test_reviews_of_one_word_teach_nothing_and_harm_nothing() -> None:
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
    assert torch.equal(model._without_some(ids_TB), ids_TB)
    read_TB = model.train()._without_some(ids_TB)
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
    assert bool((model.embedding.weight.grad[20] != 0).any())  # not read, but told from the target


def test_number_format_reaches_the_layer() -> None:
    model = new_model()
    model.set_compute_dtype(torch.bfloat16)
    assert model.layer.format is torch.bfloat16
