"""The estimator as scikit-learn's users work with it: every way that its peers are used."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import sentir
from sentir.errors import ConfigError, SentirWarning, UsageError
from sentir.sklearn import InputError, SentimentClassifier
from sentir.synthetic.reviews import sample_reviews

SMALL: dict[str, Any] = {
    "preset": "fast", "hidden_size": 4, "embedding_dim": 8, "epochs": 1, "batch_size": 16,
    "settings": {"ngram_buckets": 4096, "valid_fraction": 0.3},
}  # fmt: skip


def reviews(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Reviews whose last word says what they think."""
    last = {"negative": "awful", "positive": "great"}
    pairs = list(sample_reviews(count, seed=seed))
    texts = [f"{text} {last[label]}" for label, text in pairs]
    return texts, np.array([label for label, _ in pairs])


TEXTS, LABELS = reviews(200)
OTHERS, OTHER_LABELS = reviews(60, seed=1)


@pytest.fixture(scope="module")
def fitted() -> SentimentClassifier:
    return SentimentClassifier(**SMALL).fit(TEXTS, LABELS)


def test_answers(fitted: SentimentClassifier) -> None:
    assert fitted.classes_.tolist() == ["negative", "positive"]
    assert fitted.n_features_in_ == 1
    probabilities_NC = fitted.predict_proba(OTHERS)
    assert probabilities_NC.shape == (60, 2)
    np.testing.assert_allclose(probabilities_NC.sum(axis=1), 1)
    labels_N = fitted.predict(OTHERS)
    assert labels_N.dtype == LABELS.dtype
    assert labels_N.tolist() == fitted.classes_[probabilities_NC.argmax(axis=1)].tolist()
    odds_N = fitted.decision_function(OTHERS)
    assert odds_N.shape == (60,)
    assert ((odds_N > 0) == (probabilities_NC[:, 1] > 0.5)).all()
    assert fitted.score(OTHERS, OTHER_LABELS) > 0.8
    assert fitted.predict([]).tolist() == []


def test_the_constructor_only_stores() -> None:
    settings = {"pooling": "max"}
    classifier = SentimentClassifier(preset="nonsense", hidden_size=-1, settings=settings)
    assert classifier.get_params()["settings"] is settings
    assert clone(classifier).get_params() == classifier.get_params()
    assert repr(classifier).startswith("SentimentClassifier(")
    with pytest.raises(ConfigError, match="no preset 'nonsense'"):
        classifier.fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS == "positive",
        (LABELS == "positive").astype(np.int8),
        np.where(LABELS == "positive", 3.0, 1.0),
        np.where(LABELS == "positive", "a,b=c", "a,b:c").astype(object),
        np.where(LABELS == "positive", " ", ""),
    ],
    ids=["bool", "int8", "float", "signs of options", "blank"],
)
def test_labels_of_any_type(labels: np.ndarray) -> None:
    classifier = SentimentClassifier(**SMALL).fit(TEXTS[:80], labels[:80])
    assert classifier.classes_.dtype == labels.dtype
    assert classifier.classes_.tolist() == sorted(set(labels.tolist()))
    assert classifier.predict(TEXTS[:3]).dtype == labels.dtype


def test_three_classes() -> None:
    labels = np.arange(200) % 3
    texts = [
        f"{text} {'bad fine great'.split()[label]}"
        for text, label in zip(TEXTS, labels, strict=True)
    ]
    classifier = SentimentClassifier(**SMALL).fit(texts, labels)
    assert classifier.decision_function(texts[:5]).shape == (5, 3)
    assert classifier.score(texts, labels) > 0.6


class Frame(dict):  # type: ignore[type-arg]
    """What is used of a data frame, which pandas and polars have in common."""

    @property
    def columns(self) -> list[str]:
        return list(self)

    shape = property(lambda self: (len(next(iter(self.values()))), len(self)))


def test_texts_of_any_container(fitted: SentimentClassifier) -> None:
    expected = fitted.predict_proba(OTHERS)
    array = np.array(OTHERS)
    for texts in (array, array.astype(object), array[:, None], tuple(OTHERS), Frame(t=array)):
        np.testing.assert_allclose(fitted.predict_proba(texts), expected, atol=1e-6)


