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
from sentir.errors import (
    ConfigError,
    DataError,
    DeviceError,
    FinishedRunError,
    SentirWarning,
    UsageError,
)
from sentir.evaluation.history import read_metrics
from sentir.inference.predictor import load
from sentir.io.builtin import is_synthetic
from sentir.nn.ngram_linear import NgramLinear
from sentir.nn.restore import restore_classifier
from sentir.synthetic.reviews import sample_reviews
from sentir.text.tokenizer import WORD_START
from sentir.training.run import Run, train
from sentir.training.run_evaluation import MARKED_WORDS


def test_a_run_leaves_model_report_and_figures(tiny_run: Run) -> None:
    names = {path.name for path in tiny_run.folder.iterdir()}
    assert names == {"run.json", "model", "report.html", "metrics.jsonl", "cache"}
    bundle = {path.name for path in (tiny_run.folder / "model").iterdir()}
    assert bundle == {"model.safetensors", "sentir_tokenizer.json", "config.json", "metrics.json"}
    metrics = json.loads((tiny_run.folder / "model" / "metrics.json").read_text())
    assert set(metrics) == {
        "uncalibrated",
        "validation",
        "test",
        "baseline",
        "training",
        "data",
        "training_data",
        "validation_texts",
    }
    assert {part: found["reviews"] for part, found in metrics["data"].items()} == {
        "train": 300, "validation": 30, "test": 80
    }  # fmt: skip
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
    inputs = {"train": (str(write_fasttext(tmp_path / "a.ft.txt", 120)),)}
    run = tmp_path / "run"
    run.mkdir()
    with (
        FileLock(run / ".lock"),
        pytest.raises(UsageError, match="another process is at work here; wait for it, stop it"),
    ):
        train(**inputs, output=run, config=TINY, resume=True)
    with pytest.raises(DataError, match="no such file"):  # lets go of it again
        train(train=("nowhere.csv",), output=run, config=TINY)
    train(**inputs, output=run, config=TINY)
    assert not (run / ".lock").exists()


def test_the_cache_is_used_again_and_noticed_when_stale(tmp_path: Path, events) -> None:
    told, watch = events
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = {"train": (str(file),)}
    train(**inputs, output=tmp_path / "run", config=TINY, callbacks=[watch])
    assert any(event["event"] == "progress" for event in told)
    told.clear()
    train(**inputs, output=tmp_path / "run", config=TINY, overwrite=True, callbacks=[watch])
    assert not any(event["event"] == "progress" for event in told)
    told.clear()
    train(
        **inputs, output=tmp_path / "run", config=TINY.override({"hidden_size": 4}), overwrite=True
    )
    assert len(list((tmp_path / "run" / "cache").iterdir())) == 1

    write_fasttext(file, 130)
    os.utime(file, ns=(1, 1))
    train(**inputs, output=tmp_path / "run", config=TINY, overwrite=True, callbacks=[watch])
    assert any(event["event"] == "progress" for event in told)
    assert len(list((tmp_path / "run" / "cache").iterdir())) == 1


