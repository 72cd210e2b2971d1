"""What a run learns from: columns, rows, lengths and classes, as sentences and as data.

Shapes: C classes, L lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sentir.data.encoding import TrainingCorpora
from sentir.io.columns import Columns
from sentir.io.labels import numbers_first
from sentir.io.reader import BadRows


@dataclass(frozen=True, kw_only=True)
class ClassSummary:
    """One class.

    Attributes:
        name: its name.
        reviews: how many training reviews it has.
        labels: the raw labels that mean it.
    """

    name: str
    reviews: int
    labels: tuple[str, ...]

    def __str__(self) -> str:
        raw = ", ".join(label for label in self.labels if label != self.name)
        count = f"{self.reviews:,} review{'' if self.reviews == 1 else 's'} of class {self.name}"
        return count + (f" (labelled {raw})" if raw else "")


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """The training data of a run.

    Attributes:
        columns: the columns that were read; none of files without columns.
        rows: the labelled reviews of train, and all rows that were left out.
        without_text, without_label: rows that were left out for that.
        left_out: reviews whose label means no class (three stars), and these labels.
        skipped: rows that were left out because they could not be read.
        training, validation: reviews that are learnt from, and held out or given to choose the
            best model by.
        median_tokens, p95_tokens: median and 95th percentile of the length of the training reviews
            before truncation (tokens).
        classes: the classes of the training reviews.
    """

    columns: tuple[Columns, ...]
    rows: int
    without_text: int
    without_label: int
    left_out: int
    left_out_labels: tuple[str, ...]
    skipped: int
    training: int
    validation: int
    median_tokens: int
    p95_tokens: int
    classes: tuple[ClassSummary, ...]

    def to_dict(self) -> dict[str, Any]:
        """The summary as data for JSON."""
        return {
            **asdict(self),
            "left_out_labels": list(self.left_out_labels),
            "columns": [columns.to_dict() for columns in self.columns],
            "classes": [{**asdict(part), "labels": list(part.labels)} for part in self.classes],
        }

    def facts(self) -> dict[str, str]:
        """The summary in words, by what each part is about."""
        missing = [
            f"{count:,} {why}"
            for count, why in (
                (self.without_text, "without text"),
                (self.without_label, "without a label"),
                (self.left_out, f"labelled {' or '.join(self.left_out_labels)}"),
                (self.skipped, "that cannot be read"),
            )
            if count
        ]
        return {
            **({"columns": " or ".join(map(str, self.columns))} if self.columns else {}),
            "rows": f"{self.rows:,}"
            + (f", of which are left out: {', '.join(missing)}" if missing else ""),
            "training": "; ".join(map(str, self.classes)),
            "validation": f"{self.validation:,} reviews",
            "length": f"{self.median_tokens:,} tokens at the median, {self.p95_tokens:,} at the "
            "95th percentile",
        }


def summarize(
    corpora: TrainingCorpora, columns: Sequence[Columns], bad_rows: BadRows
) -> DataSummary:
    """The summary of encoded reviews.

    Args:
        corpora: the reviews.
        columns: the columns that were read.
        bad_rows: the rows that were left out.
    """
    labels, counts = corpora.labels, corpora.raw_counts

    def labels_of(id: int | None) -> tuple[str, ...]:
        return tuple(
            sorted((raw for raw in labels.of_raw if labels.of_raw[raw] == id), key=numbers_first)
        )

    strays = sum(count for raw, count in counts.items() if not labels.knows(raw))
    known = sum(counts.values()) - strays
    counts_C = np.zeros(len(labels.names), np.int64)
    reviews_L = np.zeros(0, np.int64)  # by their length
    for block in corpora.train.blocks():
        counts_C += np.bincount(block.labels_N, minlength=len(counts_C))
        more_L = np.bincount(block.lengths_N, minlength=len(reviews_L))
        more_L[: len(reviews_L)] += reviews_L
        reviews_L = more_L
    missing = bad_rows.without_text + bad_rows.without_label
    return DataSummary(
        columns=tuple(columns),
        rows=known + bad_rows.count,
        without_text=bad_rows.without_text,
        without_label=bad_rows.without_label,
        left_out=sum(counts.get(raw, 0) for raw in labels_of(None)),
        left_out_labels=labels_of(None),
        skipped=bad_rows.count - missing,
        training=len(corpora.train),
        validation=len(corpora.valid),
        median_tokens=round(_percentile(reviews_L, 50)),
        p95_tokens=round(_percentile(reviews_L, 95)),
        classes=tuple(
            ClassSummary(
                name=name,
                reviews=int(count),
                labels=labels_of(index),
            )
            for index, (name, count) in enumerate(zip(labels.names, counts_C, strict=True))
        ),
    )


def _percentile(reviews_L: npt.NDArray[np.int64], percent: int) -> float:
    """A percentile of lengths of which it is known how often each occurs, as `np.percentile`."""
    ends_L = np.cumsum(reviews_L)
    place = (ends_L[-1] - 1) * percent / 100
    low, high = np.searchsorted(ends_L, [int(place), -int(-place // 1)], side="right").tolist()
    return float(low + (high - low) * (place - int(place)))
