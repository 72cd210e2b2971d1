"""Label Studio's backend: labels under the project's names, scored by confidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.served import Served, serving
from sentir.inference.predictor import load

CONFIG = """<View>
  <!-- what people see -->
  <Text name="review" value="$body"/>
  <Choices name="stars" toName="other"><Choice value="1"/></Choices>
  <Choices name="sentiment" toName="review">
    <Choice value="Positive"/><Choice value="bad" alias="negative"/>
  </Choices>
</View>"""
TEXTS = ["the film was good", "dull"]


def asked(config: str | None = CONFIG, texts: Any = TEXTS) -> dict[str, Any]:
    tasks = [{"id": number, "data": {"body": text, "stars": 3}, "annotations": []}
             for number, text in enumerate(texts)]  # fmt: skip
    return {"tasks": tasks, "label_config": config, "project": "1.2", "params": {"login": None}}


def test_predictions(served: Served, folder: Path) -> None:
    answer = served.post("/label-studio/shop/predict", asked())
    expected = load(folder / "shop").predict(TEXTS)
    names = {"positive": "Positive", "negative": "negative"}
    for result, prediction in zip(answer["results"], expected, strict=True):
        assert result["score"] == pytest.approx(prediction.probability, abs=1e-5)
        (choice,) = result["result"]
        assert (choice["from_name"], choice["to_name"]) == ("sentiment", "review")
        assert choice["type"] == "choices"
        assert choice["value"] == {"choices": [names[prediction.label]]}
        assert result["model_version"] == served.service.models.get("shop").version


def test_setup_health_and_webhook(served: Served) -> None:
    version = served.service.models.get("shop").version
    setup = {"project": "1", "schema": CONFIG, "hostname": "x", "access_token": "y"}
    assert served.post("/label-studio/shop/setup", setup) == {"model_version": version}
    assert served.post("/label-studio/shop/setup", {"schema": ""}) == {"model_version": version}
    health = served.ask("GET", "/label-studio/shop/health").json
    assert health == {"status": "UP", "model_class": "shop", "model_version": version}
    assert served.post("/label-studio/shop/webhook", {"action": "ANNOTATION_CREATED"})


def test_one_model_answers_at_the_root(folder: Path, served: Served) -> None:
    with serving({"shop": folder / "shop"}) as one:
        assert len(one.post("/predict", asked())["results"]) == 2
        assert one.ask("GET", "/health").json["status"] == "UP"
        assert one.post("/setup", {"schema": CONFIG})
        assert one.post("/webhook", {}) == {"status": "ok"}
    assert served.refusal("POST", "/predict", asked())[0] == 422


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "label_config: no labelling configuration"),
        ("<View>", "label_config: not XML (no element found"),
        ("<View/>", "label_config: no Choices for a Text; write <Text"),
        ('<!DOCTYPE x [<!ENTITY a "aa">]><View>&a;</View>', "label_config: has a declaration"),
        (CONFIG.replace("$body", "fixed"), "label_config: no Choices for a Text"),
        (CONFIG.replace("Positive", "good"),
         "label_config: no Choice 'positive' among 'good', 'negative'; the model's labels are"),
        (CONFIG.replace("$body", "$text"), "tasks[0].data.text: no text"),
    ],
)  # fmt: skip
def test_bad_configurations(served: Served, config: str | None, message: str) -> None:
    status, got = served.refusal("POST", "/label-studio/shop/predict", asked(config))
    assert (status, got[: len(message)]) == (422, message)


@pytest.mark.parametrize("text", [None, 3, "", " "])
def test_tasks_without_text(served: Served, text: Any) -> None:
    got = served.refusal("POST", "/label-studio/shop/predict", asked(texts=["good", text]))
    assert got == (422, "tasks[1].data.body: no text")
