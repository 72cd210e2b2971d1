"""Labels of files that a model is measured on: the classes that they mean to it, if they do.

A model of stars takes 1 and 2 for negative. In a file of the labels 1 and 2 they mean negative and
positive: to count all of it as negative would be wrong, and nothing would say so.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sentir.errors import DataError, SentirWarning
from sentir.io.labels import (
    PAIRS,
    POLARITY,
    WORDS,
    LabelScheme,
    RawLabel,
    are_stars,
    covers,
    files_of,
    join_labels,
    numbers_first,
)
from sentir.io.reader import BadRows, Review


class LabelledTexts(NamedTuple):
    """Reviews by column: their texts, classes, and how much each counts."""

    texts: list[str]
    classes: list[int]
    weights: list[float]


class LabelTally:
    """Counts raw labels, and says which class each is.

    Args:
        scheme: what labels mean to the model.
        is_given: whether the user has said what the labels mean, so that they are not doubted.
        in_training: whether the files are read for training, where ``--labels`` is for all of them.
        counts: raw labels that are counted already.
    """

    def __init__(
        self,
        scheme: LabelScheme,
        *,
        is_given: bool = False,
        in_training: bool = False,
        counts: Mapping[str, RawLabel] | None = None,
    ) -> None:
        self._scheme, self._is_given, self._in_training = scheme, is_given, in_training
        self._counts = dict(counts or {})

    def classes(self, reviews: Iterable[Review], bad_rows: BadRows) -> LabelledTexts:
        """The reviews without those whose label the scheme leaves out.

        Raises:
            DataError: as `check_scheme`, or a label that is unknown, unless skipped.
        """
        reviews = list(reviews)
        for review in reviews:
            label = review.label or ""
            old = self._counts.get(label)
            self._counts[label] = (
                RawLabel(old.count + 1, old.where)
                if old
                else RawLabel(1, f"{review.path}:{review.line}")
            )
        chosen = LabelledTexts([], [], [])
        for review in reviews:
            try:
                class_id = self._scheme.class_id(review.label or "", f"{review.path}:{review.line}")
            except DataError as error:
                if bad_rows.on_error == "raise":
                    self.check_scheme()
                bad_rows.report(error)
                continue
            if class_id is not None:
                chosen.texts.append(review.text)
                chosen.classes.append(class_id)
                chosen.weights.append(review.weight)
        return chosen

    def check(self) -> None:
        """Refuse labels that mean something else, once all are counted.

        Raises:
            DataError: as `check_scheme`.

        Warns:
            SentirWarning: a class has no review.
        """
        self.check_scheme()
        scheme = self._scheme
        known = {raw: label for raw, label in self._counts.items() if scheme.knows(raw)}
        found = {scheme.class_id(raw, label.where) for raw, label in known.items()} - {None}
        missing = [name for id, name in enumerate(scheme.names) if id not in found]
        if not missing or not found:
            return
        labels = f"the labels are {_sorted(self._counts)}"
        if len(found) == 1:
            only = next(name for name in scheme.names if name not in missing)
            what = f"all reviews are of class {only} ({labels}): accuracy is the recall of {only}"
        else:
            what = f"no review is of class {join_labels(missing)} ({labels})"
        warnings.warn(
            f"{files_of(self._counts)}: {what}, and nothing is measured about "
            f"{'the other' if len(missing) == 1 else 'the others'}",
            SentirWarning,
            stacklevel=3,
        )

    def check_scheme(self) -> None:
        """Refuse labels of another scheme than the model's, as far as they are counted.

        Raises:
            DataError: they are a known pair, such as 1 and 2, that the model takes for one class or
                does not know; or they are stars and the model was not trained on stars.
        """
        scheme = self._scheme
        others = {raw: n for raw, n in self._counts.items() if raw.casefold() not in WORDS}
        if self._is_given or not others:
            return
        trained = f"the model was trained on {_sorted(scheme.of_raw)}"
        if scheme.names == POLARITY and are_stars(others) and not scheme.is_of_stars:
            raise DataError(
                f"the labels are stars ({_sorted(others)}), and {trained}",
                where=files_of(others),
                todo=self._todo("stars"),
            )
        for pair in PAIRS:
            raws = [raw for name in pair for raw in others if raw.casefold() == name]
            if {raw.casefold() for raw in raws} == {*pair} and covers(raws, others):
                self._check_pair(raws, trained)
                return

    def _check_pair(self, raws: list[str], trained: str) -> None:
        scheme = self._scheme
        ids = [scheme.class_id(raw, "") if scheme.knows(raw) else -1 for raw in raws]
        low, high, names = raws[0], raws[-1], scheme.names
        what = f"the labels are {low} and {high}"
        if -1 not in ids and len(set(ids)) == 1:
            taken = "left out" if ids[0] is None else names[ids[0]]
            what += f", usually negative and positive, but to the model both are {taken}: {trained}"
        elif -1 in ids and names == POLARITY:
            what += f", and {trained}"
        else:
            return
        todo = self._todo(f"{low}={names[0]},{high}={names[1]}") + " if they mean that"
        if -1 not in ids and scheme.is_of_stars:
            todo += ", or pass --labels stars if they are stars"
        raise DataError(what, where=files_of(self._counts), todo=todo)

    def _todo(self, labels: str) -> str:
        if self._in_training:
            return f"measure on this file with 'sentir evaluate', and pass it --labels {labels}"
        return f"pass --labels {labels}"


def _sorted(labels: Iterable[str]) -> str:
    return join_labels(sorted(labels, key=numbers_first))
