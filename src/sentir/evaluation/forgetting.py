"""What a model that went on learning gained on new reviews, and forgot of the old ones."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentir.errors import SentirWarning
from sentir.evaluation.metrics import Metrics
from sentir.evaluation.tables import METRICS, format_metric

if TYPE_CHECKING:
    from rich.console import RenderableType

#: What is compared, of `METRICS`.
COMPARED = ("accuracy", "macro_f1", "loss")


@dataclass(frozen=True, kw_only=True)
class BeforeAndAfter:
    """A model before and after it went on learning, on the same reviews.

    Attributes:
        reviews: which reviews: ``new test``, ``new validation`` or ``old test``.
        before: metrics of the old model, which never answers a new class.
        after: metrics of the new model.
    """

    reviews: str
    before: Metrics
    after: Metrics

    @property
    def is_old(self) -> bool:
        """Whether the reviews are like those that the old model was trained on."""
        return self.reviews.startswith("old")

    def rows(self) -> list[tuple[str, str, str]]:
        """Name of a metric, its value before and its value after, as text."""
        rows = []
        for key, name, style in METRICS:
            if key in COMPARED:
                before, after = getattr(self.before, key), getattr(self.after, key)
                rows.append((name, format_metric(before, style), format_metric(after, style)))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """The metrics as data for JSON."""
        return {
            "reviews": self.reviews,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
        }


def warn_of_forgetting(measured: Sequence[BeforeAndAfter]) -> None:
    """Warn where old reviews are classified worse than by chance, or were not measured.

    Warns:
        SentirWarning: the accuracy on old reviews is below the interval in which it was; or there
            are no old reviews.
    """
    old = [part for part in measured if part.is_old]
    if not old:
        warnings.warn(
            "what the model has forgotten is not known: the old run's folder holds no test "
            "reviews to measure it on; give some with --old-test",
            SentirWarning,
            stacklevel=2,
        )
    for part in old:
        low, high = part.before.accuracy_interval
        if part.after.accuracy < low:
            warnings.warn(
                f"the model has forgotten: {part.after.accuracy:.2%} of the old test reviews are "
                f"classified correctly, and {part.before.accuracy:.2%} were (95 % interval "
                f"{low:.2%} to {high:.2%}); try a lower --learning-rate, or train a new model "
                "on old and new reviews together",
                SentirWarning,
                stacklevel=2,
            )


def render_forgetting(measured: Sequence[BeforeAndAfter]) -> RenderableType:
    """The old and the new model side by side, for a rich console."""
    from rich.table import Table

    table = Table(title="before and after", title_justify="left")
    for column in ("reviews", "metric"):
        table.add_column(column)
    for column in ("before", "after"):
        table.add_column(column, justify="right")
    for part in measured:
        for number, row in enumerate(part.rows()):
            what = f"{part.before.examples:,} of the {part.reviews}" if not number else ""
            table.add_row(what, *row)
    return table
