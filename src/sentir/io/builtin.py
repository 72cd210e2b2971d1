"""Corpora that have a name instead of a file, each with a part to learn from and one to test on.

``sample`` and ``sample_es`` are made up on the spot, those of `sentir.io.hub` are fetched. The
name alone is the part to learn from; ``sample:test`` is the other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sentir.io import hub
from sentir.synthetic.reviews import sample_reviews

#: Language of each made-up corpus.
SAMPLES = {"sample": "en", "sample_es": "es"}
#: Reviews and seed of each part: made with different seeds, the parts share no review.
_PARTS = {"": (6000, 0), "train": (6000, 0), "test": (1500, 1)}


def builtin_reviews(source: str) -> Iterator[tuple[str, str]] | None:
    """Labels and texts, if the source is a made-up corpus."""
    name, _, part = source.partition(":")
    if name not in SAMPLES or part not in _PARTS or Path(source).exists():
        return None
    count, seed = _PARTS[part]
    return sample_reviews(count, language=SAMPLES[name], seed=seed)


def is_builtin(source: str) -> bool:
    """Whether the source is a corpus by name."""
    return builtin_reviews(source) is not None or hub.find_dataset(source) is not None


def part_to_test(source: str) -> str | None:
    """The part to test on of the corpus that is learnt from by this name."""
    return f"{source}:test" if ":" not in source and is_builtin(source) else None


def is_synthetic(source: str) -> bool:
    """Whether the reviews are made up, so that figures on them say nothing of real ones."""
    return builtin_reviews(source) is not None
