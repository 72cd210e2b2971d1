"""An explanation as tables in the terminal: words first, then n-grams, then gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sentir.evaluation.occlusion import WordEffect
from sentir.explanation.explain import Explanation
from sentir.explanation.gates import MEANING
from sentir.io.terminal import printable

_BAR = "▏▎▍▌▋▊▉█"
_ARROWS = {"forward": "\n→", "backward": "\n←"}
#: Characters of a bar on each side of its middle.
_SIDE = 7
#: N-grams that are shown where no number is asked for.
_NGRAMS = 8
#: Unknown words that are named.
_UNKNOWN = 12


class ExplanationTable:
    """The explanation for a terminal.

    Args:
        explanation: what is shown.
        top: show only so many words and n-grams, those of the largest effect first, and no gates;
            None for all words in the text's order, a few n-grams, and the gates.
    """

    def __init__(self, explanation: Explanation, *, top: int | None = None) -> None:
        self._explanation, self._top = explanation, top

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        explanation, top = self._explanation, self._top
        answer = f"{explanation.prediction}, {explanation.probability:.1%}"
        yield Text(printable(answer), style="bold")
        yield Text()
        words = explanation.words if top is None else explanation.strongest(top)
        yield _words(explanation, words, options.max_width)
        yield from _ngrams(explanation, _NGRAMS if top is None else top)
        if top is None:
            yield Text()
            yield from _gates(explanation, options.max_width)
        yield Text("; ".join(_notes(explanation, has_gates=top is None)), style="dim")


def _words(explanation: Explanation, words: Sequence[WordEffect], max_width: int) -> Table:
    """Per word its effect, its attention weight and the answer after it.

    A narrow terminal has room for shorter bars only, a narrower one for no answer so far.
    """
    is_wide, has_answers = max_width >= 72, max_width >= 56
    side = _SIDE if is_wide else 4
    on = f" on {printable(explanation.prediction)}" if is_wide else ""
    table = _table("word", f"effect{on}")
    if explanation.attention_T is not None:
        table.add_column("attention", no_wrap=True)
        largest = max(_attention(explanation, word) for word in explanation.words)
    if has_answers:
        table.add_column("answer so far", no_wrap=True, max_width=24)
    scale = max(abs(word.effect) for word in explanation.words)
    for word in words:
        is_known = all(explanation.known[word.start : word.end])
        row = [Text(printable(word.text), style="" if is_known else "dim italic")]
        row.append(signed(word.effect, scale, side))
        if explanation.attention_T is not None:
            weight = _attention(explanation, word)
            share_bar = f"{bar(weight / largest, 5)} " if is_wide else ""
            row.append(Text(f"{share_bar}{weight:4.0%}"))
        if has_answers:
            row.append(_answer(explanation, word.end - 1))
        table.add_row(*row)
    return table


def _answer(explanation: Explanation, token: int) -> Text:
    """The answer after a token."""
    answer_C = explanation.answer_TC[token]
    best, last = explanation.predicted_T[token], len(explanation.labels) - 1
    style = "green" if best == last else "red" if best == 0 else "yellow"
    return Text(printable(f"{answer_C[best]:6.1%} {explanation.labels[best]}"), style=style)


def _ngrams(explanation: Explanation, count: int) -> Iterator[Table | Text]:
    """The n-grams of the largest effect, and what the two parts of the model give."""
    if not explanation.ngrams:
        return
    yield Text()
    table = _table("n-gram", f"adds to {printable(explanation.prediction)}")
    scale = abs(explanation.ngrams[0].effect)
    for ngram in explanation.ngrams[:count]:
        times = f" ×{ngram.count}" if ngram.count > 1 else ""
        table.add_row(Text(printable(ngram.text) + times), signed(ngram.effect, scale))
    yield table
    left = len(explanation.ngrams) - count
    network, linear = explanation.shares["network"], explanation.shares["ngram_linear"]
    rest = f"{left} more n-grams; " if left > 0 else ""
    yield Text(f"{rest}n-gram linear model {linear:+.2f}, network {network:+.2f}", style="dim")


def _gates(explanation: Explanation, max_width: int) -> Iterator[Table]:
    """Per token one line with the gates, if the cell has any."""
    columns = {
        gate + (_ARROWS[direction] if len(explanation.gates) > 1 else ""): values
        for direction, gates in explanation.gates.items()
        for gate, values in gates.items()
    }
    if not columns:
        return
    # In a narrow terminal the bars have no numbers.
    has_numbers = max_width >= 25 + 15 * len(columns)
    width = 8 if has_numbers else 6
    table = _table("token", *columns)
    for row, token in enumerate(explanation.tokens):
        table.add_row(
            Text(printable(token), style="" if explanation.known[row] else "dim italic"),
            *(
                bar(values[row], width) + (f" {values[row]:.2f}" if has_numbers else "")
                for values in columns.values()
            ),
        )
    yield table


def _notes(explanation: Explanation, *, has_gates: bool) -> Iterator[str]:
    """How the tables are read."""
    yield (
        "effect: log-odds with the word minus those without it; + speaks for "
        f"{printable(explanation.prediction)}, - against it"
    )
    together = max(len(word.text.split(" ")) for word in explanation.words)
    if together > 1:
        yield f"the text is long: up to {together} neighbouring words are left out together"
    if has_gates:
        names = dict.fromkeys(gate for gates in explanation.gates.values() for gate in gates)
        yield from (f"{gate}: {MEANING[gate]}, 0 nothing to 1 all" for gate in names)
        if not names:
            yield "a plain recurrent cell has no gates"
        elif len(explanation.gates) > 1:
            yield "→ forward direction, ← backward direction"
    if not all(explanation.known):
        pairs = zip(explanation.tokens, explanation.known, strict=True)
        unknown = list(dict.fromkeys(token for token, is_known in pairs if not is_known))
        more = ", …" if len(unknown) > _UNKNOWN else ""
        shown = printable(", ".join(unknown[:_UNKNOWN]))
        yield f"in italics: words the model does not know ({shown}{more})"


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    table.add_column(first, overflow="ellipsis", max_width=32)
    for column in columns:
        table.add_column(Text(column), no_wrap=True)
    return table


def _attention(explanation: Explanation, word: WordEffect) -> float:
    assert explanation.attention_T is not None
    return float(explanation.attention_T[word.start : word.end].sum())


def signed(value: float, scale: float, side: int = _SIDE) -> Text:
    """A bar to the right of the middle for what speaks for the class, to the left for the rest.

    Args:
        value: what is drawn; its number follows.
        scale: the value of a full bar.
        side: characters on each side of the middle.
    """
    share = abs(value) / scale if scale else 0.0
    text = Text(no_wrap=True)
    if value < 0:
        text.append(("█" * round(share * side)).rjust(side), style="red")  # no eighths on the right
        text.append("│" + " " * side)
    else:
        text.append(" " * side + "│")
        text.append(bar(share, side), style="green")
    return text.append(f" {value:+6.2f}")


def bar(share: float, width: int) -> str:
    """A bar `width` characters wide, filled to `share` (0 to 1)."""
    eighths = round(float(np.clip(share, 0, 1)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_BAR[part - 1] if part else "")).ljust(width)
