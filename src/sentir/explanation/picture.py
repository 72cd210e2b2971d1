"""An explanation as a picture: the marked text and its answer, n-grams, what the network did.

An SVG follows the reader's choice of light or dark. What speaks for the answer has a solid frame
and a plus, what speaks against it a dashed frame and a minus: no meaning is in colours alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len

from sentir.errors import UsageError
from sentir.evaluation.occlusion import WordEffect
from sentir.explanation.explain import Explanation
from sentir.explanation.gates import MEANING
from sentir.extras import require
from sentir.inference.network import Floats
from sentir.io.atomic import atomic_write, report_unwritable
from sentir.io.terminal import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
_ROW_TOKENS = 32
_DIRECTIONS = {"forward": "forward direction", "backward": "backward direction"}
#: N-grams that are drawn.
_NGRAMS = 8
#: Points of the text's letters, and of a letter's width, which is about that of wide fonts.
_LETTER_PT, _LETTER_WIDTH_PT = 10, 6.4
#: Inches of a line of the text with its numbers.
_LINE_INCHES = 0.44
#: Numbers below so much of the largest effect are left out.
_SMALL = 0.05

#: From a placeholder colour of `sentir.evaluation.svg` to the colour that is drawn.
Colour = Callable[[str], str]


def draw(explanation: Explanation, path: Path) -> None:
    """Write the picture; a long text is broken into rows.

    Args:
        explanation: what is drawn.
        path: ends in .svg, .png or .pdf, which decides the format.

    Raises:
        UsageError: the name has another ending, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    kind = picture_format(path)
    from matplotlib import rc_context

    from sentir.evaluation.svg import LIGHT, Drawing, page_style, paper_style, to_standalone, to_svg

    answer = printable(f"{explanation.prediction}, {explanation.probability:.1%}")
    with ExitStack() as styles:
        styles.enter_context(page_style() if kind == "svg" else paper_style())
        styles.enter_context(
            rc_context({"font.size": 8, "text.parse_math": False, "axes.grid": False})
        )
        styles.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Glyph .* missing")  # not every script has a font
        figure = _figure(explanation, answer, str if kind == "svg" else LIGHT.__getitem__)
        with report_unwritable(path), atomic_write(path) as new:
            if kind == "svg":
                drawing = Drawing(svg=to_svg(figure, "explanation"), alt=_described(explanation))
                declaration = '<?xml version="1.0" encoding="utf-8"?>\n'
                new.write_text(declaration + to_standalone(drawing, answer), encoding="utf-8")
            else:
                figure.savefig(new, format=kind, dpi=150)


def picture_format(path: Path) -> str:
    """The format of a picture, by the ending of its name; asked before the work that it shows.

    Raises:
        UsageError: the ending is none of `FORMATS`.
        MissingExtraError: matplotlib is not installed.
    """
    require("a picture", "matplotlib")
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise UsageError(
            f"no picture format {path.suffix!r}",
            where=str(path),
            todo=f"end the name in .{', .'.join(FORMATS[:-1])} or .{FORMATS[-1]}",
        )
    return kind


def _described(explanation: Explanation) -> str:
    """The picture in words."""
    words = ", ".join(f"{word.text} {word.effect:+.2f}" for word in explanation.strongest(10))
    return printable(
        f"The words of the largest effect on {explanation.prediction} (log-odds): {words}"
    )


