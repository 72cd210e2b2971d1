"""Options drawn from the settings, and the TOML file of settings."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import Field
from pydantic.dataclasses import dataclass
from typer.testing import CliRunner

from fixtures.command import sentir
from fixtures.tiny_runs import write_fasttext
from sentir import Config
from sentir.cli.options import options_of
from sentir.config import ReadOptions, sections


def test_every_setting_is_an_option(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = sentir("train", "--help-all", capfd=capfd)
    for field in (*sections(Config), *(field.name for field in dataclasses.fields(ReadOptions))):
        assert f"--{field.replace('_', '-')}" in out, field


def test_help_shows_what_most_people_use(capfd: pytest.CaptureFixture[str]) -> None:
    _, out, _ = sentir("train", "--help", capfd=capfd)
    options = re.findall(r"^│ (--[\w-]+)", out, re.MULTILINE)
    assert 12 <= len(options) <= 20
    assert {"--output", "--test", "--preset", "--resume", "--text-column", "--epochs"} <= {*options}
    assert "--bigram-dropout" not in out
    assert "peak learning rate (AdamW) [default: 0.004]" in " ".join(out.split())


def test_settings_from_a_toml_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 60)
    settings = tmp_path / "s.toml"
    settings.write_text(
        'preset = "fast"\n[model]\nhidden_size = 6\nembedding_dim = 5\n[train]\nepochs=1\n'
    )
    run = tmp_path / "run"
    code, _, err = sentir(
        "train", file, "-o", run, "--config", settings, "--hidden-size", "7",
        "--clean", "lower,nfc", "--tensorboard", capfd=capfd,
    )  # fmt: skip
    assert code == 0, err
    config = json.loads((run / "model" / "config.json").read_text())["config"]
    assert (config["model"]["hidden_size"], config["model"]["embedding_dim"]) == (7, 5)
    assert config["text"]["clean"] == ["lower", "nfc"]
    assert list((run / "tensorboard").iterdir())
    assert config["text"]["max_length"] == Config.preset("fast").text.max_length
    code, _, err = sentir("train", file, "-o", run, "--overwrite", "--config", settings, "--preset",
                          "base", "--ngram-buckets", "0", capfd=capfd)  # fmt: skip
    assert code == 0, err
    config = json.loads((run / "model" / "config.json").read_text())["config"]
    assert (config["model"]["hidden_size"], config["model"]["cell"]) == (6, "gru")
    assert config["text"] == Config.preset("base").to_dict()["text"]
    settings.write_text("[model]\nhidden_size = 6\nngram_buckets = 0\n[train]\nepochs=1\n")
    given = ("--overwrite", "--config", settings)
    code, _, err = sentir("train", file, "-o", run, *given, capfd=capfd)
    assert code == 0, err
    config = json.loads((run / "model" / "config.json").read_text())["config"]
    changed = {"hidden_size": 6, "ngram_buckets": 0, "epochs": 1}
    assert config == Config.preset("base").override(changed).to_dict()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('preset = "x"', "no preset 'x'; take one of"),
        ("preset = []", "no preset []; take one of"),
        ("[preset]", "no preset {}; take one of"),
        (
            "[model]\nhiden_size = 3",
            "s.toml: no setting 'model.hiden_size'; did you mean 'model.hidden_size'",
        ),
    ],
)
def test_a_toml_file_that_cannot_be(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (tmp_path / "s.toml").write_text(text)
    code, _, err = sentir("train", "sample", "-o", tmp_path / "run", "--config",
                          tmp_path / "s.toml", capfd=capfd)  # fmt: skip
    assert code == 2
    assert message in err
    assert not (tmp_path / "run").exists()


@dataclass(frozen=True)
class Settings:
    names: tuple[str, ...] = Field(default=("a", "b"), description="some names")
    size: int = Field(default=3, ge=1, description="a size")
    limit: int | None = Field(default=None, description="a limit")
    wide: bool = Field(default=True, description="whether it is wide")


def command_with_options(common: tuple[str, ...] = ("size",)) -> tuple[typer.Typer, list[dict]]:
    app, calls = typer.Typer(), []

    @app.command()
    @options_of(common=common, settings=(Settings(), "Settings"))
    def run(*, settings: dict[str, Any]) -> None:
        calls.append(settings)

    return app, calls


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {}),
        (["--size", "5"], {"size": 5}),
        (["--names", " x, y,"], {"names": ["x", "y"]}),
        (["--no-wide", "--limit", "7"], {"wide": False, "limit": 7}),
    ],
)
def test_a_command_gets_what_was_set_and_nothing_else(given, expected) -> None:
    app, calls = command_with_options()
    assert CliRunner().invoke(app, given).exit_code == 0
    assert calls == [expected]


def test_help_and_help_all() -> None:
    app, calls = command_with_options()
    short = CliRunner().invoke(app, ["--help"]).output
    assert "--size" in short
    assert "[default: 3]" in short
    assert "--limit" not in short
    whole = CliRunner().invoke(app, ["--help-all"]).output
    assert all(option in whole for option in ("--size", "--limit", "--names", "--no-wide"))
    assert "[default: a, b]" in whole
    assert "[default: true]" in whole
    assert not calls
