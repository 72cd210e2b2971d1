"""Plots of the report: loss, learning rate, ROC, reliability, coverage, lengths of the reviews.

Shapes: N examples, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from sentir.evaluation.metrics import ReliabilityBin
from sentir.evaluation.selective import risk_coverage
from sentir.evaluation.svg import (
    INK,
    MUTED,
    SERIES,
    SIZE,
    Drawing,
    key,
    line_style,
    page_style,
    to_svg,
)

#: Points per curve: more cannot be seen at this width.
POINTS = 240
#: Reviews from which on accuracy by coverage is drawn.
MIN_COVERED = 20
#: Round steps between ticks.
ROUND = (1, 2, 2.5, 5, 10)
CHANCE: dict[str, Any] = {"linewidth": 1.4, "dashes": (1, 2)}


@page_style()
def draw_loss(history: Sequence[Mapping[str, Any]]) -> Drawing | None:
    """Training loss (per step and its running mean) and validation loss, its best marked."""
    steps, losses = series(history, "step", "loss")
    valid_steps, valid_losses = series(history, "validation", "loss")
    if not len(steps) and not len(valid_steps):
        return None
    figure, axes = _axes("step", "loss (nats)")
    legend, alt = [], "Loss over the steps of training."
    if len(steps):
        smooth = _running_mean(losses)
        axes.plot(*_thinned(steps, losses), color=SERIES[0], linewidth=0.8, alpha=0.3)
        axes.plot(*_thinned(steps, smooth), **line_style(0))
        legend.append(key("training, running mean", 0))
        alt += f" The training loss goes from {smooth[0]:.3f} to {smooth[-1]:.3f}."
    if len(valid_steps):
        best = int(valid_losses.argmin())
        step, loss = float(valid_steps[best]), float(valid_losses[best])
        axes.plot(valid_steps, valid_losses, marker="o", ms=4, **line_style(1))
        axes.plot(step, loss, "o", ms=11, mfc="none", mec=INK, mew=1.6)
        # Above the point, where the curve has been before.
        axes.annotate(
            f"best {loss:.3f}",
            (step, loss),
            xytext=(0, 12),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
        )
        legend.append(key("validation", 1))
        alt += f" The validation loss is best at step {step:,.0f} with {loss:.3f}."
    return Drawing(svg=to_svg(figure, "loss"), alt=alt, legend=tuple(legend))


@page_style()
def draw_learning_rate(history: Sequence[Mapping[str, Any]]) -> Drawing | None:
    """The learning rate of each step."""
    steps, rates = series(history, "step", "learning_rate")
    if not len(steps):
        return None
    figure, axes = _axes("step", "learning rate")
    axes.plot(*_thinned(steps, rates), **line_style(0))
    axes.set_ylim(0, (float(rates.max()) or 1.0) * 1.08)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    alt = f"The learning rate reaches {rates.max():g} and ends at {rates[-1]:.2g}."
    return Drawing(svg=to_svg(figure, "rate"), alt=alt)


@page_style()
def draw_roc(
    probabilities_NC: np.ndarray, labels_N: np.ndarray, names: Sequence[str]
) -> Drawing | None:
    """ROC curves: of class 1 for two classes, one-versus-rest for more, if they have examples."""
    from sklearn.metrics import roc_auc_score, roc_curve

    classes = [1] if len(names) == 2 else range(len(names))
    drawn = [c for c in classes if 0 < (labels_N == c).sum() < len(labels_N)]
    if not drawn:
        return None
    figure, axes = _axes("false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], color=MUTED, **CHANCE)
    legend = []
    for index, c in enumerate(drawn):
        false_rates, true_rates, _ = roc_curve(labels_N == c, probabilities_NC[:, c])
        axes.plot(*_corners(false_rates, true_rates), **line_style(index))
        area = roc_auc_score(labels_N == c, probabilities_NC[:, c])
        legend.append(key(f"{names[c]}: area {area:.4f}", index))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    alt = f"ROC curve. {'; '.join(entry.name for entry in legend)}. The dotted line is chance."
    return Drawing(svg=to_svg(figure, "roc"), alt=alt, legend=tuple(legend))


@page_style()
def draw_reliability(bins: Sequence[ReliabilityBin]) -> Drawing:
    """Reliability diagram: accuracy by confidence, above the number of predictions."""
    drawn = [row for row in bins if row.count]
    middles = [(row.low + row.high) / 2 for row in drawn]
    width = (bins[0].high - bins[0].low) * 0.86
    # The confidence among C classes is at least 1 / C: the empty part is not drawn.
    left = max(0.0, drawn[0].low - 0.03) if drawn else 0.0
    figure = Figure(figsize=SIZE, layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(3, 1))
    axes, counts = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    axes.bar(middles, [row.accuracy or 0.0 for row in drawn], width, color=SERIES[0], alpha=0.8)
    axes.plot([0, 1], [0, 1], color=INK, **CHANCE)
    axes.set(ylabel="accuracy", xlim=(left, 1.0), ylim=(0, 1.03))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(labelbottom=False)
    counts.bar(middles, [row.count for row in drawn], width, color=MUTED, alpha=0.6)
    counts.set(xlabel="confidence", ylabel="reviews", xlim=(left, 1.0))
    counts.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    counts.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    counts.yaxis.set_major_formatter(FuncFormatter(format_count))
    figure.align_ylabels()
    parts = [
        f"{row.count:,} with confidence {row.confidence:.0%}, {row.accuracy:.0%} correct"
        for row in drawn
    ]
    alt = f"Reliability: {'; '.join(parts)}. The dotted line is perfect calibration."
    return Drawing(svg=to_svg(figure, "reliability"), alt=alt)


@page_style()
def draw_coverage(probabilities_NC: np.ndarray, labels_N: np.ndarray) -> Drawing:
    """Accuracy on the most confident reviews, by the share of reviews that they are."""
    curve = risk_coverage(probabilities_NC, labels_N)
    coverages, accuracies = curve.coverage_K, curve.accuracy_K
    figure, axes = _axes("share of reviews answered", "accuracy")
    # Of few reviews the accuracy jumps: the curve starts where there are enough, if there are.
    is_drawn = coverages * len(labels_N) >= min(MIN_COVERED, len(labels_N))
    axes.plot(*_thinned(coverages[is_drawn], accuracies[is_drawn]), **line_style(0))
    axes.set(xlim=(0, 1.01), ylim=(None, 1.003))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    # Rounded down to where a group of equal confidence ends.
    parts = [
        f"{accuracies[row]:.1%} correct of the most confident {coverages[row]:.0%}"
        for row in dict.fromkeys(
            max(int(np.searchsorted(coverages, share, side="right")) - 1, 0)
            for share in (0.25, 0.5, 0.75, 1.0)
        )
    ]
    alt = f"Accuracy by coverage: {'; '.join(parts)}."
    return Drawing(svg=to_svg(figure, "coverage"), alt=alt)


@page_style()
def draw_lengths(lengths: np.ndarray, max_length: int) -> Drawing | None:
    """Histogram of the lengths of the reviews, and where they are truncated."""
    if not len(lengths):
        return None
    right = max(float(np.percentile(lengths, 99)), 10.0)
    if max_length < 3 * right:  # else it is far beyond every review, and not drawn
        right = max(right, max_length * 1.15)
    figure, axes = _axes("tokens", "reviews")
    width = int(np.ceil(right / 40))  # whole tokens, so that all bins hold as many lengths
    edges = np.arange(0, right + width, width)
    counts, _ = np.histogram(lengths, edges)
    axes.stairs(counts, edges, fill=True, color=SERIES[0], alpha=0.8)
    axes.set(xlim=(0, edges[-1]), ylim=(0, counts.max() * 1.12))
    axes.yaxis.set_major_formatter(FuncFormatter(format_count))
    if max_length < right:
        axes.axvline(max_length, **line_style(1))
        on_left = max_length > right / 2
        axes.annotate(
            f"truncated at {max_length:,}",
            (max_length, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-6 if on_left else 6, -2),
            textcoords="offset points",
            ha="right" if on_left else "left",
            va="top",
            fontweight="bold",
        )
    alt = (
        f"Histogram of the lengths of {len(lengths):,} reviews: the median is"
        f" {np.median(lengths):,.0f} tokens, {np.mean(lengths > max_length):.1%} are longer"
        f" than {max_length:,}."
    )
    return Drawing(svg=to_svg(figure, "lengths"), alt=alt)


def _axes(xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    """A figure of one plot, with round ticks."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=ROUND))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=ROUND))
    axes.xaxis.set_major_formatter(FuncFormatter(format_count))
    return figure, axes


def format_count(value: float, _: int | None = None) -> str:
    """A count on an axis: ``12k`` above 10,000."""
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:,.10g}"


def series(
    history: Sequence[Mapping[str, Any]], event: str, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Steps and finite values of the rows of one event."""
    pairs = [
        (row["step"], row[name])
        for row in history
        if row.get("event") == event and row.get(name) is not None and np.isfinite(row[name])
    ]
    both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _running_mean(values: np.ndarray) -> np.ndarray:
    """A centred running mean over a twentieth of the curve."""
    window = np.ones(2 * (len(values) // 40) + 1)
    weights = np.convolve(np.ones(len(values)), window, "same")
    return np.convolve(values, window, "same") / weights


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    indices = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(np.int64))
    return x[indices], y[indices]


def _corners(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A monotonic curve reduced to points that can be told apart, and its end."""
    _, indices = np.unique(((x + y) * POINTS).astype(np.int64), return_index=True)
    indices = np.union1d(indices, [len(x) - 1])
    return x[indices], y[indices]
