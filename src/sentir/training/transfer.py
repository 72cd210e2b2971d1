"""Transfer from a language model: its settings, its tokenizer, its weights.

Another language model continues from them, on the same reviews or on some that are closer to the
task (Howard and Ruder 2018).

A classifier has the same parts, so the weights are copied (Dai and Le 2015). The word vectors of a
language model share a common component that says nothing about single words (Mu and Viswanath
2018), but that a classifier's skip connection would add up over a text. It is moved into the bias
of the recurrent layer, whose output stays the same.
"""

from __future__ import annotations

import dataclasses
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sentir.bundle import LanguageBundle, load_language_model
from sentir.config import DEFAULT_PRESET, LM_PRESET, Config, PretrainConfig
from sentir.data.batching import shuffled_rows
from sentir.data.dataset import Reviews
from sentir.errors import ConfigError, SentirWarning, UsageError
from sentir.nn.cells import weights_of
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.restore import restore_language_model
from sentir.nn.word_vectors import check_vectors
from sentir.text.tokenizer import PAD, UNK

_log = logging.getLogger(__name__)

#: Reviews in which unknown words are counted.
SAMPLED_REVIEWS = 10_000
#: Share of unknown tokens above which it is a warning. IMDB's language model does not know 1.7 % of
#: its own training tokens, and 3.8 % of Amazon's.
MAX_UNKNOWN_SHARE = 0.1


def settings_from(lm: LanguageBundle) -> dict[str, dict[str, Any]]:
    """The settings that a classifier must share with the language model."""
    text = lm.config.to_dict()["text"]
    del text["max_length"]
    return {"text": text, "model": lm.config.model.classifier()}


def preset_for(lm: LanguageBundle | None, preset: str | None = None) -> Config:
    """A preset, with the settings of a language model if there is one.

    Args:
        lm: the language model to start from.
        preset: unset: ``best`` with a language model, ``base`` without.

    Raises:
        ConfigError: no preset has that name.
    """
    if preset is None:
        preset = LM_PRESET if lm else DEFAULT_PRESET
    return Config.preset(preset).override(settings_from(lm) if lm else {})


def start_new(
    from_lm: str | Path | None,
    preset: str | None,
    config: Config | None,
    changes: Mapping[str, Any],
) -> tuple[LanguageBundle | None, Config]:
    """What a new classifier starts from, and its settings.

    Args:
        from_lm: folder of a language model to start from, if any.
        preset: as for `preset_for`.
        config: all settings, instead of a preset.
        changes: settings that are given one by one.

    Raises:
        UsageError: there are both a preset and all settings.
        SentirError: settings that cannot be or do not fit the language model or the file of word
            vectors; or one of these cannot be read.
    """
    if config is not None and preset is not None:
        raise UsageError("both a preset and a config", todo="give one of them")
    lm = load_language_model(from_lm) if from_lm else None
    config = (config or preset_for(lm, preset)).override(changes, where="settings")
    if lm is not None:
        check_settings(config, lm, str(from_lm))
    elif config.model.embedding_init not in ("random", "ppmi"):
        check_vectors(config.model.embedding_init, config.model.embedding_dim)
    return lm, config


def defaults_for(lm: LanguageBundle | None) -> PretrainConfig:
    """The defaults of pre-training; with a language model to continue from, its text and shape."""
    if lm is None:
        return PretrainConfig()
    return dataclasses.replace(PretrainConfig(), text=lm.config.text, model=lm.config.model)


def check_settings(config: Config | PretrainConfig, lm: LanguageBundle, where: str) -> None:
    """Refuse settings that do not fit the language model to start from.

    Args:
        config: settings of a classifier or of another language model.
        lm: the language model.
        where: what to call it in an error.

    Raises:
        ConfigError: a setting differs, or word vectors are to come from a file too.
    """
    ours = config.to_dict()
    for section, settings in settings_from(lm).items():
        for name, value in settings.items():
            # Layers and directions of a language model are fixed, so not among its settings.
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
    """Log the transfer: the language model's perplexity and the share of unknown tokens.

    Args:
        what: what starts from it, as the start of a sentence.
        lm: the language model.
        corpus: the training reviews, as its ids.
    """
    rows = next(shuffled_rows(len(corpus), (0,)))[0][:SAMPLED_REVIEWS]
    unknown = float((np.concatenate([corpus[row] for row in rows]) == UNK).mean())
    message = (
        f"{what} of perplexity {lm.metrics['validation']['perplexity']:,.1f}; "
        f"{unknown:.1%} of the words here are unknown to it"
    )
    if unknown > MAX_UNKNOWN_SHARE:
        message += ": is it of the same language? sentir pretrain trains one on these reviews"
        warnings.warn(message, SentirWarning, stacklevel=2)
    else:
        _log.info(message)


def copy_weights(lm: LanguageBundle, model: SentimentClassifier) -> None:
    """Copy the language model's embedding and recurrent layer into the classifier."""
    layer = model.layers[0]
    assert isinstance(layer, RecurrentLayer)
    source = restore_language_model(lm)
    layer.load_state_dict(source.layer.state_dict())
    with torch.no_grad():
        vectors_VE = source.embedding.weight
        common_E = common_component(vectors_VE)
        model.embedding.weight.copy_(vectors_VE - common_E)
        model.embedding.weight[PAD].zero_()
        for direction in (layer.forward_rnn, layer.backward_rnn):
            assert isinstance(direction, nn.RNNBase)
            weights = weights_of(direction)
            weights.input_bias_G.add_(weights.input_GE @ common_E)


def common_component(vectors_VE: Tensor) -> Tensor:
    """The mean of the word vectors (V, E), weighted by frequency: (E,).

    Ids are in order of falling frequency, taken as 1 / rank (Zipf 1935); padding has weight 0.
    """
    ranks_V = torch.arange(1, len(vectors_VE) + 1, dtype=vectors_VE.dtype)
    shares_V = 1 / ranks_V
    shares_V[PAD] = 0
    return shares_V @ vectors_VE / shares_V.sum()
