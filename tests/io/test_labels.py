"""Raw labels and the classes that they become."""

from __future__ import annotations

import json

import pytest

from sentir.errors import ConfigError, DataError, SentirWarning
from sentir.io.columns import read_label
from sentir.io.labels import POLARITY, LabelScheme, RawLabel, check_labels


def counted(**rows: int) -> dict[str, RawLabel]:
    return raw_labels(rows)


def raw_labels(rows: dict[str, int]) -> dict[str, RawLabel]:
    return {
        raw: RawLabel(count, f"reviews.csv:{line}")
        for line, (raw, count) in enumerate(rows.items(), start=2)
    }


@pytest.mark.parametrize(
    ("negative", "positive"),
    [
        ("1", "2"),
        ("0", "1"),
        ("-1", "1"),
        ("neg", "pos"),
        ("N", "P"),
        ("Negative", "POSITIVE"),
        ("negativo", "positivo"),
        ("no", "yes"),
        ("No", "Sí"),
        ("false", "true"),
        ("1", "5"),
        ("2 stars", "4 stars"),
        ("1 estrella", "5 estrellas"),
    ],
)
def test_known_pairs_become_negative_and_positive(negative: str, positive: str) -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels({positive: 3, negative: 3}))
    assert scheme.names == ("negative", "positive")
    assert scheme.of_raw == {negative: 0, positive: 1}
    assert not unknown


def test_upper_and_lower_case_are_one_class() -> None:
    scheme, _ = LabelScheme.resolve(counted(pos=3, Pos=1, neg=4))
    assert [scheme.class_id(raw, "a:1") for raw in ("neg", "pos", "Pos")] == [0, 1, 1]


@pytest.mark.parametrize(
    ("labels", "of_raw"),
    [
        ("0 1 neg pos", {"0": 0, "neg": 0, "1": 1, "pos": 1}),
        ("1 2 Negative Positive", {"1": 0, "Negative": 0, "2": 1, "Positive": 1}),
        ("neg pos negativo positivo", {"neg": 0, "negativo": 0, "pos": 1, "positivo": 1}),
        ("-1 1 bad good", {"-1": 0, "bad": 0, "1": 1, "good": 1}),
        ("0 1 neg", {"0": 0, "neg": 0, "1": 1}),
        ("neg positive", {"neg": 0, "positive": 1}),
        ("Negativo pos bad", {"Negativo": 0, "bad": 0, "pos": 1}),
        ("1 5 neg pos", {"1": 0, "neg": 0, "5": 1, "pos": 1}),
        ("1 2 4 5 positivo", {"1": 0, "2": 0, "4": 1, "5": 1, "positivo": 1}),
    ],
)
def test_pairs_of_several_files_are_two_classes(labels: str, of_raw: dict[str, int]) -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels(dict.fromkeys(labels.split(), 50)))
    assert (scheme, unknown) == (LabelScheme(POLARITY, of_raw), {})


@pytest.mark.parametrize(
    "labels", ["-1 0 1", "0 1 2", "neg pos neutral", "1 2 3", "no yes si", "1 2 n"]
)
def test_pairs_with_a_common_label_or_a_third_one_are_not_joined(labels: str) -> None:
    scheme, _ = LabelScheme.resolve(raw_labels(dict.fromkeys(labels.split(), 50)))
    assert sorted(scheme.names) == sorted(labels.split())


def test_stars_without_three_become_negative_and_positive() -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels({"1": 9, "2": 9, "4": 9, "5": 9}))
    assert scheme == LabelScheme(("negative", "positive"), {"1": 0, "2": 0, "4": 1, "5": 1})
    assert not unknown


def test_half_stars_are_stars() -> None:
    labels = {"0.5": 9, "2.5": 9, "3.50": 9, "4.5 stars": 9, "5": 9}
    scheme, unknown = LabelScheme.resolve(raw_labels(labels))
    assert (scheme.names, unknown) == (POLARITY, {})
    assert list(scheme.of_raw.values()) == [0, 0, 1, 1, 1]
    assert scheme.class_id("0.5 estrellas", "a.csv:2") == 0
    scheme, unknown = LabelScheme.resolve(raw_labels({"0": 9, "0.25": 9, "1": 9, "5.5": 9}))
    assert (scheme.names, unknown) == (("0", "0.25", "1", "5.5"), {})  # no stars: scores


