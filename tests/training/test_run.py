"""The whole journey, from a file to a measured model in a folder."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from fixtures.tiny_runs import TINY, kill, write_fasttext
from sentir.config import ReadOptions
from sentir.errors import DataError, DeviceError, UsageError
from sentir.inference.predictor import load
from sentir.nn.ngram_linear import NgramLinear
from sentir.nn.restore import restore_classifier
from sentir.synthetic.reviews import sample_reviews
from sentir.training import run as run_module
from sentir.training.run import Inputs, Run, train


def messages(told: list[dict[str, object]]) -> str:
    return "\n".join(str(event["message"]) for event in told if event["event"] == "say")


def test_a_run_leaves_model_report_and_figures(tiny_run: Run) -> None:
    names = {path.name for path in tiny_run.folder.iterdir()}
    assert names == {"model", "report.html", "metrics.jsonl", "cache"}
    bundle = {path.name for path in (tiny_run.folder / "model").iterdir()}
    assert bundle == {"model.safetensors", "tokenizer.json", "config.json", "metrics.json"}
    metrics = json.loads((tiny_run.folder / "model" / "metrics.json").read_text())
    assert set(metrics) == {"uncalibrated", "validation", "test", "baseline", "training"}
    assert metrics["test"]["examples"] == 80
    assert metrics["training"]["stopped"] == "finished"
    assert tiny_run.test is not None
    assert tiny_run.test.accuracy == metrics["test"]["accuracy"]


def test_the_model_answers_as_it_was_measured(tiny_run: Run) -> None:
    reviews = list(sample_reviews(80, seed=1))
    answers = load(tiny_run.folder).predict([text for _, text in reviews])
    right = sum(answer.label == label for answer, (label, _) in zip(answers, reviews, strict=True))
    assert tiny_run.test is not None
    assert right / 80 == pytest.approx(tiny_run.test.accuracy)


def test_a_folder_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    inputs = Inputs(train=(str(write_fasttext(tmp_path / "a.ft.txt", 120)),))
    run = tmp_path / "run"
    run.mkdir()
    with (
        FileLock(run / ".lock"),
        pytest.raises(UsageError, match="another process is at work here; wait for it, stop it"),
    ):
        train(inputs, run, config=TINY, resume=True)
    with pytest.raises(DataError, match="no such file"):  # lets go of it again
        train(Inputs(train=("nowhere.csv",)), run, config=TINY)
    train(inputs, run, config=TINY)
    assert not (run / ".lock").exists()


def test_the_cache_is_used_again_and_noticed_when_stale(tmp_path: Path, events) -> None:
    told, watch = events
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = Inputs(train=(str(file),))
    train(inputs, tmp_path / "run", config=TINY, callbacks=[watch])
    assert any(event["event"] == "reading" for event in told)
    told.clear()
    train(inputs, tmp_path / "run", config=TINY, overwrite=True, callbacks=[watch])
    assert not any(event["event"] == "reading" for event in told)
    told.clear()
    train(inputs, tmp_path / "run", config=TINY.override({"hidden_size": 4}), overwrite=True)
    assert len(list((tmp_path / "run" / "cache").iterdir())) == 1

    write_fasttext(file, 130)
    os.utime(file, ns=(1, 1))
    train(inputs, tmp_path / "run", config=TINY, overwrite=True, callbacks=[watch])
    assert any(event["event"] == "reading" for event in told)
    assert len(list((tmp_path / "run" / "cache").iterdir())) == 1


def test_duplicates_between_train_and_test_are_counted(tmp_path: Path, events) -> None:
    told, watch = events
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    copied = tmp_path / "b.ft.txt"
    copied.write_text("".join(file.read_text().splitlines(keepends=True)[:7]).upper()
                      .replace("__LABEL__NEGATIVE", "__label__negative")
                      .replace("__LABEL__POSITIVE", "__label__positive"))  # fmt: skip
    train(Inputs(train=(str(file),), test=(str(copied),)), tmp_path / "run", config=TINY,
          callbacks=[watch])  # fmt: skip
    assert "7 of 7 test reviews stand in train too" in messages(told)


def test_skipped_rows_are_counted_and_listed(tmp_path: Path, events) -> None:
    told, watch = events
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    file.write_text(file.read_text() + "no label here\n__label__positive \n")
    with pytest.raises(DataError, match=r"a\.ft\.txt:121"):
        train(Inputs(train=(str(file),)), tmp_path / "run", config=TINY)
    inputs = Inputs(train=(str(file),), read=ReadOptions(on_error="skip"))
    run = train(inputs, tmp_path / "run", config=TINY, callbacks=[watch])
    assert run.skipped.count == 2
    assert "2 rows skipped" in messages(told)
    assert "a.ft.txt:122" in messages(told)


def test_a_failed_reading_leaves_no_half_made_cache(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    file.write_text(file.read_text() + "no label here\n")
    with pytest.raises(DataError):
        train(Inputs(train=(str(file),)), tmp_path / "run", config=TINY)
    assert list((tmp_path / "run" / "cache").glob("*")) == []
    assert list((tmp_path / "run" / "cache").glob(".*")) == []


def test_a_folder_with_a_run_is_not_overwritten_unasked(tiny_run: Run, tmp_path: Path) -> None:
    inputs = Inputs(train=("sample",))
    with pytest.raises(UsageError, match="a model is here; --overwrite it"):
        train(inputs, tiny_run.folder, config=TINY)
    with pytest.raises(UsageError, match="this run has finished; --overwrite"):
        train(inputs, tiny_run.folder, config=TINY, resume=True)
    with pytest.raises(UsageError, match="exclude each other"):
        train(inputs, tiny_run.folder, config=TINY, resume=True, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        train(inputs, tmp_path / "file", config=TINY)
    with pytest.raises(UsageError, match="cannot be written"):
        train(inputs, tmp_path / "file" / "run", config=TINY)
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "checkpoint.pt").write_bytes(b"")
    with pytest.raises(UsageError, match="an unfinished run is here; go on with --resume"):
        train(inputs, tmp_path / "unfinished", config=TINY)


def test_standard_input_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (120, 140):
        file = write_fasttext(tmp_path / "a.ft.txt", count)
        stream = io.TextIOWrapper(io.BytesIO(file.read_bytes()))
        monkeypatch.setattr(sys, "stdin", stream)
        run = train(Inputs(train=("-",)), tmp_path / "run", config=TINY, overwrite=True)
        assert run.validation.examples == round(count * 0.1)


def test_a_test_from_standard_input_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    for count in (30, 50):
        other = write_fasttext(tmp_path / "b.ft.txt", count, seed=2)
        stream = io.TextIOWrapper(io.BytesIO(other.read_bytes()))
        monkeypatch.setattr(sys, "stdin", stream)
        inputs = Inputs(train=(str(file),), test=("-",))
        run = train(inputs, tmp_path / "run", config=TINY, overwrite=True)
        assert run.test is not None
        assert run.test.examples == count


def test_classes_and_what_is_odd_about_them_are_told(tmp_path: Path, events) -> None:
    told, watch = events
    file = tmp_path / "a.csv"
    rows = [f"a film,{'12'[at % 2]}" if at else "a film,3" for at in range(300)]
    rows = [row.replace("film", f"film w{at}") for at, row in enumerate(rows)]
    file.write_text("text,label\n" + "\n".join(rows) + "\n", "utf-8")
    inputs = Inputs(train=(str(file),), labels="1=negative,2=positive,3=strange")
    train(inputs, tmp_path / "run", config=TINY, callbacks=[watch])
    said = messages(told)
    assert re.search(
        r"learning from \d+ negative \(labelled 1\); \d+ positive \(labelled 2\); ", said
    )
    assert "1 of 270 reviews are 'strange'" in said or "no validation review is 'strange'" in said


def test_overwriting_with_a_name_that_is_wrong_loses_nothing(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    config = TINY.override({"epochs": 2, "eval_steps": 1})
    with pytest.raises(RuntimeError):
        train(Inputs(train=(str(file),)), tmp_path / "run", config=config, callbacks=[kill])
    with pytest.raises(DataError, match="no such file"):
        train(Inputs(train=("b.ft.txt",)), tmp_path / "run", config=config, overwrite=True)
    inputs = Inputs(train=(str(file),), test=("b.ft.txt",))
    with pytest.raises(DataError, match="no such file"):
        train(inputs, tmp_path / "run", config=config.override({"hidden_size": 4}), overwrite=True)
    run = train(Inputs(train=(str(file),)), tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["stopped"] == "finished"


def test_rows_passed_over_are_told_of_from_the_cache_too(tmp_path: Path, events) -> None:
    told, watch = events
    files = [write_fasttext(tmp_path / name, 60) for name in ("a.ft.txt", "b.ft.txt")]
    for file in files:
        with file.open("a", encoding="utf-8") as more:
            more.write("no label, and [/b] no markup\n")
    inputs = Inputs(
        train=(str(files[0]),), test=(str(files[1]),), read=ReadOptions(on_error="skip")
    )
    for _ in range(2):
        told.clear()
        run = train(inputs, tmp_path / "run", config=TINY, overwrite=True, callbacks=[watch])
        assert run.skipped.count == 2
        assert "2 rows skipped:" in messages(told)


def test_sources_are_lists_of_names_or_paths(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"train = 'a.csv'; pass a list: train=\('a.csv',\)"):
        Inputs(train="a.csv")  # type: ignore[arg-type]
    assert Inputs(train=[tmp_path]).train == (str(tmp_path),)  # type: ignore[arg-type]


def test_own_validation_reviews(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 100)
    valid = write_fasttext(tmp_path / "b.ft.txt", 30, seed=2)
    inputs = Inputs(train=(str(file),), valid=(str(valid),))
    run = train(inputs, tmp_path / "run", config=TINY)
    assert run.validation.examples == 30
    assert run.test is None


def test_three_classes_and_spanish_subwords(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = [
        f'"{text}",{("malo", "regular", "bueno")[at % 3]}'
        for at, (_, text) in enumerate(sample_reviews(150, language="es"))
        if '"' not in text
    ]
    file.write_text("opinión,etiqueta\n" + "\n".join(rows) + "\n", "utf-8")
    config = TINY.override({"tokenizer": "bpe", "max_vocab_size": 400})
    inputs = Inputs(train=(str(file),), labels="malo,regular,bueno")
    run = train(inputs, tmp_path / "run", config=config, baseline=True)
    assert run.bundle.labels.names == ("malo", "regular", "bueno")
    model = load(run.folder)
    assert model.predict_proba(["¿Qué tal?"]).shape == (1, 3)
    assert model.predict_proba(["¿Qué tal?"]).sum() == pytest.approx(1)


def test_vectors_start_the_embedding(tmp_path: Path, events) -> None:
    told, watch = events
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    vectors = tmp_path / "v.txt"
    vectors.write_text("the " + " ".join(["0.5"] * 8) + "\nnowhere " + " ".join(["1"] * 8) + "\n")
    config = TINY.override({"vectors": str(vectors), "freeze_embedding": True})
    run = train(Inputs(train=(str(file),)), tmp_path / "run", config=config, callbacks=[watch])
    row = list(run.bundle.tokenizer.vocabulary).index("the")
    assert restore_classifier(run.bundle).embedding.weight[row].tolist() == [0.5] * 8
    assert "vectors for 1 of" in messages(told)


def test_the_sample_is_labelled_synthetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"": (120, 0), "train": (120, 0), "test": (40, 1)}
    monkeypatch.setattr("sentir.io.builtin._PARTS", small)
    run = train(Inputs(train=("sample_es",), test=("sample_es:test",)), tmp_path, config=TINY)
    assert run.bundle.synthetic
    assert load(tmp_path).bundle.synthetic
    assert "synthetic" in (tmp_path / "report.html").read_text().lower()
    assert not run_module.is_synthetic("reviews.csv")


def test_a_run_can_be_resumed_only_with_its_own_settings(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = Inputs(train=(str(file),))
    config = TINY.override({"epochs": 3, "eval_steps": 1, "patience": 0})

    with pytest.raises(RuntimeError, match="killed"):
        train(inputs, tmp_path / "run", config=config, callbacks=[kill])
    assert not (tmp_path / "run" / "model").exists()
    cache = sorted((tmp_path / "run" / "cache").iterdir())
    for other in ({"hidden_size": 9}, {"min_count": 3}):  # the second asks for other ids, too
        with pytest.raises(DataError, match="other settings or data"):
            train(inputs, tmp_path / "run", config=config.override(other), resume=True)
    assert sorted((tmp_path / "run" / "cache").iterdir()) == cache
    run = train(inputs, tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["stopped"] == "finished"
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_an_interrupted_run_leaves_a_model_and_can_go_on(tmp_path: Path, events) -> None:
    told, watch = events
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = Inputs(train=(str(file),))
    config = TINY.override({"epochs": 3, "eval_steps": 1, "patience": 0})

    def interrupt(event: dict[str, object]) -> None:
        if event["event"] == "step" and event["step"] == 3:
            raise KeyboardInterrupt

    run = train(inputs, tmp_path / "run", config=config, callbacks=[watch, interrupt])
    assert run.bundle.metrics["training"]["stopped"] == "interrupted"
    assert load(tmp_path / "run").predict(["text"])
    assert "--resume goes on" in messages(told)
    run = train(inputs, tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["stopped"] == "finished"


def test_a_run_interrupted_before_its_first_validation_can_go_on(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = Inputs(train=(str(file),))
    config = TINY.override({"epochs": 2, "eval_steps": 1000})

    def interrupt(event: dict[str, object]) -> None:
        if event["event"] == "step" and event["step"] == 2:
            time.sleep(1)
            raise KeyboardInterrupt

    once = train(inputs, tmp_path / "run", config=config, callbacks=[interrupt])
    assert once.bundle.metrics["training"]["stopped"] == "interrupted"
    resumed = train(inputs, tmp_path / "run", config=config, resume=True)
    whole = train(inputs, tmp_path / "whole", config=config)
    assert resumed.bundle.metrics["training"]["stopped"] == "finished"
    for name, weight in resumed.bundle.weights.items():
        assert np.array_equal(weight, whole.bundle.weights[name]), name


def test_seconds_of_a_run_are_those_of_all_its_parts(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = Inputs(train=(str(file),))
    config = TINY.override({"epochs": 2, "eval_steps": 1})

    def wait_and_interrupt(event: dict[str, object]) -> None:
        if event["event"] == "validation" and event["step"] == 1:
            time.sleep(2)
        if event["event"] == "step" and event["step"] == 2:
            raise KeyboardInterrupt

    train(inputs, tmp_path / "run", config=config, callbacks=[wait_and_interrupt])
    run = train(inputs, tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["seconds"] > 2


def test_the_linear_part_is_left_out_until_it_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    told: list[str] = []
    plain = NgramLinear.forward

    def forward(self: NgramLinear, *given: torch.Tensor) -> torch.Tensor:
        assert "end" in told
        return plain(self, *given)

    monkeypatch.setattr(NgramLinear, "forward", forward)
    run = train(
        Inputs(train=(str(file),)),
        tmp_path / "run",
        config=TINY.override({"ngram_buckets": 64}),
        callbacks=[lambda event: told.append(str(event["event"]))],
    )
    assert restore_classifier(run.bundle).ngram_linear is not None
    assert bool(restore_classifier(run.bundle).ngram_linear.word_weights.any())


def test_a_device_that_is_not_there_is_said_before_anything_is_kept(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    with pytest.raises(DeviceError, match="no cuda device here"):
        train(
            Inputs(train=(str(file),)), tmp_path / "run", config=TINY.override({"device": "cuda"})
        )
