from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn.bigrams import row_of
from sentir.nn.ngram_linear import (
    FINGERPRINTS,
    MIN_SQUARED_SCALE,
    NgramLinear,
    fingerprint_of,
    ngrams,
    once,
)

IDS_TB = torch.tensor([[4, 7], [5, 0], [4, 0], [5, 0], [0, 0]])
LENGTHS_B = torch.tensor([4, 1])


def filled(terms: NgramLinear, numbers: list[int]) -> NgramLinear:
    """Random weights for all words and for these pairs and triples, each in its row."""
    torch.manual_seed(0)
    terms.word_weights[1:].normal_()
    terms.word_squared_scales[1:].uniform_(0.5, 2)
    for number in numbers:
        key = torch.tensor(number)
        row = int(row_of(key, terms.rows))
        terms.ngram_fingerprints[row] = int(fingerprint_of(key))
        terms.ngram_weights[row].normal_()
        terms.ngram_squared_scales[row].uniform_(0.5, 2)
    return terms


def numbers(ids: list[int]) -> list[list[int]]:
    """Of the pairs and of the triples of one text."""
    return [keys[:, 0].tolist() for keys in ngrams(torch.tensor(ids)[:, None])]


def test_nothing_until_it_is_fitted() -> None:
    assert not NgramLinear(10, 50, 3)(IDS_TB, LENGTHS_B).any()


def test_by_hand() -> None:
    """In 4 5 4 5 one pair stands twice, and one of two triples has no row."""
    (_, first, second, again), (_, _, triple, unknown) = numbers([4, 5, 4, 5])
    assert first == again != second
    terms = filled(NgramLinear(10, 5000, 3), [first, second, triple])
    assert int(row_of(torch.tensor(unknown), 5000)) not in terms.ngram_fingerprints.nonzero()

    def summed(words: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        rows = [int(row_of(torch.tensor(key), terms.rows)) for key in (first, second, triple)]
        return words[4] + words[5] + table[rows].sum(dim=0)

    weight_O = summed(terms.word_weights, terms.ngram_weights)
    size_O = (
        summed(terms.word_squared_scales, terms.ngram_squared_scales) + MIN_SQUARED_SCALE
    ).sqrt()
    found_BO = terms(IDS_TB, LENGTHS_B)
    torch.testing.assert_close(found_BO[0], weight_O / size_O, rtol=1e-5, atol=1e-5)
    size_O = (terms.word_squared_scales[7] + MIN_SQUARED_SCALE).sqrt()
    torch.testing.assert_close(found_BO[1], terms.word_weights[7] / size_O, rtol=1e-5, atol=1e-5)


def test_a_row_answers_only_to_its_owner() -> None:
    """With a single row all pairs and triples fall on it; it belongs to one."""
    (_, owner), _ = numbers([4, 5])
    terms = filled(NgramLinear(10, 1, 1), [owner])
    alone = NgramLinear(10, 1, 1)
    alone.word_weights.copy_(terms.word_weights)
    alone.word_squared_scales.copy_(terms.word_squared_scales)
    others_TB, with_owner_TB = (
        torch.tensor([[5], [4], [7], [9]]),
        torch.tensor([[7], [9], [4], [5]]),
    )
    length_B = torch.tensor([4])
    assert torch.equal(terms(others_TB, length_B), alone(others_TB, length_B))
    assert not torch.equal(terms(with_owner_TB, length_B), alone(with_owner_TB, length_B))


def test_pairs_and_triples_end_where_they_are_counted() -> None:
    pairs, triples = numbers([3, 4, 5, 0, 6, 7])
    assert [bool(key) for key in pairs] == [False, True, True, False, False, True]
    assert [bool(key) for key in triples] == [False, False, True, False, False, False]
    assert triples[2] == numbers([9, 3, 4, 5])[1][3]  # what stands before makes no difference


@given(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=4))
def test_once(texts: list[list[int]]) -> None:
    found_TB = once(torch.tensor(texts).T)
    for text, kept in zip(texts, found_TB.T.tolist(), strict=True):
        assert sorted(key for key in kept if key) == sorted(set(text) - {0})


@given(st.integers(0, 2**53), st.integers(1, 2**22))
def test_rows_and_marks_are_in_their_range(number: int, rows: int) -> None:
    key = torch.tensor(number)
    assert 0 <= int(row_of(key, rows)) < rows
    assert int(fingerprint_of(key)) == (number % FINGERPRINTS + 1 if number else -1)


def test_weights_are_saved_and_not_trained() -> None:
    terms = NgramLinear(10, 50, 1)
    assert set(terms.state_dict()) == {
        *(f"{part}_{what}" for part in ("word", "ngram") for what in ("weights", "squared_scales")),
        "ngram_fingerprints",
    }
    assert not list(terms.parameters())
