"""What a run measures with its finished network: metrics, mistakes, and on which reviews.

Shapes: N reviews, C classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sentir.data.dataset import EncodedCorpus, identity
from sentir.data.encoding import TrainingCorpora
from sentir.decision import DecisionRule, decision_scores
from sentir.evaluation.metrics import measure
from sentir.evaluation.mistakes import Mistake, Mistakes
from sentir.evaluation.occlusion import TextRead, word_effects
from sentir.evaluation.report import Evaluation
from sentir.nn.classifier import SentimentClassifier
from sentir.text.tokenizer import UNK, Tokenizer
from sentir.training.classification import probabilities_of_ids

#: Most confident mistakes shown in the report: of all classes, and at least so many of each.
SHOWN_MISTAKES, MIN_SHOWN_MISTAKES = 20, 3
#: Of each class, mistakes whose words of the largest effect are named, and how many words.
MARKED_MISTAKES, MARKED_WORDS = 3, 8
#: Answers that the effects of one review's words cost at most.
MARKED_ANSWERS = 100


def evaluate(
    probabilities_NC: npt.NDArray[np.float64],
    corpus: EncodedCorpus,
    names: Sequence[str],
    decision: DecisionRule | None = None,
) -> Evaluation:
    """The metrics of predictions, and the most confident mistakes of each class.

    Args:
        probabilities_NC: the predictions.
        corpus: the reviews, with their texts.
        names: the classes.
        decision: how a class is predicted; None: it is the likeliest.
    """
    mistakes: list[Mistake] = []
    classes = probabilities_NC.shape[1]
    predicted_N = decision_scores(probabilities_NC, decision).argmax(axis=1)
    confidence_N = probabilities_NC[np.arange(len(predicted_N)), predicted_N]
    shown = max(SHOWN_MISTAKES // classes, MIN_SHOWN_MISTAKES)
    for label in range(classes):
        rows = np.flatnonzero((corpus.labels_N == label) & (predicted_N != label))
        rows = rows[np.argsort(-confidence_N[rows], kind="stable")][:shown]
        worst = Mistakes(shown)
        texts = corpus.texts(rows.tolist())
        worst.add(probabilities_NC[rows], corpus.labels_N[rows], texts, decision)
        mistakes += worst.worst()
    return Evaluation(
        metrics=measure(probabilities_NC, corpus.labels_N, names, decision),
        probabilities=probabilities_NC,
        labels=corpus.labels_N,
        mistakes=mistakes,
    )


def mark_mistakes(
    network: SentimentClassifier,
    mistakes: Sequence[Mistake],
    tokenizer: Tokenizer,
    max_length: int,
) -> list[Mistake]:
    """The mistakes, the first of each class with the words of the largest effect."""
    marked, done = [], Counter[int]()
    for mistake in mistakes:
        done[mistake.label] += 1
        is_marked = done[mistake.label] <= MARKED_MISTAKES
        if is_marked and (read := TextRead.of(mistake.text, tokenizer, max_length)).ids:
            effects = word_effects(
                *read,
                lambda texts: probabilities_of_ids(network, texts, max_length),
                class_id=mistake.predicted,
                max_answers=MARKED_ANSWERS,
            )
            effects.sort(key=lambda word: -abs(word.effect))
            mistake = replace(mistake, words=effects[:MARKED_WORDS])
        marked.append(mistake)
    return marked


def identities(
    corpora: TrainingCorpora, test: EncodedCorpus | None, old_test: EncodedCorpus | None
) -> dict[str, dict[str, Any]]:
    """Which reviews were learnt from and measured on, for the comparison of runs.

    Validation reviews count with train: what is held out of it depends on the seed.
    """
    parts = {"train": [corpora.train, corpora.valid], "validation": [corpora.valid]}
    if corpora.unlabelled:
        parts["unlabelled"] = [corpora.unlabelled]
    for name, measured in (("test", test), ("old_test", old_test)):
        if measured is not None:
            parts[name] = [measured]
    return {name: identity(corpora.labels.names, part) for name, part in parts.items()}


def describe_texts(corpus: EncodedCorpus) -> dict[str, float]:
    """What `sentir.drift` compares with: unknown words (a share) and length (tokens)."""
    unknown = sum(int(np.count_nonzero(ids == UNK)) for ids in corpus)
    tokens = int(corpus.lengths_N.sum())
    return {"unknown_share": unknown / max(tokens, 1), "mean_length": tokens / len(corpus)}
