"""Several processes fit the n-gram linear model chunk by chunk as one does, and end together."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from fixtures.ranks import Trainer, is_same, trainer

ORDER = {"kind": "n-grams", "settings": {"ngram_buckets": 256}}


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    with trainer(tmp_path_factory.mktemp("ranks"), 61) as train:
        yield train


def models(folder: Path, size: int) -> list[dict[str, torch.Tensor]]:
    return [torch.load(folder / f"best{rank}.pt", weights_only=True) for rank in range(size)]


@pytest.mark.parametrize("size", [2, 3])
def test_several_processes_fit_what_one_does(tmp_path: Path, train: Trainer, size: int) -> None:
    assert train(tmp_path / "one", 1, **ORDER) == [0]
    assert train(tmp_path / "more", size, **ORDER) == [0] * size
    (one,), (first, *others) = models(tmp_path / "one", 1), models(tmp_path / "more", size)
    assert all(is_same(first, other) for other in others)
    for name, value in one.items():
        torch.testing.assert_close(first[name], value, rtol=2e-3, atol=2e-3, msg=name)
    assert one["ngram_linear.ngram_weights"].any()


def test_processes_without_a_chunk_take_part(tmp_path: Path, train: Trainer) -> None:
    """The validation reviews are fewer chunks than there are processes."""
    assert train(tmp_path / "run", 9, **ORDER) == [0] * 9
    first, *others = models(tmp_path / "run", 9)
    assert all(is_same(first, other) for other in others)


@pytest.mark.parametrize("size", [1, 2])
def test_killed_and_repeated(tmp_path: Path, train: Trainer, size: int) -> None:
    assert train(tmp_path / "whole", size, **ORDER) == [0] * size
    for killed in range(size):
        kill = {"rank": killed, "evaluation": 5, "signal": signal.SIGKILL}
        codes = train(tmp_path / "run", size, **kill, **ORDER)
        assert codes[killed] == -signal.SIGKILL
        if size > 1:
            assert codes[1 - killed] == 2
            assert "another process of this training has ended" in train.errors()
    assert len(list((tmp_path / "run").glob(".ngrams*"))) == 1  # of the one that was killed last
    assert train(tmp_path / "run", size, **ORDER) == [0] * size
    assert not list((tmp_path / "run").glob(".ngrams*"))
    for one, other in zip(
        models(tmp_path / "whole", size), models(tmp_path / "run", size), strict=True
    ):
        assert is_same(one, other)


@pytest.mark.parametrize(("size", "rank"), [(1, 0), (2, 0), (2, 1)])
def test_an_interrupt_ends_all(tmp_path: Path, train: Trainer, size: int, rank: int) -> None:
    interrupt = {"rank": rank, "evaluation": 5, "signal": signal.SIGINT}
    assert train(tmp_path / "run", size, **interrupt, **ORDER) == [1] * size
    assert train.errors().count("\nKeyboardInterrupt") == size
    assert not list((tmp_path / "run").glob(".ngrams*"))
