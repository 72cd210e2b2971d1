"""What this machine can do: its engines and their speed, and what sentir would choose."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from collections.abc import Iterator

import numpy as np

from sentir.bundle import Bundle
from sentir.cli.timing import fastest
from sentir.config import DEFAULT_PRESET, Config
from sentir.errors import install_command
from sentir.extras import EXTRA_OF, is_installed
from sentir.inference.engines import ENGINES, select_engine
from sentir.inference.predictor import Predictor
from sentir.io.labels import LabelScheme
from sentir.nn.kernels.availability import NUMBA_INT8_CELLS
from sentir.text.tokenizer import SPECIAL, WordTokenizer
from sentir.version import __version__
from sentir.weights import classifier_weights

#: The reviews that the engines are timed on, and the words they are made of.
REVIEWS, TOKENS, WORDS = 256, 100, 500


def examine() -> Iterator[tuple[str, str]]:
    """What was found, as names and sentences, each as soon as it is known."""
    can_train = is_installed("torch")
    torch = f", torch {importlib.metadata.version('torch')}" if can_train else ""
    yield "versions", f"sentir {__version__}, Python {platform.python_version()}{torch}"
    if can_train:
        from sentir.cli.examine_training import examine_training

        yield from examine_training()
    else:
        yield "training", f"not installed: {install_command('train')}"
    yield from _answers()


def _answers() -> Iterator[tuple[str, str]]:
    """The engines, timed on a network of the default's size with weights of chance."""
    config = Config.preset(DEFAULT_PRESET).override({"ngram_buckets": 1000})
    words = [f"word{index}" for index in range(WORDS)]
    random = np.random.default_rng(0)
    bundle = Bundle(
        weights={
            name: random.uniform(0, 0.1, shape).astype(np.int32 if dtype == "I32" else "f4")
            for name, shape, dtype in classifier_weights(
                config.model, vocabulary=WORDS + len(SPECIAL), classes=2
            )
        },
        tokenizer=WordTokenizer(words, config.text.clean),
        labels=LabelScheme(("negative", "positive"), {"negative": 0, "positive": 1}),
        config=config,
        metrics={},
    )
    review = " ".join(words[index * 7 % WORDS] for index in range(TOKENS))
    for_files = select_engine(bundle, bulk=True).name
    used = {"onnx": "texts", for_files: "files" if for_files != "onnx" else "texts and files"}
    for name in ENGINES[1:]:
        if name in EXTRA_OF and not is_installed(name):
            yield f"{name} engine", f"not installed: {install_command(EXTRA_OF[name])}"
            continue
        predictor = Predictor(bundle, name)
        answer_one, answer_many = predictor.predict_one, predictor.predict
        one_s = fastest(functools.partial(answer_one, review))
        many_s = fastest(functools.partial(answer_many, [review] * REVIEWS))
        chosen = f"; taken for {used[name]} unless --engine says otherwise" if name in used else ""
        speed = f"{REVIEWS / many_s:,.0f} reviews/s of {TOKENS} tokens"
        yield (
            f"{name} engine",
            f"{speed}, one in {1000 * one_s:.1f} ms, preset {DEFAULT_PRESET}{chosen}",
        )
    if config.model.cell not in NUMBA_INT8_CELLS:
        yield "int8", f"not for preset {DEFAULT_PRESET}, only for LSTMs"
