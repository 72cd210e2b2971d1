from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fixtures.polar_reviews import polar_lexicon
from fixtures.tiny_problem import write_corpus
from sentir.training.negation.excerpts import find_excerpts
from sentir.training.negation.polar_words import ids_of


def test_sentences_are_kept_where_words_and_label_agree(tmp_path: Path) -> None:
    _, tokenizer, lexicon = polar_lexicon(tmp_path / "train")
    review = "it is superb . it is awful . it is not awful . it is not superb . it is what it is ."
    corpus = write_corpus(tmp_path / "own", tokenizer.encode([review] * 30), [0, 1] * 15)
    superb, awful = (set(ids_of([word], tokenizer).tolist()) for word in ("superb", "awful"))

    def linear(sentences: list[list[int]]) -> npt.NDArray[np.float64]:
        """Reads words alone: wrong about both negated sentences."""
        return np.array([len(superb & {*ids}) - len(awful & {*ids}) for ids in sentences]) * 1.0

    texts, labels = find_excerpts(corpus, [lexicon], tokenizer, linear, 100, 0)
    said = {(label, tokenizer.join(ids)) for ids, label in zip(texts, labels, strict=True)}
    assert said == {
        (1, "it is superb ."),
        (0, "it is awful ."),
        (1, "it is not awful ."),
        (0, "it is not superb ."),
    }


def test_no_more_than_asked_for_and_none_of_no_reviews(tmp_path: Path) -> None:
    corpus, tokenizer, lexicon = polar_lexicon(tmp_path / "train")
    some = find_excerpts(corpus, [lexicon], tokenizer, lambda own: np.ones(len(own)), 7, 0)
    assert len(some[0]) == len(some[1]) == 7
    short = write_corpus(tmp_path / "short", [[2], [3]], [0, 1])
    assert find_excerpts(short, [lexicon], tokenizer, lambda own: np.ones(len(own)), 7, 0) == (
        [],
        [],
    )
