"""Hostile bundles: changed as a stranger could change them, and read as a user would."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from random import Random

import numpy as np

from attack.inputs import Input
from attack.mutator import mutate
from attack.operations import run_forked
from fixtures.mutated_bundle import TOKENIZERS, change, save_full_bundle
from sentir.bundle import FILES, load_bundle
from sentir.errors import BundleError
from sentir.inference.predictor import Predictor

TEXTS = ["the film was not good", "zzz 😡", ""]


def save_bundles(folder: Path) -> Path:
    """Save a bundle of each kind of tokenizer, in a process of its own, as PyTorch computes."""

    def save() -> None:
        for kind in TOKENIZERS:
            save_full_bundle(folder / kind, kind)

    if code := run_forked(save, folder / "said").code:
        raise RuntimeError(f"no bundle to change ({code}): {(folder / 'said').read_text()}")
    return folder


def make_bundle(saved: Path, draw: Random) -> Input:
    """A changed bundle: with the right checksums, or with other bytes, or without a file."""
    tokenizer, name = draw.choice(TOKENIZERS), draw.choice(FILES)
    how = draw.choice(["right checksums", "right checksums", "other bytes", "a file of another"])
    seed = draw.randrange(2**32)
    read = functools.partial(_read, saved, tokenizer, name, how, seed)
    return Input(name, "unused", b"", read, {"tokenizer": tokenizer, "how": how, "seed": seed})


def _read(saved: Path, tokenizer: str, name: str, how: str, seed: int, path: Path) -> None:
    draw, folder = Random(seed), path.parent / "bundle"
    shutil.copytree(saved / tokenizer, folder)
    try:
        if how == "right checksums":
            change(folder, name, draw)
        elif how == "other bytes":
            content = (folder / name).read_bytes()
            (folder / name).write_bytes(mutate(content, [content], draw))
        else:
            shutil.copy(saved / draw.choice(TOKENIZERS) / name, folder / name)
        try:
            predictor = Predictor(load_bundle(folder), draw.choice(["torch", "onnx"]))
        except BundleError as error:
            assert str(folder) in str(error)  # noqa: PT017 - no test of pytest
            assert "\n" not in str(error)  # noqa: PT017
            raise
        answers = predictor.predict_proba(TEXTS)
        assert np.isfinite(answers).all()
        assert np.allclose(answers.sum(axis=1), 1)
    finally:
        shutil.rmtree(folder)
