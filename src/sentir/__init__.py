"""Sentir: labelled reviews in, a recurrent sentiment model out, measured and explained.

>>> from sentir import load
>>> model = load("runs/demo")  # doctest: +SKIP
>>> model.predict(["I can't say it was bad."])  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sentir.version import __version__

if TYPE_CHECKING:
    from sentir.config import Config as Config
    from sentir.errors import SentirError as SentirError
    from sentir.inference.predictor import Prediction as Prediction
    from sentir.inference.predictor import Predictor as Predictor
    from sentir.inference.predictor import load as load
    from sentir.training.run import train as train

# Looked up when first asked for: importing the package alone loads neither torch nor anything slow.
_EXPORTS = {
    "Config": "sentir.config",
    "Prediction": "sentir.inference.predictor",
    "Predictor": "sentir.inference.predictor",
    "SentirError": "sentir.errors",
    "load": "sentir.inference.predictor",
    "train": "sentir.training.run",
}
__all__ = ["Config", "Prediction", "Predictor", "SentirError", "__version__", "load", "train"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'sentir' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
