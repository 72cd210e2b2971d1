"""A scikit-learn estimator: `SentimentClassifier` in pipelines, grid searches and cross-validation.

>>> from sentir.sklearn import SentimentClassifier
>>> classifier = SentimentClassifier(preset="fast").fit(texts, labels)  # doctest: +SKIP
>>> classifier.predict(["Never again."])  # doctest: +SKIP
array(['negative'], dtype='<U8')

Shapes: N texts, C classes.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from sentir.bundle import KNOWN_FILES, save_bundle
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.extras import TRAINING, require
from sentir.inference.predictor import Predictor
from sentir.io.columns import EmptyTextError, check_text
from sentir.io.labels import LabelScheme

require("sentir.sklearn", *TRAINING)

from sklearn.base import BaseEstimator, ClassifierMixin  # noqa: E402
from sklearn.utils import Tags, check_random_state  # noqa: E402
from sklearn.utils.validation import check_is_fitted  # noqa: E402

from sentir.training.run import train  # noqa: E402

Floats = npt.NDArray[np.float64]
#: Probabilities are not below this in `decision_function`, whose logarithm must be finite.
MIN_PROBABILITY = 1e-300


class InputError(DataError, ValueError):
    """Texts or labels that cannot be used; a `ValueError`, as scikit-learn's callers expect."""


class SentimentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Recurrent classifier of texts, trained as `sentir.train` does.

    Texts are a list, array or Series of strings, or a table with one column of them. Part of them
    is held out for validation. A pickled classifier is as large as its model.

    Args:
        preset: ``fast``, ``base``, ``best`` or ``lecture``.
        hidden_size, num_layers, embedding_dim, head_dropout: fields of `sentir.Config`; None: as
            the preset has it.
        epochs, batch_size, learning_rate, min_count: the same.
        class_weight: None, or ``balanced`` for classes of different size.
        settings: other fields of `sentir.Config`, such as ``{"pooling": "max"}``.
        engine, precision: what computes the answers, as for `sentir.load`.
        random_state: seed of initial weights, order, dropout, and of the validation split.

    Attributes:
        classes_: the classes, sorted, with the type of the labels.
        bundle_: the trained model.
        n_features_in_: 1.
        feature_names_in_: the name of the column; only if the texts were a table.
    """

    def __init__(
        self,
        *,
        preset: str = "base",
        hidden_size: int | None = None,
        num_layers: int | None = None,
        embedding_dim: int | None = None,
        head_dropout: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        min_count: int | None = None,
        class_weight: str | None = None,
        settings: Mapping[str, Any] | None = None,
        engine: str = "auto",
        precision: str = "float32",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.preset = preset
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.embedding_dim = embedding_dim
        self.head_dropout = head_dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.min_count = min_count
        self.class_weight = class_weight
        self.settings = settings
        self.engine = engine
        self.precision = precision
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on texts and their labels.

        Args:
            X: texts (N,).
            y: labels (N,), of any type that can be sorted.
            sample_weight: how much each text counts (N,), 0 or more; None: all count 1.

        Raises:
            InputError: texts, labels or weights that cannot be used; the message names the row.
            SentirError: settings that cannot be, or texts that nothing can be learnt from.

        Warns:
            SentirWarning: what may falsify the result, such as empty texts, which are left out.
        """
        texts, column = _texts(X)
        classes, codes_N = _classes(y, len(texts))
        weights_N = _weights(sample_weight, len(texts))
        has_text_N = np.array([_has_text(text, row) for row, text in enumerate(texts)], bool)
        if not has_text_N.all():
            warnings.warn(
                f"{np.count_nonzero(~has_text_N):,} of {len(texts):,} texts are empty and are left "
                f"out (the first: X[{int(has_text_N.argmin())}])",
                SentirWarning,
                stacklevel=2,
            )
        settings = self._settings()
        if sample_weight is not None:
            settings["weight_column"] = "weight"
        with tempfile.TemporaryDirectory(prefix="sentir-") as folder:
            file = Path(folder) / "texts.jsonl"
            with file.open("w", encoding="ascii") as lines:
                for row in np.flatnonzero(has_text_N & (weights_N > 0)):
                    line = {
                        "text": texts[row], "label": int(codes_N[row]), "weight": weights_N[row]
                    }  # fmt: skip
                    lines.write(json.dumps(line) + "\n")
            run = train(
                file,
                Path(folder) / "run",
                preset=self.preset,
                labels=_label_option(classes),
                format="jsonl",
                text_column="text",
                label_column="label",
                max_line_bytes=sys.maxsize,
                **settings,
            )
        names = tuple(map(str, classes.tolist()))
        scheme = LabelScheme(names, {name: code for code, name in enumerate(names)})
        self.bundle_ = dataclasses.replace(run.bundle, labels=scheme)
        self.classes_ = classes
        self.n_features_in_ = 1
        if column is not None:
            self.feature_names_in_ = np.array([column], object)
        elif hasattr(self, "feature_names_in_"):  # of an earlier fit
            del self.feature_names_in_
        self._predictor = Predictor(self.bundle_, self.engine, self.precision, bulk=True)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The predicted class of each text (N,): the likeliest, or as ``optimise`` has it.

        Raises:
            InputError: texts that cannot be used.
        """
        scores_NC = self.predict_proba(X)  # which also checks that it is fitted
        best_N = self._predictor.decision_scores(scores_NC).argmax(axis=1)
        labels_N: npt.NDArray[Any] = self.classes_[best_N]
        return labels_N

    def predict_proba(self, X: Any) -> Floats:
        """Calibrated probabilities (N, C), in the order of `classes_`.

        Raises:
            InputError: texts that cannot be used.
        """
        check_is_fitted(self)
        texts, column = _texts(X)
        fitted = getattr(self, "feature_names_in_", None)
        if column is not None and fitted is not None and column != fitted[0]:
            raise InputError(
                f"the column {column!r}, and {fitted[0]!r} when it was fitted",
                where="X",
                todo="pass the same column",
            )
        return self._predictor.predict_proba(texts)

    def decision_function(self, X: Any) -> Floats:
        """Log-odds of the second of two classes (N,); of more classes, log-probabilities (N, C).

        Raises:
            InputError: texts that cannot be used.
        """
        logs_NC: Floats = np.log(np.maximum(self.predict_proba(X), MIN_PROBABILITY))
        return logs_NC[:, 1] - logs_NC[:, 0] if logs_NC.shape[1] == 2 else logs_NC

    def save(self, folder: str | Path) -> None:
        """Write the model as a folder, for `sentir.load` and the command line.

        A model that is there already is replaced.

        Raises:
            UsageError: a file, or a folder that holds something else, is in its place.
        """
        check_is_fitted(self)
        path = Path(folder)
        if path.exists() and not (path.is_dir() and set(os.listdir(path)) <= {*KNOWN_FILES}):  # noqa: PTH208
            raise UsageError(
                "holds something else than a model", where=str(path), todo="choose another folder"
            )
        save_bundle(self.bundle_, path)

    def _settings(self) -> dict[str, Any]:
        """The settings that were given, as `sentir.train` takes them."""
        own = {
            name: getattr(self, name)
            for name in (
                *("hidden_size", "num_layers", "embedding_dim", "head_dropout", "epochs"),
                *("batch_size", "learning_rate", "min_count"),
            )
            if getattr(self, name) is not None
        }
        state = self.random_state
        own["seed"] = (
            int(state)
            if isinstance(state, int | np.integer)
            else int(check_random_state(state).randint(2**31))
        )
        if self.class_weight is not None:
            own["class_weights"] = self.class_weight
        twice = own.keys() & (self.settings or {}).keys()
        if twice:
            raise UsageError(
                f"{', '.join(sorted(twice))} is an argument of its own",
                where="settings",
                todo="leave it out of settings",
            )
        return own | dict(self.settings or {})

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.poor_score = True  # on numbers, which it refuses
        return tags


def _texts(X: Any) -> tuple[list[str], str | None]:
    """The texts, and the name of their column if `X` is a table.

    Raises:
        InputError: not texts in one column.
    """
    column = None
    if isinstance(X, str | bytes):
        raise InputError("one string", where="X", todo="pass a list of texts")
    if hasattr(X, "columns") and hasattr(X, "shape"):  # a data frame
        columns = [str(one) for one in X.columns]
        if len(columns) != 1:
            raise InputError(
                f"a table of {len(columns)} columns ({', '.join(columns[:5])})",
                where="X",
                todo="pass the column of the texts alone",
            )
        column = columns[0]
        X = X[X.columns[0]]
    if not hasattr(X, "__len__"):
        raise InputError(f"{type(X).__name__}", where="X", todo="pass a list of texts")
    values = np.asarray(X, dtype=object)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InputError(f"an array of shape {values.shape}", where="X", todo="pass one text a row")
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise InputError(
                f"{type(value).__name__} {value!r:.40}, not a text",
                where=f"X[{row}]",
                todo="drop the row, or make it a string",
            )
    return [str(value) for value in values], column


def _has_text(text: str, row: int) -> bool:
    try:
        check_text(text)
    except EmptyTextError:
        return False
    except DataError as error:
        raise InputError(error.what, where=f"X[{row}]", todo=error.todo) from None
    return True


def _classes(y: Any, texts: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """The sorted classes (C,), and the index of each label among them (N,).

    Raises:
        InputError: not one label a text, a label that is missing, or numbers that are no classes.
    """
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (texts,):
        raise InputError(
            f"labels of shape {labels.shape} for {texts:,} texts",
            where="y",
            todo="pass one label a text",
        )
    for row, label in enumerate(labels.tolist()):
        if label is None or label != label or type(label).__name__ == "NAType":
            raise InputError("no label", where=f"y[{row}]", todo="drop the row")
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        raise InputError(
            "continuous numbers, which are no classes", where="y", todo="pass class labels"
        )
    try:
        classes, codes_N = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise InputError(
            f"labels that cannot be sorted ({error})", where="y", todo="pass labels of one type"
        ) from None
    if len(classes) < 2:
        raise InputError(
            f"labels of {len(classes)} class", where="y", todo="pass texts of two or more classes"
        )
    return classes, codes_N


def _weights(sample_weight: Any, texts: int) -> Floats:
    """The weight of each text (N,); 1 where none is given.

    Raises:
        InputError: not one number of 0 or more a text, or no text counts.
    """
    if sample_weight is None:
        return np.ones(texts)
    weights_N = np.asarray(sample_weight, np.float64)
    if weights_N.shape != (texts,):
        raise InputError(
            f"weights of shape {weights_N.shape} for {texts:,} texts",
            where="sample_weight",
            todo="pass one number a text",
        )
    if not (np.isfinite(weights_N) & (weights_N >= 0)).all() or not weights_N.any():
        raise InputError(
            "negative or not finite, or all are 0",
            where="sample_weight",
            todo="pass numbers of 0 or more",
        )
    return weights_N


def _label_option(classes: npt.NDArray[Any]) -> str:
    """The classes as `sentir.train` takes them: their index, and a name for messages."""
    names = [re.sub(r"[,=\s]+", " ", str(name)).strip() for name in classes.tolist()]
    if len(set(names)) < len(names) or "" in names:
        names = [f"class {code}" for code in range(len(names))]
    return ",".join(f"{code}={name}" for code, name in enumerate(names))
