"""``sentir pretrain``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.command import sentir
from fixtures.tiny_runs import write_fasttext
from sentir import Config


def test_pretrain_complete_and_train_from_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120, language="es")
    settings = tmp_path / "s.toml"
    settings.write_text("[model]\nhidden_size = 9\n[train]\nbatch_size = 16\n")
    lm, run = tmp_path / "lm", tmp_path / "run"
    code, out, err = sentir(
        "pretrain", file, "-o", lm, "--config", settings, "--hidden-size", "6",
        "--embedding-dim", "5", "--epochs", "1", "--max-length", "30", "--tensorboard", capfd=capfd,
    )  # fmt: skip
    assert code == 0, err
    assert out.startswith("perplexity ")
    assert f"language model  {lm / 'model'}" in out
    assert "(forward " in err
    assert list((lm / "tensorboard").iterdir())

    settings.write_text("[train]\nepochs = 1\nlearning_rate = 0.001\n")
    code, out, err = sentir("pretrain", file, "-o", tmp_path / "on", "--from-lm", lm, "--config",
                            settings, capfd=capfd)  # fmt: skip
    assert code == 0, err
    assert "continues from one of perplexity" in err
    config = json.loads((tmp_path / "on" / "model" / "config.json").read_text())["config"]
    assert (config["model"]["hidden_size"], config["text"]["max_length"]) == (6, 30)
    assert config["train"]["learning_rate"] == 0.001

    code, out, err = sentir("complete", lm, "la comida estaba", "--top", "3", capfd=capfd)
    assert code == 0, err
    assert "next word" in out
    assert out.count("%") == 3
    assert "la comida estaba " in out
    code, out, _ = sentir("complete", lm, "la comida", "--json", "--beams", "2", "--words", "4",
                          capfd=capfd)  # fmt: skip
    told = json.loads(out)
    assert told["text"] == "la comida"
    assert [len(one["words"]) for one in told["continuations"]] == [4, 4]
    assert len(told["next"]) == 10
    assert set(told["next"][0]) == {"word", "probability"}

    more = ["--preset", "fast", "--epochs", "1", "--max-length", "30", "--ngram-buckets", "0"]
    code, out, err = sentir(
        "train",
        file,
        "-o",
        run,
        "--from-lm",
        lm,
        *more,
        "--adversarial-epsilon",
        "0.1",
        capfd=capfd,
    )
    assert code == 0, err
    config = json.loads((run / "model" / "config.json").read_text())["config"]
    assert (config["model"]["hidden_size"], config["model"]["embedding_dim"]) == (6, 5)
    assert (
        config["finetune"]["adversarial_epsilon"],
        config["finetune"]["gradual_unfreezing"],
    ) == (
        0.1,
        0.0,
    )
    assert config["model"]["embedding_skip"]  # the preset's own
    settings.write_text("[finetune]\ngradual_unfreezing = 0.2\n")
    code, _, err = sentir("train", file, "-o", run, "--overwrite", "--from-lm", lm, *more,
                          "--config", settings, capfd=capfd)  # fmt: skip
    assert code == 0, err
    config = json.loads((run / "model" / "config.json").read_text())["config"]
    assert (config["model"]["hidden_size"], config["finetune"]["gradual_unfreezing"]) == (6, 0.2)

    code, _, err = sentir("train", file, "-o", run, "--overwrite", "--from-lm", lm, *more[2:],
                          capfd=capfd)  # fmt: skip
    assert code == 0, err
    config = json.loads((run / "model" / "config.json").read_text())["config"]
    assert config["train"]["learning_rate"] == Config.preset("best").train.learning_rate

    code, _, err = sentir("train", file, "-o", run, "--overwrite", "--from-lm", lm, "--hidden-size",
                          "8", capfd=capfd)  # fmt: skip
    assert code == 2
    assert "hidden_size = 8, and the language model has 6; leave hidden_size unset" in err
    code, _, err = sentir("predict", lm, "hola", capfd=capfd)
    assert code == 2
    assert "--from-lm" in err
    code, _, err = sentir("complete", run, "hola", capfd=capfd)
    assert code == 2
    assert "not a language model" in err
