"""Corpora by name: the made-up sample, and data sets of the Hugging Face hub.

``sample`` and ``sample_es`` are made on the spot; ``amazon_polarity`` is fetched. Each has a part to
learn from and one to measure on, which is called ``sample:test``.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("train", "test")


@dataclass(frozen=True)
class _Sample:
    language: str
    #: Reviews of each part.
    counts: tuple[int, int] = (6000, 1500)


_SAMPLES = {"sample": _Sample("en"), "sample_es": _Sample("es")}
