"""How far back an answer depends on the text.

Shapes: N texts, K lengths.

All but the last k tokens of a review, or all but the first k, are replaced by the unknown word, and
the answer is compared with that to the whole review. Replaced, not cut off: what a review's length
says remains.
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
from sentir.lesson.language import tr
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import UNK

#: How many tokens are kept.
KEPT = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)
_BATCH = 64
Floats = npt.NDArray[np.float64]
TEXTS = {
    "en": {
        "last": "the last k kept",
        "first": "the first k kept",
        "agreement": "same answer as to the whole text",
        "moved": "mean change of probability",
        "short agreement": "same",
        "short moved": "change",
        "caption": "{} texts; same answer as to the whole, mean change of its probability",
        "kept": "k, tokens kept",
    },
    "es": {
        "last": "se dejan los últimos k",
        "first": "se dejan los primeros k",
        "agreement": "misma respuesta que al texto entero",
        "moved": "cambio medio de la probabilidad",
        "short agreement": "igual",
        "short moved": "cambio",
        "caption": "{} textos; misma respuesta que al entero, cambio medio de su probabilidad",
        "kept": "k, tokens que se dejan",
    },
}


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """How answers change when a part of the text is hidden.

    Attributes:
        texts: how many were read.
        kept: the numbers of tokens k that were left.
        agreement: by side (``last``, ``first``), the share of texts whose label stays, for each k.
        moved: by side, the mean absolute change of the likeliest label's probability.
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
    """Read each text whole and with only so many tokens left at either end.

    Raises:
        UsageError: no text holds a word.
    """
    limit = bundle.config.text.max_length
    encoded = bundle.tokenizer.encode(list(texts))
    reviews = [truncate(np.array(ids), limit) for ids in encoded if ids]
    if not reviews:
        raise UsageError("no text holds a word", todo="give reviews to read")
    whole_NC = _answers(bundle, reviews)
    best_N = whole_NC.argmax(axis=1)
    rows = np.arange(len(reviews))
    agreement: dict[str, list[float]] = {}
    moved: dict[str, list[float]] = {}
    for side in ("last", "first"):
        agreement[side], moved[side] = [], []
        for count in kept:
            now_NC = _answers(bundle, [_hide(review, count, side) for review in reviews])
            agreement[side].append(float((now_NC.argmax(axis=1) == best_N).mean()))
            change_N = now_NC[rows, best_N] - whole_NC[rows, best_N]
            moved[side].append(float(np.abs(change_N).mean()))
            advance(1)
    return Horizon(texts=len(reviews), kept=list(kept), agreement=agreement, moved=moved)


def _hide(review: npt.NDArray[np.integer[Any]], count: int, side: str) -> npt.NDArray[np.int32]:
    """The review with unknown words in place of all but `count` tokens at one end."""
    shown = np.full(len(review), UNK, np.int32)
    if count and side == "last":
        shown[-count:] = review[-count:]
    elif count:
        shown[:count] = review[:count]
    return shown


def _answers(bundle: Bundle, reviews: Sequence[npt.NDArray[np.integer[Any]]]) -> Floats:
    """Probabilities (N, C)."""
    model, found = restore_classifier(bundle), []
    with torch.inference_mode():
        for start in range(0, len(reviews), _BATCH):
            part = [review.astype(np.int32) for review in reviews[start : start + _BATCH]]
            batch = pad(part, bundle.config.text.max_length)
            logits_BO = model(batch.ids_BT, batch.lengths_B).double()
            found.append(model.probabilities(logits_BO).numpy())
    return np.concatenate(found)


def table(found: Horizon, language: str = "en") -> Table:
    """For the terminal: a row for each k.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    made = Table(box=None, pad_edge=False, caption_justify="left")
    made.caption = words["caption"].format(found.texts)
    made.add_column("k", justify="right")
    for side in ("last", "first"):
        for name in ("short agreement", "short moved"):
            made.add_column(f"{words[side]}\n{words[name]}", justify="right")
    for at, count in enumerate(found.kept):
        cells = [
            cell
            for side in ("last", "first")
            for cell in (f"{found.agreement[side][at]:.1%}", f"{found.moved[side][at]:.3f}")
        ]
        made.add_row(str(count), *cells)
    return made


@lesson_style()
def figure(found: Horizon, language: str = "en") -> Figure:
    """Agreement and change of probability against the tokens kept.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    made, axes = lesson_figure(2)
    for panel, name, by_side in (
        (axes[0], "agreement", found.agreement), (axes[1], "moved", found.moved)
    ):  # fmt: skip
        for side, dash, marker in (("last", "-", "o"), ("first", "--", "s")):
            panel.plot(found.kept, by_side[side], dash, marker=marker, label=words[side])
        panel.set_title(words[name], loc="left")
        panel.set_xscale("symlog", base=2, linthresh=1)
        panel.set_xticks(found.kept, [str(count) for count in found.kept])
        panel.minorticks_off()
        panel.set(xlabel=words["kept"], ylim=(0, None))
        panel.legend(frameon=False)
    return made
