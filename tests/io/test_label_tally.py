"""Labels of files to measure on: refused where they mean something else than in training."""

from __future__ import annotations

import pytest

from sentir.errors import DataError
from sentir.io.label_tally import LabelTally
from sentir.io.labels import POLARITY, LabelScheme
from sentir.io.reader import BadRows, Review

STARS = LabelScheme(POLARITY, {"1": 0, "2": 0, "3": None, "4": 1, "5": 1})
ONE_TWO = LabelScheme(POLARITY, {"1": 0, "2": 1})
ZERO_ONE = LabelScheme(POLARITY, {"0": 0, "1": 1})
WORDS = LabelScheme(POLARITY, {"neg": 0, "pos": 1})
FIVE = LabelScheme(tuple("12345"), {raw: id for id, raw in enumerate("12345")})
NAMED = LabelScheme(("awful", "fine"), {"1": 0, "2": 0, "4": 1, "5": 1})


def tallied(scheme: LabelScheme, labels: str, *, on_error: str = "raise", **how: bool) -> list[int]:
    tally = LabelTally(scheme, **how)
    reviews = [Review("x", raw, "t.csv", line, None) for line, raw in enumerate(labels.split(), 2)]
    chosen = tally.classes(reviews, BadRows(on_error))  # type: ignore[arg-type]
    tally.check()
    return chosen.classes


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize(
    ("scheme", "labels", "error"),
    [
        (STARS, "1 2 2 1", "the labels are 1 and 2, usually negative and positive, but to the "
         "model both are negative: the model was trained on 1, 2, 3, 4, 5; pass --labels "
         "1=negative,2=positive if they mean that, or pass --labels stars if they are stars"),
        (STARS, "1 1 1 0 0", "the labels are 0 and 1, and the model was trained on 1, 2, 3, 4, 5; "
         "pass --labels 0=negative,1=positive if they mean that"),
        (STARS, "1 -1", "the labels are -1 and 1, and"),
        (STARS, "No yes", "the labels are No and yes, and"),
        (STARS, "false true", "pass --labels false=negative,true=positive"),
        (ONE_TWO, "0 1", "the labels are 0 and 1, and the model was trained on 1, 2"),
        (ZERO_ONE, "1 2", "the labels are 1 and 2, and the model was trained on 0, 1"),
        (ZERO_ONE, "-1 1", "the labels are -1 and 1"),
        (WORDS, "1 2", "the labels are 1 and 2, and the model was trained on neg, pos"),
        (WORDS, "n p", "pass --labels n=negative,p=positive"),
        (ONE_TWO, "5 2 1 4", "the labels are stars (1, 2, 4, 5), and the model was trained on "
         "1, 2; pass --labels stars"),
        (ZERO_ONE, "5 1 4 2", "the labels are stars"),
        (WORDS, "5 1", "the labels are stars"),
        (NAMED, "1 2", "to the model both are awful"),
    ],
)  # fmt: skip
def test_another_scheme_is_refused(
    scheme: LabelScheme, labels: str, error: str, on_error: str
) -> None:
    with pytest.raises(DataError) as caught:
        tallied(scheme, labels, on_error=on_error)
    assert str(caught.value).startswith("t.csv: ")
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "labels", "classes"),
    [
        (STARS, "5 1 2", [1, 0, 0]),
        (STARS, "5 3 1", [1, 0]),
        (STARS, "5.0 1", [1, 0]),
        (STARS, "neg pos", [0, 1]),
        (STARS, "Negativo POSITIVA", [0, 1]),
        (STARS, "bad good 1", [0, 1, 0]),
        (STARS, "négatif positif", [0, 1]),
        (ONE_TWO, "2 1", [1, 0]),
        (ONE_TWO, "positive negative", [1, 0]),
        (ZERO_ONE, "1 0", [1, 0]),
        (WORDS, "NEG Pos", [0, 1]),
        (LabelScheme(POLARITY, {"0": 1, "1": 0}), "0 1", [1, 0]),
        (LabelScheme(("Alegre", "Triste"), {"Alegre": 0, "Triste": 1}), "alegre TRISTE", [0, 1]),
        (FIVE, "1 2 3 4 5", [0, 1, 2, 3, 4]),
    ],
)
def test_the_scheme_of_training(scheme: LabelScheme, labels: str, classes: list[int]) -> None:
    assert tallied(scheme, labels) == classes


def test_an_unknown_label_names_its_row() -> None:
    with pytest.raises(DataError, match=r"^t\.csv:3: label 'meh' is not one of 1, 2"):
        tallied(ONE_TWO, "1 meh 2")
    assert tallied(ONE_TWO, "1 meh 2", on_error="skip") == [0, 1]
    with pytest.raises(DataError, match=r"^t\.csv:3: label '0' is not one of awful"):
        tallied(LabelScheme(("awful", "fine"), {"awful": 0, "fine": 1}), "awful 0 fine")


def test_labels_that_the_user_explained_are_not_doubted(messages) -> None:
    assert tallied(STARS, "1 2", is_given=True) == [0, 0]
    assert messages.warned() == (
        "t.csv: all reviews are of class negative (the labels are 1, 2): accuracy is the recall of "
        "negative, and nothing is measured about the other"
    )


def test_in_training_the_option_is_for_all_files() -> None:
    with pytest.raises(DataError) as caught:
        tallied(STARS, "1 2", in_training=True)
    assert str(caught.value).endswith(
        "measure on this file with 'sentir evaluate', and pass it --labels 1=negative,2=positive "
        "if they mean that, or pass --labels stars if they are stars"
    )


def test_classes_without_a_review_are_warned_of(messages) -> None:
    assert tallied(ONE_TWO, "2 2") == [1, 1]
    assert "all reviews are of class positive (the labels are 2)" in messages.warned()
    messages.clear()
    assert tallied(FIVE, "1 2") == [0, 1]
    assert messages.warned() == (
        "t.csv: no review is of class 3, 4, 5 (the labels are 1, 2), and nothing is measured about "
        "the others"
    )
    messages.clear()
    assert tallied(STARS, "3 3") == []
    assert tallied(STARS, "") == []
    assert not messages.warned()


def test_texts_and_weights_of_the_reviews_that_are_left() -> None:
    reviews = [
        Review(text, raw, "t.csv", 2, None, weight)
        for text, raw, weight in (("a", "1", 1.0), ("b", "3", 2.0), ("c", "5", 0.5))
    ]
    chosen = LabelTally(STARS).classes(reviews, BadRows())
    assert chosen == (["a", "c"], [0, 1], [1.0, 0.5])
