"""How far back an answer depends on the text.

Shapes: N reviews, C classes.

All but the last (or the first) k tokens of a review are replaced by the unknown word, and the
answer is compared with that to the whole review. The tokens are replaced rather than removed, so
that the length of the review stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from rich.table import Table

from sentir.bundle import Bundle
from sentir.data.batching import pad, truncate
from sentir.errors import UsageError
from sentir.lesson.figures.style import lesson_figure, lesson_style
from sentir.lesson.language import localized, tr
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import UNK

#: How many tokens are kept.
KEPT = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)
_BATCH = 64
Floats = npt.NDArray[np.float64]
TEXTS = {
    "en": {
        "last": "last k visible",
        "first": "first k visible",
        "agreement": "same answer as for the whole text",
        "moved": "mean change of probability",
        "short agreement": "same",
        "short moved": "change",
        "caption": "{} texts; same answer as for the whole text, mean change of its probability",
        "kept": "k, visible tokens",
    },
    "es": {
        "last": "últimos k visibles",
        "first": "primeros k visibles",
        "agreement": "misma respuesta que con el texto entero",
        "moved": "cambio medio de la probabilidad",
        "short agreement": "igual",
        "short moved": "cambio",
        "caption": "{} textos; misma respuesta que con el texto entero, cambio medio de su "
        "probabilidad",
        "kept": "k, tokens visibles",
    },
}


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """How answers change when a part of the text is hidden.

    Attributes:
        texts: number of reviews.
        kept: the numbers of tokens k that stay visible.
        agreement: by side (``last``, ``first``), the share of reviews with the same label, per k.
        moved: by side, the mean absolute change of the label's probability, per k.
    """

    texts: int
    kept: list[int]
    agreement: dict[str, list[float]]
    moved: dict[str, list[float]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return asdict(self)


def horizon(
    bundle: Bundle,
    texts: Iterable[str],
    *,
    kept: Sequence[int] = KEPT,
    advance: Callable[[int], None] = lambda count: None,
) -> Horizon:
    """Compare the answers to whole reviews with those to their last and first tokens.

    Args:
        bundle: the model.
        texts: the reviews.
        kept: numbers of tokens that stay visible.
        advance: called with 1 after each number and side.

    Raises:
        UsageError: no text holds a word.
    """
    limit = bundle.config.text.max_length
    encoded = bundle.tokenizer.encode(list(texts))
    reviews = [truncate(np.array(ids), limit) for ids in encoded if ids]
    if not reviews:
        raise UsageError("no text holds a word", todo="give reviews to read")
    whole_NC = _answers(bundle, reviews)
    label_N = whole_NC.argmax(axis=1)
    rows = np.arange(len(reviews))
    agreement: dict[str, list[float]] = {}
    moved: dict[str, list[float]] = {}
    for side in ("last", "first"):
        agreement[side], moved[side] = [], []
        for count in kept:
            part_NC = _answers(bundle, [_hide(review, count, side) for review in reviews])
            agreement[side].append(float((part_NC.argmax(axis=1) == label_N).mean()))
            change_N = part_NC[rows, label_N] - whole_NC[rows, label_N]
            moved[side].append(float(np.abs(change_N).mean()))
            advance(1)
    return Horizon(texts=len(reviews), kept=list(kept), agreement=agreement, moved=moved)


def _hide(review: npt.NDArray[np.integer[Any]], count: int, side: str) -> npt.NDArray[np.int32]:
    """The review with all but `count` tokens at one end replaced by the unknown word."""
    visible = np.full(len(review), UNK, np.int32)
    if count and side == "last":
        visible[-count:] = review[-count:]
    elif count:
        visible[:count] = review[:count]
    return visible


def _answers(bundle: Bundle, reviews: Sequence[npt.NDArray[np.integer[Any]]]) -> Floats:
    """Probabilities (N, C)."""
    model, batches = restore_classifier(bundle), []
    with torch.inference_mode():
        for start in range(0, len(reviews), _BATCH):
            part = [review.astype(np.int32) for review in reviews[start : start + _BATCH]]
            batch = pad(part, bundle.config.text.max_length)
            logits_BO = model(batch.ids_BT, batch.lengths_B).double()
            batches.append(model.probabilities(logits_BO).numpy())
    return np.concatenate(batches)


def table(measured: Horizon, language: str = "en") -> Table:
    """The table for the terminal: one row per k.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    printed = Table(box=None, pad_edge=False, caption_justify="left")
    printed.caption = words["caption"].format(measured.texts)
    printed.add_column("k", justify="right")
    for side in ("last", "first"):
        for name in ("short agreement", "short moved"):
            printed.add_column(f"{words[side]}\n{words[name]}", justify="right")
    for row, count in enumerate(measured.kept):
        cells = [
            cell
            for side in ("last", "first")
            for cell in (f"{measured.agreement[side][row]:.1%}", f"{measured.moved[side][row]:.3f}")
        ]
        printed.add_row(str(count), *(localized(cell, language) for cell in cells))
    return printed


@lesson_style()
def figure(measured: Horizon, language: str = "en") -> Figure:
    """Agreement and change of probability against the tokens kept.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    drawing, axes = lesson_figure(2)
    for panel, name, by_side in (
        (axes[0], "agreement", measured.agreement), (axes[1], "moved", measured.moved)
    ):  # fmt: skip
        for side, dash, marker in (("last", "-", "o"), ("first", "--", "s")):
            panel.plot(measured.kept, by_side[side], dash, marker=marker, label=words[side])
        panel.set_title(words[name], loc="left")
        panel.set_xscale("symlog", base=2, linthresh=1)
        panel.set_xticks(measured.kept, [str(count) for count in measured.kept])
        panel.minorticks_off()
        panel.set(xlabel=words["kept"], ylim=(0, None))
        panel.legend(frameon=False)
    return drawing
