"""A model is measured on files as on the same reviews in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sentir
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import Bundle, save_bundle
from sentir.errors import BundleError, ConfigError, DataError, SentirWarning, UsageError
from sentir.evaluation.metrics import measure
from sentir.inference import evaluate as evaluate_module
from sentir.inference.evaluate import evaluate
from sentir.inference.predictor import Predictor
from sentir.io.columns import Columns
from sentir.io.labels import POLARITY, LabelScheme

TEXTS = [text or "good" for text in random_texts(60)]
CLASSES = [row % 2 for row in range(len(TEXTS))]


def write_csv(file: Path, names: tuple[str, str] = ("negative", "positive")) -> Path:
    rows = [f"{names[label]},{text!r}" for label, text in zip(CLASSES, TEXTS, strict=True)]
    quoted = [row.replace("'", '"') for row in rows]
    file.write_text("\n".join(["label,text", *quoted]) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return toy()


def test_the_figures_are_those_of_the_probabilities(bundle: Bundle, tmp_path: Path) -> None:
    predictor = Predictor(bundle)
    result = evaluate(predictor, write_csv(tmp_path / "test.csv"))
    probabilities_NC = predictor.predict_proba(TEXTS)
    assert result.metrics == measure(probabilities_NC, np.array(CLASSES), predictor.labels)
    assert result.skipped.count == 0
    confidences = [mistake.confidence for mistake in result.mistakes]
    wrong_N = probabilities_NC.argmax(axis=1) != CLASSES
    expected = sorted(probabilities_NC.max(axis=1)[wrong_N], reverse=True)
    assert confidences == expected[:20]
    assert all(mistake.label != mistake.predicted for mistake in result.mistakes)


def test_a_path_a_bundle_and_a_loaded_model_give_equal_figures(
    bundle: Bundle, tmp_path: Path
) -> None:
    save_bundle(bundle, tmp_path / "run" / "model")
    file = write_csv(tmp_path / "test.csv")
    loaded = sentir.load(tmp_path / "run")
    results = [sentir.evaluate(model, file).metrics.accuracy
               for model in (tmp_path / "run", str(tmp_path / "run"), bundle, loaded)]  # fmt: skip
    assert len(set(results)) == 1
    with pytest.raises(BundleError, match="no model here"):
        sentir.evaluate(tmp_path, file)


def test_several_files_are_one_test_set(bundle: Bundle, tmp_path: Path) -> None:
    files = [write_csv(tmp_path / name) for name in ("a.csv", "b.csv")]
    once, twice = evaluate(bundle, str(files[0])), evaluate(bundle, files)
    assert twice.metrics.examples == 2 * once.metrics.examples == 2 * len(TEXTS)
    assert twice.metrics.accuracy == once.metrics.accuracy


def test_the_labels_of_the_files_may_have_other_names(bundle: Bundle, tmp_path: Path) -> None:
    expected = evaluate(bundle, write_csv(tmp_path / "a.csv")).metrics
    file = write_csv(tmp_path / "b.csv", ("poor", "fine"))
    with pytest.raises(DataError, match=r"b\.csv:2: label 'poor'"):
        evaluate(bundle, file)
    assert evaluate(bundle, file, labels="poor=negative,fine=positive").metrics == expected


def test_settings_say_how_files_are_read(bundle: Bundle, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "test.csv")
    renamed = tmp_path / "renamed.csv"
    renamed.write_text(file.read_text().replace("label,text", "verdict,words", 1))
    columns = {"label_column": "verdict", "text_column": ("words",)}
    assert evaluate(bundle, renamed, **columns).metrics == evaluate(bundle, file).metrics
    with pytest.raises(ConfigError, match="no setting 'text_colum'; did you mean 'text_column'"):
        evaluate(bundle, file, text_colum="words")
    with pytest.raises(ConfigError, match="no setting 'hidden_size'"):
        evaluate(bundle, file, hidden_size=3)
    with pytest.raises(ConfigError, match="on_error = 'ignore'"):
        evaluate(bundle, file, on_error="ignore")
    with pytest.raises(UsageError, match="test = 3; pass a path"):
        evaluate(bundle, 3)  # type: ignore[arg-type]


def test_skipped_rows_are_warned_of(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "test.csv"
    file.write_text("label,text\nnegative,bad\nstrange,good\npositive,good\n")
    with pytest.warns(SentirWarning, match=r"1 rows skipped:\n.*csv:3: label 'strange'"):
        result = evaluate(bundle, file, on_error="skip")
    assert result.metrics.examples == 2
    assert result.skipped.count == 1


def test_no_labelled_review_is_an_error(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "test.csv"
    file.write_text("label,text\nstrange,good\n")
    with (
        pytest.warns(SentirWarning, match="1 rows skipped"),
        pytest.raises(DataError, match=r"test\.csv: no labelled review to measure on"),
    ):
        evaluate(bundle, file, on_error="skip")


def test_reviews_are_streamed_and_progress_is_reported(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_csv(tmp_path / "test.csv")
    expected = evaluate(bundle, file)
    monkeypatch.setattr(evaluate_module, "WINDOW", 4)
    counts: list[int] = []
    result = evaluate(bundle, file, mistakes=3, progress=counts.append)
    assert counts == [16, 16, 16, 12, 0]
    assert result.metrics.confusion == expected.metrics.confusion
    assert [mistake.text for mistake in result.mistakes] == [
        mistake.text for mistake in expected.mistakes[:3]
    ]


def test_accuracy_that_hides_a_rare_class_is_warned_of(bundle: Bundle, tmp_path: Path) -> None:
    predictor = Predictor(bundle)
    predicted = {prediction.label: text for text, prediction
                 in zip(TEXTS, predictor.predict(TEXTS), strict=True)}  # fmt: skip
    file = tmp_path / "test.csv"
    rows = [f'positive,"{predicted["positive"]}"'] * 9 + [f'negative,"{predicted["positive"]}"']
    file.write_text("\n".join(["label,text", *rows]) + "\n")
    with pytest.warns(SentirWarning, match="of the class 'negative' only 0% are found"):
        result = evaluate(predictor, file)
    assert result.metrics.majority_share == result.metrics.accuracy == 0.9


def test_the_columns_of_training_need_no_options(bundle: Bundle, tmp_path: Path, messages) -> None:
    trained = replace(bundle, columns=(Columns(text=("a", "b"), label="c"),))
    like = tmp_path / "like.csv"
    like.write_text("text,label,A,b,c\nno,neg,good,film,pos\nno,pos,bad,film,neg\n")
    shown = evaluate(trained, like).metrics
    named = {"text_column": "A,b", "label_column": "c"}
    assert shown == evaluate(bundle, like, **named).metrics
    assert not messages.warned()
    other = tmp_path / "other.csv"
    other.write_text("text,label\ngood film,pos\nbad film,neg\n")
    save_bundle(trained, tmp_path / "run" / "model")
    for model in (trained, tmp_path / "run"):
        messages.clear()
        evaluate(model, other)
        assert "trained on 'a' and 'b'; here 'text' is read" in messages.warned()


def test_another_scheme_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    of_raw = {"1": 0, "2": 0, "3": None, "4": 1, "5": 1}
    stars = replace(bundle, labels=LabelScheme(POLARITY, of_raw))
    file = tmp_path / "test.ft.txt"
    file.write_text("__label__1 bad\n__label__2 good\n" * 50)
    for how in ({}, {"on_error": "skip"}):
        with pytest.raises(DataError, match=r"to the model both are negative.*--labels 1=neg"):
            evaluate(stars, file, **how)
    assert evaluate(stars, file, labels="1=negative,2=positive").metrics.examples == 100
    with pytest.warns(SentirWarning, match="all reviews are of class negative"):
        evaluate(stars, file, labels="stars")


def test_what_is_wrong_with_a_file_is_found_before_the_model_is_loaded(
    bundle: Bundle, tmp_path: Path
) -> None:
    save_bundle(bundle, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    file = tmp_path / "a.csv"
    file.write_text("a,b\n1,2\n")
    for how, error in (
        ({}, "usual name for the text"),
        ({"labels": "x=y"}, "there must be two classes"),
        ({"labels": "x=y,z=w"}, "is not one of the classes"),
    ):
        with pytest.raises((DataError, ConfigError), match=error):
            evaluate(tmp_path, file, **how)


def test_rows_without_text_are_left_out_and_logged(
    bundle: Bundle, tmp_path: Path, messages
) -> None:
    file = write_csv(tmp_path / "a.csv")
    with file.open("a") as rows:
        rows.write("negative,\n")
    result = evaluate(bundle, file)
    assert (result.skipped.without_text, result.metrics.examples) == (1, len(TEXTS))
    assert "1 rows skipped (1 without text):" in messages.logged()
    assert not messages.warned()
