"""Whether the words that an explanation names are those that the answer depends on.

    python benchmarks/faithfulness.py runs/shop reviews.ft.txt [--reviews 300]

Of each review, a share of its words is deleted together: those of the largest effect on the
predicted class, those of the largest attention weight, random ones, those of the smallest effect.
Prints how far the log-odds of that class fall, and how many answers change (comprehensiveness,
DeYoung et al. 2020, *ERASER*). The reviews must not be those that the model has learnt from.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from reviews import read_lines, split_labels

from sentir.data.batching import truncate
from sentir.evaluation.occlusion import log_odds
from sentir.explanation.explain import Explanation, explain
from sentir.inference.predictor import Predictor, load

SHARES = (0.05, 0.1, 0.2)
#: Shorter reviews have no tenth.
MIN_WORDS = 20


class Deletion(NamedTuple):
    """How far the log-odds fall, on average, and the share of answers that change."""

    reviews: int
    fall: float
    changed: float


def rankings(explanation: Explanation, random: np.random.Generator) -> dict[str, np.ndarray]:
    """The words of a review, the first to be deleted first, by what ranks them."""
    effects = np.array([word.effect for word in explanation.words])
    orders = {"largest effect": np.argsort(-effects)}
    if explanation.attention_T is not None:
        attention = [explanation.attention_T[w.start : w.end].sum() for w in explanation.words]
        orders["largest attention weight"] = np.argsort(-np.array(attention))
    orders["random"] = random.permutation(len(effects))
    orders["smallest effect"] = np.argsort(effects)
    return orders


def measure(model: Predictor, texts: Iterable[str]) -> dict[tuple[float, str], Deletion]:
    """What deleting a share of the words does, by the share and by what ranks the words."""
    random = np.random.default_rng(0)
    max_length = model.bundle.config.text.max_length
    results: dict[tuple[float, str], list[tuple[float, bool]]] = {}
    for text in texts:
        explanation = explain(model, text)
        class_id = explanation.labels.index(explanation.prediction)
        ids = truncate(np.array(model.bundle.tokenizer.encode([text])[0]), max_length).tolist()
        keys, shortened = [], [ids]
        orders = rankings(explanation, random)
        for share in SHARES:
            count = max(1, round(share * len(explanation.words)))
            for name, order in orders.items():
                gone = [explanation.words[row] for row in order[:count]]
                places = {place for word in gone for place in range(word.start, word.end)}
                keys.append((share, name))
                shortened.append([id for place, id in enumerate(ids) if place not in places])
        answers_NC = model.proba_of_ids(shortened)
        whole, *rest = log_odds(answers_NC, class_id)
        changed = answers_NC[1:].argmax(axis=1) != class_id
        for key, odds, is_changed in zip(keys, rest, changed, strict=True):
            results.setdefault(key, []).append((whole - odds, bool(is_changed)))
    return {
        key: Deletion(len(rows), *np.array(rows).mean(axis=0).tolist())
        for key, rows in results.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("file", type=Path, help="fastText lines")
    parser.add_argument("--reviews", type=int, default=300)
    args = parser.parse_args()
    _, texts = split_labels(read_lines(args.file))
    long = (text for text in texts if len(text.split()) >= MIN_WORDS)
    print("| deleted | words | reviews | log-odds fall by | answers changed |")
    print("|---|---|--:|--:|--:|")
    for (share, name), row in measure(load(args.model), islice(long, args.reviews)).items():
        print(f"| {share:.0%} | {name} | {row.reviews} | {row.fall:.2f} | {row.changed:.1%} |")


if __name__ == "__main__":
    main()
