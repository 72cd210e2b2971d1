"""The effect of a word is the fall of the log-odds without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sentir.evaluation.occlusion import WordEffect, log_odds, word_effects


def answers(texts: list[list[int]]) -> np.ndarray:
    """A model whose log-odds are the sum of the ids."""
    odds_N = np.array([sum(text) for text in texts], dtype=np.float64)
    second_N = 1 / (1 + np.exp(-odds_N))
    return np.stack([1 - second_N, second_N], axis=1)


def effects(
    ids: Sequence[int], words: Sequence[int] | None = None, tokens: Sequence[str] | None = None,
    max_answers: int = 500, class_id: int = 1,
) -> list[WordEffect]:  # fmt: skip
    return word_effects(
        ids,
        tokens or [str(id) for id in ids],
        words or range(len(ids)),
        answers,
        class_id=class_id,
        max_answers=max_answers,
    )


@pytest.mark.parametrize(("class_id", "sign"), [(1, 1), (0, -1)])
def test_a_sum_is_taken_apart_into_its_parts(class_id: int, sign: int) -> None:
    found = effects([3, -1, 2], class_id=class_id)
    assert [word.effect for word in found] == pytest.approx([3 * sign, -sign, 2 * sign])
    assert [(word.text, word.start, word.end) for word in found] == [
        ("3", 0, 1), ("-1", 1, 2), ("2", 2, 3),
    ]  # fmt: skip


def test_the_subwords_of_a_word_are_left_out_together() -> None:
    found = effects([1, 2, 3, 1], [0, 1, 1, 2], ["the", "▁", "wonder", "!"])
    assert [word.text for word in found] == ["the", "wonder", "!"]
    assert [word.effect for word in found] == pytest.approx([1, 5, 1])
    assert effects([1], tokens=["▁"])[0].text == "▁"


def test_the_cost_of_a_long_text_is_bounded() -> None:
    asked: list[int] = []

    def counted(texts: list[list[int]]) -> np.ndarray:
        asked.append(len(texts))
        return answers(texts)

    ids = [1] * 7
    found = word_effects(ids, list("abcdefg"), range(7), counted, class_id=1, max_answers=3)
    assert asked == [4]
    assert [word.text for word in found] == ["a b c", "d e f", "g"]
    assert [word.effect for word in found] == pytest.approx([3, 3, 1])
    assert [(word.start, word.end) for word in found] == [(0, 3), (3, 6), (6, 7)]


def test_log_odds_keep_their_digits_near_one() -> None:
    probabilities_NC = np.array([[1e-30, 1.0], [0.0, 1.0], [0.2, 0.8]])
    odds_N = log_odds(probabilities_NC, 1)
    assert odds_N[0] == pytest.approx(30 * np.log(10))
    assert np.isfinite(odds_N).all()
    assert odds_N[2] == pytest.approx(np.log(4))
    three_NC = np.array([[0.1, 0.2, 0.7]])
    assert log_odds(three_NC, 2) == pytest.approx(np.log(7 / 3))