def test_stars_with_a_decimal_comma_are_stars() -> None:
    labels = {"0,5": 9, "2,50 estrellas": 9, "4,0": 9, "4,5": 9, "5": 9}
    scheme, unknown = LabelScheme.resolve(raw_labels(labels))
    assert (scheme.names, unknown) == (POLARITY, {})
    assert list(scheme.of_raw.values()) == [0, 0, 1, 1, 1]
    scheme, _ = LabelScheme.resolve(raw_labels({"1,5": 9, "3": 9, "4,5": 9}), "stars")
    assert scheme.of_raw == {"1,5": 0, "3": None, "4,5": 1}


@pytest.mark.parametrize(
    ("one", "five"),
    [
        ("1/5", "5/5"),
        ("1 / 5", "5 / 5"),
        ("1.0 out of 5 stars", "5.0 out of 5 stars"),
        ("1,0 de 5", "5,0 de 5"),
        ("1 sobre 5 estrellas", "5 sobre 5 estrellas"),
        ("1-star", "5-star"),
        ("1★", "5★"),
        ("1 *", "5 *"),
        ("★", "★★★★★"),
        ("★☆☆☆☆", "★★★★★"),
        ("⭐️", "⭐️⭐️⭐️⭐️⭐️"),
        ("*", "*****"),
    ],
)
def test_spellings_of_stars(one: str, five: str) -> None:
    for labels in ("auto", "stars"):
        scheme, unknown = LabelScheme.resolve(raw_labels({one: 9, five: 9}), labels)
        assert (scheme.names, scheme.of_raw, unknown) == (POLARITY, {one: 0, five: 1}, {})
    assert scheme.renamed("stars").class_id(five, "a.csv:2") == 1
    scheme, unknown = LabelScheme.resolve(raw_labels({one: 9, "3": 9, five: 9}), "1,3,5")
    assert [scheme.class_id(raw, "a.csv:2") for raw in (one, "3", five)] == [0, 1, 2]
    assert not unknown


@pytest.mark.parametrize(
    "raw", ["0/5", "6/5", "1/4", "1/10", "5 de 10", "******", "☆", "", "1 5", "star"]
)
def test_what_is_no_number_of_stars(raw: str) -> None:
    scheme, _ = LabelScheme.resolve(raw_labels({"1": 9, "5": 9}))
    with pytest.raises(DataError, match="is not one of"):
        scheme.class_id(raw, "a.csv:2")


def test_stars_are_read_in_every_spelling_at_evaluation() -> None:
    scheme, _ = LabelScheme.resolve(raw_labels({"1 star": 9, "2 stars": 9, "5 stars": 9}))
    assert [scheme.class_id(raw, "a:1") for raw in ("1", "2/5", "5.0 out of 5 stars")] == [0, 0, 1]
    for labels in ({"0": 9, "1": 9}, {"1": 9, "2": 9}):  # "1" is no star there
        scheme, _ = LabelScheme.resolve(raw_labels(labels))
        with pytest.raises(DataError, match="is not one of"):
            scheme.class_id("1 star", "a:1")


def test_one_two_and_three_are_three_classes() -> None:
    for labels in ({"1": 9, "2": 9, "3": 9}, {"1": 9, "3": 9}, {"0": 9, "1": 9, "2": 9, "3": 9}):
        scheme, unknown = LabelScheme.resolve(raw_labels(labels))
        assert (scheme.names, unknown) == (tuple(labels), {})


def test_numbers_beside_words_are_warned_of() -> None:
    with pytest.warns(SentirWarning) as caught:
        scheme, _ = LabelScheme.resolve(raw_labels(dict.fromkeys(["0", "1", "neutral", "neg"], 9)))
    assert scheme.names == ("0", "1", "neg", "neutral")
    assert str(caught[0].message) == (
        "some labels are numbers and some are words, and each is a class: 0, 1, neg, neutral; if "
        "files are labelled in different ways, name what is the same with --labels "
        "(0=negative,neg=negative,...)"
    )


def test_errors_name_the_files() -> None:
    counts = {"a": RawLabel(1, "a.csv:2"), "b": RawLabel(1, "b.csv:7"), "c": RawLabel(1, "a.csv:3")}
    with pytest.raises(DataError, match=r"^a\.csv and 1 more: no review is 'd'"):
        LabelScheme.resolve(counts, "a,b,d")


