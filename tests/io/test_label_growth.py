"""Labels of reviews that a trained model goes on learning from."""

from __future__ import annotations

import pytest

from sentir.errors import ConfigError, DataError
from sentir.io.label_growth import extend_scheme, merge_schemes
from sentir.io.labels import MAX_CLASSES, LabelScheme, RawLabel

WORDS = LabelScheme(("negative", "positive"), {"neg": 0, "pos": 1})
PAIR = LabelScheme(("negative", "positive"), {"1": 0, "2": 1})
STARS = LabelScheme(("negative", "positive"), {"1": 0, "2": 0, "3": None, "4": 1, "5": 1})
TOPICS = LabelScheme(("food", "service"), {"food": 0, "service": 1})


def counts(**rows: int) -> dict[str, RawLabel]:
    return {
        name.removeprefix("_"): RawLabel(count, f"new.csv:{place}")
        for place, (name, count) in enumerate(rows.items(), start=2)
    }


def test_known_labels_keep_their_classes() -> None:
    scheme, strays = extend_scheme(WORDS, counts(pos=5, neg=3))
    assert (scheme, strays) == (WORDS, {})
    # Words for the same, in any case, are known too.
    scheme, strays = extend_scheme(PAIR, counts(Positivo=5, negativo=3))
    assert (scheme.names, strays) == (WORDS.names, {})
    assert extend_scheme(STARS, counts(_4=5, _1=3, _3=1))[0] == STARS


def test_a_new_label_is_a_new_class_after_the_old_ones() -> None:
    scheme, strays = extend_scheme(TOPICS, counts(price=3, food=5, Price=1, a=2))
    assert scheme.names == ("food", "service", "a", "price")
    assert [scheme.class_id(raw, "") for raw in ("food", "price", "Price", "a")] == [0, 3, 3, 2]
    assert strays == {}


def test_a_rare_label_among_known_ones_is_a_mistake() -> None:
    scheme, strays = extend_scheme(TOPICS, counts(food=200, service=150, fod=1))
    assert scheme == TOPICS
    assert str(strays["fod"]) == (
        "new.csv:4: label 'fod' is not one of food, service; fix the row or pass --labels"
    )
    named, strays = extend_scheme(TOPICS, counts(food=200, service=150, fod=1), "food,service,fod")
    assert (named.names, strays) == (("food", "service", "fod"), {})


@pytest.mark.parametrize(
    ("known", "found", "message"),
    [
        (TOPICS, counts(yes=5, no=3), "new.csv: the labels are no, yes, and the model, of the "
         "classes food, service, knows none of them; say what they mean: --labels LABEL=food"),
        (STARS, counts(_1=5, _2=3), "new.csv: the labels are 1 and 2, usually negative and"),
        (PAIR, counts(_1=5, _2=3, _4=2, _5=7), "new.csv: the labels are stars (1, 2, 4, 5), and"),
        (WORDS, counts(pos=5), "new.csv: all labelled reviews are 'positive' (the labels found "),
        (STARS, counts(_3=5, _5=1), "new.csv: all labelled reviews are 'positive' (the labels"),
        ({}, {}, "no labelled review"),
    ],
)  # fmt: skip
def test_labels_that_are_refused(
    known: LabelScheme, found: dict[str, RawLabel], message: str
) -> None:
    with pytest.raises(DataError) as error:
        extend_scheme(known, found)
    assert str(error.value).startswith(message)


def test_labels_that_mean_nothing_to_the_model_are_one_class_at_most() -> None:
    with pytest.raises(DataError, match="all labelled reviews mean no class"):
        extend_scheme(STARS, counts(_3=5), "stars")


def test_too_many_classes() -> None:
    many = {f"label {n}": RawLabel(1, "new.csv:2") for n in range(MAX_CLASSES)}
    with pytest.raises(DataError, match=r"new.csv: 102 classes with those of the model"):
        extend_scheme(TOPICS, {"food": RawLabel(1, "new.csv:2"), **many})


def test_labels_by_option() -> None:
    scheme, strays = extend_scheme(STARS, counts(_1=5, _2=3), "1=Negative,2=positive")
    assert (scheme.names, dict(scheme.of_raw)) == (STARS.names, {"1": 0, "2": 1})
    assert strays == {}
    scheme, _ = extend_scheme(TOPICS, counts(f=5, p=3), "p=price,f=food")
    assert scheme.names == ("food", "service", "price")
    assert [scheme.class_id(raw, "") for raw in ("f", "p")] == [0, 2]
    scheme, strays = extend_scheme(WORDS, counts(_1=5, _5=3, _3=1, x=1), "stars")
    assert [scheme.class_id(raw, "") for raw in ("1", "3", "5")] == [0, None, 1]
    assert [*strays] == ["x"]
    with pytest.raises(ConfigError):
        extend_scheme(TOPICS, counts(_1=5, _5=3), "stars")


def test_the_trained_model_reads_old_labels_as_before() -> None:
    used, _ = extend_scheme(STARS, counts(_1=5, _2=3), "1=negative,2=positive")
    assert merge_schemes(STARS, used) == STARS  # 2 stars stay negative
    used, _ = extend_scheme(TOPICS, counts(food=5, price=3))
    merged = merge_schemes(TOPICS, used)
    assert merged.names == ("food", "service", "price")
    assert dict(merged.of_raw) == {"food": 0, "service": 1, "price": 2}
    used, _ = extend_scheme(STARS, counts(_1=5, _3=3, _5=1), "1=negative,3=neutral,5=positive")
    merged = merge_schemes(STARS, used)
    assert [merged.class_id(raw, "") for raw in "12345"] == [0, 0, 2, 1, 1]
