from __future__ import annotations

import pytest
import torch
from torch import Generator

from sentir.errors import UsageError
from sentir.lesson.memory.tasks import TASKS, adding, recall, task_named


def test_recall_asks_for_the_marked_symbol() -> None:
    x_TBI, answers_B = recall(Generator().manual_seed(0), 50, 7)
    assert x_TBI.shape == (8, 50, 5)
    mark_TB = x_TBI[:, :, 4]
    assert mark_TB[0].all()
    assert not mark_TB[1:].any()
    assert torch.equal(x_TBI[0, :, :4].argmax(dim=1), answers_B)
    assert x_TBI[1:, :, :4].sum(dim=2).eq(1).all(), "the others are of the same kinds"


def test_adding_asks_for_the_sum_of_two_far_apart() -> None:
    x_TBI, answers_B = adding(Generator().manual_seed(0), 500, 29)
    values_TB, mark_TB = x_TBI.unbind(dim=2)
    assert torch.allclose((values_TB * mark_TB).sum(dim=0), answers_B)
    assert mark_TB.sum(dim=0).eq(2).all()
    assert mark_TB[0].all()
    assert not mark_TB[1:15].any()


def test_in_training_the_marked_input_lies_anywhere() -> None:
    for make, marks in ((recall, 1), (adding, 2)):
        x_TBI, answers_B = make(Generator().manual_seed(0), 900, 9, anywhere=True)
        mark_TB = x_TBI[:, :, -1]
        assert mark_TB.sum(dim=0).eq(marks).all()
        often_T = mark_TB.mean(dim=1)
        assert often_T.sub(marks / 10).abs().max() < 0.05
        if make is recall:
            marked_BI = (x_TBI * mark_TB[:, :, None]).sum(dim=0)
            assert torch.equal(marked_BI[:, :4].argmax(dim=1), answers_B)


@pytest.mark.parametrize("name", TASKS)
def test_chance_is_the_accuracy_without_a_memory(name: str) -> None:
    task = task_named(name)
    _, answers_B = task.make(Generator().manual_seed(0), 40_000, 2)
    blind_BO = torch.ones(40_000, task.outputs)
    assert task.right(blind_BO, answers_B).double().mean().item() == pytest.approx(
        task.chance, abs=0.01
    )


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(UsageError, match="no task 'copy'; use recall or adding"):
        task_named("copy")
