"""The commands, as they are typed."""

from __future__ import annotations

import bz2
import csv
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fixtures.tiny_runs import write_fasttext
from sentir import Config, cli, load
from sentir.config import ReadOptions, sections
from sentir.synthetic.reviews import sample_reviews
from sentir.training import run as run_module
from sentir.training.callbacks import Event, ProgressBar
from sentir.training.run import Run

TINY = ["--embedding-dim", "8", "--hidden-size", "8", "--epochs", "1", "--max-length", "40"]


def sentir(
    *arguments: object, stdin: bytes | None = None, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Run the command in this process: exit code, standard output, standard error."""
    before = sys.argv, sys.stdin
    sys.argv = ["sentir", *map(str, arguments)]
    if stdin is not None:
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv, sys.stdin = before
    printed = capfd.readouterr()
    return code, printed.out, printed.err


def test_help_has_examples_for_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    for command in ("train", "evaluate", "predict", "explain", "export", "sample", "doctor",
                    "pretrain", "complete"):  # fmt: skip
        code, out, _ = sentir(command, "--help", capfd=capfd)
        assert code == 0
        assert "Examples" in out
        assert f"sentir {command} " in out


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert sentir("--version", capfd=capfd)[1].startswith("sentir 0.")


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


def test_train_evaluate_predict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train_file = write_fasttext(tmp_path / "train.ft.txt", 150)
    test_file = write_fasttext(tmp_path / "test.ft.txt", 40, seed=1)
    run = tmp_path / "run"
    code, out, err = sentir(
        "train", train_file, "--test", test_file, "-o", run, "--baseline", *TINY, capfd=capfd
    )
    assert code == 0, err
    assert "bag of words" in out
    assert "40 examples" in out
    assert "validation loss" in err
    code, out, _ = sentir("evaluate", run, test_file, "--json", capfd=capfd)
    figures = json.loads(out)
    saved = json.loads((run / "model" / "metrics.json").read_text())["test"]
    assert figures["accuracy"] == pytest.approx(saved["accuracy"])
    assert figures["loss"] == pytest.approx(saved["loss"])
    assert figures["mistakes"]
    code, out, _ = sentir("evaluate", run, test_file, capfd=capfd)
    assert code == 0
    assert "most confident mistakes" in out
    names = {"positive", "negative"}
    assert {figures["mistakes"][0][key] for key in ("label", "predicted")} == names
    assert re.search(r"% (positive|negative), labelled (positive|negative): ", out)


def test_a_stray_row_may_hold_what_looks_like_markup(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write_fasttext(tmp_path / "a[old].ft.txt", 100)
    with file.open("a", encoding="utf-8") as more:
        more.write("__label__[/b] a film\n")
    asked = ("--on-error", "skip", "-o", tmp_path / "run[1]")
    code, out, err = sentir("train", file, *asked, *TINY, capfd=capfd)
    assert code == 0, err
    assert f"{file}:101: label '[/b]'" in err
    assert "run[1]" in out


def test_learn_from_a_teacher(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write_fasttext(tmp_path / "train.ft.txt", 60, seed=3)
    more = tmp_path / "more.txt"
    more.write_text("".join(f"{text}\n" for _, text in sample_reviews(50, seed=4)))
    asked = ["--unlabelled", more, "--teacher", tiny_run.folder, "--engine", "int8"]
    code, out, err = sentir("train", file, "-o", tmp_path / "run", *asked, *TINY, capfd=capfd)
    assert code == 0, err
    assert "teacher: 50 reviews" in err
    assert "validation" in out
    code, _, err = sentir("train", file, "-o", tmp_path / "other", *asked[:2], *TINY, capfd=capfd)
    assert code == 2
    assert "give a trained model with --teacher" in err
    code, _, err = sentir("train", file, "-o", tmp_path / "other", *asked[2:4], *TINY, capfd=capfd)
    assert code == 2
    assert "give them with --unlabelled" in err


def test_predict_texts(tiny_run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("predict", tiny_run.folder, "One text.", "Another\ttext.", capfd=capfd)
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[2] for row in rows] == ["One text.", "Another text."]
    assert all(row[0] in ("negative", "positive") and 0.5 <= float(row[1]) <= 1 for row in rows)


def test_predict_every_probability(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = ["One text.", "", "Another text."]
    given = (*texts, "--json", "--probabilities")
    code, out, _ = sentir("predict", tiny_run.folder, *given, capfd=capfd)
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["text"] for row in rows] == texts
    classes = tiny_run.bundle.labels.names
    expected_NC = load(tiny_run.folder).predict_proba([texts[0], texts[2]])
    for row, expected_C in zip((rows[0], rows[2]), expected_NC, strict=True):
        shares = [row[f"probability_{name}"] for name in classes]
        assert shares == pytest.approx(expected_C, abs=1e-6)
        assert (row["prediction"], row["probability"]) == (
            classes[shares.index(max(shares))],
            max(shares),
        )
    assert {rows[1][name] for name in rows[1] if name != "text"} == {None}

    source, target = tmp_path / "new.csv", tmp_path / "new.ft.txt"
    source.write_text("id,text\n7,One text.\n8,Another text.\n")
    given = (source, "--json", "--probabilities")
    code, out, _ = sentir("predict", tiny_run.folder, *given, capfd=capfd)
    assert code == 0
    of_file = [json.loads(line) for line in out.splitlines()]
    assert [{**row, "id": 0} for row in of_file] == [{**row, "id": 0} for row in (rows[0], rows[2])]
    given = (texts[0], "-o", target, "--probabilities")
    assert sentir("predict", tiny_run.folder, *given, capfd=capfd)[0] == 0
    assert target.read_text() == f"__label__{rows[0]['prediction']} One text.\n"
    code, _, err = sentir("predict", tiny_run.folder, "", "-o", target, capfd=capfd)
    assert (code, "no blank in a label, and one is ''" in err) == (2, True)
    given = (source, "--json", "-o", tmp_path / "out.csv")
    code, _, err = sentir("predict", tiny_run.folder, *given, capfd=capfd)
    assert (code, "out.csv: --json, and a name that asks for csv; leave one" in err) == (2, True)


def test_predict_csv_keeps_its_columns(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.csv"
    source.write_text('id,text\n7,"a, ""quoted"" text"\n8,plain\n')
    code, out, _ = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["id"] for row in rows] == ["7", "8"]
    assert list(rows[0]) == ["id", "text", "prediction", "probability"]
    assert rows[0]["text"] == 'a, "quoted" text'


def test_predict_tsv_keeps_its_header(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.tsv"
    source.write_text('id\ttext\n7\t"a\ttab"\n8\tplain\n')
    code, out, _ = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out), delimiter="\t"))
    assert [(row["id"], row["text"]) for row in rows] == [("7", "a\ttab"), ("8", "plain")]
    assert list(rows[0]) == ["id", "text", "prediction", "probability"]


def test_predict_fasttext_lines(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.ft.txt"
    source.write_text("__label__2 one text\n__label__1 another\n")
    code, out, _ = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[2] for row in rows] == ["one text", "another"]
    relabelled = tmp_path / "out.ft.txt"
    assert sentir("predict", tiny_run.folder, source, "-o", relabelled, capfd=capfd)[0] == 0
    assert relabelled.read_text().splitlines() == [f"__label__{row[0]} {row[2]}" for row in rows]


def test_predict_from_one_format_to_another(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.jsonl.bz2"
    source.write_bytes(bz2.compress(b'{"text": "one", "n": 1}\n{"text": "two", "n": 2}\n'))
    target = tmp_path / "out.parquet"
    assert sentir("predict", tiny_run.folder, source, "-o", target, capfd=capfd)[0] == 0
    assert pq.read_table(target).column("n").to_pylist() == [1, 2]
    back = tmp_path / "back.jsonl.gz"
    code, _, err = sentir("predict", tiny_run.folder, target, "-o", back, capfd=capfd)
    assert code == 2
    assert "has a column 'prediction' already" in err
    assert not back.exists()


def test_predict_keeps_the_types_of_parquet(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    columns = {
        "id": pa.array([1, None], pa.int16()),
        "text": pa.array(["one", "two"], pa.large_string()),
        "price": pa.array([Decimal("1.50"), None], pa.decimal128(6, 2)),
        "seen": pa.array([0, 86_400_000], pa.timestamp("ms", "UTC")),
        "none": pa.array([None, None], pa.float32()),
        "more": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
    }
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table(columns), source)
    assert sentir("predict", tiny_run.folder, source, "-o", target, capfd=capfd)[0] == 0
    written = pq.read_table(target)
    assert written.column_names == [*columns, "prediction", "probability"]
    assert written.select([*columns]).equals(pq.read_table(source))
    wide = pa.table({"id": pa.array([1 << 40]), "text": ["three"]})  # another file, wider numbers
    pq.write_table(wide, tmp_path / "in2.parquet")
    pattern = tmp_path / "in*.parquet"
    assert sentir("predict", tiny_run.folder, pattern, "-o", target, capfd=capfd)[0] == 0
    assert pq.read_table(target)["id"].to_pylist() == [1, None, 1 << 40]


def test_predict_standard_input(tiny_run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("predict", tiny_run.folder, "-", stdin=b"one\ntwo\n", capfd=capfd)
    assert code == 0
    assert [line.split("\t")[2] for line in out.splitlines()] == ["one", "two"]


def test_a_missing_file_is_not_taken_for_a_text(
    tiny_run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("predict", tiny_run.folder, "nowhere.csv", capfd=capfd)
    assert code == 2
    assert "nowhere.csv: no such file" in err
    assert sentir("predict", tiny_run.folder, "nowhere.csv", "--text", capfd=capfd)[0] == 0


def test_errors_are_one_line_and_exit_with_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("evaluate", tmp_path, tmp_path / "x.csv", capfd=capfd)
    assert code == 2
    assert err.startswith("error: ")
    assert "no model here" in err
    assert "Traceback" not in err
    code, _, err = sentir("train", "--preset", "fats", "-o", tmp_path / "r", capfd=capfd)
    assert code == 2
    assert "take one of lecture, fast, base, best" in err
    code, _, err = sentir("train", "--hidden-size", "-3", "-o", tmp_path / "r", capfd=capfd)
    assert code == 2
    assert "model.hidden_size = -3" in err
    code, _, err = sentir("train", "--max-line-bytes", "0", "-o", tmp_path / "r", capfd=capfd)
    assert code == 2
    assert "greater than or equal to 1" in err
    assert not (tmp_path / "r").exists()


def test_explain(tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = "Although the plot was dull, I loved it."
    picture = tmp_path / "gates.svg"
    code, out, _ = sentir("explain", tiny_run.folder, text, "--picture", picture, capfd=capfd)
    assert code == 0
    assert "although" in out
    assert "forget" in out
    assert picture.read_text().lstrip().startswith("<?xml")
    code, out, _ = sentir("explain", tiny_run.folder, text, "--json", capfd=capfd)
    assert json.loads(out)["tokens"][-1] == "."


def test_export(tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for more in ([], ["--precision", "int8"]):
        file = tmp_path / "out.onnx"
        code, out, _ = sentir(
            "export", tiny_run.folder, "--to", "onnx", "-o", file, *more, capfd=capfd
        )
        assert code == 0
        assert out == f"onnx  {file} ({file.stat().st_size:,} bytes)\n"
    code, _, err = sentir("export", tiny_run.folder, "--to", "coreml", "-o", file, capfd=capfd)
    assert code == 2
    assert "no format 'coreml' to export to; take onnx" in err


@pytest.mark.parametrize("engine", ["auto", "torch", "onnx", "fused", "int8"])
def test_the_engine_is_chosen(
    tiny_run: Run, engine: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    test_file = write_fasttext(tmp_path / "test.ft.txt", 30, seed=2)
    code, out, _ = sentir(
        "evaluate", tiny_run.folder, test_file, "--json", "--engine", engine, capfd=capfd
    )
    assert code == 0
    assert json.loads(out)["examples"] == 30
    assert sentir("predict", tiny_run.folder, "a", "--engine", engine, capfd=capfd)[0] == 0
    code, _, err = sentir("predict", tiny_run.folder, "a", "--engine", "gpu", capfd=capfd)
    assert code == 2
    assert "no engine 'gpu'; take one of auto, torch, onnx, fused, int8" in err


def test_sample_writes_what_train_reads(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "a.ft.txt.bz2", "a.jsonl.gz", "a.parquet"):
        file = tmp_path / name
        code, _, err = sentir(
            "sample", "--count", "60", "--language", "es", "-o", file, capfd=capfd
        )
        assert code == 0, err
        code, _, err = sentir("train", file, "-o", tmp_path / f"{name}.run", *TINY, capfd=capfd)
        assert code == 0, err
    code, _, err = sentir("sample", "--language", "la", capfd=capfd)
    assert code == 2
    assert "la" in err


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


def test_a_closed_pipe_is_no_traceback(tiny_run: Run, tmp_path: Path) -> None:
    lines = tmp_path / "many.txt"
    lines.write_text("a text\n" * 20_000)
    command = f'"{sys.executable}" -m sentir predict "{tiny_run.folder}" "{lines}" | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("given", [["a text"], ["-"]])
def test_a_full_disk_is_no_traceback(tiny_run: Run, given: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sentir", "predict", tiny_run.folder, *given],
            input="a text\n" * 20, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: standard output: cannot be written (No space left on device); check the disk"
    )
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_a_terminal_without_a_sign_is_no_traceback(tiny_run: Run) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sentir", "explain", tiny_run.folder, "una película"],
        env=dict(os.environ, PYTHONIOENCODING="ascii"), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"pel?cula" in done.stdout


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_an_interrupted_run_is_no_success(
    command: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(self: ProgressBar, event: Event) -> None:
        if event["event"] == "step":
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "__call__", interrupt)
    file = write_fasttext(tmp_path / "a.ft.txt", 60)
    given = (
        command,
        file,
        "--output",
        tmp_path / "run",
        "--embedding-dim",
        "8",
        "--hidden-size",
        "8",
    )
    code, out, _ = sentir(*given, capfd=capfd)
    assert code == 130
    assert str(tmp_path / "run" / "model") in out  # told all the same


def test_an_interrupt_after_training_says_how_to_go_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    given = ("train", write_fasttext(tmp_path / "a.ft.txt", 60), "--output", run, *TINY)
    with monkeypatch.context() as patched:
        patched.setattr(run_module, "fit_ngram_linear", interrupt)
        code, _, err = sentir(*given, capfd=capfd)
    assert code == 130
    assert "interrupted: the same command with --resume goes on" in err
    code, out, _ = sentir(*given, "--resume", capfd=capfd)
    assert (code, str(run / "model") in out) == (0, True)

    with monkeypatch.context() as patched:  # nothing to go on with yet
        patched.setattr(run_module, "prepare_training", interrupt)
        code, _, err = sentir(*given, "--output", tmp_path / "other", capfd=capfd)
    assert (code, "--resume" in err) == (130, False)


def test_doctor(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = sentir("doctor", capfd=capfd)
    assert code == 0, err
    told = {line[:12].strip(): line[13:] for line in out.splitlines()}
    assert [*told] == ["versions", "processor", "device", "memory", "float32", "bfloat16",
                       "training", "torch engine", "onnx engine", "fused engine",
                       "int8 engine"]  # fmt: skip
    assert torch.__version__ in told["versions"]
    assert "training goes to" in told["device"]
    assert told["training"] == "GRUs of up to 256 units learn by a kernel of our own"
    for name in ("torch", "onnx", "fused"):
        assert float(told[f"{name} engine"].split(" reviews/s")[0].replace(",", "")) > 1
    assert "taken for texts unless" in told["onnx engine"]
    assert "taken for files unless" in told["fused engine"]
    assert "taken" not in told["torch engine"]
    assert told["int8 engine"] == "not for preset base, only for LSTMs"


def test_doctor_without_the_extra(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for module in ("cli.examine", "inference.engines"):
        monkeypatch.setattr(f"sentir.{module}.numba_is_installed", lambda: False)
    code, out, _ = sentir("doctor", capfd=capfd)
    assert code == 0
    assert "fused engine not installed: pip install 'sentir[fused]'" in out
    assert "kernel of our own, once there: pip install 'sentir[fused]'" in out
    assert "taken for texts and files unless" in out


def test_predict_knows_files_from_texts(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [write_fasttext(tmp_path / name, 5) for name in ("a.ft.txt", "b.ft.txt")]
    for given, why in (
        (files, "2 arguments, and some are files"),
        ([tmp_path], "a folder, not a file"),
        (["./absent"], "no such file"),
        (["absent.pq"], "no such file"),
    ):
        code, out, err = sentir("predict", tiny_run.folder, *given, capfd=capfd)
        assert (code, out) == (2, ""), given
        assert why in err
    for given in (["https://shop.example/x was down."], ["--text", *files]):
        code, out, err = sentir("predict", tiny_run.folder, *given, capfd=capfd)
        assert code == 0, err
        assert len(out.splitlines()) == len(given) - (given[0] == "--text")
    code, out, err = sentir(
        "predict", tiny_run.folder, str(tmp_path / "*.txt"), "--on-error", "skip", capfd=capfd
    )
    assert code == 0, err
    assert len(out.splitlines()) == 10


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes by name here")
def test_a_pipe_by_name_is_not_half_read(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code, _, err = sentir("evaluate", tiny_run.folder, pipe, capfd=capfd)
    assert code == 2
    assert "a pipe, which can be read once only" in err


def test_predict_keeps_the_place_of_a_row_without_text(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = ["", "a film", "  ", "", "another", ""]
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps({"id": at, "text": text}) + "\n"
                              for at, text in enumerate(texts)))  # fmt: skip
    code, out, err = sentir("predict", tiny_run.folder, source, capfd=capfd)
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in rows] == list(range(6))
    assert [row["prediction"] is None for row in rows] == [not text.strip() for text in texts]
    assert [row["probability"] is None for row in rows] == [not text.strip() for text in texts]
    target = tmp_path / "b.parquet"
    assert sentir("predict", tiny_run.folder, source, "-o", target, capfd=capfd)[0] == 0
    assert pq.read_table(target).column("prediction").null_count == 4
    lines = tmp_path / "a.txt"
    lines.write_text("a film\n\nanother\n")
    code, out, err = sentir("predict", tiny_run.folder, lines, capfd=capfd)
    assert code == 0, err
    assert [line.count("\t") for line in out.splitlines()] == [2, 2, 2]
