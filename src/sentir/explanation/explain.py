"""Why a text got its answer: what each word did to it, and how the network read it.

Shapes: T tokens of the text, C classes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sentir.bundle import Bundle, HasBundle, as_bundle
from sentir.errors import UsageError
from sentir.evaluation.occlusion import TextRead, WordEffect, word_effects
from sentir.explanation.gates import last_layer
from sentir.explanation.ngrams import NgramEffect, ngram_effects
from sentir.inference.network import Floats, NetworkWeights
from sentir.inference.predictor import Predictor
from sentir.nn.ngrams import against_others
from sentir.text.tokenizer import UNK


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One text as the model read it; T tokens.

    Attributes:
        tokens: as they were read, truncated to the model's length.
        known: whether each token has its own vector.
        labels: class names.
        answer_TC: probabilities after each token; the last row is the answer.
        predicted_T: the number of the predicted class after each token.
        words: what each word did to the log-odds of the predicted class, in the text's order.
        ngrams: what each n-gram adds in the n-gram linear model, the largest effect first; None
            for a model without one.
        shares: of the predicted class's logit minus the mean of the others' (with two classes: its
            log-odds), what the ``network`` gives and what the ``ngram_linear`` model.
        attention_T: the weight of each token's state in the pooled one, adding up to 1; None with
            other poolings than attention.
        gates: the mean over a layer's units of each gate at each token, by direction (``forward``,
            ``backward``), then by the gate's name; each (T,). Of the last layer, which the answer
            is computed from. The candidate, from -1 to 1, is left out: its mean says nothing.
        memory: the mean absolute value of the state that is carried (the LSTM's cell state) at each
            token, by direction.
    """

    tokens: list[str]
    known: list[bool]
    labels: tuple[str, ...]
    answer_TC: Floats
    predicted_T: list[int]
    words: list[WordEffect]
    ngrams: list[NgramEffect] | None
    shares: dict[str, float]
    attention_T: Floats | None
    gates: dict[str, dict[str, Floats]]
    memory: dict[str, Floats]

    @property
    def prediction(self) -> str:
        """The predicted class."""
        return self.labels[self.predicted_T[-1]]

    @property
    def probability(self) -> float:
        """Its probability, 0 to 1."""
        return float(self.answer_TC[-1, self.predicted_T[-1]])

    def strongest(self, count: int | None = None) -> list[WordEffect]:
        """The words of the largest effect, for the class or against it, the largest first."""
        return sorted(self.words, key=lambda word: -abs(word.effect))[:count]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return {
            "prediction": self.prediction,
            "probability": self.probability,
            "labels": list(self.labels),
            "tokens": self.tokens,
            "known": self.known,
            "answer": self.answer_TC.tolist(),
            "words": list(map(asdict, self.words)),
            "ngrams": None if self.ngrams is None else list(map(asdict, self.ngrams)),
            "shares": self.shares,
            "attention": None if self.attention_T is None else self.attention_T.tolist(),
            "gates": {
                direction: {name: gate_T.tolist() for name, gate_T in gates.items()}
                for direction, gates in self.gates.items()
            },
            "memory": {direction: size_T.tolist() for direction, size_T in self.memory.items()},
        }


def explain(model: str | Path | Bundle | HasBundle, text: str) -> Explanation:
    """What each word did to the answer, and how the network read it.

    It costs an answer to the text so far for each token, and one to the text without it for each
    word, of which at most 500: in a longer text two neighbouring words are left out together, or
    three, and so on (`sentir.evaluation.occlusion`).

    Args:
        model: the folder of a model or a run, a bundle, or a loaded model (`sentir.load`), which
            answers with its own engine and precision.
        text: the review.

    Raises:
        BundleError: there is no classifier in the folder.
        UsageError: the text has no token.
    """
    predictor = model if isinstance(model, Predictor) else Predictor(as_bundle(model))
    bundle = predictor.bundle
    tokenizer, network = bundle.tokenizer, NetworkWeights.of(bundle)
    read = TextRead.of(text, tokenizer, bundle.config.text.max_length)
    ids = read.ids
    if not ids:
        raise UsageError("the text holds no word", todo="give a text to explain")
    answer_TC = predictor.proba_of_ids([ids[:end] for end in range(1, len(ids) + 1)])
    predicted_T = predictor.decision_scores(answer_TC).argmax(axis=1).tolist()
    class_id = predicted_T[-1]
    tables = network.ngram_linear
    ngrams = None if tables is None else ngram_effects(tables, ids, tokenizer, class_id)
    layer = last_layer(network, ids)
    return Explanation(
        tokens=read.tokens,
        known=[id != UNK for id in ids],
        labels=bundle.labels.names,
        answer_TC=answer_TC,
        predicted_T=predicted_T,
        words=word_effects(*read, predictor.proba_of_ids, class_id=class_id),
        ngrams=ngrams,
        shares=_shares(answer_TC[-1], ngrams, class_id),
        attention_T=layer.attention_T,
        gates=layer.gates,
        memory=layer.memory,
    )


def _shares(answer_C: Floats, ngrams: list[NgramEffect] | None, class_id: int) -> dict[str, float]:
    """What each part of the model gives of the answer's logit; they add up."""
    logits_C = np.log(answer_C.clip(np.finfo(np.float64).tiny))
    whole = float(against_others(logits_C[None], class_id)[0])
    if ngrams is None:
        return {"network": whole}
    linear = sum(ngram.effect for ngram in ngrams)
    return {"network": whole - linear, "ngram_linear": linear}
