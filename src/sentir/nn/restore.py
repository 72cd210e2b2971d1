"""Networks and the arrays of a bundle: weights out of a network, and a network from weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from sentir.bundle import Bundle, LanguageBundle, ngram_table_size
from sentir.errors import BundleError
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.language_model import LanguageModel

N = TypeVar("N", bound=nn.Module)


def to_arrays(network: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """A copy of all weights as NumPy arrays, by the names of ``state_dict``."""
    return {
        name: np.array(weight.detach().cpu().numpy(), order="C")
        for name, weight in network.state_dict().items()
    }


def restore_classifier(bundle: Bundle) -> SentimentClassifier:
    """The classifier of a bundle, in evaluation mode; its weights are a copy.

    Raises:
        BundleError: the weights are not those of the network that the settings describe.
    """
    # Shapes alone: no weight is drawn only to be replaced.
    with torch.device("meta"), _NoNormalDraws():
        network = SentimentClassifier(
            bundle.config.model,
            vocabulary=len(bundle.tokenizer.vocabulary),
            classes=len(bundle.labels.names),
            ngram_table=ngram_table_size(bundle.weights),
        )
    return _load_weights(network, bundle.weights)


def restore_language_model(bundle: LanguageBundle) -> LanguageModel:
    """The language model of a bundle, in evaluation mode; its weights are a copy.

    Raises:
        BundleError: the weights are not those of the network that the settings describe.
    """
    # Not on meta, as its softmax computes a buffer that is not saved.
    with torch.random.fork_rng(devices=[]):
        network = LanguageModel(bundle.config.model, vocabulary=len(bundle.tokenizer.vocabulary))
    return _load_weights(network, bundle.weights)


class _NoNormalDraws(TorchFunctionMode):
    """Leaves tensors as they are instead of drawing them from a normal distribution.

    On meta such a draw has no effect, but PyTorch loads its compiler for it, which takes 2 s.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in (torch.Tensor.normal_, nn.init.normal_):
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _load_weights(network: N, weights: Mapping[str, npt.NDArray[Any]]) -> N:
    """The network with these weights, in evaluation mode."""
    try:
        # assign: the tensors become the network's own, in place of those on meta.
        network.load_state_dict(
            {name: torch.tensor(weight) for name, weight in weights.items()}, assign=True
        )
    except RuntimeError as error:
        raise BundleError(
            f"its parts do not fit ({error})", where="model", todo="train again"
        ) from None
    return network.eval()
