"""A trained classifier goes on learning: which settings stay, what is kept, and what grows.

New words get rows after the old ones, new classes outputs after the old ones. What the model knows
is copied, so that before the first step its answers are those that it gave: a text without new
words has the same odds among the old classes. New words start from random vectors, as in any run.

Shapes: V words, E embedding, O outputs (1 for two classes, else C), C classes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from sentir.bundle import FOLDER, Bundle
from sentir.config import Config
from sentir.errors import ConfigError, UsageError
from sentir.io.hub_model import find_address
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import restore_classifier
from sentir.weights import NgramTableSize

#: Settings that may differ from those that the model was trained with; the others decide what its
#: weights mean.
FREE = {
    "text": ("min_count", "max_vocab_size", "max_length"),
    "model": (
        *("bigram_dropout", "embedding_dropout", "dropout", "head_dropout"),
        *("embedding_skip_dropout", "freeze_embedding"),
    ),
}  # fmt: skip
#: Starts of the names of weights that depend on the number of classes.
HEAD, NGRAMS = "head.", "ngram_linear."
#: Arrays whose lengths are the size of the table of n-grams.
TABLE = ("ngram_fingerprints", "ngram_displacements")


def check_start(
    model: str | Path, output: Path, *, from_lm: str | Path | None, preset: str | None
) -> None:
    """Refuse what contradicts going on with a model, and a run that would replace it.

    Raises:
        UsageError: there is a language model or a preset too, or the model is in `output`.
    """
    if from_lm:
        raise UsageError("both --from-lm and --from-model", todo="give one of them")
    if preset is not None:
        raise UsageError(
            f"the preset {preset}, and the settings are the model's",
            where="--from-model",
            todo="leave --preset out; settings of training can be given one by one",
        )
    if find_address(model) is None and Path(model).resolve() in (
        output.resolve(),
        (output / FOLDER).resolve(),
    ):
        raise UsageError(
            "the run would replace the model that it starts from, which it is measured against",
            where=str(output),
            todo="choose another --output",
        )


def check_changes(config: Config, bundle: Bundle, where: str) -> None:
    """Refuse settings that do not fit the model that goes on learning.

    Args:
        config: all settings of the run.
        bundle: the model.
        where: what to call it in an error.

    Raises:
        ConfigError: a setting differs that decides what its weights mean.
    """
    ours, theirs = config.to_dict(), bundle.config.to_dict()
    for section in ("text", "model"):
        for name, value in theirs[section].items():
            if name not in FREE[section] and ours[section][name] != value:
                raise ConfigError(
                    f"{name} = {ours[section][name]!r}, and the model has {value!r}",
                    where=where,
                    todo=f"leave {name} unset, or train a new model without --from-model",
                )


def copy_known_(bundle: Bundle, network: SentimentClassifier) -> None:
    """Put the weights of a trained model into a network of more words and classes.

    A network of two classes has one output, the logit of the second: with a third class, half of it
    speaks for the second, and half against the first. New classes start from zero weights, new
    words from the vectors that the network has.

    Args:
        bundle: the trained model.
        network: of the same settings; its words and classes are those of the model, then others.
    """
    ours = network.state_dict()  # shares memory with the network
    for name, values in restore_classifier(bundle).state_dict().items():
        if not name.startswith(NGRAMS):
            grown = _with_outputs(name, values, network.head.out_features)
            ours[name][: len(grown)] = grown


def copy_known_ngrams_(bundle: Bundle, network: SentimentClassifier) -> None:
    """Put the n-gram linear model of a trained model into such a network, before it is fitted.

    Args:
        bundle, network: as for `copy_known_`.
    """
    if network.ngram_linear is None:
        return
    network.ngram_linear.resize_table(
        NgramTableSize(*(len(bundle.weights[NGRAMS + name]) for name in TABLE))
    )
    ours = network.state_dict()
    for name, array in bundle.weights.items():
        if name.startswith(NGRAMS):
            grown = _with_outputs(
                name, torch.tensor(array).to(ours[name].dtype), network.head.out_features
            )
            ours[name][: len(grown)] = grown


def _with_outputs(name: str, values: Tensor, outputs: int) -> Tensor:
    """The values of that name for more outputs; those that do not depend on them as they are."""
    dim = 1 if name.startswith(NGRAMS) else 0
    if not name.startswith((HEAD, NGRAMS)) or values.dim() <= dim or values.shape[dim] == outputs:
        return values
    if values.shape[dim] == 1:
        pair = (values, values) if name.endswith("scales") else (-values / 2, values / 2)
        values = torch.cat(pair, dim=dim)
    shape = list(values.shape)
    shape[dim] = outputs - shape[dim]
    return torch.cat([values, values.new_zeros(shape)], dim=dim)
