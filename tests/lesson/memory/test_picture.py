from __future__ import annotations

from pathlib import Path

import pytest

from sentir.errors import UsageError
from sentir.lesson.memory.experiment import CELLS, MEASURED, Memory, Recall
from sentir.lesson.memory.gradients import GradientNorms
from sentir.lesson.memory.picture import figure, named, tables

MEMORY = Memory(
    steps=500,
    rates=(0.02,),
    hidden={"recall": dict.fromkeys(CELLS, 25)},
    parameters={"recall": dict.fromkeys(CELLS, 3101)},
    chance={"recall": 0.25},
    recalls=[
        Recall(task="recall", cell=cell, gap=gap, seed=seed, rate=0.02, accuracy=0.5 + 0.25 * seed)
        for cell in CELLS for gap in (5, 10) for seed in (0, 1)
    ],
    gradients=[
        GradientNorms(name=name, seed=0, norms=[0.5**step for step in range(11)])
        for name in MEASURED
    ],
)  # fmt: skip


def cells(language: str, which: int) -> list[list[str]]:
    columns = list(tables(MEMORY, language))[which].columns
    return [list(column.cells) for column in columns]


def test_a_table_has_means_and_ranges_of_the_seeds() -> None:
    assert cells("en", 0)[2][:3] == ["3,101"] * 3
    assert cells("en", 0)[3] == ["62.5% (50%-75%)"] * 3 + ["25%"]
    assert cells("es", 0)[2][:3] == ["3101"] * 3
    assert cells("es", 0)[3][:1] == ["62,5\u00a0% (50\u00a0%-75\u00a0%)"]


def test_the_table_of_gradients_goes_as_far_as_they_were_measured() -> None:
    assert [column[0] for column in cells("en", 1)] == ["RNN", "5.0e-01", "3.1e-02", "9.8e-04"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_figure_has_a_panel_per_task_and_one_of_gradients(
    language: str, tmp_path: Path
) -> None:
    drawing = figure(MEMORY, language)
    assert len(drawing.axes) == 2
    assert len(drawing.axes[1].get_legend().get_texts()) == len(MEASURED)
    drawing.savefig(tmp_path / "memory.svg")


def test_names_and_languages() -> None:
    assert named("gru", "es") == "GRU"
    assert named("lstm 1", "es") == "LSTM, sesgo de olvido 1"
    with pytest.raises(UsageError, match="does not speak 'fr'; use en or es"):
        figure(MEMORY, "fr")
