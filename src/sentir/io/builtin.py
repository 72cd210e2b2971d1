"""Built-in corpora: named sources, each with a training split and a test split.

``sample`` and ``sample_es`` are generated on demand; those of `sentir.io.hub` are downloaded. The
name alone is the training split; ``sample:test`` is the test split.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sentir.io import hub
from sentir.synthetic.reviews import sample_reviews

#: Language of each synthetic corpus.
SAMPLES = {"sample": "en", "sample_es": "es"}
#: Number of reviews and seed of each split: with different seeds, the splits share no review.
_SPLITS = {"": (6000, 0), "train": (6000, 0), "test": (1500, 1)}


def builtin_reviews(source: str) -> Iterator[tuple[str, str]] | None:
    """Labels and texts, if the source is a synthetic corpus."""
    name, _, split = source.partition(":")
    if name not in SAMPLES or split not in _SPLITS:
        return None
    if Path(source).exists() or Path(name).exists():
        return None
    count, seed = _SPLITS[split]
    return sample_reviews(count, language=SAMPLES[name], seed=seed)


def is_builtin(source: str) -> bool:
    """Whether the source names a built-in corpus, synthetic or downloaded."""
    return builtin_reviews(source) is not None or hub.find_dataset(source) is not None


def find_test_split(source: str) -> str | None:
    """The test split that belongs to a built-in training split; None for other sources."""
    return f"{source}:test" if ":" not in source and is_builtin(source) else None


def is_synthetic(source: str) -> bool:
    """Whether the reviews are synthetic, so that results on them do not carry over to real ones."""
    return builtin_reviews(source) is not None
