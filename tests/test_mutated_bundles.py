"""Bundles changed at random, with the right checksums, are refused by name or answer as usual."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fixtures.forged_bundle import forge, safetensors_file, write_settings
from fixtures.toy_bundle import WORDS, toy
from sentir.bundle import load_bundle, save_bundle
from sentir.config import TextConfig
from sentir.errors import BundleError
from sentir.inference.predictor import Predictor
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.text.tokenizer import SubwordTokenizer

CASES = 60
VALUES = [None, True, False, 0, 1, -1, 2, 10**9, 10**30, -(10**30), 0.5, float("nan"),
          float("inf"), "", "x", "\ud83d", "x" * 1000, [], {}, [[]], {"a": 1}, [1, 2, 3], "lstm",
          "_PAD", [None], ["a", "a"], 1e308]  # fmt: skip
KEYS = ["a", "padding", "truncation", "kind", "dropout"]


@pytest.fixture(scope="module", params=["word", "bpe", "unigram"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with all parts that one may have."""
    model = toy(ngram_buckets=20, bigram_buckets=10, embedding_skip=True)
    if request.param != "word":
        settings = TextConfig(tokenizer=request.param, max_vocab_size=60)
        tokenizer = SubwordTokenizer.train([" ".join(WORDS)] * 30, settings)
        torch.manual_seed(0)
        network = SentimentClassifier(
            model.config.model, vocabulary=len(tokenizer.vocabulary), classes=2
        )
        model = replace(model, tokenizer=tokenizer, weights=to_arrays(network))
    folder = tmp_path_factory.mktemp("bundle") / request.param
    save_bundle(model, folder)
    return folder


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all parts of some JSON; of long lists only the first parts."""
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        parts = enumerate(value[:40])
    for key, part in parts:
        yield from paths(part, (*path, key))


def mutate(value: Any, draw: random.Random) -> Any:
    """A copy of some JSON with one to three parts replaced, deleted or added."""
    value = copy.deepcopy(value)
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        known = list(paths(value))
        if not known:
            return value
        *parents, key = draw.choice(known)
        table = value
        for parent in parents:
            table = table[parent]
        kind = draw.random()
        if kind < 0.6:
            table[key] = copy.deepcopy(draw.choice(VALUES))
        elif kind < 0.8:
            del table[key]
        elif isinstance(table, list):
            table.insert(key, copy.deepcopy(draw.choice(VALUES)))
        else:
            table[draw.choice(KEYS)] = copy.deepcopy(draw.choice(VALUES))
    return value


def change(folder: Path, name: str, draw: random.Random) -> None:
    """Mutate one file of a bundle."""
    if name == "model.safetensors":
        content = (folder / name).read_bytes()
        start = 8 + int.from_bytes(content[:8], "little")
        header = mutate(json.loads(content[8:start]), draw)
        forge(folder, weights=safetensors_file(header, content[start:]))
    elif name == "tokenizer.json":
        forge(folder, tokenizer=mutate(json.loads((folder / name).read_text()), draw))
    elif name == "metrics.json":
        forge(folder, metrics=json.dumps(mutate({"validation": {"accuracy": 0.5}}, draw)))
    else:
        settings = json.loads((folder / name).read_text())
        checksums = settings.pop("checksums")
        (folder / name).write_text(json.dumps({**mutate(settings, draw), "checksums": checksums}))
        write_settings(folder)


@pytest.mark.parametrize(
    "name", ["config.json", "metrics.json", "model.safetensors", "tokenizer.json"]
)
def test_mutations(bundle: Path, tmp_path: Path, name: str) -> None:
    messages = []
    for seed in range(CASES):
        folder = tmp_path / str(seed)
        shutil.copytree(bundle, folder)
        change(folder, name, random.Random(seed))
        try:
            predictor = Predictor(load_bundle(folder), "torch")
            answers = predictor.predict_proba(["the film was not good", "zzz 😡"])
        except BundleError as error:
            messages.append(str(error))
        else:
            assert np.isfinite(answers).all()
    assert all(str(tmp_path) in message and "\n" not in message for message in messages)
    assert messages or name == "metrics.json"