def _figure(explanation: Explanation, answer: str, colour: Colour) -> Figure:
    from matplotlib.figure import Figure

    rows = -(-len(explanation.tokens) // _ROW_TOKENS)
    tokens_per_row = -(-len(explanation.tokens) // rows)
    width_inches = max(7.0, 2.8 + 0.3 * tokens_per_row)
    lines = _lines(explanation.words, int(width_inches * 72 / _LETTER_WIDTH_PT) - 1)
    ngrams = (explanation.ngrams or [])[:_NGRAMS]
    has_attention = explanation.attention_T is not None
    heights = [0.8] * has_attention + [1.6]
    heights += [0.4 + 0.28 * len(gates) for gates in _gated(explanation).values()] + [0.9]
    part_inches = [0.8 + _LINE_INCHES * len(lines)]
    part_inches += [0.6 + 0.2 * len(ngrams)] if ngrams else []
    part_inches += [1.3 + sum(heights)] * rows

    figure = Figure(figsize=(width_inches, sum(part_inches)), layout="constrained")
    parts = list(
        figure.subfigures(len(part_inches), 1, squeeze=False, height_ratios=part_inches)[:, 0]
    )
    _draw_text(parts.pop(0).subplots(), explanation, answer, lines, colour)
    if ngrams:
        _draw_ngrams(parts.pop(0).subplots(), explanation, colour)
    for row, part in enumerate(parts):
        axes = list(
            part.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
        )
        _draw_row(axes, explanation, row * tokens_per_row, tokens_per_row, colour)
    return figure


def _lines(words: Sequence[WordEffect], columns: int) -> list[list[tuple[int, str, float]]]:
    """The text in lines of so many letters: of each word where it starts, how it is written, its
    effect."""
    lines: list[list[tuple[int, str, float]]] = [[]]
    place = 0
    for word in words:
        text = printable(word.text)
        if cell_len(text) > columns - 2:
            text = f"{text[: (columns - 4) // 2]}…"
        if place + cell_len(text) + 2 > columns and lines[-1]:
            lines.append([])
            place = 0
        lines[-1].append((place, text, word.effect))
        place += max(cell_len(text), 4) + 2  # a number below the word needs four letters
    return lines


def _draw_text(
    axes: Axes,
    explanation: Explanation,
    answer: str,
    lines: list[list[tuple[int, str, float]]],
    colour: Colour,
) -> None:
    """Draw the text, each word in a frame that says what it speaks for, its effect below it."""
    from matplotlib.patches import Rectangle

    from sentir.evaluation.svg import INK, MUTED

    largest = max(abs(word.effect) for word in explanation.words) or 1.0
    axes.set_title(answer, loc="left", fontsize=13, fontweight="bold", color=colour(INK))
    width_inches = axes.figure.figure.get_size_inches()[0]
    axes.set_xlim(-0.3, width_inches * 72 / _LETTER_WIDTH_PT)
    axes.set_ylim(len(lines) + 0.4, 0)
    axes.axis("off")
    for row, line in enumerate(lines):
        for place, text, effect in line:
            share, series = abs(effect) / largest, colour(_side(effect))
            letters = max(cell_len(text), 4)
            axes.text(place + 0.5 + letters / 2, row + 0.3, text, fontsize=_LETTER_PT,
                      ha="center", va="center", color=colour(INK))  # fmt: skip
            if share < _SMALL:
                continue
            box = (place, row + 0.02), letters + 1, 0.56
            axes.add_patch(Rectangle(*box, facecolor=series, alpha=0.45 * share, linewidth=0))
            dashes = "solid" if effect > 0 else (0, (3, 2))
            axes.add_patch(
                Rectangle(*box, fill=False, edgecolor=series, linestyle=dashes, linewidth=0.9)
            )
            axes.text(place + 0.5 + letters / 2, row + 0.75, f"{effect:+.2f}", fontsize=7,
                      ha="center", va="center", color=colour(MUTED))  # fmt: skip
    axes.text(0, len(lines) + 0.25, _reading(explanation), fontsize=7, va="center",
              color=colour(MUTED))  # fmt: skip


def _reading(explanation: Explanation) -> str:
    return (
        f"log-odds of {printable(explanation.prediction)} with the word minus those without it: "
        "solid frame and + for it, dashed frame and - against it"
    )


def _draw_ngrams(axes: Axes, explanation: Explanation, colour: Colour) -> None:
    """Draw what the n-grams of the largest effect add."""
    from sentir.evaluation.svg import INK, MUTED

    ngrams = (explanation.ngrams or [])[:_NGRAMS]
    effects = [ngram.effect for ngram in ngrams]
    y = range(len(ngrams))
    bars = axes.barh(y, effects, color=[colour(_side(effect)) for effect in effects], alpha=0.8)
    axes.bar_label(bars, [f"{effect:+.2f}" for effect in effects], padding=3, fontsize=7)
    axes.axvline(0, color=colour(MUTED), linewidth=0.8)
    axes.set_yticks(y, [_short(ngram.text, 40) for ngram in ngrams], color=colour(INK))
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.margins(x=0.15)
    axes.spines[:].set_visible(False)
    shares = explanation.shares
    axes.set_title(
        f"n-grams in the n-gram linear model, which gives {shares['ngram_linear']:+.2f} of the"
        f" logit; the network gives {shares['network']:+.2f}",
        loc="left",
    )


def _gated(explanation: Explanation) -> dict[str, dict[str, Floats]]:
    """The gates of each direction, if the cell has any."""
    return {direction: gates for direction, gates in explanation.gates.items() if gates}


def _draw_row(
    axes: list[Axes], explanation: Explanation, start: int, width: int, colour: Colour
) -> None:
    """Draw attention, answer, gates and memory at `width` tokens."""
    from sentir.evaluation.svg import INK, LINE, MUTED, SERIES, line_style

    row = slice(start, start + width)
    tokens = explanation.tokens[row]
    x = range(len(tokens))
    if explanation.attention_T is not None:
        attention = axes.pop(0)
        attention.bar(x, explanation.attention_T[row], color=colour(SERIES[0]), alpha=0.8)
        attention.set_title("attention: the share of each token's state in the answer", loc="left")
        attention.set_ylim(0, 1.1 * explanation.attention_T.max())
    first, *between, last = axes

    def style(index: int) -> dict[str, Any]:
        return {**line_style(index), "color": colour(line_style(index)["color"]), "linewidth": 1.2}

    if len(explanation.labels) == 2:
        first.plot(x, explanation.answer_TC[row, 1], marker=".", **style(0))
        first.set_title(
            f"probability of {printable(explanation.labels[1])} as the text is read", loc="left"
        )
    else:
        for index, label in enumerate(explanation.labels):
            answer_T = explanation.answer_TC[row, index]
            first.plot(x, answer_T, marker=".", label=printable(label), **style(index))
        first.set_title("probabilities as the text is read", loc="left")
        _draw_legend(first)
    first.axhline(0.5, color=colour(LINE), linewidth=0.8, zorder=0)
    first.set_ylim(-0.05, 1.05)

    for axis, (direction, gates) in zip(between, _gated(explanation).items(), strict=True):
        values = np.stack([gate[row] for gate in gates.values()])
        axis.pcolormesh(
            np.arange(values.shape[1] + 1) - 0.5,
            np.arange(len(gates) + 1),
            values,
            cmap="viridis",
            vmin=0,
            vmax=1,
        )
        axis.invert_yaxis()
        axis.set_yticks(np.arange(len(gates)) + 0.5, [f"{gate}: {MEANING[gate]}" for gate in gates])
        axis.set_title(f"gates, {_DIRECTIONS[direction]} (0 closed, 1 open)", loc="left")
        for gate, token in np.ndindex(values.shape):
            shade = "black" if values[gate, token] > 0.6 else "white"
            number = f"{values[gate, token]:.2f}".removeprefix("0")
            axis.text(token, gate + 0.5, number, color=shade, ha="center", va="center", fontsize=6)

    for index, (direction, size) in enumerate(explanation.memory.items()):
        last.plot(x, size[row], marker=".", label=_DIRECTIONS[direction], **style(index))
    last.set_title("size of the carried state (mean absolute value)", loc="left")
    last.set_ylim(0, 1.1 * max(size.max() for size in explanation.memory.values()))
    if len(explanation.memory) > 1:
        _draw_legend(last)

    names = [_short(token, 20) for token in tokens]
    last.set_xticks(x, names, rotation=60, ha="right", rotation_mode="anchor")
    for tick, known in zip(last.get_xticklabels(), explanation.known[row], strict=True):
        tick.set(style="normal" if known else "italic", color=colour(INK if known else MUTED))
    last.set_xlim(-0.5, width - 0.5)  # a short last row is as wide as the others


def _side(effect: float) -> str:
    """The placeholder colour of what speaks for the class, or against it."""
    from sentir.evaluation.svg import SERIES

    return SERIES[0] if effect > 0 else SERIES[1]


def _short(text: str, letters: int) -> str:
    text = printable(text)
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _draw_legend(axis: Axes) -> None:
    """Draw the legend beside the lines, so that it hides none."""
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0)
