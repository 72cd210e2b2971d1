"""The validation split: the reviews whose text hash, mixed with the seed, is smallest.

Copies of one review have one hash, so they stay on one side of the split, on every machine and in
every order of the files. Shapes: N reviews.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from sentir.config import TrainConfig

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


def mix_bits(numbers_N: Hashes) -> Hashes:
    """Numbers as random as their inputs are different.

    The finaliser of SplitMix64 (Steele, Lea and Flood 2014, *Fast Splittable Pseudorandom Number
    Generators*).
    """
    mixed_N = (numbers_N ^ (numbers_N >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed_N = (mixed_N ^ (mixed_N >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = mixed_N ^ (mixed_N >> np.uint64(31))
    return mixed


def mixed_hashes(hashes_N: Hashes, seed: int) -> Hashes:
    """The text hashes, mixed with the seed."""
    return mix_bits(hashes_N + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))


def threshold(mixed: Iterable[Hashes], usable: int, train: TrainConfig) -> int:
    """The largest mixed hash of a validation review; -1 if none is held out.

    Args:
        mixed: the mixed hashes of the usable reviews, in parts.
        usable: how many they are.
        train: `valid_fraction` and `max_valid_examples`, which bounds the memory.
    """
    count = min(round(usable * train.valid_fraction), train.max_valid_examples)
    if count == 0:
        return -1
    smallest = np.empty(0, np.uint64)
    for mixed_N in mixed:
        smallest = np.concatenate([smallest, mixed_N])
        if len(smallest) > count:
            smallest = np.partition(smallest, count - 1)[:count]
    return int(smallest.max())


def held_out(mixed_N: Hashes, threshold: int) -> Flags:
    """Which reviews are held out, by `threshold`."""
    if threshold < 0:
        return np.zeros(len(mixed_N), bool)
    held_out_N: Flags = mixed_N <= np.uint64(threshold)
    return held_out_N
