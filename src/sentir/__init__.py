"""Sentir: labelled reviews in, a recurrent sentiment model out, measured and explained.

>>> import sentir
>>> run = sentir.train("reviews.csv", "runs/shop", test="test.csv")  # doctest: +SKIP
>>> sentir.load("runs/shop").predict(["Never again."])  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sentir.version import __version__

if TYPE_CHECKING:
    from sentir.config import Config as Config
    from sentir.errors import SentirError as SentirError
    from sentir.errors import SentirWarning as SentirWarning
    from sentir.explanation.explain import explain as explain
    from sentir.inference.answering import answering as answering
    from sentir.inference.audit import audit as audit
    from sentir.inference.calibrate import calibrate as calibrate
    from sentir.inference.compare import compare as compare
    from sentir.inference.drift import drift as drift
    from sentir.inference.evaluate import evaluate as evaluate
    from sentir.inference.export import export as export
    from sentir.inference.generation import TextGenerator as TextGenerator
    from sentir.inference.predictor import Prediction as Prediction
    from sentir.inference.predictor import Predictor as Predictor
    from sentir.inference.predictor import load as load
    from sentir.sharing.push import push as push
    from sentir.training.pretrain import pretrain as pretrain
    from sentir.training.run import train as train
    from sentir.tuning.search import tune as tune

# Looked up when first asked for: importing the package alone loads no torch and nothing slow.
_EXPORTS = {
    "Config": "sentir.config",
    "Prediction": "sentir.inference.predictor",
    "Predictor": "sentir.inference.predictor",
    "SentirError": "sentir.errors",
    "SentirWarning": "sentir.errors",
    "TextGenerator": "sentir.inference.generation",
    "answering": "sentir.inference.answering",
    "audit": "sentir.inference.audit",
    "calibrate": "sentir.inference.calibrate",
    "compare": "sentir.inference.compare",
    "drift": "sentir.inference.drift",
    "evaluate": "sentir.inference.evaluate",
    "explain": "sentir.explanation.explain",
    "export": "sentir.inference.export",
    "load": "sentir.inference.predictor",
    "push": "sentir.sharing.push",
    "pretrain": "sentir.training.pretrain",
    "train": "sentir.training.run",
    "tune": "sentir.tuning.search",
}
__all__ = [
    "Config", "Prediction", "Predictor", "SentirError", "SentirWarning", "TextGenerator",
    "__version__", "answering", "audit", "calibrate", "compare", "drift", "evaluate", "explain",
    "export", "load", "pretrain", "push", "train", "tune",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        from sentir.extras import report_missing

        with report_missing(f"sentir.{name}"):
            return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'sentir' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
