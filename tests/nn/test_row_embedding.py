"""The embedding that reads from a copy of some of its rows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from sentir.nn.row_embedding import RowEmbedding
from sentir.text.tokenizer import PAD

IDS_BT = torch.tensor([[7, 3, 7], [3, 9, PAD]])
IDS_U = torch.tensor([PAD, 3, 7, 9])


def test_reads_the_lent_rows_and_gives_them_the_gradient() -> None:
    embedding = RowEmbedding(12, 4)
    lent_UE = nn.Parameter(embedding.weight[IDS_U].detach() + 1)
    embedding.lend(lent_UE, IDS_U)
    embedding(IDS_BT).sum().backward()
    assert embedding.weight.grad is None
    assert lent_UE.grad is not None
    assert lent_UE.grad[:, 0].tolist() == [0, 2, 2, 1]  # padding has none
    assert torch.equal(embedding(IDS_BT), F.embedding(IDS_BT, embedding.weight + 1))
    embedding.end_lending()
    assert torch.equal(embedding(IDS_BT), F.embedding(IDS_BT, embedding.weight))


def test_rows_can_be_lent_again() -> None:
    embedding = RowEmbedding(12, 4)
    for ids_U in (IDS_U, torch.tensor([PAD, 2, 5])):
        embedding.lend(embedding.weight[ids_U], ids_U)
        assert torch.equal(embedding(ids_U), embedding.weight[ids_U])
        embedding.end_lending()


def test_distinct_finds_each_id_once_from_either_source() -> None:
    embedding = RowEmbedding(12, 4)
    for lends in (False, True):
        if lends:
            ids_U = torch.tensor([PAD, 1, 3, 4, 7, 9])
            embedding.lend(embedding.weight[ids_U], ids_U)
        vectors_UE, places_BT = embedding.distinct(IDS_BT)
        assert torch.equal(vectors_UE, embedding.weight[IDS_U])
        assert torch.equal(IDS_U[places_BT], IDS_BT)
