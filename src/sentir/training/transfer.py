"""What is taken from a language model: its settings, its tokenizer, its weights.

Another language model takes them to go on learning, from the same reviews or from some that are
more like those to be answered (Howard and Ruder 2018).

A classifier is made of the same parts, so the weights are copied (Dai and Le 2015). The vectors of
a language model's words have a part in common, which says nothing of any of them (Mu and Viswanath
2018) but which a classifier's skip would add up over a text. It is moved into the bias of the
recurrent layer, which therefore computes what it did.
"""

from __future__ import annotations

import dataclasses
import logging
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sentir.bundle import LanguageBundle
from sentir.config import DEFAULT_PRESET, LM_PRESET, Config, PretrainConfig
from sentir.data.dataset import Reviews
from sentir.errors import ConfigError, SentirWarning
from sentir.nn.cells import weights_of
from sentir.nn.classifier import RecurrentLayer, SentimentClassifier
from sentir.nn.restore import restore_language_model
from sentir.text.tokenizer import PAD, UNK

_log = logging.getLogger(__name__)

#: Reviews in which unknown words are counted.
LOOKED_AT = 10_000
#: Share of them from which on it is said aloud. IMDB's language model does not know 1.7 % of the
#: words that it learnt from, and 3.8 % of Amazon's.
MOST_UNKNOWN = 0.1


def settings_from(lm: LanguageBundle) -> dict[str, dict[str, Any]]:
    """What to override a preset with: what classifier and language model must have in common."""
    text = lm.config.to_dict()["text"]
    del text["max_length"]
    return {"text": text, "model": lm.config.model.classifier()}


def preset_for(lm: LanguageBundle | None, preset: str | None = None) -> Config:
    """A preset with what a language model asks for, if there is one.

    Args:
        lm: the language model to begin with.
        preset: unset: ``best`` with a language model, ``base`` without.

    Raises:
        ConfigError: no preset has that name.
    """
    if preset is None:
        preset = LM_PRESET if lm else DEFAULT_PRESET
    return Config.preset(preset).override(settings_from(lm) if lm else {})


def defaults_for(lm: LanguageBundle | None) -> PretrainConfig:
    """The defaults of pre-training; for a language model that is to go on, with its own shape."""
    if lm is None:
        return PretrainConfig()
    return dataclasses.replace(PretrainConfig(), text=lm.config.text, model=lm.config.model)


def check_settings(config: Config | PretrainConfig, lm: LanguageBundle, where: str) -> None:
    """Refuse a classifier, or a language model to go on with, that is not made as that one is.

    Args:
        config: its settings.
        lm: the language model.
        where: what to call it.

    Raises:
        ConfigError: a setting differs, or the embedding is to come from elsewhere too.
    """
    ours = config.to_dict()
    for section, settings in settings_from(lm).items():
        for name, value in settings.items():
            # A language model's layers and directions are no settings: they are always the same.
            if ours[section].get(name, value) != value:
                raise ConfigError(
                    f"{name} = {ours[section][name]!r}, and the language model has {value!r}",
                    where=where,
                    todo=f"leave {name} unset, or pre-train with it",
                )
    if isinstance(config, Config) and config.model.embedding_init not in ("random", "ppmi"):
        raise ConfigError(
            f"embedding_init = {config.model.embedding_init!r}, and the language model has vectors",
            where=where,
            todo="leave embedding_init unset",
        )


def log_transfer(what: str, lm: LanguageBundle, corpus: Reviews) -> None:
    """Tell what begins with a language model, how good that is and how many words it lacks.

    Args:
        what: the beginning of a sentence that the language model ends.
        lm: the language model.
        corpus: the reviews to learn from, as its ids.
    """
    rows = np.random.default_rng(0).permutation(len(corpus))[:LOOKED_AT]
    unknown = float((np.concatenate([corpus[row] for row in rows]) == UNK).mean())
    foreign = unknown > MOST_UNKNOWN
    message = (
        f"{what} of perplexity {lm.metrics['validation']['perplexity']:,.1f}; "
        f"{unknown:.1%} of the words here are unknown to it"
    )
    if foreign:
        message += ": is it one of the same language? sentir pretrain makes one of these reviews"
        warnings.warn(message, SentirWarning, stacklevel=2)
    else:
        _log.info(message)


def copy_weights(lm: LanguageBundle, model: SentimentClassifier) -> None:
    """Put the language model's embedding and recurrent layer into the classifier."""
    layer = model.layers[0]
    assert isinstance(layer, RecurrentLayer)
    source = restore_language_model(lm)
    layer.load_state_dict(source.layer.state_dict())
    with torch.no_grad():
        vectors_VE = source.embedding.weight
        common_E = common_part(vectors_VE)
        model.embedding.weight.copy_(vectors_VE - common_E)
        model.embedding.weight[PAD].zero_()
        for direction in (layer.forward_rnn, layer.backward_rnn):
            assert isinstance(direction, nn.RNNBase)
            weights = weights_of(direction)
            weights.input_bias_G.add_(weights.input_GE @ common_E)


def common_part(vectors_VE: Tensor) -> Tensor:
    """The mean of the words' vectors (V, E), each as often as it is to be met: (E,).

    Ids go by falling frequency, which is as 1 to the rank (Zipf 1935); padding does not count.
    """
    ranks_V = torch.arange(1, len(vectors_VE) + 1, dtype=vectors_VE.dtype)
    shares_V = 1 / ranks_V
    shares_V[PAD] = 0
    return shares_V @ vectors_VE / shares_V.sum()