def test_three_stars_are_left_out_with_a_count() -> None:
    with pytest.warns(SentirWarning) as caught:
        scheme, unknown = LabelScheme.resolve(raw_labels({"1": 9, "5": 9, "3": 7}))
    assert scheme.names == ("negative", "positive")
    assert (scheme.of_raw, unknown) == ({"1": 0, "5": 1, "3": None}, {})
    assert str(caught[0].message) == (
        "7 reviews of three stars are left out, as they are neither negative nor positive (the "
        "first: reviews.csv:4); --labels 1,3,5 keeps each star as a class"
    )


def test_three_stars_are_dropped_on_request() -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels({"1": 9, "5": 9, "3": 9, "?": 1}), "stars")
    assert scheme.class_id("3", "a:1") is None
    assert scheme.class_id("5", "a:1") == 1
    assert str(unknown["?"]) == (
        "reviews.csv:5: label '?' is not one of 1, 5, 3; fix the row or pass --labels"
    )


def test_each_star_can_be_a_class() -> None:
    scheme, _ = LabelScheme.resolve(raw_labels(dict.fromkeys("53142", 2)), "1,2,3,4,5")
    assert scheme.names == ("1", "2", "3", "4", "5")
    assert scheme.class_id("4", "a:1") == 3


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (("spam", "ham"), ("ham", "spam")),
        (("10", "9"), ("9", "10")),
        (("2", "3"), ("2", "3")),
        (("0", "1", "-1"), ("-1", "0", "1")),
        (("neu", "pos", "neg"), ("neg", "neu", "pos")),
        (("inf", "b", "2"), ("2", "b", "inf")),
    ],
)
def test_other_labels_are_classes_in_sorted_order(
    raw: tuple[str, ...], names: tuple[str, ...]
) -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels(dict.fromkeys(raw, 5)))
    assert scheme.names == names
    assert not unknown


def test_a_rare_label_beside_a_known_pair_is_an_error_with_its_place() -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels({"pos": 600, "pos ": 2, "neg": 600}))
    assert scheme.names == ("negative", "positive")
    assert {raw: str(error) for raw, error in unknown.items()} == {
        "pos ": "reviews.csv:3: label 'pos ' is not one of neg, pos; fix the row or pass --labels"
    }


def test_a_third_label_with_its_share_of_the_rows_is_a_class() -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels({"pos": 50, "neg": 50, "neutral": 10}))
    assert scheme.names == ("neg", "neutral", "pos")
    assert not unknown


def test_labels_can_be_mapped() -> None:
    scheme, unknown = LabelScheme.resolve(
        counted(good=3, bad=3, awful=1, soso=1), "good=positive, bad=negative, awful=negative"
    )
    assert scheme.names == ("negative", "positive")
    assert scheme.of_raw == {"good": 1, "bad": 0, "awful": 0}
    assert list(unknown) == ["soso"]


def test_mapped_classes_keep_the_order_of_the_option() -> None:
    scheme, _ = LabelScheme.resolve(counted(a=3, b=3), "b=dull,a=bright")
    assert scheme.names == ("dull", "bright")