def test_leakage_between_train_and_test_is_warned_of(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    copied = tmp_path / "b.ft.txt"
    copied.write_text("".join(file.read_text().splitlines(keepends=True)[:7]).upper()
                      .replace("__LABEL__NEGATIVE", "__label__negative")
                      .replace("__LABEL__POSITIVE", "__label__positive"))  # fmt: skip
    with pytest.warns(SentirWarning, match="7 of 7 test reviews are in train too"):
        train(file, tmp_path / "run", test=copied, config=TINY)


def test_skipped_rows_are_counted_and_listed(tmp_path: Path, messages) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    file.write_text(file.read_text() + "no label here\n__label__positive \n")
    with pytest.raises(DataError, match=r"a\.ft\.txt:121"):
        train(train=(str(file),), output=tmp_path / "run", config=TINY)
    inputs = {"train": (str(file),), "on_error": "skip"}
    run = train(**inputs, output=tmp_path / "run", config=TINY)
    assert run.skipped.count == 2
    assert "2 rows skipped" in messages.warned()
    assert "a.ft.txt:122" in messages.warned()


def test_a_failed_reading_leaves_no_half_made_cache(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    file.write_text(file.read_text() + "no label here\n")
    with pytest.raises(DataError):
        train(train=(str(file),), output=tmp_path / "run", config=TINY)
    assert list((tmp_path / "run" / "cache").glob("*")) == []
    assert list((tmp_path / "run" / "cache").glob(".*")) == []


def test_a_folder_with_a_run_is_not_overwritten_unasked(tiny_run: Run, tmp_path: Path) -> None:
    inputs = {"train": ("sample",)}
    with pytest.raises(UsageError, match="a model is here; --overwrite it"):
        train(**inputs, output=tiny_run.folder, config=TINY)
    with pytest.raises(UsageError, match="this run has finished; --overwrite"):
        train(**inputs, output=tiny_run.folder, config=TINY, resume=True)
    with pytest.raises(UsageError, match="exclude each other"):
        train(**inputs, output=tiny_run.folder, config=TINY, resume=True, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        train(**inputs, output=tmp_path / "file", config=TINY)
    with pytest.raises(UsageError, match="cannot be written"):
        train(**inputs, output=tmp_path / "file" / "run", config=TINY)
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "checkpoint.pt").write_bytes(b"")
    (tmp_path / "unfinished" / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="an unfinished run is here; go on with --resume"):
        train(**inputs, output=tmp_path / "unfinished", config=TINY)


def test_standard_input_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (120, 140):
        file = write_fasttext(tmp_path / "a.ft.txt", count)
        stream = io.TextIOWrapper(io.BytesIO(file.read_bytes()))
        monkeypatch.setattr(sys, "stdin", stream)
        run = train(train=("-",), output=tmp_path / "run", config=TINY, overwrite=True)
        assert run.validation.examples == round(count * 0.1)


def test_a_test_from_standard_input_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    for count in (30, 50):
        other = write_fasttext(tmp_path / "b.ft.txt", count, seed=2)
        stream = io.TextIOWrapper(io.BytesIO(other.read_bytes()))
        monkeypatch.setattr(sys, "stdin", stream)
        inputs = {"train": (str(file),), "test": ("-",)}
        run = train(**inputs, output=tmp_path / "run", config=TINY, overwrite=True)
        assert run.test is not None
        assert run.test.examples == count


def test_classes_and_what_is_odd_about_them_are_reported(tmp_path: Path, messages) -> None:
    file = tmp_path / "a.csv"
    rows = [f"a film,{'12'[at % 2]}" if at else "a film,3" for at in range(300)]
    rows = [row.replace("film", f"film w{at}") for at, row in enumerate(rows)]
    file.write_text("text,label\n" + "\n".join(rows) + "\n", "utf-8")
    inputs = {"train": (str(file),), "labels": "1=negative,2=positive,3=strange"}
    train(**inputs, output=tmp_path / "run", config=TINY)
    assert re.search(
        r"training: \d+ reviews of class negative \(labelled 1\); \d+ reviews of class positive "
        r"\(labelled 2\); 1 review of class strange",
        messages.logged(),
    )
    assert re.search(
        "1 of 270 reviews are of class strange|no validation review is of class strange",
        messages.warned(),
    )


def test_overwriting_with_a_name_that_is_wrong_loses_nothing(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    config = TINY.override({"epochs": 2, "eval_steps": 1})
    with pytest.raises(RuntimeError):
        train(train=(str(file),), output=tmp_path / "run", config=config, callbacks=[kill])
    with pytest.raises(DataError, match="no such file"):
        train(train=("b.ft.txt",), output=tmp_path / "run", config=config, overwrite=True)
    inputs = {"train": (str(file),), "test": ("b.ft.txt",)}
    with pytest.raises(DataError, match="no such file"):
        train(
            **inputs,
            output=tmp_path / "run",
            config=config.override({"hidden_size": 4}),
            overwrite=True,
        )
    run = train(train=(str(file),), output=tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["stopped"] == "finished"


def test_skipped_rows_are_warned_of_from_the_cache_too(tmp_path: Path, messages) -> None:
    files = [write_fasttext(tmp_path / name, 60) for name in ("a.ft.txt", "b.ft.txt")]
    for file in files:
        with file.open("a", encoding="utf-8") as more:
            more.write("no label, and [/b] no markup\n")
    inputs = {"train": (str(files[0]),), "test": (str(files[1]),), "on_error": "skip"}
    for _ in range(2):
        messages.clear()
        run = train(**inputs, output=tmp_path / "run", config=TINY, overwrite=True)
        assert run.skipped.count == 2
        assert "2 rows skipped:" in messages.warned()


@pytest.mark.parametrize("kind", [str, Path, lambda path: [path], lambda path: (str(path),)])
def test_sources_are_paths_or_lists_of_paths(tmp_path: Path, kind, messages) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 100)
    assert train(kind(file), str(tmp_path / "run"), config=TINY).validation.examples == 10


@pytest.mark.parametrize("sources", [3, None, [3]])
def test_sources_of_another_kind_are_refused(tmp_path: Path, sources: object) -> None:
    with pytest.raises(UsageError, match=r"train = .*; pass a path, or a list of paths"):
        train(sources, tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_settings_are_given_by_name(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = [f'"{text}",{label}' for label, text in sample_reviews(100)]
    file.write_text("opinion,verdict\n" + "\n".join(rows), "utf-8")
    with pytest.raises(ConfigError, match="no setting 'hiden_size'; did you mean 'hidden_size'"):
        train(file, tmp_path / "run", hiden_size=3)
    with pytest.raises(ConfigError, match="hidden_size = 0"):
        train(file, tmp_path / "run", hidden_size=0)
    with pytest.raises(ConfigError, match="on_error = 'ignore'"):
        train(file, tmp_path / "run", on_error="ignore")
    with pytest.raises(UsageError, match="both a preset and a config"):
        train(file, tmp_path / "run", preset="fast", config=TINY)
    run = train(
        file, tmp_path / "run", config=TINY, text_column=("opinion",), label_column="verdict",
        hidden_size=5, seed=3,
    )  # fmt: skip
    assert run.bundle.config == TINY.override({"hidden_size": 5, "seed": 3})


def test_own_validation_reviews(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 100)
    valid = write_fasttext(tmp_path / "b.ft.txt", 30, seed=2)
    inputs = {"train": (str(file),), "valid": (str(valid),)}
    run = train(**inputs, output=tmp_path / "run", config=TINY)
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
    config = TINY.override({"tokenizer": "bpe", "max_vocab_size": 400, "ngram_buckets": 4096})
    inputs = {"train": (str(file),), "labels": "malo,regular,bueno"}
    run = train(**inputs, output=tmp_path / "run", config=config, baseline=True)
    assert run.bundle.labels.names == ("malo", "regular", "bueno")
    model = load(run.folder)
    assert model.predict_proba(["¿Qué tal?"]).shape == (1, 3)
    assert model.predict_proba(["¿Qué tal?"]).sum() == pytest.approx(1)
    report = (run.folder / "report.html").read_text("utf-8")
    assert "What speaks for each class" in report
    marked = re.findall(r'<ul class="effects".*?</ul>', report)
    assert marked
    for words in marked:  # whole words of subwords, the largest effect first
        assert WORD_START not in words
        effects = [float(x.replace("−", "-")) for x in re.findall(r"</bdi> (\S+)</li>", words)]
        assert 0 < len(effects) <= MARKED_WORDS
        assert sorted(effects, key=abs, reverse=True) == effects


def test_vectors_start_the_embedding(tmp_path: Path, messages) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    vectors = tmp_path / "v.txt"
    vectors.write_text("the " + " ".join(["0.5"] * 8) + "\nnowhere " + " ".join(["1"] * 8) + "\n")
    config = TINY.override({"embedding_init": str(vectors), "freeze_embedding": True})
    run = train(train=(str(file),), output=tmp_path / "run", config=config)
    row = list(run.bundle.tokenizer.vocabulary).index("the")
    assert restore_classifier(run.bundle).embedding.weight[row].tolist() == [0.5] * 8
    assert "vectors for 1 of" in messages.logged()


def test_the_sample_is_labelled_synthetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"": (120, 0), "train": (120, 0), "test": (40, 1)}
    monkeypatch.setattr("sentir.io.builtin._SPLITS", small)
    run = train(train=("sample_es",), test=("sample_es:test",), output=tmp_path, config=TINY)
    assert run.bundle.synthetic
    assert load(tmp_path).bundle.synthetic
    assert "synthetic" in (tmp_path / "report.html").read_text().lower()
    assert not is_synthetic("reviews.csv")


def test_a_run_can_be_resumed_only_with_its_own_settings(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = {"train": (str(file),)}
    config = TINY.override({"epochs": 3, "eval_steps": 1, "patience": 0})

    with pytest.raises(RuntimeError, match="killed"):
        train(**inputs, output=tmp_path / "run", config=config, callbacks=[kill])
    assert not (tmp_path / "run" / "model").exists()
    cache = sorted((tmp_path / "run" / "cache").iterdir())
    for other in ({"hidden_size": 9}, {"min_count": 3}):  # the second asks for other ids, too
        with pytest.raises(DataError, match="other settings or data"):
            train(**inputs, output=tmp_path / "run", config=config.override(other), resume=True)
    assert sorted((tmp_path / "run" / "cache").iterdir()) == cache
    run = train(**inputs, output=tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["stopped"] == "finished"
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_an_interrupted_run_leaves_a_model_and_can_go_on(tmp_path: Path, messages) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = {"train": (str(file),)}
    config = TINY.override({"epochs": 3, "eval_steps": 1, "patience": 0})

    def interrupt(event: dict[str, object]) -> None:
        if event["event"] == "step" and event["step"] == 3:
            raise KeyboardInterrupt

    run = train(**inputs, output=tmp_path / "run", config=config, callbacks=[interrupt])
    assert run.bundle.metrics["training"]["stopped"] == "interrupted"
    assert load(tmp_path / "run").predict(["text"])
    assert "--resume goes on" in messages.logged()
    run = train(**inputs, output=tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["stopped"] == "finished"


def test_a_run_interrupted_before_its_first_validation_can_go_on(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = {"train": (str(file),)}
    config = TINY.override({"epochs": 2, "eval_steps": 1000})

    def interrupt(event: dict[str, object]) -> None:
        if event["event"] == "step" and event["step"] == 2:
            time.sleep(1)
            raise KeyboardInterrupt

    once = train(**inputs, output=tmp_path / "run", config=config, callbacks=[interrupt])
    assert once.bundle.metrics["training"]["stopped"] == "interrupted"
    resumed = train(**inputs, output=tmp_path / "run", config=config, resume=True)
    whole = train(**inputs, output=tmp_path / "whole", config=config)
    assert resumed.bundle.metrics["training"]["stopped"] == "finished"
    for name, weight in resumed.bundle.weights.items():
        assert np.array_equal(weight, whole.bundle.weights[name]), name


def test_seconds_of_a_run_are_those_of_all_its_parts(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = {"train": (str(file),)}
    config = TINY.override({"epochs": 2, "eval_steps": 1})

    def wait_and_interrupt(event: dict[str, object]) -> None:
        if event["event"] == "validation" and event["step"] == 1:
            time.sleep(2)
        if event["event"] == "step" and event["step"] == 2:
            raise KeyboardInterrupt

    train(**inputs, output=tmp_path / "run", config=config, callbacks=[wait_and_interrupt])
    run = train(**inputs, output=tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["seconds"] >= 2


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
        train=(str(file),),
        output=tmp_path / "run",
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
        train(train=(str(file),), output=tmp_path / "run", config=TINY.override({"device": "cuda"}))


def test_a_repeated_command_goes_on_elsewhere_and_ends_once(tmp_path: Path) -> None:
    """As torchrun repeats it after a failure, on a host where all has another name and time."""
    options = {"config": TINY, "resume_if_begun": True, "eval_steps": 2}
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    write_fasttext(here / "reviews.txt", 200)
    with pytest.raises(RuntimeError, match="killed"):
        train(here / "reviews.txt", here / "run", callbacks=[kill], **options)
    train(here / "reviews.txt", tmp_path / "whole", **options)
    here.rename(there)
    os.utime(there / "reviews.txt", ns=(0, 7))
    run = train(there / "reviews.txt", there / "run", **options)
    wanted, got = (
        (folder / "model" / "model.safetensors").read_bytes()
        for folder in (tmp_path / "whole", there / "run")
    )
    assert got == wanted
    assert [row["step"] for row in read_metrics(there / "run" / "metrics.jsonl")][-1] == 6
    with pytest.raises(FinishedRunError, match="this run has finished"):
        train(there / "reviews.txt", run.folder, **options)
    with pytest.raises(UsageError, match="a model is here"):
        train(there / "reviews.txt", run.folder, **{**options, "seed": 1})
    (run.folder / "run.json").write_text("[]")
    with pytest.raises(UsageError, match="a model is here"):
        train(there / "reviews.txt", run.folder, **options)
