"""A model gets its threshold from labelled reviews, and keeps it in its folder."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sentir
from fixtures.forged_bundle import write_settings
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import Bundle, load_bundle, save_bundle
from sentir.confidence import Answered, ConfidenceThreshold
from sentir.errors import BundleError, DataError, SentirWarning, UsageError
from sentir.evaluation.selective import fit_threshold, risk_coverage
from sentir.inference.calibrate import calibrate
from sentir.inference.predictor import Prediction, Predictor, UnsurePrediction
from sentir.io.labels import LabelScheme

TEXTS = [text or "good" for text in random_texts(200)]
CLASSES = np.arange(200) % 2
NAMES = ("negative", "positive")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_bundle(toy(), tmp_path / "run" / "model")
    return tmp_path / "run"


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    file = tmp_path / "valid.csv"
    rows = [f'{NAMES[label]},"{text}"' for label, text in zip(CLASSES, TEXTS, strict=True)]
    file.write_text("\n".join(["label,text", *rows]) + "\n")
    return file


def with_threshold(bundle: Bundle, value: float) -> Bundle:
    validation = Answered(examples=10, answered=9, correct=8)
    return replace(
        bundle, threshold=ConfidenceThreshold(value=value, coverage=0.9, validation=validation)
    )


def test_the_threshold_is_that_of_the_probabilities(folder: Path, reviews: Path) -> None:
    before = {path.name: path.read_bytes() for path in (folder / "model").iterdir()}
    probabilities_NC = sentir.load(folder).predict_proba(TEXTS)
    result = sentir.calibrate(folder, reviews, coverage=0.8)
    expected = fit_threshold(probabilities_NC, CLASSES, 0.8)
    assert result.threshold.value == pytest.approx(expected.value, abs=1e-6)
    assert result.threshold.validation == expected.validation
    assert result.curve.area == pytest.approx(risk_coverage(probabilities_NC, CLASSES).area)
    assert (result.metrics.examples, result.skipped.count) == (200, 0)
    after = {path.name: path.read_bytes() for path in (folder / "model").iterdir()}
    assert {name for name in after if after[name] != before.get(name)} == {"config.json"}
    was, now = (json.loads(files["config.json"]) for files in (before, after))
    assert now.pop("threshold")["coverage"] == 0.8
    assert now.pop("checksums").keys() == was.pop("checksums").keys()
    assert now == was
    assert load_bundle(folder).threshold == result.threshold
    unsure = [prediction.unsure for prediction in sentir.load(folder).predict(TEXTS)]
    assert unsure == (probabilities_NC.max(axis=1) < result.threshold.value - 1e-9).tolist()
    assert 30 < sum(unsure) < 41


def test_a_threshold_replaces_another_and_may_be_none(folder: Path, reviews: Path) -> None:
    calibrate(folder, reviews, coverage=0.5)
    half = load_bundle(folder).threshold
    calibrate(folder, reviews, coverage=1)
    everything = load_bundle(folder).threshold
    assert half is not None
    assert everything is not None
    assert (half.coverage, everything.value) == (0.5, 0)
    assert not any(prediction.unsure for prediction in sentir.load(folder).predict(TEXTS))


def test_what_else_lies_in_the_folder_stays(folder: Path, reviews: Path) -> None:
    (folder / "model" / "notes.txt").write_text("mine")
    write_settings(folder / "model", of_a_later_version=3)
    calibrate(folder, reviews)
    assert (folder / "model" / "notes.txt").read_text() == "mine"
    settings = json.loads((folder / "model" / "config.json").read_text())
    assert settings["of_a_later_version"] == 3
    assert len(list((folder / "model").iterdir())) == 5


def test_nothing_is_changed_by_what_is_refused(folder: Path, reviews: Path) -> None:
    before = (folder / "model" / "config.json").read_bytes()
    for share in (0, 1.5):
        with pytest.raises(UsageError, match="give a share above 0"):
            calibrate(folder, reviews, coverage=share)
    with pytest.raises(DataError, match="no such file"):
        calibrate(folder, reviews.with_name("absent.csv"))
    with pytest.raises(BundleError, match="no model here"):
        calibrate(folder.parent / "absent", reviews)
    with pytest.raises(UsageError, match="hf://me/shop: a model on the Hub, which cannot be"):
        calibrate("hf://me/shop", reviews)
    assert (folder / "model" / "config.json").read_bytes() == before


def test_a_model_that_knows_the_reviews_is_warned_of(folder: Path, tmp_path: Path) -> None:
    bundle = toy()
    validation = {"accuracy": 0.75, "loss": 0.5, "examples": 1000}
    save_bundle(replace(bundle, metrics={"validation": validation}), folder / "model")
    file = tmp_path / "learnt.csv"
    rows = [f'{label},"{text}"' for text, (label, _)
            in zip(TEXTS, Predictor(bundle).predict(TEXTS), strict=True)]  # fmt: skip
    file.write_text("\n".join(["label,text", *rows]) + "\n")
    with pytest.warns(SentirWarning, match=r"100.0% here, and 75.0% in validation: if the model"):
        calibrate(folder, file)


def test_predictions_are_pairs_and_know_whether_they_are_unsure() -> None:
    predictor = Predictor(with_threshold(toy(), 0.8))
    predictions = predictor.predict(TEXTS)
    assert {type(prediction) for prediction in predictions} == {Prediction, UnsurePrediction}
    for prediction in predictions:
        label, probability = prediction
        assert prediction.unsure == (probability < 0.8)
        assert prediction == (label, probability)
        again = pickle.loads(pickle.dumps(prediction))
        assert (again, again.unsure) == (prediction, prediction.unsure)
    assert predictor.predict_one(TEXTS[0]).unsure == predictions[0].unsure
    assert repr(UnsurePrediction("a", 0.5)) == "UnsurePrediction(label='a', probability=0.5)"
    assert not Prediction("a", 0.5).unsure


def test_a_class_named_unsure_is_another_thing() -> None:
    bundle = replace(toy(), labels=LabelScheme(("unsure", "sure"), {"0": 0, "1": 1}))
    for prediction in Predictor(with_threshold(bundle, 0.0)).predict(TEXTS):
        assert not prediction.unsure
    assert "unsure" in {prediction.label for prediction in Predictor(bundle).predict(TEXTS)}


def test_evaluation_says_what_is_answered(reviews: Path, tmp_path: Path, messages) -> None:
    bundle = with_threshold(toy(), 0.8)
    probabilities_NC = Predictor(bundle).predict_proba(TEXTS)
    result = sentir.evaluate(bundle, reviews)
    is_answered_N = probabilities_NC.max(axis=1) >= 0.8
    right_N = probabilities_NC.argmax(axis=1) == CLASSES
    assert result.answered == Answered(
        examples=200, answered=is_answered_N.sum().item(),
        correct=(right_N & is_answered_N).sum().item(),
    )  # fmt: skip
    assert result.metrics.examples == 200
    assert sentir.evaluate(toy(), reviews).answered is None


def test_a_coverage_below_the_promised_one_is_warned_of(reviews: Path) -> None:
    validation = Answered(examples=1000, answered=900, correct=800)
    threshold = ConfidenceThreshold(value=0.99, coverage=0.9, validation=validation)
    with pytest.warns(SentirWarning, match=r"are answered, and 90.0% were promised .*sentir drift"):
        sentir.evaluate(replace(toy(), threshold=threshold), reviews)


@pytest.mark.parametrize("kept", [3, {"value": 2}, {"value": 0.5, "coverage": 0.9}, []])
def test_a_forged_threshold_is_refused(folder: Path, kept: object) -> None:
    write_settings(folder / "model", threshold=kept)
    with pytest.raises(BundleError, match=r"model: its parts do not fit \(no threshold"):
        load_bundle(folder)
