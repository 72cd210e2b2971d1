from __future__ import annotations

from pathlib import Path

import pytest

from sentir.cli.lesson.app import check_picture, numbers, progress_bar
from sentir.errors import UsageError


def test_numbers_are_separated_by_commas() -> None:
    assert numbers("5, 10,20", "--gaps") == [5, 10, 20]
    assert numbers("0.5", "--rates", float) == [0.5]
    with pytest.raises(UsageError, match=r"--gaps: '0\.5' is not a list of numbers; use commas"):
        numbers("0.5", "--gaps")


def test_the_name_of_a_figure_needs_a_known_ending() -> None:
    check_picture(None)
    check_picture(Path("a.svg"))
    with pytest.raises(UsageError, match="no picture format"):
        check_picture(Path("a.txt"))


def test_the_progress_bar_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("training", 3) as advance:
        advance(1)
    assert capsys.readouterr().err == ""
