"""Bundles changed at random, with the right checksums, are refused by name or answer as usual."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from fixtures.mutated_bundle import TOKENIZERS, change, save_full_bundle
from sentir.bundle import FILES, load_bundle
from sentir.errors import BundleError
from sentir.inference.predictor import Predictor

CASES = 60


@pytest.fixture(scope="module", params=TOKENIZERS)
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / request.param
    save_full_bundle(folder, request.param)
    return folder


@pytest.mark.parametrize("name", sorted(FILES))
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
