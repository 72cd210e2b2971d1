"""The page and the picture of a comparison: well-formed, in words, light and dark, of any name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from fixtures.compared_runs import save_run
from fixtures.toy_bundle import NAMES
from sentir.bundle import load_bundle
from sentir.errors import UsageError
from sentir.evaluation.comparison.comparison import Comparison, compare_runs
from sentir.evaluation.comparison.page import (
    check_ending,
    render,
    write_comparison,
    write_picture,
)
from sentir.evaluation.comparison.plots import (
    draw_comparison,
    draw_learning_curves,
    draw_points,
    headline_figure,
)
from sentir.evaluation.comparison.runs import describe_run

ODD = "_$x^2$ <b>& 日本"


def compared(folder: Path, **runs: dict[str, Any]) -> Comparison:
    folders = [save_run(folder / name, **settings) for name, settings in runs.items()]
    return compare_runs([describe_run(run, load_bundle(run)) for run in folders])


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    """Two seeds of one run, a third run with an odd name, and one without test figures."""
    return compared(
        tmp_path,
        shop_0={"seed": 0, "right": 80},
        shop_1={"seed": 1, "right": 90},
        **{ODD: {"epochs": 3, "synthetic": True}, "untested": {"epochs": 4, "test": False}},
    )


def texts(svg: str) -> list[str]:
    root = ET.fromstring(svg.replace("xlink:", ""))
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_names_and_figures_are_written_beside_the_points(comparison: Comparison) -> None:
    figure = headline_figure(comparison)
    assert figure.part == "validation"  # what all of them have
    drawing = draw_points(comparison, figure)
    found = texts(drawing.svg)
    assert "shop × 2: 85.00\N{NBSP}% ± 7.07\N{NBSP}%" in found
    assert f"{ODD}: 80.00\N{NBSP}%" in found
    assert "validation: accuracy" in found
    assert "shop × 2 85.00\N{NBSP}% ± 7.07\N{NBSP}%; " in drawing.alt


def test_a_figure_that_a_run_lacks_is_said_to_be_lacking(comparison: Comparison) -> None:
    figure = next(one for one in comparison.figures() if one[:2] == ("test", "accuracy"))
    drawing = draw_points(comparison, figure)
    assert "untested: not measured" in texts(drawing.svg)
    assert "untested not measured" in drawing.alt


def test_curves_differ_by_dash_and_marker_too(comparison: Comparison) -> None:
    drawing = draw_learning_curves(comparison)
    assert drawing is not None
    assert [entry.name for entry in drawing.legend] == ["shop × 2", ODD, "untested"]
    assert len({entry.dashes for entry in drawing.legend}) == 3
    assert "shop × 2 reaches 0.017" in drawing.alt
    assert f"{ODD} reaches 0.017" in drawing.alt


def test_no_history_no_curves(tmp_path: Path) -> None:
    runs = [save_run(tmp_path / name, epochs=i) for i, name in enumerate("ab")]
    for run in runs:
        (run / "metrics.jsonl").unlink()
    comparison = compare_runs([describe_run(run, load_bundle(run)) for run in runs])
    assert draw_learning_curves(comparison) is None
    assert "step" not in texts(draw_comparison(comparison).svg)
    assert "Learning curves" not in render(comparison)


def test_the_picture_says_what_its_figures_are_worth(
    comparison: Comparison, tmp_path: Path
) -> None:
    file = tmp_path / "compare.svg"
    write_picture(comparison, file)
    svg = file.read_text("utf-8")
    assert any("trained on synthetic reviews" in text for text in texts(svg))
    assert "trained on synthetic reviews" in " ".join(
        one.text or "" for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}desc")
    )
    assert "prefers-color-scheme: dark" in svg
    assert not re.search("https?://(?!www.w3.org)", svg)
    write_picture(comparison, file)
    assert file.read_text("utf-8") == svg


def test_the_page_shows_everything_and_loads_nothing(
    comparison: Comparison, tmp_path: Path
) -> None:
    write_comparison(comparison, tmp_path / "compare.html")
    page = (tmp_path / "compare.html").read_text("utf-8")
    assert "<b>" not in page
    assert "_$x^2$ &lt;b&gt;&amp; 日本" in page
    for part in ("train.epochs", "85.00\N{NBSP}% ± 7.07\N{NBSP}%", "Learning curves",
                 "Warning:", "Settings that differ", "prefers-color-scheme: dark",
                 "validation: 95 % interval of the accuracy", "Less is better."):  # fmt: skip
        assert part in page
    assert page.count('role="img"') == 5
    assert not re.search("""(?:src|href)=["'](?!#)""", page)
    assert render(comparison) == page


def test_the_page_of_runs_that_do_not_differ(tmp_path: Path) -> None:
    page = render(compared(tmp_path, a={}, b={"seed": 1}))
    assert "No setting differs." in page
    assert "hollow: each run" in page
    assert "One run each, so without a spread." in render(
        compared(tmp_path / "2", a={}, b={"epochs": 2})
    )


def test_a_long_name_is_cut_in_the_picture_only(tmp_path: Path) -> None:
    name = "a" * 60
    comparison = compared(tmp_path, **{name: {}, "b": {"epochs": 2}})
    drawing = draw_points(comparison, headline_figure(comparison))
    assert f"{'a' * 31}…: 80.00\N{NBSP}%" in texts(drawing.svg)
    assert name in drawing.alt


def test_runs_of_ordered_classes_are_compared_by_their_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = "points-test-quadratic_kappa"
    assert drawn not in render(compared(tmp_path / "unordered", a={"classes": 3}))
    monkeypatch.setitem(NAMES, 3, ("1", "2", "3"))
    comparison = compared(tmp_path / "ordered", a={"classes": 3, "right": 80})
    assert drawn in render(comparison)
    figures = comparison.to_dict()["groups"][0]["figures"]
    # Of 20 mistakes every third takes the last class for the first, two places off.
    assert figures["test.mean_absolute_error"]["mean"] == pytest.approx(27 / 100)
    assert figures["test.quadratic_kappa"]["mean"] < 1


@pytest.mark.parametrize("name", ["a.png", "a", "a.svg.html"])
def test_a_name_that_asks_for_another_format(name: str) -> None:
    check_ending(Path("A.SVG"), "--picture", ".svg")
    with pytest.raises(UsageError, match=r"--picture writes SVG.*; end the name in \.svg"):
        check_ending(Path(name), "--picture", ".svg")


def test_a_place_that_cannot_be_written_is_named(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (write_comparison, write_picture):
        with pytest.raises(UsageError, match="cannot be written"):
            write(comparison, tmp_path / "file" / "page")
