from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures.tiny_runs import write_fasttext
from sentir.data.batching import pad
from sentir.errors import DataError, UsageError
from sentir.lesson.pitfalls.experiment import compare, gather, steps_in_all
from sentir.lesson.pitfalls.picture import NAMES, figure, markdown, rows, table
from sentir.lesson.pitfalls.recipes import (
    PITFALLS,
    LessonNet,
    Recipe,
    Reviews,
    learn_with,
    to_the_right,
)
from sentir.text.tokenizer import UNK

NONE: frozenset[str] = frozenset()
TINY = Recipe(embedding_dim=6, hidden_size=5, batch=8, max_length=30, epochs=1, checks=3)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviews]:
    folder = tmp_path_factory.mktemp("faults")
    train = write_fasttext(folder / "train.ft.txt", 80)
    # Reviews of another language: on them nearly every word is unknown.
    test = write_fasttext(folder / "test.ft.txt", 40, seed=1, language="es")
    (folder / "ids").mkdir()
    return gather([str(train)], [str(test)], folder / "ids", count=60, max_length=30)


@pytest.fixture
def net() -> LessonNet:
    torch.manual_seed(0)
    return LessonNet(20, TINY).eval()


TEXTS = [[2, 3, 4], [5, 6, 7, 8, 9, 10, 11], [12]]


def answers(net: LessonNet, pitfalls: frozenset[str]) -> torch.Tensor:
    batch = pad(TEXTS, 30)
    zero = net.state(3, NONE, torch.Generator())
    with torch.no_grad():
        return net(batch.ids_BT, batch.lengths_B, zero, pitfalls)[0]


def alone(net: LessonNet) -> torch.Tensor:
    """Each text by itself, with no padding at all."""
    with torch.no_grad():
        return torch.cat([
            net(torch.tensor([text]), torch.tensor([len(text)]),
                net.state(1, NONE, torch.Generator()), NONE)[0]
            for text in TEXTS
        ])  # fmt: skip


def test_the_mended_network_does_not_feel_the_padding(net: LessonNet) -> None:
    torch.testing.assert_close(answers(net, NONE), alone(net))
    torch.testing.assert_close(answers(net, frozenset({"carried"})), alone(net))


@pytest.mark.parametrize("pitfall", ["left padding", "right padding"])
def test_padding_that_is_read_changes_the_answer(net: LessonNet, pitfall: str) -> None:
    assert (answers(net, frozenset({pitfall})) - alone(net)).abs().min() > 1e-4


def test_padding_goes_to_the_left() -> None:
    batch = pad(TEXTS, 8)
    assert to_the_right(batch.ids_BT, batch.lengths_B).tolist() == [
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


def test_what_is_not_set_to_zero_is_not_zero(net: LessonNet) -> None:
    found = [
        net.state(4, frozenset({"uninitialised"}), torch.Generator().manual_seed(seed))[0]
        for seed in (0, 0, 1)
    ]
    assert found[0].abs().min() > 0
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("pitfall", ["fixed", "unknown", "all"])
def test_unknown_words_are_misread_when_measuring_only(
    reviews: Reviews, pitfall: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {True: 0, False: 0}
    forward = LessonNet.forward

    def count(self: LessonNet, ids_BT: torch.Tensor, *rest: Any) -> Any:
        unknown[self.training] += int((ids_BT == UNK).sum())
        return forward(self, ids_BT, *rest)

    monkeypatch.setattr(LessonNet, "forward", count)
    learn_with(pitfall, reviews, recipe=TINY)
    assert unknown[True] > 0
    assert (unknown[False] > 0) == (pitfall == "fixed")


def test_it_depends_on_the_seed_alone(reviews: Reviews) -> None:
    for pitfall in ("fixed", "all"):
        assert learn_with(pitfall, reviews, recipe=TINY) == learn_with(
            pitfall, reviews, recipe=TINY
        )
    found = [learn_with("fixed", reviews, recipe=TINY, seed=seed).valid for seed in range(4)]
    assert found != [found[0]] * 4


def test_every_fault_has_its_row_and_panel(reviews: Reviews, tmp_path: Path) -> None:
    told: list[int] = []
    found = compare(reviews, recipe=TINY, seeds=(0, 1), advance=told.append)
    assert sum(told) == steps_in_all(reviews, PITFALLS, (0, 1), TINY)
    assert found.pitfalls == list(PITFALLS)
    assert json.loads(json.dumps(found.to_dict()))["reviews"] == {
        "train": 54, "valid": 6, "test": 40
    }  # fmt: skip
    for language in ("en", "es"):
        assert [row[0] for row in rows(found, language)] == [NAMES[language][f] for f in PITFALLS]
        assert markdown(found, language).count("\n") == len(PITFALLS) + 1
        assert table(found, language).row_count == len(PITFALLS)
        drawn = figure(found, language)
        assert len(drawn.axes) == len(PITFALLS) - 1
        drawn.savefig(tmp_path / "pitfalls.svg")


def test_points_lost_are_against_the_mended_recipe(reviews: Reviews) -> None:
    found = compare(reviews, pitfalls=("fixed", "carried"), recipe=TINY)
    lost = 100 * (found.of("fixed")[0].test - found.of("carried")[0].test)
    assert rows(found)[1][3] == f"{lost:.1f}"
    assert rows(found)[0][3] == ""
    alone = compare(reviews, pitfalls=("carried",), recipe=TINY)
    assert rows(alone)[0][3] == ""
    assert len(figure(alone).axes) == 1


def test_made_up_reviews_have_no_end(tmp_path: Path) -> None:
    found = gather(["sample_es"], ["sample_es:test"], tmp_path, count=7000, max_length=30)
    assert len(found.train) + len(found.valid) == 7000
    assert len(found.test) == 2500


def test_what_cannot_be_is_refused(reviews: Reviews, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no fault 'gremlin'; use one of fixed, carried"):
        learn_with("gremlin", reviews, recipe=TINY)
    three = tmp_path / "three.csv"
    three.write_text("text,label\n" + "".join(f"word {n},{'abc'[n % 3]}\n" for n in range(90)))
    (tmp_path / "ids").mkdir()
    with pytest.raises(UsageError, match="3 classes; the lesson's network tells two apart"):
        gather([str(three)], [str(three)], tmp_path / "ids", count=90, max_length=30)
    with pytest.raises(DataError):
        gather([str(tmp_path / "none.csv")], ["sample:test"], tmp_path, count=9, max_length=30)


def test_more_layers_are_made_only_if_asked_for() -> None:
    assert LessonNet(20, replace(TINY, num_layers=1)).lstm.num_layers == 1
    assert LessonNet(20, TINY).lstm.dropout == 0.5
