"""A search as one HTML page, and as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sentir.evaluation.comparison import plots as comparison_plots
from sentir.evaluation.comparison.tables import figure_rows
from sentir.evaluation.page import format_setting, render_page
from sentir.evaluation.tables import format_metric
from sentir.io.atomic import write_page
from sentir.tuning import plots
from sentir.tuning.result import Search, TrialResult

#: The figures of preset and best that are drawn.
DRAWN = ("loss", "accuracy")


def verdict(search: Search) -> str:
    """What was found, in a few sentences."""
    if search.comparison is None:
        return (
            f"No trial has a lower validation loss than the preset ({search.best.loss:.4f}): "
            "keep its settings, or search longer."
        )
    figure = comparison_plots.headline_figure(search.comparison, "loss")
    preset, best = (group.spread(figure) for group in search.comparison.groups)
    assert preset is not None
    assert best is not None
    gains = [p - b for p, b in zip(preset.values, best.values, strict=True)]
    found = (
        f"Trial {search.best.number} has a validation loss of {search.best.loss:.4f}, the preset "
        f"{preset.values[0]:.4f}."
    )
    others = gains[1:]
    if not others:
        return (
            f"{found} Both were trained with one seed, so the difference may be chance: give more "
            "minutes to see both with other seeds."
        )
    lower = sum(gain > 0 for gain in others)
    return (
        f"{found} With {len(others)} other {'seeds' if others[1:] else 'seed'}, which the search "
        f"has not seen, its loss is lower {lower} of {len(others)} times, by "
        f"{sum(others) / len(others):.4f} on average."
    )


def trial_rows(search: Search) -> Iterator[list[str]]:
    """The cells of the table of trials, the best first, then those that were ended early."""
    names = list(search.space)
    order = sorted(search.trials, key=lambda trial: (trial.loss is None, trial.loss or 0.0))
    for trial in order:
        yield [
            str(trial.number),
            format_loss(trial),
            "–" if trial.accuracy is None else format_metric(trial.accuracy, "percent"),
            f"{trial.seconds:,.0f} s",
            *(format_setting(trial.settings.get(name)) for name in names),
        ]


def format_loss(trial: TrialResult) -> str:
    """The loss of a trial, or how it ended without one."""
    return trial.state if trial.loss is None else f"{trial.loss:.4f}"


def describe_trial(trial: TrialResult, best: TrialResult | None) -> str:
    """One line about a trial that has just ended."""
    settings = ", ".join(
        f"{name} {format_setting(value)}" for name, value in trial.settings.items()
    )
    mark = " (best so far)" if best is not None and trial.number == best.number else ""
    accuracy = "" if trial.accuracy is None else f", accuracy {trial.accuracy:.2%}"
    ending = trial.state if trial.loss is None else f"validation loss {trial.loss:.4f}{accuracy}"
    name = f"trial {trial.number}" if trial.number else "trial 0, the preset"
    return f"{name}: {ending}{mark}, {trial.seconds:,.0f} s: {settings}"


def write_search(search: Search, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        UsageError: the place cannot be written.
    """
    comparison = search.comparison
    write_page(
        render_page(
            "tune.html",
            verdict=verdict(search),
            search=search,
            progress=plots.draw_trials(search.trials),
            slices=plots.draw_slices(search.trials, search.space),
            points=[
                (figure.name, comparison_plots.draw_points(comparison, figure))
                for figure in (comparison_plots.headline_figure(comparison, key) for key in DRAWN)
            ]
            if comparison
            else [],
            figures=list(figure_rows(comparison)) if comparison else [],
            columns=["trial", "loss", "accuracy", "time", *search.space],
            rows=list(trial_rows(search)),
        ),
        path,
    )
