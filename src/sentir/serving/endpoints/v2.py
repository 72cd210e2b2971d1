"""``/v2``: the Open Inference Protocol, version 2, which Triton, MLServer and KServe speak.

A model has one input, ``text`` (BYTES), and the outputs ``label`` (BYTES) and ``probability`` of
the likeliest class, and ``probabilities`` of all classes, in the order of the labels that the
metadata names.

Shapes: N texts, C classes.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from sentir.serving.errors import RequestError
from sentir.serving.http import Call
from sentir.serving.models import ServedModel
from sentir.serving.service import Service
from sentir.version import __version__

_OUTPUTS = ("label", "probability", "probabilities")


class RequestInput(msgspec.Struct, forbid_unknown_fields=True):
    """Texts: a list, or a list of lists of one text where the shape is [N, 1]."""

    name: str
    shape: list[int]
    datatype: str
    data: list[str | list[str]] | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET


class RequestOutput(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    parameters: dict[str, Any] | UnsetType = UNSET


class InferRequest(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list[RequestInput]
    id: str | UnsetType = UNSET
    outputs: list[RequestOutput] | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET


class Tensor(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


class InferResponse(msgspec.Struct):
    model_name: str
    model_version: str
    outputs: list[Tensor]
    id: str | UnsetType = UNSET


def server_metadata(path: dict[str, str]) -> dict[str, Any]:
    """``GET /v2``."""
    return {"name": "sentir", "version": __version__, "extensions": []}


def model_metadata(service: Service, path: dict[str, str]) -> dict[str, Any]:
    """``GET /v2/models/NAME``."""
    model = _find(service, path)
    labels = list(model.predictor.labels)
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "sentir",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probability", "datatype": "FP64", "shape": [-1]},
            {
                "name": "probabilities",
                "datatype": "FP64",
                "shape": [-1, len(labels)],
                "parameters": {"labels": labels},
            },
        ],
    }


def model_ready(service: Service, path: dict[str, str]) -> dict[str, Any]:
    """``GET /v2/models/NAME/ready``."""
    model = _find(service, path)
    return {"name": model.name, "ready": not service.is_draining}


async def infer(
    service: Service, request: InferRequest, path: dict[str, str], call: Call
) -> InferResponse:
    """``POST /v2/models/NAME/infer``."""
    model = _find(service, path)
    texts = _texts(request.inputs)
    service.check_texts(texts, "inputs[0].data")
    wanted = [output.name for output in request.outputs or ()] or list(_OUTPUTS)
    for name in wanted:
        if name not in _OUTPUTS:
            raise RequestError(
                422, f"no output {name[:100]!r}", todo=f"known are {', '.join(_OUTPUTS)}"
            )
    probabilities_NC = await service.probabilities(call, model, texts)
    count, classes = probabilities_NC.shape
    labels = model.predictor.labels
    best_N = model.predictor.decision_scores(probabilities_NC).argmax(axis=1)
    tensors = {
        "label": lambda: Tensor("label", "BYTES", [count], [labels[index] for index in best_N]),
        "probability": lambda: Tensor(
            "probability", "FP64", [count], probabilities_NC[range(count), best_N].tolist()
        ),
        "probabilities": lambda: Tensor(
            "probabilities", "FP64", [count, classes], probabilities_NC.ravel().tolist()
        ),
    }
    return InferResponse(
        model.name, model.version, [tensors[name]() for name in wanted], request.id
    )


def _find(service: Service, path: dict[str, str]) -> ServedModel:
    """The model of that name, and of that version if one is given.

    Raises:
        RequestError: 404.
    """
    model = service.models.get(path["model"])
    version = path.get("version", model.version)
    if version != model.version:
        raise RequestError(
            404, f"no version {version[:100]!r} of {model.name}", todo=f"it has {model.version}"
        )
    return model


def _texts(inputs: list[RequestInput]) -> list[str]:
    """The texts of the one input.

    Raises:
        RequestError: 422, there is another number of inputs, or it does not hold what it says.
    """
    if len(inputs) != 1:
        raise RequestError(422, f"{len(inputs)} inputs", where="inputs", todo="send one, text")
    (given,) = inputs
    if given.name != "text" or given.datatype != "BYTES":
        raise RequestError(
            422, f"the input {given.name[:100]!r} of type {given.datatype[:100]!r}",
            where="inputs[0]", todo="send the input 'text' of type 'BYTES'",
        )  # fmt: skip
    if given.data is UNSET:
        raise RequestError(
            422, "no data; binary data is not read", where="inputs[0]",
            todo="send the texts as JSON (tritonclient: binary_data=False)",
        )  # fmt: skip
    rows = [[row] if isinstance(row, str) else row for row in given.data]
    texts = [text for row in rows for text in row]
    if given.shape not in ([len(texts)], [len(texts), 1]):
        raise RequestError(
            422, f"the shape {given.shape} and {len(texts)} texts", where="inputs[0]",
            todo="send the shape [N], or [N, 1]",
        )  # fmt: skip
    return texts
