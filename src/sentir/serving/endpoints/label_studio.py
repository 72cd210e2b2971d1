"""Label Studio's machine learning backend, which labels tasks before people do.

Give Label Studio the URL ``http://HOST:PORT/label-studio/NAME``. Each prediction has a score, the
probability of its label, by which Label Studio can order tasks: from those with the least score the
model learns most.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import msgspec

from sentir.serving.errors import RequestError
from sentir.serving.http import Call
from sentir.serving.models import ServedModel
from sentir.serving.service import Service


class Task(msgspec.Struct):
    data: dict[str, Any]
    id: int | str | None = None


class PredictRequest(msgspec.Struct):
    """Other fields of Label Studio's are of no concern here."""

    tasks: list[Task]
    label_config: str | None = None


class SetupRequest(msgspec.Struct):
    """What Label Studio sends when it connects; `schema` is the labelling configuration."""

    schema: str = ""


class Event(msgspec.Struct):
    """Something that happened in a project, which changes nothing here."""

    action: str = ""


class Tags(NamedTuple):
    """The tags of a labelling configuration that a prediction is about."""

    choices: str
    text: str
    #: The key of a task's data that holds the text.
    column: str
    #: How each of the model's labels is called in the configuration.
    names: dict[str, str]


async def predict(
    service: Service, request: PredictRequest, path: dict[str, str], call: Call
) -> dict[str, Any]:
    """``POST /predict``."""
    service.check_count(request.tasks, "tasks")
    model = service.models.get(path.get("model"))
    tags = find_tags(request.label_config, model)
    texts = [_text(task, number, tags.column) for number, task in enumerate(request.tasks)]
    probabilities_NC = await service.probabilities(call, model, texts)
    results = []
    for probabilities_C in probabilities_NC:
        label, probability = model.predictor.likeliest(probabilities_C)
        choice = {
            "from_name": tags.choices, "to_name": tags.text, "type": "choices",
            "value": {"choices": [tags.names[label]]}, "score": probability,
        }  # fmt: skip
        results.append({"result": [choice], "score": probability, "model_version": model.version})
    return {"results": results}


async def setup(
    service: Service, request: SetupRequest, path: dict[str, str], call: Call
) -> dict[str, Any]:
    """``POST /setup``: whether the project's labels are the model's."""
    model = service.models.get(path.get("model"))
    if request.schema:
        find_tags(request.schema, model)
    return {"model_version": model.version}


async def webhook(
    service: Service, request: Event, path: dict[str, str], call: Call
) -> dict[str, Any]:
    """``POST /webhook``: noted; models are trained by ``sentir train``."""
    service.models.get(path.get("model"))
    return {"status": "ok"}


def health(service: Service, path: dict[str, str]) -> dict[str, Any]:
    """``GET /health``."""
    model = service.models.get(path.get("model"))
    return {"status": "UP", "model_class": model.name, "model_version": model.version}


def find_tags(config: str | None, model: ServedModel) -> Tags:
    """The first choices of a labelling configuration that label a text.

    Raises:
        RequestError: 422, there is none, or it lacks one of the model's labels.
    """
    where = "label_config"
    if not config:
        raise RequestError(422, "no labelling configuration", where=where)
    if "<!" in config.replace("<!--", ""):  # no document type, so no entities that grow
        raise RequestError(422, "has a declaration (<!...>)", where=where, todo="remove it")
    try:
        root = ET.fromstring(config)
    except ET.ParseError as error:
        raise RequestError(422, f"not XML ({error})", where=where) from None
    texts = {tag.get("name"): tag.get("value", "") for tag in root.iter("Text")}
    for tag in root.iter("Choices"):
        text = tag.get("toName")
        column = re.fullmatch(r"\$(\w+)", texts.get(text, ""))
        if column is None or text is None:
            continue
        choices = [choice.get("alias", choice.get("value", "")) for choice in tag.iter("Choice")]
        return Tags(tag.get("name", ""), text, column[1], _names(choices, model, where))
    raise RequestError(
        422, "no Choices for a Text", where=where,
        todo='write <Text name="text" value="$text"/> and <Choices name="label" toName="text">',
    )  # fmt: skip


def _names(choices: list[str], model: ServedModel, where: str) -> dict[str, str]:
    by_plain = {choice.strip().casefold(): choice for choice in choices}
    labels = model.predictor.labels
    for label in labels:
        if label.casefold() not in by_plain:
            raise RequestError(
                422, f"no Choice {label!r} among {', '.join(map(repr, choices))[:300]}",
                where=where, todo=f"the model's labels are {', '.join(labels)}",
            )  # fmt: skip
    return {label: by_plain[label.casefold()] for label in labels}


def _text(task: Task, number: int, column: str) -> str:
    text = task.data.get(column)
    if not isinstance(text, str) or not text.strip():
        raise RequestError(422, "no text", where=f"tasks[{number}].data.{column}"[:200])
    return text
