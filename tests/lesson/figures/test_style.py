from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sentir.errors import UsageError
from sentir.lesson.figures.style import (
    LineStyle,
    geometric_mean,
    lesson_figure,
    line_with_spread,
    save,
)


def test_empty_panels_are_removed() -> None:
    figure, axes = lesson_figure(5, columns=3)
    assert len(axes) == len(figure.axes) == 5
    assert tuple(figure.get_size_inches()) == (3 * 4.8, 2 * 4.0)


def test_a_line_is_the_mean_and_the_band_the_range() -> None:
    _, (axes,) = lesson_figure(1)
    seeds = np.array([[1.0, 4.0], [4.0, 16.0]])
    line_with_spread(axes, [0, 1], seeds, LineStyle("C0", "o", "-"), "mean")
    line_with_spread(axes, [0, 1], seeds, LineStyle("C1", "s", "--"), "log", logarithmic=True)
    assert axes.lines[0].get_ydata() == pytest.approx([2.5, 10.0])
    assert axes.lines[1].get_ydata() == pytest.approx([2.0, 8.0])
    assert axes.collections[0].get_datalim(axes.transData).y1 == 16.0


def test_a_zero_counts_as_the_smallest_float32() -> None:
    assert geometric_mean(np.array([[0.0], [1.0]]))[0] == pytest.approx(1e-45**0.5)


@pytest.mark.parametrize(("name", "start"), [
    ("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF"),
])  # fmt: skip
def test_the_ending_decides_the_format(name: str, start: bytes, tmp_path: Path) -> None:
    figure, _ = lesson_figure(1)
    save(figure, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    figure, _ = lesson_figure(1)
    with pytest.raises(UsageError, match=r"'\.gif'"):
        save(figure, tmp_path / "a.gif")
