"""Runs compared from Python, and on the same reviews."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sentir
from conftest import Messages
from fixtures.compared_runs import save_run
from fixtures.toy_bundle import random_texts
from sentir.bundle import load_bundle, save_bundle
from sentir.errors import BundleError, ConfigError, DataError, SentirWarning, UsageError
from sentir.inference.compare import compare
from sentir.io.columns import Columns


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    file = tmp_path / "reviews.csv"
    rows = [f'{random.choice(["negative", "positive"])},"{text} ."' for text in random_texts(150)]
    file.write_text("label,text\n" + "\n".join(rows) + "\n", "utf-8")
    return file


def test_it_is_public(tmp_path: Path) -> None:
    comparison = sentir.compare([save_run(tmp_path / "a"), str(save_run(tmp_path / "b", epochs=2))])
    assert [group.name for group in comparison.groups] == ["a", "b"]
    assert comparison.paired == ()


def test_each_against_the_first_on_the_same_reviews(tmp_path: Path, reviews: Path) -> None:
    runs = [save_run(tmp_path / name, seed=i, epochs=i) for i, name in enumerate("abc")]
    seen: list[int] = []
    with pytest.warns(SentirWarning, match="validation figures are of different reviews"):
        comparison = compare(runs, test=reviews, progress=seen.append)
    assert sum(seen) == 150
    assert [(pair.first, pair.second) for pair in comparison.paired] == [("a", "b"), ("a", "c")]
    accuracies = [sentir.evaluate(run, reviews).metrics.accuracy for run in runs]
    for pair, accuracy in zip(comparison.paired, accuracies[1:], strict=True):
        assert pair.examples == 150
        assert pair.accuracies == pytest.approx((accuracies[0], accuracy))
        assert pair.only_first + pair.only_second > 0


def test_copies_answer_alike(tmp_path: Path, reviews: Path) -> None:
    runs = [save_run(tmp_path / "a"), save_run(tmp_path / "b")]
    with pytest.warns(SentirWarning, match="copies of one model"):
        (pair,) = compare(runs, test=reviews).paired
    assert (pair.only_first, pair.only_second, pair.p_value) == (0, 0, 1.0)


def test_labels_are_read_as_they_are_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "stars.csv"
    file.write_text("stars,text\n1,bad .\n3,a film\n5,good .\n", "utf-8")
    runs = [save_run(tmp_path / "a"), save_run(tmp_path / "b", epochs=2)]
    assert compare(runs, test=file, labels="stars").paired[0].examples == 2
    with pytest.raises(DataError, match=r"stars\.csv: the labels are stars"):
        compare(runs, test=file)


def test_skipped_rows_are_warned_of(tmp_path: Path, reviews: Path, messages: Messages) -> None:
    with reviews.open("a") as file:
        file.write("what,good .\n")
    runs = [save_run(tmp_path / "a"), save_run(tmp_path / "b", epochs=2)]
    (pair,) = compare(runs, test=reviews, on_error="skip").paired
    assert pair.examples == 150
    assert "1 rows skipped" in messages.warned()


def test_no_review_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("label,text\n3,a film\n", "utf-8")
    runs = [save_run(tmp_path / "a"), save_run(tmp_path / "b", epochs=2)]
    with pytest.raises(DataError, match="no labelled review to measure on"):
        compare(runs, test=file, labels="stars")


def test_models_of_other_classes_cannot_be_paired(tmp_path: Path, reviews: Path) -> None:
    runs = [save_run(tmp_path / "a"), save_run(tmp_path / "b", classes=3)]
    with (
        pytest.warns(SentirWarning, match="different reviews|classes differ"),
        pytest.raises(UsageError, match="the classes negative, neutral, positive, and those of a"),
    ):
        compare(runs, test=reviews)


def test_what_is_no_run_is_refused_by_its_name(tmp_path: Path) -> None:
    run = save_run(tmp_path / "a")
    with pytest.raises(BundleError, match="b: no model here"):
        compare([run, tmp_path / "b"])
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "checkpoint.pt").touch()
    with pytest.raises(BundleError, match="c: training has not finished"):
        compare([run, tmp_path / "c"])
    damaged = save_run(tmp_path / "d")
    (damaged / "model" / "metrics.json").write_text("{}")
    with pytest.raises(BundleError, match=r"metrics\.json: damaged"):
        compare([run, damaged])


def test_one_run_or_one_twice_is_refused(tmp_path: Path) -> None:
    run = save_run(tmp_path / "a")
    with pytest.raises(UsageError, match="1 run to compare; give two runs or more"):
        compare([run])
    with pytest.raises(UsageError, match=r"a/\.: the same run twice"):
        compare([run, f"{run}/."])
    (tmp_path / "link").symlink_to(run)
    with pytest.raises(UsageError, match="link: the same run twice"):
        compare([run, tmp_path / "link"])
    with pytest.raises(UsageError, match="the same run twice"):
        compare([run, run / "model"])


def test_an_unknown_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no setting 'txt_column'"):
        compare([tmp_path, tmp_path / "b"], txt_column="a")


def test_runs_of_other_columns_are_compared_on_named_ones(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("label,text,body\nneg,bad .,x\npos,good .,y\n", "utf-8")
    runs = [save_run(tmp_path / "a"), save_run(tmp_path / "b", epochs=2)]
    bundle = load_bundle(runs[1])
    save_bundle(
        replace(bundle, columns=(Columns(text=("body",), label="label"),)), Path(runs[1]) / "model"
    )
    with pytest.raises(UsageError, match=r"a and b were trained on other columns; .*--text-column"):
        compare(runs, test=file)
    assert compare(runs, test=file, text_column="text").paired[0].examples == 2
