"""Which class a model names, given the probabilities: the decision rule.

Without a rule it is the likeliest class, which is right most often. Where classes are unbalanced,
another choice may be better for the user's aim, such as a threshold of 0.3 for a rare class
(Elkan 2001, *The Foundations of Cost-Sensitive Learning*). A rule has a weight per class and names
the class whose weighted probability is largest. Of ordered classes the least mean absolute error is
expected of the median: the class up to which half of the probability lies, and from which on half
lies. The probabilities stay as they are.

This is not the threshold of confidence (`sentir.confidence`): that one says whether a model is sure
enough of the class that it names. `sentir.evaluation.decision` finds a rule.

Shapes: N reviews, C classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sentir.class_order import are_ordered
from sentir.errors import ConfigError, DataError

if TYPE_CHECKING:  # `sentir --help` reads the settings, and NumPy takes a while to load
    import numpy as np
    import numpy.typing as npt

#: The aims of `--optimise`; the last one is followed by the name of a class.
LIKELIEST, ACCURACY, MACRO_F1, MAE, RECALL = "likeliest", "accuracy", "macro-f1", "mae", "recall:"

Floats = TypeVar("Floats", bound="npt.NDArray[np.float64]")


@dataclass(frozen=True, kw_only=True)
class DecisionRule:
    """A weight per class, and the aim for which they were found on the validation reviews.

    Attributes:
        optimise: the aim: ``accuracy``, ``macro-f1``, ``mae`` (mean absolute error) or ``recall:``
            and a class.
        weights: of the classes in their order, above 0; only their ratios count. All are 1 for
            ``mae``, whose rule is the median.
    """

    optimise: str
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if (
            not isinstance(self.optimise, str)
            or len(self.weights) < 2
            or not all(type(w) is float and 0 < w < float("inf") for w in self.weights)
        ):
            raise DataError(f"weights of {self.weights} for {self.optimise!r} are no decision rule")

    @property
    def is_median(self) -> bool:
        """Whether the median class is named, and no weight counts."""
        return self.optimise == MAE

    @property
    def threshold(self) -> float | None:
        """Of two classes, the probability from which on the second one is named; else None."""
        if len(self.weights) > 2:
            return None
        first, second = self.weights
        return first / (first + second)

    def describe(self, names: Sequence[str]) -> str:
        """The rule in words, given the names of the classes."""
        if self.is_median:
            return "the median: half of the probability lies up to it, and half from it on"
        if self.threshold is not None:
            return f"{names[1]} from a probability of {self.threshold:.3f} on"
        pairs = zip(names, self.weights, strict=True)
        weights = ", ".join(f"{name} by {weight:.3g}" for name, weight in pairs)
        return f"the largest probability, multiplied for {weights}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it; `from_dict` reads it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, classes: int) -> DecisionRule:
        """The rule that `to_dict` wrote, of a model with so many classes.

        Raises:
            DataError: a part is missing, unknown, of another type or out of range.
        """
        try:
            rule = cls(**{**data, "weights": tuple(map(float, data["weights"]))})
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"no decision rule ({error!r})") from None
        if len(rule.weights) != classes:
            raise DataError(f"a decision rule of {len(rule.weights)} classes, not {classes}")
        return rule


def decision_scores(probabilities: Floats, rule: DecisionRule | None) -> Floats:
    """What the named class is the largest of: probabilities, weighted by the rule if there is one.

    For the median it is the smaller one of the probabilities up to a class and from it on, which is
    a half or more for the median alone (the depth of Tukey 1975, *Mathematics and the Picturing of
    Data*).

    Args:
        probabilities: of one text (C,) or of several (N, C).
        rule: of the model.

    Returns:
        Of the same shape, adding up to 1 for each text.
    """
    if rule is None:
        return probabilities
    import numpy as np

    if rule.is_median:
        up_to = np.cumsum(probabilities, axis=-1)
        from_on = np.cumsum(probabilities[..., ::-1], axis=-1)[..., ::-1]
        weighted = np.minimum(up_to, from_on)
    else:
        weighted = probabilities * np.array(rule.weights)
    scores: Floats = weighted / weighted.sum(axis=-1, keepdims=True)
    return scores


def check_optimise(optimise: str, names: Sequence[str] | None = None) -> None:
    """Check an aim, and that it is one for the classes `names`, if these are given.

    Raises:
        ConfigError: it is none.
    """
    if optimise in (LIKELIEST, ACCURACY, MACRO_F1):
        return
    if optimise == MAE:
        if names is not None and not are_ordered(names):
            raise ConfigError(
                f"optimise = {MAE!r}: the classes {', '.join(names)} are not ordered",
                todo=f"take {LIKELIEST}, or name three or more classes by numbers in ascending "
                "order (--labels 1,2,3,4,5)",
            )
        return
    name = optimise.removeprefix(RECALL)
    if name == optimise or not name:
        raise ConfigError(
            f"optimise = {optimise!r}: no aim",
            todo=f"take {LIKELIEST}, {ACCURACY}, {MACRO_F1}, {MAE}, or {RECALL} and a class",
        )
    if names is not None and name not in names:
        raise ConfigError(
            f"optimise = {optimise!r}: no class {name!r}", todo=f"take one of {', '.join(names)}"
        )
