"""The n-gram linear model sums what each text has once, and only rows of its own n-grams."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn.ngram_linear import NgramLinear, fingerprint, ngram_keys, without_repeats
from sentir.nn.ngrams import MAX_FINGERPRINT, MIN_SQUARED_SCALE, table_rows
from sentir.weights import NgramTableSize

IDS_TB = torch.tensor([[4, 7], [5, 0], [4, 0], [5, 0], [0, 0]])
LENGTHS_B = torch.tensor([4, 1])


def rows_of(model: NgramLinear, keys: torch.Tensor) -> torch.Tensor:
    return table_rows(keys, model.ngram_displacements, len(model.ngram_fingerprints))


def with_weights(model: NgramLinear, keys: list[int]) -> NgramLinear:
    """Random weights for all words and for the bigrams and trigrams of these keys."""
    torch.manual_seed(0)
    model.word_weights[1:].normal_()
    model.word_squared_scales[1:].uniform_(0.5, 2)
    for key in torch.tensor(keys):
        row = int(rows_of(model, key))
        model.ngram_fingerprints[row] = int(fingerprint(key))
        model.ngram_weights[row].normal_()
        model.ngram_squared_scales[row].uniform_(0.5, 2)
    return model


def keys_of(ids: list[int]) -> list[list[int]]:
    """The keys of the bigrams and of the trigrams of one text."""
    return [keys_TB[:, 0].tolist() for keys_TB in ngram_keys(torch.tensor(ids)[:, None])]


def test_outputs_are_zero_until_it_is_fitted() -> None:
    assert not NgramLinear(10, 3)(IDS_TB, LENGTHS_B).any()


def test_by_hand() -> None:
    """In 4 5 4 5 one bigram occurs twice, and one of two trigrams has no row."""
    (_, first, second, repeat), (_, _, trigram, unknown) = keys_of([4, 5, 4, 5])
    assert first == repeat != second
    model = with_weights(NgramLinear(10, 3, NgramTableSize(5000, 1)), [first, second, trigram])
    owned = model.ngram_fingerprints.nonzero()
    assert int(rows_of(model, torch.tensor(unknown))) not in owned

    def total(words: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        rows = rows_of(model, torch.tensor([first, second, trigram]))
        return words[4] + words[5] + table[rows].sum(dim=0)

    weight_O = total(model.word_weights, model.ngram_weights)
    squares_O = total(model.word_squared_scales, model.ngram_squared_scales)
    outputs_BO = model(IDS_TB, LENGTHS_B)
    expected_O = weight_O / (squares_O + MIN_SQUARED_SCALE).sqrt()
    torch.testing.assert_close(outputs_BO[0], expected_O, rtol=1e-5, atol=1e-5)
    norm_O = (model.word_squared_scales[7] + MIN_SQUARED_SCALE).sqrt()
    torch.testing.assert_close(outputs_BO[1], model.word_weights[7] / norm_O, rtol=1e-5, atol=1e-5)


def test_a_row_counts_only_for_its_owner() -> None:
    """With a single row all bigrams and trigrams share it; it belongs to one."""
    (_, owner), _ = keys_of([4, 5])
    model = with_weights(NgramLinear(10, 1), [owner])
    words_only = NgramLinear(10, 1)
    words_only.word_weights.copy_(model.word_weights)
    words_only.word_squared_scales.copy_(model.word_squared_scales)
    others_TB = torch.tensor([[5], [4], [7], [9]])
    with_owner_TB = torch.tensor([[7], [9], [4], [5]])
    length_B = torch.tensor([4])
    assert torch.equal(model(others_TB, length_B), words_only(others_TB, length_B))
    assert not torch.equal(model(with_owner_TB, length_B), words_only(with_owner_TB, length_B))


def test_keys_stand_where_a_bigram_or_trigram_ends() -> None:
    bigrams, trigrams = keys_of([3, 4, 5, 0, 6, 7])
    assert [bool(key) for key in bigrams] == [False, True, True, False, False, True]
    assert [bool(key) for key in trigrams] == [False, False, True, False, False, False]
    assert trigrams[2] == keys_of([9, 3, 4, 5])[1][3]  # the words before make no difference


@given(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=4))
def test_repeats_are_left_out(texts: list[list[int]]) -> None:
    kept_TB = without_repeats(torch.tensor(texts).T)
    for text, kept in zip(texts, kept_TB.T.tolist(), strict=True):
        assert sorted(key for key in kept if key) == sorted(set(text) - {0})


@given(st.integers(0, 2**53))
def test_fingerprints_are_in_their_range(number: int) -> None:
    key = torch.tensor(number)
    assert int(fingerprint(key)) == (number % MAX_FINGERPRINT + 1 if number else -1)


def test_weights_are_saved_and_not_trained() -> None:
    model = NgramLinear(10, 1)
    assert set(model.state_dict()) == {
        *(f"{part}_{what}" for part in ("word", "ngram") for what in ("weights", "squared_scales")),
        "ngram_fingerprints",
        "ngram_displacements",
    }
    assert not list(model.parameters())
