from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from fixtures.pitfall_reviews import TINY, gather_few
from sentir.data.batching import pad
from sentir.errors import UsageError
from sentir.lesson.pitfalls.recipes import (
    PITFALLS,
    TOGETHER,
    LessonNet,
    Reviews,
    pad_left,
    train_with,
)
from sentir.text.tokenizer import UNK

NONE: frozenset[str] = frozenset()
TEXTS = [[2, 3, 4], [5, 6, 7, 8, 9, 10, 11], [12]]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Reviews:
    return gather_few(tmp_path_factory.mktemp("pitfalls"))


@pytest.fixture
def net() -> LessonNet:
    torch.manual_seed(0)
    return LessonNet(20, TINY).eval()


def answers(net: LessonNet, pitfalls: frozenset[str]) -> torch.Tensor:
    batch = pad(TEXTS, 30)
    zero = net.state(3, NONE, torch.Generator())
    with torch.no_grad():
        return net(batch.ids_BT, batch.lengths_B, zero, pitfalls)[0]


def alone(net: LessonNet) -> torch.Tensor:
    """Each text alone, without padding."""
    with torch.no_grad():
        return torch.cat([
            net(torch.tensor([text]), torch.tensor([len(text)]),
                net.state(1, NONE, torch.Generator()), NONE)[0]
            for text in TEXTS
        ])  # fmt: skip


def test_the_fixed_network_ignores_padding(net: LessonNet) -> None:
    torch.testing.assert_close(answers(net, NONE), alone(net))
    torch.testing.assert_close(answers(net, frozenset({"carried"})), alone(net))


@pytest.mark.parametrize("pitfall", ["left padding", "right padding"])
def test_padding_that_is_read_changes_the_answer(net: LessonNet, pitfall: str) -> None:
    assert (answers(net, frozenset({pitfall})) - alone(net)).abs().min() > 1e-4


def test_padding_goes_to_the_left() -> None:
    batch = pad(TEXTS, 8)
    assert pad_left(batch.ids_BT, batch.lengths_B).tolist() == [
        [0] * 5 + TEXTS[0], [0] + TEXTS[1], [0] * 7 + TEXTS[2]
    ]  # fmt: skip


def test_the_state_is_carried_where_each_review_ends(net: LessonNet) -> None:
    batch, generator = pad(TEXTS, 30), torch.Generator().manual_seed(0)
    zero = net.state(3, NONE, generator)
    with torch.no_grad():
        _, (hidden_LBH, _) = net(batch.ids_BT, batch.lengths_B, zero, frozenset({"carried"}))
    for row, text in enumerate(TEXTS):
        with torch.no_grad():
            x = net.embedding(torch.tensor([text]))
            _, (alone_LBH, _) = net.lstm(x)
        torch.testing.assert_close(hidden_LBH[:, row], alone_LBH[:, 0])


def test_an_uninitialised_state_is_not_zero(net: LessonNet) -> None:
    states = [
        net.state(4, frozenset({"uninitialised"}), torch.Generator().manual_seed(seed))[0]
        for seed in (0, 0, 1)
    ]
    assert states[0].abs().min() > 0
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize("pitfall", ["fixed", "unknown", "all"])
def test_unknown_words_become_padding_in_measurement_only(
    reviews: Reviews, pitfall: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {True: 0, False: 0}
    forward = LessonNet.forward

    def count(self: LessonNet, ids_BT: torch.Tensor, *arguments: Any) -> Any:
        unknown[self.training] += int((ids_BT == UNK).sum())
        return forward(self, ids_BT, *arguments)

    monkeypatch.setattr(LessonNet, "forward", count)
    train_with(pitfall, reviews, recipe=TINY)
    assert unknown[True] > 0
    assert (unknown[False] > 0) == (pitfall == "fixed")


def test_a_run_depends_on_the_seed_alone(reviews: Reviews) -> None:
    for pitfall in ("fixed", "all"):
        assert train_with(pitfall, reviews, recipe=TINY) == train_with(
            pitfall, reviews, recipe=TINY
        )
    curves = [train_with("fixed", reviews, recipe=TINY, seed=seed).valid for seed in range(4)]
    assert curves != [curves[0]] * 4


def test_dropout_between_layers_needs_two_layers() -> None:
    assert LessonNet(20, replace(TINY, num_layers=1)).lstm.num_layers == 1
    assert LessonNet(20, TINY).lstm.dropout == 0.5


def test_all_switches_on_everything_but_padding_on_the_right() -> None:
    assert set(PITFALLS) == TOGETHER | {"fixed", "right padding", "all"}


def test_an_unknown_pitfall_is_refused(reviews: Reviews) -> None:
    with pytest.raises(UsageError, match="no pitfall 'gremlin'; use one of fixed, carried"):
        train_with("gremlin", reviews, recipe=TINY)
