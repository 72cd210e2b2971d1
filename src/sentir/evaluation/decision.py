"""The decision rule that reaches an aim on validation reviews.

Shapes: N examples, C classes, S splits of the examples into those that are named a class and those
that are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from sentir.decision import ACCURACY, MAE, RECALL, DecisionRule, check_optimise
from sentir.errors import DataError
from sentir.evaluation.metrics import MIN_PROBABILITY, validated

#: Passes over the classes; each pass finds the best weight of one after the other.
MAX_PASSES = 10
#: A weight is at most this many times another (log): validation reviews say nothing beyond it.
MAX_LOG_WEIGHT = 7.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def fit_decision(
    probabilities_NC: np.ndarray, labels_N: np.ndarray, names: Sequence[str], optimise: str
) -> DecisionRule:
    """The rule that reaches an aim best on reviews that the model has not learnt from.

    One weight is moved at a time, to the best of all places where a prediction changes (coordinate
    ascent). Of equal places it is the one nearest to no change, and nothing moves for nothing.

    - ``accuracy``, ``macro-f1``: the highest.
    - ``recall:CLASS``: the highest recall of the class at which the macro F1 is no lower than that
      of naming the likeliest class.
    - ``mae``: the median, whatever the reviews. Weights found on them did no better (decision
      0543).

    Args:
        probabilities_NC: probabilities of the classes.
        labels_N: the index of the true class.
        names: the C names of the classes.
        optimise: the aim.

    Raises:
        ConfigError: no such aim, or no such class.
        DataError: no example, or none of the class; or as `sentir.evaluation.metrics.measure`.
        UsageError: as `sentir.evaluation.metrics.measure`.
    """
    check_optimise(optimise, names)
    probabilities_NC, labels_N = validated(probabilities_NC, labels_N)
    classes = probabilities_NC.shape[1]
    if optimise == MAE:
        return DecisionRule(optimise=MAE, weights=(1.0,) * classes)
    wanted = names.index(optimise.removeprefix(RECALL)) if optimise.startswith(RECALL) else None
    if not len(labels_N) or (wanted is not None and not (labels_N == wanted).any()):
        raise DataError(
            f"no validation review to find a decision rule for {optimise} on",
            todo="give validation reviews of every class (--valid)",
        )
    logs_NC = np.log(probabilities_NC.clip(MIN_PROBABILITY, 1))
    likeliest = _counts(probabilities_NC.argmax(axis=1), labels_N, classes)
    least_f1 = float(_macro_f1(*likeliest)[0])

    def reached(correct_SC: Ints, named_SC: Ints, support_C: Ints) -> Floats:
        """How well splits reach the aim, (S,)."""
        if optimise == ACCURACY:
            accuracy_S: Floats = correct_SC.sum(axis=1) / len(labels_N)
            return accuracy_S
        macro_f1_S = _macro_f1(correct_SC, named_SC, support_C)
        if wanted is None:
            return macro_f1_S
        recall_S = correct_SC[:, wanted] / support_C[wanted]
        # Of equal recall the higher F1, which is less than one review's recall.
        aim_S: Floats = recall_S + macro_f1_S / (2 * len(labels_N))
        return np.where(macro_f1_S >= least_f1 - 1e-12, aim_S, -1.0)

    offset_C, best = np.zeros(classes), float(reached(*likeliest)[0])
    # Of two classes, moving one is moving the other.
    movable = range(classes) if classes > 2 else [1]
    for _ in range(MAX_PASSES):
        before = best
        for moved in movable:
            offset, value = _best_offset(logs_NC + offset_C, labels_N, moved, reached)
            if value > best + 1e-12:
                best = value
                offset_C[moved] += offset
        if best <= before + 1e-12:
            break
    offset_C = (offset_C - offset_C.mean()).clip(-MAX_LOG_WEIGHT, MAX_LOG_WEIGHT)
    return DecisionRule(optimise=optimise, weights=tuple(np.exp(offset_C).tolist()))


def _best_offset(
    scores_NC: Floats,
    labels_N: Ints,
    moved: int,
    reached: Callable[[Ints, Ints, Ints], Floats],
) -> tuple[float, float]:
    """By how much to move a class's scores, and how well the aim is reached then."""
    others_NC = scores_NC.copy()
    others_NC[:, moved] = -np.inf
    runner_up_N = others_NC.argmax(axis=1)
    # From this offset on an example is named the class.
    needed_N = others_NC.max(axis=1) - scores_NC[:, moved]
    order_N = np.argsort(needed_N, kind="stable")
    needed_N, runner_up_N, labels_N = needed_N[order_N], runner_up_N[order_N], labels_N[order_N]
    # After split s the first s examples are named the class, and the others their runner-up.
    classes = scores_NC.shape[1]
    correct_SC, named_SC, support_C = _counts(runner_up_N, labels_N, classes)
    lost_NC = runner_up_N[:, None] == np.arange(classes)
    correct_NC = lost_NC & (labels_N == runner_up_N)[:, None]
    named_SC = named_SC - _cumulative(lost_NC)
    correct_SC = correct_SC - _cumulative(correct_NC)
    named_SC[:, moved] += np.arange(len(labels_N) + 1)
    correct_SC[:, moved] += _cumulative((labels_N == moved)[:, None])[:, 0]
    value_S = reached(correct_SC, named_SC, support_C)
    # A split lies between two examples, as far from both; those of equal need go together.
    edge_S = np.concatenate([needed_N[:1] - 1, needed_N, needed_N[-1:] + 1])
    offset_S = (edge_S[:-1] + edge_S[1:]) / 2
    is_split_S = edge_S[:-1] < edge_S[1:]
    value_S = np.where(is_split_S & (np.abs(offset_S) <= MAX_LOG_WEIGHT), value_S, -np.inf)
    best_S = np.flatnonzero(value_S >= value_S.max() - 1e-12)
    split = best_S[np.abs(offset_S[best_S]).argmin()]
    return float(offset_S[split]), float(value_S[split])


def _cumulative(flags_NC: npt.NDArray[np.bool_]) -> Ints:
    """How many of the first s examples each column is true for, (N + 1, C)."""
    sums_SC: Ints = np.cumsum(np.pad(flags_NC, ((1, 0), (0, 0))), axis=0, dtype=np.int64)
    return sums_SC


def _counts(named_N: Ints, labels_N: Ints, classes: int) -> tuple[Ints, Ints, Ints]:
    """Of one split (S is 1), how often each class is named rightly and named; how often it is."""
    correct_C = np.bincount(labels_N[named_N == labels_N], minlength=classes)
    named_C = np.bincount(named_N, minlength=classes)
    return correct_C[None], named_C[None], np.bincount(labels_N, minlength=classes)


def _macro_f1(correct_SC: Ints, named_SC: Ints, support_C: Ints) -> Floats:
    """The macro F1 of each split, (S,), as `sentir.evaluation.metrics.measure`."""
    size_SC = named_SC + support_C
    occurs_SC = size_SC > 0
    f1_SC = 2 * correct_SC / np.maximum(size_SC, 1)
    f1_S: Floats = (f1_SC * occurs_SC).sum(axis=1) / occurs_SC.sum(axis=1)
    return f1_S
