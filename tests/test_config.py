from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sentir.config import (
    CLEAN_STEPS,
    PRESETS,
    Config,
    FineTuneConfig,
    LanguageModelConfig,
    ModelConfig,
    PretrainConfig,
    ReadOptions,
    TextConfig,
    TrainConfig,
    read_settings,
    read_toml,
    sections,
)
from sentir.errors import ConfigError

PARTS: tuple[Any, ...] = (TextConfig, ModelConfig, TrainConfig, FineTuneConfig)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_and_survives_json(name: str) -> None:
    config = Config.preset(name)
    TypeAdapter(Config).validate_python(config.to_dict())
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_lesson_s_recipe() -> None:
    lecture = Config.preset("lecture")
    assert (lecture.model.embedding_dim, lecture.model.hidden_size, lecture.model.num_layers) == (
        400,
        512,
        2,
    )
    assert (lecture.model.dropout, lecture.model.head_dropout) == (0.5, 0.2)
    assert (lecture.model.pooling, lecture.model.bidirectional) == ("last", False)
    assert (lecture.train.learning_rate, lecture.train.max_grad_norm) == (0.005, 5)
    assert (lecture.train.batch_size, lecture.text.max_length) == (400, 200)
    assert lecture.text.min_count == 2
    assert lecture.model.initialisation == "pytorch"


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no preset 'larg'; take one of lecture, fast, base"):
        Config.preset("larg")


def test_no_two_sections_share_a_name() -> None:
    names = [field.name for part in PARTS for field in dataclasses.fields(part)]
    assert len(set(names)) == len(names)
    assert set(sections(Config)) == set(names)
    assert not set(names) & {"text", "model", "train", "finetune", "preset"}
    of_lm = sections(PretrainConfig)
    assert of_lm["num_sampled"] == "model"
    assert of_lm["batch_size"] == "train"
    assert "finetune" not in of_lm.values()


def test_every_field_is_described() -> None:
    for part in (*PARTS, LanguageModelConfig, ReadOptions):
        assert all(field.description for field in part.__pydantic_fields__.values())


def test_a_configuration_is_frozen() -> None:
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.model.hidden_size = 3  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.text = TextConfig()  # type: ignore[misc]
    config.to_dict()["text"]["clean"].clear()  # what is given out is a copy
    assert config.text.clean == CLEAN_STEPS


