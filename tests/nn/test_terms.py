from __future__ import annotations

import torch

from sentir.nn.bigrams import hashed_pairs
from sentir.nn.terms import Terms


def test_by_hand() -> None:
    terms = Terms(10, 50, 3)
    ids_TB = torch.tensor([[4, 7], [5, 0], [4, 0], [0, 0]])
    lengths_B = torch.tensor([3, 1])
    assert not terms(ids_TB, lengths_B).any()  # nothing until it is fitted
    torch.manual_seed(0)
    for part in (terms.word_weights, terms.pair_weights):
        part.normal_()
    for part in (terms.word_squares, terms.pair_squares):
        part.uniform_(0.5, 2)
    row_T = hashed_pairs(ids_TB, 50)[:, 0]

    def summed(words: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
        none_O = pairs[0]  # of the first token, which has no pair
        return 2 * words[4] + words[5] + pairs[row_T[1]] + pairs[row_T[2]] + none_O

    weight_O = summed(terms.word_weights, terms.pair_weights)
    size_O = summed(terms.word_squares, terms.pair_squares).sqrt()
    found_BO = terms(ids_TB, lengths_B)
    torch.testing.assert_close(found_BO[0], weight_O / size_O, rtol=1e-5, atol=1e-5)
    alone_O = terms.word_weights[7] + terms.pair_weights[0]
    size_O = (terms.word_squares[7] + terms.pair_squares[0]).sqrt()
    torch.testing.assert_close(found_BO[1], alone_O / size_O, rtol=1e-5, atol=1e-5)


def test_weights_are_saved_and_not_trained() -> None:
    terms = Terms(10, 50, 1)
    assert set(terms.state_dict()) == {
        f"{part}_{what}" for part in ("word", "pair") for what in ("weights", "squares")
    }
    assert not list(terms.parameters())
