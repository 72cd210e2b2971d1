"""What an audit found: a finding for each row and kind, and all of them with their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

#: The kinds of findings in the order of the ranking, and what each means.
KINDS: Mapping[str, str] = {
    "label": "likely label error: a model that has not seen the review answers another class",
    "conflict": "the same text with another label",
    "unknown-label": "a label that is no class",
    "leakage": "the text is in the files of --against too",
    "empty": "no text, or a text without words",
    "cut": "the text looks cut off",
    "language": "another language than most",
    "duplicate": "the same text with the same label, once more",
    "short": "fewer than three words",
}


class Mark(NamedTuple):
    """A finding about a row of a list.

    Attributes:
        row: index of the row.
        kind: one of `KINDS`.
        score: how likely or how bad, larger is worse; comparable within a kind.
        suggested: another label, if one is suggested.
        note: why, or where the other copy is.
    """

    row: int
    kind: str
    score: float
    suggested: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What may be wrong with a review.

    Attributes:
        path, line: where it is, as in errors.
        kind: one of `KINDS`.
        score: larger is worse; comparable within a kind (`sentir.evaluation.audit`).
        label: the label in the file; None if there is none.
        suggested: another class; None if none is suggested.
        note: why, or where the other copy is.
        text: the review.
    """

    path: str
    line: int
    kind: str
    score: float
    label: str | None
    suggested: str | None
    note: str
    text: str

    def to_dict(self, *, texts: bool = True) -> dict[str, Any]:
        """The finding as a record to write, without the text on request."""
        record: dict[str, Any] = {
            "file": self.path,
            "line": self.line,
            "kind": self.kind,
            "score": round(self.score, 4),
            "label": self.label or "",
            "suggested": self.suggested or "",
            "note": self.note,
        }
        return record | ({"text": self.text} if texts else {})


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What is likely wrong in labelled reviews.

    Attributes:
        findings: ranked: by kind in the order of `KINDS`, then by falling score.
        reviews: rows that were read.
        answered: reviews with an out-of-fold answer; fewer than all if a sample was taken, or if
            labels mean no class.
        accuracy: share of the out-of-fold answers that agree with the labels; None without answers.
            The lower, the less the findings of kind ``label`` can be trusted.
        classes: names of the classes.
        sampled: whether only a random part of the reviews was answered.
    """

    findings: tuple[Finding, ...]
    reviews: int
    answered: int
    accuracy: float | None
    classes: tuple[str, ...]
    sampled: bool

    @property
    def counts(self) -> dict[str, int]:
        """Findings of each kind, also of those without one."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS}

    @property
    def is_of_one_file(self) -> bool:
        """Whether all findings are in the same file, so that a line says where each is."""
        return len({finding.path for finding in self.findings}) == 1

    def of_kind(self, kind: str) -> list[Finding]:
        """The findings of one kind, the worst first."""
        return [finding for finding in self.findings if finding.kind == kind]

    def to_dict(self) -> dict[str, Any]:
        """The figures, without the findings, as JSON holds them."""
        return {
            "reviews": self.reviews,
            "answered": self.answered,
            "sampled": self.sampled,
            "accuracy": self.accuracy,
            "classes": list(self.classes),
            "findings": self.counts,
        }


def rank(marks: list[Mark]) -> list[Mark]:
    """The marks by kind in the order of `KINDS`, then by falling score, then by row."""
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(marks, key=lambda mark: (order[mark.kind], -mark.score, mark.row))
