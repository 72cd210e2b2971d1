"""The strongest n-grams are those of the largest weights, found again in the reviews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.tiny_problem import write_corpus
from fixtures.toy_bundle import toy
from sentir.bundle import Bundle
from sentir.nn.ngram_linear import fingerprint, ngram_keys
from sentir.nn.ngrams import table_rows
from sentir.training import strongest_ngrams as module
from sentir.training.strongest_ngrams import strongest_ngrams
from sentir.weights import DISPLACEMENTS

TEXTS = ["the film was not good", "not good .", "a wonderful film", "not wonderful xyzzy"]


def weigh(bundle: Bundle, text: str, weights: list[float]) -> None:
    """Give an n-gram its weights, and its row."""
    (ids,) = bundle.tokenizer.encode([text])
    if len(ids) == 1:
        bundle.weights["ngram_linear.word_weights"][ids[0]] = weights
        return
    key = [keys_TB[-1, 0] for keys_TB in ngram_keys(torch.tensor(ids)[:, None])][len(ids) - 2]
    row = int(table_rows(key, torch.from_numpy(bundle.weights[DISPLACEMENTS]), 4096))
    bundle.weights["ngram_linear.ngram_fingerprints"][row] = int(fingerprint(key))
    bundle.weights["ngram_linear.ngram_weights"][row] = weights


@pytest.mark.parametrize("classes", [2, 3])
def test_the_largest_weights_of_each_class(
    tmp_path: Path, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = toy(classes=classes, ngram_buckets=4096)
    for name in ("word_weights", "ngram_weights", "ngram_fingerprints"):
        key = f"ngram_linear.{name}"
        bundle.weights[key] = np.zeros_like(bundle.weights[key])
    against, for_it = ([-1.0], [1.0]) if classes == 2 else ([2.0, 0.0, 0.0], [0.0, 0.0, 2.0])
    strong = [2 * weight for weight in for_it]
    weigh(bundle, "not", against)
    weigh(bundle, "wonderful", for_it)
    weigh(bundle, "film", strong)
    weigh(bundle, "not good", against)
    weigh(bundle, "a wonderful film", for_it)
    weigh(bundle, "dull dull", strong)  # in no review: there is no way to name it
    weigh(bundle, "xyzzy", strong)  # an unknown word has no name either
    corpus = write_corpus(tmp_path / "c.arrow", bundle.tokenizer.encode(TEXTS), [0, 0, 1, 1])
    found = strongest_ngrams(bundle.weights, bundle.tokenizer, bundle.labels.names, corpus, 40)
    assert [part.name for part in found] == list(bundle.labels.names)
    named = [
        [[(n.text, n.reviews) for n in ngrams] for ngrams in (part.words, part.phrases)]
        for part in (found[0], found[-1])
    ]
    assert named == [
        [[("not", 3)], [("not good", 2)]],
        [[("film", 2), ("wonderful", 2)], [("a wonderful film", 1)]],
    ]
    assert found[-1].words[0].weight == pytest.approx(2 if classes == 2 else 4)
    monkeypatch.setattr(module, "SHOWN", 1)
    few = strongest_ngrams(bundle.weights, bundle.tokenizer, bundle.labels.names, corpus, 40)
    assert [n.text for n in few[-1].words] == ["film"]


def test_what_lies_beyond_the_length_that_is_read_does_not_count(tmp_path: Path) -> None:
    bundle = toy(ngram_buckets=4096)
    (ids,) = bundle.tokenizer.encode(["good bad dull wonderful"])
    corpus = write_corpus(tmp_path / "c.arrow", [ids], [0])
    found = strongest_ngrams(bundle.weights, bundle.tokenizer, bundle.labels.names, corpus, 1)
    words = [n.text for part in found for n in part.words]
    assert words == ["wonderful"]
    assert all(n.reviews for part in found for n in part.words)
    assert not any(part.phrases for part in found)