def test_the_name_of_the_column() -> None:
    classifier = SentimentClassifier(**SMALL)
    classifier.fit(Frame(text=np.array(TEXTS[:80])), LABELS[:80])
    assert classifier.feature_names_in_.tolist() == ["text"]
    with pytest.raises(InputError, match="the column 'title', and 'text' when it was fitted"):
        classifier.predict(Frame(title=np.array(OTHERS)))
    classifier.fit(TEXTS[:80], LABELS[:80])
    assert not hasattr(classifier, "feature_names_in_")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", r"X: one string; pass a list of texts"),
        (b"one text", r"X: one string; pass a list of texts"),
        (5, r"X: int; pass a list of texts"),
        (["a", 5.0], r"X\[1\]: float 5.0, not a text; drop the row, or make it a string"),
        (["a", float("nan")], r"X\[1\]: float nan, not a text"),
        (["a", "b", None], r"X\[2\]: NoneType None, not a text"),
        ([b"a", "b"], r"X\[0\]: bytes b'a', not a text"),
        ([["a", "b"], ["c", "d"]], r"X: an array of shape \(2, 2\); pass one text a row"),
        (np.ones((2, 1)), r"X\[0\]: float 1.0, not a text"),
        (Frame(a=["b"], c=["d"]), r"X: a table of 2 columns \(a, c\); pass the column"),
    ],
)
def test_texts_that_are_none(fitted: SentimentClassifier, texts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fitted.predict(texts)
    with pytest.raises(ValueError, match=message):
        SentimentClassifier(**SMALL).fit(texts, ["a", "b"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"], r"y: labels of shape \(1,\) for 3 texts"),
        (["a", None, "b"], r"y\[1\]: no label; drop the row"),
        ([1, float("nan"), 2], r"y\[1\]: no label"),
        ([1.5, 2.0, 3.0], "y: continuous numbers"),
        (["a", "a", "a"], "y: labels of 1 class; pass texts of two or more classes"),
        (np.array(["a", 1, "b"], object), "y: labels that cannot be sorted"),
        ([["a", "b"]] * 3, r"y: labels of shape \(3, 2\)"),
    ],
)
def test_labels_that_are_none(labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SentimentClassifier(**SMALL).fit(["a", "b", "c"], labels)


def test_half_a_surrogate_pair() -> None:
    with pytest.raises(InputError, match=r"X\[1\]: character 1 of the text is half"):
        SentimentClassifier(**SMALL).fit(["a", "\ud83d"], [0, 1])


def test_empty_texts_are_left_out_with_a_warning() -> None:
    texts = ["", " \n", *TEXTS[:80]]
    labels = ["positive", "negative", *LABELS[:80]]
    with pytest.warns(SentirWarning, match=r"2 of 82 texts are empty .* \(the first: X\[0\]\)"):
        classifier = SentimentClassifier(**SMALL).fit(texts, labels)
    assert classifier.predict_proba(["", "a"]).shape == (2, 2)


def test_settings() -> None:
    classifier = SentimentClassifier(**SMALL | {"min_count": 3})
    config = classifier.fit(TEXTS[:80], LABELS[:80]).bundle_.config
    assert (config.model.hidden_size, config.text.min_count) == (4, 3)
    assert config.model.ngram_buckets == 4096
    for settings, error, message in (
        ({"hidden_sise": 3}, ConfigError, "did you mean 'hidden_size'"),
        ({"hidden_size": 3}, UsageError, "hidden_size is an argument of its own"),
        ({"seed": 3}, UsageError, "seed is an argument of its own"),
    ):
        with pytest.raises(error, match=message):
            SentimentClassifier(**SMALL | {"settings": settings}).fit(TEXTS, LABELS)


def test_weights_decide_between_contradicting_labels() -> None:
    """Each text is there twice, once with the wrong label: the weights say which counts."""
    wrong = np.where(LABELS == "positive", "negative", "positive")
    texts, labels = [*TEXTS, *TEXTS], np.concatenate([LABELS, wrong])
    for true_weight, expected in ((5.0, 1.0), (0.2, 0.0)):
        weights = np.repeat([true_weight, 1.0], len(TEXTS))
        classifier = SentimentClassifier(**SMALL).fit(texts, labels, sample_weight=weights)
        assert abs(classifier.score(OTHERS, OTHER_LABELS) - expected) < 0.2


def test_equal_weights_change_nothing() -> None:
    weighted, plain = (
        SentimentClassifier(**SMALL).fit(TEXTS, LABELS, sample_weight=weight)
        for weight in (np.full(len(TEXTS), 3), None)
    )
    for name, weight in plain.bundle_.weights.items():
        np.testing.assert_array_equal(weighted.bundle_.weights[name], weight, err_msg=name)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], r"sample_weight: weights of shape \(1,\) for 3 texts"),
        ([1.0, -1.0, 1.0], "sample_weight: negative or not finite"),
        ([1.0, float("nan"), 1.0], "sample_weight: negative or not finite"),
        ([0.0, 0.0, 0.0], "sample_weight: .*all are 0"),
    ],
)
def test_weights_that_are_none(weights: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SentimentClassifier(**SMALL).fit(["a", "b", "c"], ["x", "y", "x"], sample_weight=weights)


def test_random_states() -> None:
    def weights(state: Any) -> np.ndarray:
        classifier = SentimentClassifier(**SMALL, random_state=state)
        weight: np.ndarray = classifier.fit(TEXTS[:80], LABELS[:80]).bundle_.weights["head.weight"]
        return weight

    assert (weights(3) == weights(np.int64(3))).all()
    state = np.random.RandomState(0)
    assert (weights(state) != weights(state)).any()


def test_not_fitted() -> None:
    for name in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(SentimentClassifier(), name)(TEXTS)
    with pytest.raises(NotFittedError):
        SentimentClassifier().save("nowhere")


@pytest.mark.parametrize("dump", ["pickle", "joblib"])
def test_pickles(fitted: SentimentClassifier, tmp_path: Path, dump: str) -> None:
    if dump == "pickle":
        copy = pickle.loads(pickle.dumps(fitted))
    else:
        joblib.dump(fitted, tmp_path / "model.joblib")
        copy = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(copy.predict_proba(OTHERS), fitted.predict_proba(OTHERS))
    assert copy.get_params() == fitted.get_params()


def test_saved_as_a_folder(fitted: SentimentClassifier, tmp_path: Path) -> None:
    for _ in range(2):  # a model may be replaced
        fitted.save(tmp_path / "model")
    predictor = sentir.load(tmp_path / "model")
    expected = fitted.predict_proba(OTHERS)
    np.testing.assert_allclose(predictor.predict_proba(OTHERS), expected, atol=1e-6)
    assert predictor.labels == ("negative", "positive")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(UsageError, match="holds something else than a model"):
        fitted.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


def test_in_a_pipeline_with_a_grid_search() -> None:
    pipeline = make_pipeline(
        FunctionTransformer(lambda texts: [text.upper() for text in texts]),
        SentimentClassifier(**SMALL),
    )
    grid = {"sentimentclassifier__hidden_size": [4, 6]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(TEXTS[:80], LABELS[:80])
    assert search.best_params_["sentimentclassifier__hidden_size"] in (4, 6)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_cross_validation_and_calibration() -> None:
    classifier = SentimentClassifier(**SMALL)
    texts, labels = np.array(TEXTS[:90]), LABELS[:90]
    answers = cross_val_predict(classifier, texts, labels, cv=2, method="predict_proba")
    assert answers.shape == (90, 2)
    calibrated = CalibratedClassifierCV(classifier, cv=2).fit(texts, labels)
    np.testing.assert_allclose(calibrated.predict_proba(texts[:5]).sum(axis=1), 1)


@pytest.mark.long
def test_several_processes() -> None:
    classifier = SentimentClassifier(**SMALL)
    search = GridSearchCV(classifier, {"hidden_size": [4, 6]}, cv=2, n_jobs=2)
    search.fit(TEXTS, LABELS)
    assert search.best_score_ > 0.6