def test_settings_are_changed_with_their_section_or_without() -> None:
    config = Config()
    one = config.override({"hidden_size": 64, "seed": 3})
    two = config.override({"model": {"hidden_size": 64}, "train": {"seed": 3}})
    assert one == two
    assert (one.model.hidden_size, one.train.seed) == (64, 3)
    assert config == Config()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hiden_size": 5}, "here: no setting 'hiden_size'; did you mean 'hidden_size'?"),
        (
            {"model": {"hiden_size": 5}},
            "here: no setting 'model.hiden_size'; did you mean 'model.hidden_size'?",
        ),
        ({"modle": {"hidden_size": 5}}, "here: no setting 'modle'; did you mean 'model'?"),
        ({"model": 5}, "here: model = 5; make it a table"),
    ],
)
def test_an_unknown_key_names_the_nearest(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_dict(changes, where="here")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "changes",
    [
        {"min_count": 0},
        {"max_vocab_size": 3},
        {"max_length": 0},
        {"tokenizer": "words"},
        {"clean": ["lower", "stem"]},
        {"clean": "lower"},
        {"cell": "transformer"},
        {"hidden_size": 0},
        {"hidden_size": 64.5},
        {"hidden_size": "many"},
        {"num_layers": None},
        {"dropout": 1},
        {"dropout": -0.1},
        {"dropout": float("nan")},
        {"head_dropout": 1.0},
        {"learning_rate": 0},
        {"learning_rate": -1},
        {"learning_rate": float("inf")},
        {"warmup_ratio": 1},
        {"max_grad_norm": 0},
        {"valid_fraction": 0},
        {"valid_fraction": 1},
        {"eval_steps": -1},
        {"seed": -1},
        {"device": "tpu"},
        {"device": {"name": "cpu"}},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_by_name(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(
        ConfigError, match=rf"^there: {sections(Config)[name]}\.{name}.* = .*choose anot"
    ):
        Config().override(changes, where="there")


def toml(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def from_file(path: Path) -> Config:
    return Config().override(read_toml(path), where=str(path))


def test_settings_of_a_file(tmp_path: Path) -> None:
    path = toml(
        tmp_path, "hidden_size = 64\n[text]\nclean = ['lower']\n[train]\nlearning_rate = 1e-4\n"
    )
    changes = {"hidden_size": 64, "clean": ("lower",), "learning_rate": 1e-4}
    assert from_file(path) == Config().override(changes)


def test_a_language_model_s_settings() -> None:
    config = PretrainConfig().override({"model": {"hidden_size": 64}, "seed": 3})
    assert (config.model.hidden_size, config.train.seed) == (64, 3)
    assert PretrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(ConfigError, match="no setting 'pooling'"):
        config.override({"pooling": "max"})
    with pytest.raises(ConfigError, match=r"model\.num_sampled = 3"):
        config.override({"num_sampled": 3})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hidden_size = ", "not TOML"),
        (
            "[model]\nhiden_size = 3",
            "no setting 'model.hiden_size'; did you mean 'model.hidden_size'",
        ),
        ("[model]\nhidden_size = 0", "model.hidden_size = 0: input should be greater"),
        ("dropout = nan", "model.dropout = nan"),
        ("model = 3", "model = 3; make it a table"),
    ],
)
def test_a_file_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_file(toml(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.toml: no such file; check --config"):
        from_file(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"cannot be read \(.*\); check --config"):
        from_file(tmp_path)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"hidden_size = '\xff'")
    with pytest.raises(ConfigError, match=r"settings\.toml: not TOML"):
        from_file(path)


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000], ids=["digits", "brackets"])
def test_a_file_that_is_no_settings(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r"settings\.toml: not TOML"):
        from_file(toml(tmp_path, f"hidden_size = {value}"))


configs = st.builds(
    Config,
    text=st.builds(
        TextConfig,
        tokenizer=st.sampled_from(["word", "bpe", "unigram"]),
        clean=st.lists(st.sampled_from(CLEAN_STEPS), max_size=8).map(tuple),
        max_vocab_size=st.none() | st.integers(4, 10**9),
    ),
    model=st.builds(
        ModelConfig,
        hidden_size=st.integers(1, 9999),
        dropout=st.floats(0, 1, exclude_max=True),
        embedding_init=st.text(min_size=1),
    ),
    train=st.builds(TrainConfig, learning_rate=st.floats(0, 1e300, exclude_min=True)),
)


@given(configs)
def test_plain_data_and_back(config: Config) -> None:
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("given", ["title,body", "title, body ", ["title", "body"]])
def test_names_of_columns_are_a_list_or_a_string(given: object) -> None:
    read, changes = read_settings({"text_column": given, "epochs": 3}, Config)
    assert read.text_column == ("title", "body")
    assert changes == {"epochs": 3}


def test_a_setting_that_is_neither_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no setting 'text_colum'; did you mean 'text_"):
        read_settings({"text_colum": "body"}, Config)
    with pytest.raises(ConfigError, match=r"settings: on_error = 'ignore'"):
        read_settings({"on_error": "ignore"}, Config)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_settings_as_windows_writes_it(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes('embedding_init = "é.txt"\n'.encode(encoding))
    assert read_toml(file) == {"embedding_init": "é.txt"}


def test_none_is_how_toml_says_unset() -> None:
    config = PretrainConfig().override({"max_vocab_size": "none"})
    assert config.text.max_vocab_size is None
