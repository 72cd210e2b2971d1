"""The same text more than once: with other labels, with the same, or in other files.

Texts are the same if they are after cleaning, but for case and white space. Digits and addresses
are kept: "4 stars" is not "5 stars".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sentir.config import CleanStep
from sentir.evaluation.audit.findings import Mark
from sentir.text.batch import text_hash
from sentir.text.cleaning import cleaner

STEPS: tuple[CleanStep, ...] = ("html", "nfc", "quotes")
_clean = cleaner(STEPS)


def copy_hash(text: str) -> int:
    """64 bits, equal for texts that are the same after cleaning."""
    return text_hash(_clean(text))


def find_copies(
    hashes: Sequence[int | None],
    labels: Sequence[str | None],
    places: Sequence[str],
    against: Mapping[int, str],
) -> Iterator[Mark]:
    """Texts with other labels, further copies, and texts that other files hold too.

    The score of a conflict is the share of the labelled copies with another label; that of a
    duplicate 1 - 1/n of n copies; that of leakage 1.

    Args:
        hashes: `copy_hash` of each text; None of texts to leave out.
        labels: the class of each; None without one.
        places: where each is, such as ``a.csv:3``.
        against: where the texts of other files are, by their hash.
    """
    rows_of = defaultdict(list)
    for row, hash_ in enumerate(hashes):
        if hash_ is not None:
            rows_of[hash_].append(row)
            if hash_ in against:
                yield Mark(row, "leakage", 1.0, note=f"as {against[hash_]}")
    for rows in rows_of.values():
        if len(rows) > 1:
            yield from _compare(rows, labels, places)


def _compare(
    rows: Sequence[int], labels: Sequence[str | None], places: Sequence[str]
) -> Iterator[Mark]:
    counts = Counter(label for row in rows if (label := labels[row]) is not None)
    total = counts.total()
    seen: dict[str | None, int] = {}
    for row in rows:
        label = labels[row]
        if label in seen:
            yield Mark(row, "duplicate", 1 - 1 / len(rows), note=f"as {places[seen[label]]}")
        seen.setdefault(label, row)
        if label is not None and len(counts) > 1:
            other = next(one for one in rows if labels[one] not in (None, label))
            (first, most), (_, second) = counts.most_common(2)
            yield Mark(
                row,
                "conflict",
                1 - counts[label] / total,
                first if most > second and first != label else None,
                f"{labels[other]} in {places[other]}",
            )
