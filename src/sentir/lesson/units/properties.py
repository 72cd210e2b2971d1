"""Properties that a unit may hold: they can be named and read off a text character by character.

Shapes: T characters, H units.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.lesson.language import tr

NEGATIONS = {
    "en": re.compile(r"(?i)\b(?:not|no|never|nobody|nothing|cannot)\b|n['’]t\b"),
    "es": re.compile(r"(?i)\b(?:no|nunca|nadie|nada|ni|tampoco|sin)\b"),
}
_ENDS = re.compile(r"[.!?\n]+")

Floats = npt.NDArray[np.float64]


class Property(NamedTuple):
    """A property of each character of a text.

    Attributes:
        name: its name in the texts of the lesson.
        kind: how a unit is scored: ``auc`` for yes or no, ``correlation`` for a number.
        of: gives its value at every character of a text in a language, (T,).
    """

    name: str
    kind: str
    of: Callable[[str, str], Floats]

    @property
    def uninformative(self) -> float:
        """The score of a unit that says nothing about it."""
        return 0.5 if self.kind == "auc" else 0.0

    def scores(self, values_TH: Floats, truth_T: Floats) -> Floats:
        """The score of each column, (H,)."""
        return (areas if self.kind == "auc" else correlations)(values_TH, truth_T)


def inside_quotes(text: str, language: str) -> Floats:
    """1 from an opening quotation mark to before the closing one."""
    is_quote_T = np.array([character == '"' for character in text])
    return (np.cumsum(is_quote_T) % 2).astype(np.float64)


def after_negation(text: str, language: str) -> Floats:
    """1 from after a negation to the end of its sentence."""
    inside_T = np.zeros(len(text))
    for match in tr(NEGATIONS, language).finditer(text):
        end = _ENDS.search(text, match.end())
        inside_T[match.end() : end.start() if end else len(text)] = 1
    return inside_T


def into_sentence(text: str, language: str) -> Floats:
    """Characters since the sentence began."""
    return _since(text, ".!?\n")


def into_word(text: str, language: str) -> Floats:
    """Characters since the word began."""
    return _since(text, " .!?\n")


def _since(text: str, ends: str) -> Floats:
    count, counts = 0, []
    for character in text:
        count = 0 if character in ends else count + 1
        counts.append(count)
    return np.array(counts, np.float64)


def areas(values_TH: Floats, truth_T: Floats) -> Floats:
    """The area under the ROC curve of each column, (H,); 0.5 is chance."""
    from scipy.stats import rankdata

    is_in_T = truth_T > 0
    inside, outside = int(is_in_T.sum()), int((~is_in_T).sum())
    rank_sum_H = rankdata(values_TH, axis=0)[is_in_T].sum(axis=0)
    area_H: Floats = (rank_sum_H - inside * (inside + 1) / 2) / (inside * outside)
    return area_H


def correlations(values_TH: Floats, truth_T: Floats) -> Floats:
    """Pearson's correlation of each column with the property, (H,); 0 is chance."""
    values_TH = values_TH - values_TH.mean(axis=0)
    truth_T = truth_T - truth_T.mean()
    spread_H = np.sqrt((values_TH**2).sum(axis=0) * (truth_T**2).sum())
    correlation_H: Floats = truth_T @ values_TH / np.maximum(spread_H, 1e-12)
    return correlation_H


PROPERTIES = (
    Property("quotes", "auc", inside_quotes),
    Property("negation", "auc", after_negation),
    Property("sentence", "correlation", into_sentence),
    Property("word", "correlation", into_word),
)