def test_the_name_of_a_class_is_a_label_of_it() -> None:
    scheme, unknown = LabelScheme.resolve(raw_labels({"1": 3, "2": 3}))
    assert scheme.class_id("positive", "a:1") == scheme.class_id("Positive", "a:1") == 1
    with pytest.raises(
        DataError, match=r"^a:7: label 'x' is not one of 1, 2, negative, positive; fix the row"
    ):
        scheme.class_id("x", "a:7")
    assert not unknown


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        ({}, "auto", "no labelled review; check the files and --label-column"),
        (
            {"pos": 1204},
            "auto",
            "reviews.csv: all 1,204 labelled reviews are 'pos' (the labels found are pos); "
            "add reviews of another class, or check --label-column and --labels",
        ),
        (
            {"4": 10, "5": 2},
            "auto",
            "reviews.csv: all 12 labelled reviews are 'positive' (the labels found are 4, 5); "
            "add reviews of another class, or check --label-column and --labels",
        ),
        (
            {"a": 1, "b": 1},
            "a,b,c",
            "reviews.csv: no review is 'c'; the labels found are a, b; check --labels",
        ),
        (
            {f"text {number}": 1 for number in range(1200)},
            "auto",
            "reviews.csv: 1,200 different labels, such as text 0, text 1, text 2 and 1197 more; "
            "check --label-column, or name the labels with --labels",
        ),
    ],
)
def test_labels_that_do_not_form_classes_are_refused(
    rows: dict[str, int], labels: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        LabelScheme.resolve(raw_labels(rows), labels)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("a,", "'' is not a label"),
        ("a=,b", "'a=' is not a label"),
        ("a,a", "a label is given twice"),
        ("a=x,b=x", "there must be two classes or more"),
    ],
)
def test_an_option_that_cannot_be_parsed_is_refused(labels: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        LabelScheme.resolve(counted(a=1, b=1), labels)
    assert str(caught.value) == (
        f"--labels: {labels!r}: {reason}; write auto, stars, neg,pos or bad=negative,good=positive"
    )


def test_the_same_classes_with_other_raw_labels() -> None:
    scheme, _ = LabelScheme.resolve(raw_labels({"1": 3, "2": 3}))
    other = scheme.renamed("good=positive,bad=negative")
    assert other.names == scheme.names
    assert [other.class_id(raw, "a:1") for raw in ("bad", "good", "positive")] == [0, 1, 1]
    assert scheme.renamed("stars").of_raw == {
        "0.5": 0, "1": 0, "1.5": 0, "2": 0, "2.5": 0, "3": None, "3.5": 1, "4": 1, "4.5": 1, "5": 1
    }  # fmt: skip
    assert scheme.renamed("stars").class_id("5 stars", "a.csv:2") == 1
    assert scheme.renamed("auto") == scheme
    with pytest.raises(DataError, match="'no stars' is not one of"):
        scheme.renamed("stars").class_id("no stars", "a.csv:2")
    with pytest.raises(ConfigError) as caught:
        scheme.renamed("good=fine,bad=negative")
    assert str(caught.value) == (
        "--labels: 'fine' is not one of the classes negative, positive; "
        "write LABEL=negative,LABEL=positive"
    )


def test_a_scheme_through_json_is_the_same() -> None:
    scheme, _ = LabelScheme.resolve(raw_labels({"1": 9, "5": 9, "3": 9}), "stars")
    assert LabelScheme.from_dict(json.loads(json.dumps(scheme.to_dict()))) == scheme


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"names": "ab", "of_raw": {}},
        {"names": ["a", 1], "of_raw": {}},
        {"names": ["a", "b"], "of_raw": {"x": 2}},
        {"names": ["a", "b"], "of_raw": {"x": "0"}},
    ],
)
def test_other_data_than_a_scheme_is_refused(data: object) -> None:
    with pytest.raises(DataError, match=r"^labels: not a label scheme; train the model again$"):
        LabelScheme.from_dict(data)  # type: ignore[arg-type]


def test_labels_of_the_option_are_normalised_like_those_of_files() -> None:
    """1.0 in a file is 1, so it is 1 on the command line too."""
    scheme, unknown = LabelScheme.resolve(raw_labels({"1": 9, "2": 9}), "1.0, 2.0")
    assert (scheme.names, unknown) == (("1", "2"), {})
    assert read_label(" positive ") == "positive"
    assert read_label("  ") is None


def test_classes_that_differ_in_case_or_blanks_are_one() -> None:
    rows = {"Very good": 9, "very good": 2, "VERY GOOD": 1, "so so": 5}
    scheme, unknown = LabelScheme.resolve(raw_labels(rows))
    assert scheme.names == ("Very good", "so so")
    assert [scheme.class_id(raw, "") for raw in rows] == [0, 0, 0, 1]
    assert not unknown
    assert read_label(" very \t good\u00a0") == "very good"
    assert read_label("si\u0301") == read_label("s\u00ed")
    assert scheme.class_id("vERY gOOD", "") == 0
    assert scheme.renamed("Top=VERY GOOD,Meh=So So").class_id("top", "") == 0


def test_case_is_kept_where_classes_differ_in_nothing_else() -> None:
    scheme, _ = LabelScheme.resolve(counted(A=2, a=3, b=1), "A,a,b")
    assert [scheme.class_id(raw, "") for raw in ("A", "a", "B")] == [0, 1, 2]


def test_words_of_other_languages() -> None:
    scheme, _ = LabelScheme.resolve(counted(négatif=2, Positif=2))
    assert scheme == LabelScheme(POLARITY, {"négatif": 0, "Positif": 1})


def test_the_option_is_checked_before_labels_are_known() -> None:
    for labels in ("auto", "stars", "1,2,3", "a=b,c=d"):
        check_labels(labels)
    with pytest.raises(ConfigError, match="there must be two classes or more"):
        check_labels("a=b")
