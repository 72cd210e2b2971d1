"""The effects of n-grams add up to the output of the n-gram linear model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fixtures.toy_bundle import random_texts, toy
from sentir.explanation.ngrams import ngram_effects
from sentir.inference.network import NetworkWeights
from sentir.nn.ngrams import against_others
from sentir.nn.restore import restore_classifier


@pytest.mark.parametrize("classes", [2, 3])
def test_effects_add_up_to_the_models_output(classes: int) -> None:
    bundle = toy(classes=classes, ngram_buckets=512)
    tables, linear = NetworkWeights.of(bundle).ngram_linear, restore_classifier(bundle).ngram_linear
    assert tables is not None
    assert linear is not None
    for text in random_texts(20):
        (ids,) = bundle.tokenizer.encode([text or "good"])
        with torch.inference_mode():
            logits_BO = linear(torch.tensor(ids)[:, None], torch.tensor([len(ids)])).numpy()
        for class_id in range(classes):
            effects = ngram_effects(tables, ids, bundle.tokenizer, class_id)
            whole = against_others(logits_BO, class_id)[0]
            assert sum(ngram.effect for ngram in effects) == pytest.approx(whole, abs=1e-4)
            sizes = [abs(ngram.effect) for ngram in effects]
            assert sizes == sorted(sizes, reverse=True)


def test_an_ngram_counts_once_and_says_how_often_it_occurs() -> None:
    bundle = toy(ngram_buckets=2**16)
    tables = NetworkWeights.of(bundle).ngram_linear
    assert tables is not None
    (ids,) = bundle.tokenizer.encode(["not good not good xyzzy"])
    counts = {n.text: n.count for n in ngram_effects(tables, ids, bundle.tokenizer, 1)}
    assert counts["not good"] == counts["not"] == 2
    assert counts["not good not"] == counts["_UNK"] == 1
    assert "not xyzzy" not in counts


def test_an_ngram_whose_row_belongs_to_another_adds_nothing() -> None:
    bundle = toy(ngram_buckets=2**16)
    tables = NetworkWeights.of(bundle).ngram_linear
    assert tables is not None
    nobodys = tables._replace(fingerprints_P=np.zeros_like(tables.fingerprints_P))
    (ids,) = bundle.tokenizer.encode(["not good"])
    effects = ngram_effects(nobodys, ids, bundle.tokenizer, 1)
    assert {ngram.text for ngram in effects} == {"not", "good"}
