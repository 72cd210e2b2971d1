"""``sentir config``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.command import TINY, sentir
from fixtures.tiny_runs import write_fasttext
from sentir.bundle import LANGUAGE_MODEL, load_config
from sentir.config import PRESETS, Config, PretrainConfig, read_toml
from sentir.training.run import Run


@pytest.mark.parametrize("arguments", [[], ["--preset", "base"], ["--preset", "lecture"]])
def test_a_preset(arguments: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = sentir("config", *arguments, capfd=capfd)
    assert (code, err) == (0, "")
    file = tmp_path / "settings.toml"
    file.write_text(out)
    name = arguments[-1] if arguments else "base"
    assert Config.from_dict(read_toml(file)) == PRESETS[name]
    assert f"# All settings of the preset {name}. Defaults are those of the preset base." in out


def test_settings_of_a_run(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = sentir("config", tiny_run.folder, capfd=capfd)
    assert code == 0
    file = tmp_path / "settings.toml"
    file.write_text(out)
    assert Config.from_dict(read_toml(file)) == tiny_run.bundle.config
    _, out, _ = sentir("config", tiny_run.folder, "--json", capfd=capfd)
    assert json.loads(out) == tiny_run.bundle.config.to_dict()


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
def test_training_by_the_file_has_its_settings(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reviews, file = write_fasttext(tmp_path / "a.ft.txt", 60), tmp_path / "settings.toml"
    _, out, _ = sentir("config", "--preset", "fast", capfd=capfd)
    file.write_text(out)
    run = tmp_path / "run"
    code, _, err = sentir("train", reviews, "--config", file, *TINY, "-o", run, capfd=capfd)
    assert code == 0, err
    changed = {"embedding_dim": 8, "hidden_size": 8, "epochs": 1, "max_length": 40}
    assert load_config(run) == Config.preset("fast").override(changed)


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
def test_settings_of_a_language_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("config", "--pretrain", capfd=capfd)
    assert code == 0
    file = tmp_path / "lm.toml"
    file.write_text(out)
    assert PretrainConfig.from_dict(read_toml(file)) == PretrainConfig()
    assert "sentir pretrain REVIEWS --config" in out
    reviews, run = write_fasttext(tmp_path / "a.ft.txt", 60), tmp_path / "lm"
    code, _, err = sentir("pretrain", reviews, "--config", file, *TINY, "-o", run, capfd=capfd)
    assert code == 0, err
    code, out, _ = sentir("config", run, capfd=capfd)
    file.write_text(out)
    assert PretrainConfig.from_dict(read_toml(file)) == load_config(run)
    assert json.loads((run / "model" / "config.json").read_text())["kind"] == LANGUAGE_MODEL


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--preset", "bse"], "error: no preset 'bse'; take one of lecture, fast, base, best"),
     (["--preset", "base", "--pretrain"], "more than one of RUN, --preset and --pretrain"),
     (["absent"], "error: absent: no model here")],
)  # fmt: skip
def test_errors(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = sentir("config", *arguments, capfd=capfd)
    assert (code, out) == (2, "")
    assert message in err
