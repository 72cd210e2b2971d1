"""McNemar's exact test."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.errors import UsageError
from sentir.evaluation.comparison.paired import PairedTest, mcnemar


def paired(both: int, only_first: int, only_second: int, neither: int) -> PairedTest:
    counts = [both, only_first, only_second, neither]
    first_N = np.repeat([True, True, False, False], counts)
    second_N = np.repeat([True, False, True, False], counts)
    return mcnemar(first_N, second_N, ("a", "b"))


@given(only_first=st.integers(0, 60), only_second=st.integers(0, 60))
def test_the_p_value_is_that_of_a_fair_coin(only_first: int, only_second: int) -> None:
    differing = only_first + only_second
    tail = sum(comb(differing, k) for k in range(min(only_first, only_second) + 1))
    expected = min(1.0, 2 * tail / 2**differing)
    assert paired(3, only_first, only_second, 2).p_value == pytest.approx(expected)


def test_the_counts_and_accuracies() -> None:
    found = paired(50, 10, 25, 15)
    assert (found.both, found.only_first, found.only_second, found.neither) == (50, 10, 25, 15)
    assert found.examples == 100
    assert found.accuracies == (0.6, 0.75)
    assert found.to_dict()["p_value"] == found.p_value
    assert found.to_dict()["accuracies"] == [0.6, 0.75]
    assert found.p_value == pytest.approx(0.016674, abs=1e-6)  # by exact fractions


def test_equal_answers_say_nothing() -> None:
    assert paired(5, 0, 0, 5).p_value == 1


def test_other_reviews_are_refused() -> None:
    with pytest.raises(UsageError, match="give both models the same reviews"):
        mcnemar(np.ones(3, bool), np.ones(4, bool), ("a", "b"))
