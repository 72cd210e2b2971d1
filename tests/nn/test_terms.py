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
    terms.word_weights_VO.normal_()
    terms.pair_weights_PO.normal_()
    row_T = hashed_pairs(ids_TB, 50)[:, 0]
    pairs_O = terms.pair_weights_PO[row_T[1]] + terms.pair_weights_PO[row_T[2]]
    words_O = 2 * terms.word_weights_VO[4] + terms.word_weights_VO[5]
    none_O = terms.pair_weights_PO[0]  # of the first token, which has no pair
    found_BO = terms(ids_TB, lengths_B)
    torch.testing.assert_close(found_BO[0], (words_O + pairs_O + none_O) / 3**0.5)
    torch.testing.assert_close(found_BO[1], terms.word_weights_VO[7] + none_O)


def test_weights_are_saved_and_not_trained() -> None:
    terms = Terms(10, 50, 1)
    assert set(terms.state_dict()) == {"word_weights_VO", "pair_weights_PO"}
    assert not list(terms.parameters())
