from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fixtures.tiny_problem import write_corpus
from sentir.data.dataset import EncodedCorpus
from sentir.training import ppmi
from sentir.training.ppmi import fill_ppmi_

# Two topics with words of their own; 2 and 3 stand among the first, 4 and 5 among the second.
FIRST, SECOND = [2, 3, *range(6, 26)], [4, 5, *range(26, 46)]
V, RARE, SIZE = 60, 50, 4


def topics(path: Path, seed: int = 0) -> EncodedCorpus:
    random = np.random.default_rng(seed)
    reviews = [random.choice(FIRST if at % 2 else SECOND, 12).tolist() for at in range(300)]
    return write_corpus(path, reviews, [at % 2 for at in range(300)])


def likeness(embedding: nn.Embedding, one: int, other: int) -> float:
    weight = embedding.weight.detach()
    return float(torch.cosine_similarity(weight[one], weight[other], dim=0))


def test_words_that_keep_like_company_are_alike(tmp_path: Path) -> None:
    torch.manual_seed(0)
    embedding = nn.Embedding(V, SIZE, padding_idx=0)
    before = embedding.weight.detach().clone()
    assert fill_ppmi_(embedding, topics(tmp_path / "c")) == 44
    assert likeness(embedding, 2, 3) > 0.8
    assert likeness(embedding, 4, 5) > 0.8
    assert abs(likeness(embedding, 2, 4)) < 0.3
    met = embedding.weight[2:46]
    assert float(met.detach().std()) == pytest.approx(ppmi.SPREAD, rel=0.1)
    unmet = [0, 1, *range(46, V)]
    torch.testing.assert_close(embedding.weight[unmet], before[unmet], rtol=0, atol=0)


def test_the_same_reviews_give_the_same_vectors(tmp_path: Path) -> None:
    corpus = topics(tmp_path / "c")
    one, other = (nn.Embedding.from_pretrained(torch.zeros(V, SIZE)) for _ in range(2))
    fill_ppmi_(one, corpus)
    torch.manual_seed(7)
    drawn = torch.get_rng_state()
    fill_ppmi_(other, corpus)
    assert torch.equal(one.weight, other.weight)
    assert torch.equal(torch.get_rng_state(), drawn)  # the network's own chances are untouched


def test_company_ends_with_the_review(tmp_path: Path) -> None:
    """Each review is one word, so no word has company, though all stand in one file."""
    corpus = write_corpus(tmp_path / "c", [[2 + at % 40] for at in range(200)], [0, 1] * 100)
    embedding = nn.Embedding(V, SIZE)
    before = embedding.weight.detach().clone()
    assert fill_ppmi_(embedding, corpus) == 0
    assert torch.equal(embedding.weight, before)


def test_part_of_a_large_corpus_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppmi, "MAX_TOKENS", 1000)
    assert len(ppmi._token_stream(topics(tmp_path / "c"))) < 1000 + 100 * 5
    monkeypatch.setattr(ppmi, "MAX_WORDS", 40)
    embedding = nn.Embedding(V, SIZE)
    before = embedding.weight.detach().clone()
    assert fill_ppmi_(embedding, topics(tmp_path / "d")) == 38
    assert torch.equal(embedding.weight[40:], before[40:])


def test_too_few_words_for_vectors(tmp_path: Path) -> None:
    embedding = nn.Embedding(V, 30)
    assert fill_ppmi_(embedding, topics(tmp_path / "c")) == 0
