"""The model card: its figures, its command, and nothing that was not given for it."""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import Any

import numpy as np
import pytest
import typer
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from fixtures.toy_bundle import toy
from fixtures.toy_language_model import toy_language_model
from sentir.bundle import Bundle, LanguageBundle
from sentir.cli import app
from sentir.config import PRESETS, Config, PretrainConfig, Settings
from sentir.errors import DataError
from sentir.evaluation.metrics import measure
from sentir.io.labels import LabelScheme
from sentir.sharing.card import CardFacts, model_card, training_command
from sentir.sharing.push import is_signed, signed
from sentir.training.run import Run

FACTS = CardFacts(license="mit")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def with_figures(bundle: Bundle, **metrics: Any) -> Bundle:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    found = measure(probabilities, np.array([0, 1, 1]), bundle.labels.names)
    return dataclasses.replace(bundle, metrics={"validation": found.to_dict(), **metrics})


def test_sizes_of_classes_calibration_and_command(tiny_run: Run) -> None:
    card = model_card(tiny_run.bundle, "user/shop", FACTS)
    assert "| negative | 136 |" in card  # training reviews
    assert "| negative | 40 | 0." in card  # test reviews
    assert re.search(r"\| calibration error \| [\d.]+\W%", card)
    assert "sentir train REVIEWS --preset " in card
    assert "synthetic" not in card  # its reviews were of a file


def test_no_review_is_quoted_and_no_file_named(tiny_run: Run) -> None:
    card = model_card(tiny_run.bundle, "user/shop", FACTS)
    assert str(tiny_run.folder.parent) not in card
    assert "ft.txt" not in card
    texts = (tiny_run.folder.parent / "test.ft.txt").read_text("utf-8").splitlines()
    assert not any(text.partition(" ")[2][:30] in card for text in texts)


def test_a_model_of_synthetic_reviews_says_so() -> None:
    card = model_card(with_figures(dataclasses.replace(toy(), synthetic=True)), "user/toy", FACTS)
    assert "**Trained on synthetic reviews.**" in card
    data = ModelCard(card).data
    assert "synthetic" in data.tags
    assert {result.dataset_name for result in data.eval_results} == {"synthetic reviews"}


def test_names_and_texts_are_no_markup() -> None:
    labels = LabelScheme(("a|b\n---\n", "<script>*x*"), {"a": 0, "b": 1})
    bundle = with_figures(dataclasses.replace(toy(), labels=labels))
    facts = dataclasses.replace(FACTS, examples=("one | [two](x)\n# three",))
    card = model_card(bundle, "user/toy", facts, [("<script>*x*", 0.75)])
    assert r"| one \| \[two\]\(x\) \# three | \<script\>\*x\* 0.75 |" in card
    assert "<script" not in card.replace("\\<script", "")
    assert ModelCard(card).data.license == "mit"


def test_yaml_is_quoted() -> None:
    facts = dataclasses.replace(FACTS, dataset="yes: [no]\n---\n# x")
    (first, *_) = ModelCard(model_card(with_figures(toy()), "user/toy", facts)).data.eval_results
    assert first.dataset_name == "yes: [no]\n---\n# x"


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"validation": {}},
        {"validation": None},
        {"test": {"accuracy": 1}},
        {"validation": [1]},
    ],
)
def test_a_model_without_figures(metrics: dict[str, Any]) -> None:
    for bundle in (toy(), toy_language_model()):
        changed = dataclasses.replace(bundle, metrics=metrics)
        with pytest.raises(DataError, match="no figures of a finished run"):
            model_card(changed, "user/toy", FACTS)


def test_classes_that_cannot_be_read() -> None:
    bundle = with_figures(toy(), training_data={"classes": [{}]})
    with pytest.raises(DataError, match="no figures of a finished run"):
        model_card(bundle, "user/toy", FACTS)


@pytest.mark.parametrize(
    "extra",
    [{"training_data": None}, {"training_data": {"classes": []}}, {"training": 3}, {"data": []},
     {"data": {"validation": 5}}],
)  # fmt: skip
def test_what_a_card_can_do_without(extra: dict[str, Any]) -> None:
    assert "training reviews" not in model_card(with_figures(toy(), **extra), "user/toy", FACTS)


def test_a_language_model() -> None:
    metrics = {"validation": {"perplexity": 9.5, "accuracy": 0.5}, "training": {"from_lm": "x/y"}}
    bundle = dataclasses.replace(toy_language_model(), metrics=metrics)
    card = model_card(bundle, "user/lm", FACTS)
    assert "| perplexity | 9.5000 |" in card
    assert "sentir complete hf://user/lm" in card
    assert "--from-lm LM" in card
    assert "x/y" not in card
    assert settings_of(training_command(bundle)) == bundle.config


def settings_of(command: str) -> Settings:
    """The settings that a command would train with."""
    _, name, *arguments = shlex.split(command)
    given = COMMANDS[name].make_context(name, arguments).params
    base: Settings = PRESETS[given["preset"]] if name == "train" else PretrainConfig()
    known = {key for section in base.to_dict().values() for key in section}
    return base.override({k: v for k, v in given.items() if k in known and v is not None})


@given(
    preset=st.sampled_from(sorted(PRESETS)),
    changes=st.fixed_dictionaries(
        {},
        optional={
            "learning_rate": st.floats(1e-5, 0.1),
            "epochs": st.integers(1, 20),
            "embedding_skip": st.booleans(),
            "clean": st.sampled_from([("nfc",), ("lower", "digits")]),
            "pooling": st.sampled_from(["max", "mean"]),
            "max_vocab_size": st.integers(10, 99),
        },
    ),
)
def test_the_command_trains_with_the_same_settings(preset: str, changes: dict[str, Any]) -> None:
    config: Config = PRESETS[preset].override(changes)
    bundle = dataclasses.replace(toy(), config=config, metrics={"test": {}})
    command = training_command(bundle)
    assert settings_of(command) == config
    assert "--test TEST" in command
    assert len(shlex.split(command)) <= 9 + 2 * len(changes)


def test_teachers_are_part_of_the_command() -> None:
    bundle: Bundle | LanguageBundle = with_figures(toy(), training={"teachers": ["abc"]})
    assert "--unlabelled TEXTS --teacher MODEL" in training_command(bundle)


def test_a_signature_is_of_all_lines() -> None:
    card = signed("---\na: b\n---\n\n# x\n")
    assert is_signed(card)
    for changed in ("", card + "x", card.replace("# x", "# y"), card[1:], card.partition("<")[0]):
        assert not is_signed(changed)
