"""Whether classes are ordered, as stars are, so that a mistake can be small or large."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def are_ordered(names: Sequence[str]) -> bool:
    """Whether these are three or more classes whose names are numbers in ascending order.

    Two classes have no order that matters: each mistake is as large as any other.
    """
    if len(names) < 3:
        return False
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return False
    return all(map(math.isfinite, numbers)) and all(low < high for low, high in pairwise(numbers))
