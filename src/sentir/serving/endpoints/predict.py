"""``/v1``: predictions, explanations, the list of models; and the shape of hosted inference."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from sentir.serving.errors import RequestError
from sentir.serving.http import Call
from sentir.serving.models import ServedModel
from sentir.serving.service import Service


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Either `text` or `texts`; `model` where several are served."""

    text: str | UnsetType = UNSET
    texts: list[str] | UnsetType = UNSET
    model: str | UnsetType = UNSET
    probabilities: bool = False


class Prediction(msgspec.Struct, omit_defaults=True):
    """`unsure` is left out if the model has no threshold of confidence."""

    label: str
    probability: float
    unsure: bool | None = None
    probabilities: dict[str, float] | None = None


class Predictions(msgspec.Struct):
    """One prediction per text, in their order."""

    model: str
    version: str
    predictions: list[Prediction]


class ExplainRequest(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    model: str | UnsetType = UNSET


class HostedParameters(msgspec.Struct):
    """Of these only `top_k` has a meaning here; others are ignored, as hosted inference does."""

    top_k: int | None = None


class HostedRequest(msgspec.Struct):
    """What clients of hosted inference send."""

    inputs: str | list[str]
    parameters: HostedParameters | None = None


class Score(msgspec.Struct):
    label: str
    score: float


async def predict(
    service: Service, request: PredictRequest, path: dict[str, str], call: Call
) -> Predictions:
    """``POST /v1/predict``."""
    if (request.text is UNSET) == (request.texts is UNSET):
        raise RequestError(422, "give either text or texts")
    texts = [request.text] if request.text is not UNSET else request.texts or []
    service.check_texts(texts, "texts" if request.text is UNSET else "text")
    model = service.models.get(request.model)
    probabilities_NC = await service.probabilities(call, model, texts)
    return Predictions(
        model.name, model.version, _predictions(model, probabilities_NC, request.probabilities)
    )


def _predictions(
    model: ServedModel, probabilities_NC: npt.NDArray[np.float64], all_classes: bool
) -> list[Prediction]:
    labels, threshold = model.predictor.labels, model.predictor.bundle.threshold
    scores_NC = model.predictor.decision_scores(probabilities_NC)
    best, confidences = scores_NC.argmax(axis=1).tolist(), scores_NC.max(axis=1).tolist()
    rows: list[list[float]] = probabilities_NC.tolist()
    return [
        Prediction(
            labels[index],
            row[index],
            threshold.is_unsure(confidence) if threshold else None,
            dict(zip(labels, row, strict=True)) if all_classes else None,
        )
        for index, confidence, row in zip(best, confidences, rows, strict=True)
    ]


async def explain(
    service: Service, request: ExplainRequest, path: dict[str, str], call: Call
) -> dict[str, Any]:
    """``POST /v1/explain``: what `sentir.explain` returns, and which model did."""
    from sentir import explain as explain_text

    service.check_texts([request.text], "text")
    model = service.models.get(request.model)
    call.model, call.texts = model.name, [request.text]
    explanation = await service.explain_in_thread(
        functools.partial(explain_text, model.predictor, request.text)
    )
    return {"model": model.name, "version": model.version, **explanation.to_dict()}


async def hosted(
    service: Service, request: HostedRequest, path: dict[str, str], call: Call
) -> list[list[Score]]:
    """``POST /`` and ``POST /models/NAME``: for each text the classes, the likeliest first."""
    model = service.models.get(path.get("model"))
    texts = [request.inputs] if isinstance(request.inputs, str) else request.inputs
    service.check_texts(texts, "inputs")
    top_k = request.parameters.top_k if request.parameters else None
    if top_k is not None and top_k < 1:
        raise RequestError(422, f"{top_k} classes", where="parameters.top_k", todo="ask for 1")
    probabilities_NC = await service.probabilities(call, model, texts)
    return [_scores(model.predictor.labels, row)[:top_k] for row in probabilities_NC.tolist()]


def _scores(labels: Sequence[str], probabilities: list[float]) -> list[Score]:
    scores = map(Score, labels, probabilities)
    return sorted(scores, key=lambda score: score.score, reverse=True)


def list_models(service: Service, path: dict[str, str]) -> dict[str, Any]:
    """``GET /v1/models``."""
    return {
        "models": [
            {
                "name": model.name,
                "version": model.version,
                "checksum": model.checksum,
                "labels": list(model.predictor.labels),
                "engine": model.predictor.engine.name,
                "precision": model.predictor.engine.precision,
                "synthetic": model.predictor.bundle.synthetic,
                "loaded_at": model.loaded_at.isoformat(timespec="seconds"),
            }
            for model in service.models
        ]
    }
