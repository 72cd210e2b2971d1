"""What a classifier takes from a language model: its settings, its tokenizer, its weights.

Both are made of the same parts, so the weights are copied as they are (Dai and Le 2015).
"""

from __future__ import annotations

from typing import Any

import torch

from sentir.bundle import LanguageBundle
from sentir.config import Config
from sentir.errors import ConfigError
from sentir.nn.classifier import SentimentClassifier


def settings_from(lm: LanguageBundle) -> dict[str, dict[str, Any]]:
    """What to override a preset with: what classifier and language model must have in common."""
    text = lm.config.to_dict()["text"]
    del text["max_tokens"]
    return {"text": text, "model": lm.config.model.classifier()}


def check_settings(config: Config, lm: LanguageBundle, where: str) -> None:
    """Refuse a classifier that is not made as the language model is.

    Args:
        config: the classifier's settings.
        lm: the language model.
        where: what to call it.

    Raises:
        ConfigError: a setting differs, or the embedding is to come from elsewhere too.
    """
    ours = config.to_dict()
    for section, settings in settings_from(lm).items():
        for name, value in settings.items():
            if ours[section][name] != value:
                raise ConfigError(
                    f"{name} = {ours[section][name]!r}, and the language model has {value!r}",
                    where=where,
                    todo=f"leave {name} unset, or pre-train with it",
                )
    if config.model.vectors:
        raise ConfigError(
            f"vectors = {config.model.vectors!r}, and the language model has vectors",
            where=where,
            todo="leave vectors unset",
        )


def copy_weights(lm: LanguageBundle, model: SentimentClassifier) -> None:
    """Put the language model's embedding and recurrent layer into the classifier."""
    with torch.no_grad():
        model.embedding.weight.copy_(lm.model.embedding.weight)
    model.layers[0].load_state_dict(lm.model.layer.state_dict())
