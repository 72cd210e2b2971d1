"""A trained model goes on learning: what stays, what grows, what is measured."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.tiny_runs import TINY, kill, write_fasttext
from sentir.bundle import Bundle, load_bundle, save_threshold
from sentir.confidence import Answered, ConfidenceThreshold
from sentir.config import Config
from sentir.errors import BundleError, ConfigError, DataError, SentirWarning, UsageError
from sentir.inference.predictor import load
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import restore_classifier
from sentir.synthetic.reviews import sample_reviews
from sentir.training.continuation import copy_known_, copy_known_ngrams_
from sentir.training.pretrain import pretrain
from sentir.training.run import Run, train

SETTINGS = TINY.override({"ngram_buckets": 4096, "embedding_skip": True, "learning_rate": 0.01,
                          "epochs": 2})  # fmt: skip


@pytest.fixture(scope="module")
def old_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("old")
    files = (
        write_fasttext(folder / "a.ft.txt", 200),
        write_fasttext(folder / "t.ft.txt", 60, seed=1),
    )
    return train(files[0], folder / "run", test=files[1], config=SETTINGS)


def new_reviews(path: Path, *, mixed: int = 60, seed: int = 3) -> Path:
    """Reviews with a word that is new, and with a class that is new unless `mixed` is 0."""
    rows = [f"__label__{label} zumbido {text}" for label, text in sample_reviews(120, seed=seed)]
    if mixed:
        others = sample_reviews(mixed, seed=seed + 1)
        rows += [f"__label__mixed quizas {text}" for _, text in others]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def grown(bundle: Bundle, *, words: int, classes: int) -> SentimentClassifier:
    torch.manual_seed(0)
    vocabulary = len(bundle.tokenizer.vocabulary) + words
    network = SentimentClassifier(bundle.config.model, vocabulary=vocabulary, classes=classes)
    copy_known_(bundle, network)
    copy_known_ngrams_(bundle, network)
    return network.eval()


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_before_the_first_step_the_answers_are_the_old_ones(old_run: Run, classes: int) -> None:
    old, network = (
        restore_classifier(old_run.bundle),
        grown(old_run.bundle, words=7, classes=classes),
    )
    ids_BT = torch.randint(1, len(old_run.bundle.tokenizer.vocabulary), (9, 20))
    lengths_B = torch.tensor([20, 1, 7, 3, 20, 2, 4, 9, 12])
    with torch.no_grad():
        old_BO, new_BO = old(ids_BT, lengths_B), network(ids_BT, lengths_B)
    odds_B = new_BO[:, 0] if classes == 2 else new_BO[:, 1] - new_BO[:, 0]
    torch.testing.assert_close(odds_B, old_BO[:, 0], rtol=1e-6, atol=1e-6)
    assert not new_BO[:, 2:].any()


def test_more_classes_than_two_grow_too(old_run: Run, tmp_path: Path) -> None:
    three = train(new_reviews(tmp_path / "a.ft.txt"), tmp_path / "run", config=SETTINGS)
    old, network = restore_classifier(three.bundle), grown(three.bundle, words=2, classes=4)
    ids_BT, lengths_B = torch.randint(1, 50, (4, 9)), torch.tensor([9, 5, 1, 8])
    with torch.no_grad():
        old_BO, new_BO = old(ids_BT, lengths_B), network(ids_BT, lengths_B)
    torch.testing.assert_close(new_BO[:, :3], old_BO)
    assert not new_BO[:, 3].any()


def test_new_words_and_a_new_class_are_learnt(old_run: Run, tmp_path: Path) -> None:
    run = train(new_reviews(tmp_path / "a.ft.txt"), tmp_path / "run", from_model=old_run.folder,
                epochs=4)  # fmt: skip
    old_words, words = (one.bundle.tokenizer.vocabulary for one in (old_run, run))
    assert words[: len(old_words)] == old_words
    assert {"zumbido", "quizas"} <= {*words[len(old_words) :]}
    assert run.bundle.labels.names == ("negative", "positive", "mixed")
    assert run.bundle.columns == old_run.bundle.columns
    new, old = run.forgetting
    assert (new.reviews, old.reviews) == ("new validation", "old test")
    assert new.after == run.validation  # of a model that has not learnt from these reviews
    assert new.after.accuracy > new.before.accuracy
    assert new.before.classes[2].recall == 0
    assert old.before.accuracy == pytest.approx(old_run.test.accuracy)  # type: ignore[union-attr]
    assert old.before.loss == pytest.approx(old_run.test.loss)  # type: ignore[union-attr]
    metrics = json.loads((run.folder / "model" / "metrics.json").read_text("utf-8"))
    assert [part["reviews"] for part in metrics["forgetting"]] == ["new validation", "old test"]
    assert metrics["training"]["from_model"] == str(old_run.folder)
    assert metrics["training"]["from_checksum"] == load_bundle(old_run.folder).checksum
    page = (run.folder / "report.html").read_text("utf-8")
    assert "Before and after" in page
    assert "60 of the old test reviews" in page
    assert "the new class mixed" in page
    assert load(run.folder).predict(["quizas"])[0].label == "mixed"


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of its few reviews
def test_the_coverage_that_was_promised_is_promised_again(old_run: Run, tmp_path: Path) -> None:
    old = shutil.copytree(old_run.folder, tmp_path / "old")
    answered = Answered(examples=10, answered=8, correct=8)
    save_threshold(old, ConfidenceThreshold(value=0.6, coverage=0.75, validation=answered))
    file = new_reviews(tmp_path / "a.ft.txt", mixed=0)
    for given, coverage in (({}, 0.75), ({"coverage": 0.5}, 0.5)):
        run = train(file, tmp_path / f"{coverage}", from_model=old, **given)  # type: ignore[arg-type]
        assert run.bundle.threshold is not None
        assert run.bundle.threshold.coverage == coverage
        assert run.bundle.threshold.validation.examples == 12
        assert run.answered is not None


def test_settings_are_those_of_the_model(old_run: Run, tmp_path: Path) -> None:
    file = new_reviews(tmp_path / "a.ft.txt", mixed=0)
    run = train(file, tmp_path / "run", from_model=old_run.folder, learning_rate=0.002)
    assert run.bundle.config == SETTINGS.override({"learning_rate": 0.002})
    free = {"min_count": 1, "max_vocab_size": 5000, "max_length": 30, "head_dropout": 0.0,
            "freeze_embedding": True}  # fmt: skip
    run = train(file, tmp_path / "other", from_model=run.folder / "model", **free)
    assert run.bundle.config == SETTINGS.override({"learning_rate": 0.002, **free})
    assert run.bundle.labels.names == ("negative", "positive")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"embedding_dim": 9}, ConfigError, "embedding_dim = 9, and the model has 8; leave embed"),
        ({"clean": ("lower",)}, ConfigError, r"clean = \['lower'\], and the model has"),
        ({"config": Config()}, ConfigError, "cell = 'gru', and the model has 'lstm'"),
        ({"preset": "fast"}, UsageError, "the preset fast, and the settings are the model's"),
        ({"from_lm": "runs/lm"}, UsageError, "both --from-lm and --from-model"),
        ({"labels": "a,b"}, DataError, "label 'mixed' is not one of a, b, neg"),
        ({"old_test": "nowhere.csv"}, DataError, "nowhere.csv: no such file"),
    ],
)  # fmt: skip
def test_what_cannot_be(
    old_run: Run, tmp_path: Path, given: dict[str, object], error: type[Exception], message: str
) -> None:
    file = new_reviews(tmp_path / "a.ft.txt")
    with pytest.raises(error, match=message):
        train(file, tmp_path / "run", from_model=old_run.folder, **given)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_models_that_cannot_go_on(old_run: Run, tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 60)
    small = {"embedding_dim": 4, "hidden_size": 4, "epochs": 1, "max_length": 20}
    pretrain(file, tmp_path / "lm", **small)
    with pytest.raises(BundleError, match="a language model, which has learnt no labels"):
        train(file, tmp_path / "run", from_model=tmp_path / "lm")
    with pytest.raises(BundleError, match="no model here"):
        train(file, tmp_path / "run", from_model=tmp_path)
    for output in (old_run.folder, old_run.folder / "model" / ".." / "."):
        with pytest.raises(UsageError, match="the run would replace the model that it starts from"):
            train(file, output, from_model=old_run.folder, overwrite=True)
    with pytest.raises(UsageError, match="no model that goes on learning"):
        train(file, tmp_path / "run", old_test=file)


def test_a_killed_run_resumes_to_the_same_weights(old_run: Run, tmp_path: Path) -> None:
    file = new_reviews(tmp_path / "a.ft.txt")
    given = {"train": file, "from_model": old_run.folder, "eval_steps": 1}
    whole = train(**given, output=tmp_path / "whole")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="killed"):
        train(**given, output=tmp_path / "killed", callbacks=[kill])  # type: ignore[arg-type]
    resumed = train(**given, output=tmp_path / "killed", resume=True)  # type: ignore[arg-type]
    for name, weight in whole.bundle.weights.items():
        np.testing.assert_array_equal(resumed.bundle.weights[name], weight)
    assert resumed.forgetting == whole.forgetting


def test_another_model_is_no_run_to_resume(old_run: Run, tmp_path: Path) -> None:
    file = new_reviews(tmp_path / "a.ft.txt")
    with pytest.raises(RuntimeError, match="killed"):
        train(file, tmp_path / "run", from_model=old_run.folder, callbacks=[kill])
    other = train(file, tmp_path / "other", from_model=old_run.folder)
    with pytest.raises((DataError, ConfigError), match="other settings or data"):
        train(file, tmp_path / "run", from_model=other.folder, resume=True)


def test_forgetting_is_measured_on_given_files(old_run: Run, tmp_path: Path) -> None:
    """Whose columns are those of the old model, not those that the options name."""
    old = tmp_path / "old.csv"
    old.write_text("text,label\n" + "".join(
        f'"{text}",{label}\n' for label, text in sample_reviews(30, seed=8) if '"' not in text
    ))  # fmt: skip
    file = tmp_path / "new.csv"
    file.write_text("what,said\n" + "".join(
        f'{label},"{text}"\n' for label, text in sample_reviews(90, seed=9) if '"' not in text
    ))  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SentirWarning)
        run = train(file, tmp_path / "run", from_model=old_run.folder, old_test=old,
                    text_column="said", label_column="what")  # fmt: skip
    assert [part.reviews for part in run.forgetting] == ["new validation", "old test"]
    assert 25 <= run.forgetting[1].before.examples <= 30


def test_without_old_reviews_forgetting_is_not_known(old_run: Run, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(old_run.folder / "model", model)
    file = new_reviews(tmp_path / "a.ft.txt", mixed=0)
    test = write_fasttext(tmp_path / "t.ft.txt", 30, seed=9)
    with pytest.warns(SentirWarning, match="what the model has forgotten is not known"):
        run = train(file, tmp_path / "run", from_model=model, test=test)
    assert [part.reviews for part in run.forgetting] == ["new test"]
    assert "Forgetting was not measured" in (run.folder / "report.html").read_text("utf-8")


def test_who_goes_on_twice_is_measured_on_all_old_test_reviews(
    old_run: Run, tmp_path: Path
) -> None:
    file, test = new_reviews(tmp_path / "a.ft.txt"), new_reviews(tmp_path / "t.ft.txt", seed=7)
    second = train(file, tmp_path / "second", from_model=old_run.folder, test=test)
    third = train(file, tmp_path / "third", from_model=second.folder)
    assert [part.reviews for part in third.forgetting] == ["new validation", "old test"]
    assert third.forgetting[1].before.examples == 60 + 180
    fourth = train(file, tmp_path / "fourth", from_model=third.folder)
    assert fourth.forgetting[1].before.examples == 60 + 180


def test_a_class_without_new_reviews_is_warned_of(old_run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.ft.txt"
    rows = [f"__label__{'positive' if label == 'positive' else 'mixed'} {text}"
            for label, text in sample_reviews(120, seed=3)]  # fmt: skip
    file.write_text("\n".join(rows) + "\n", "utf-8")
    with pytest.warns(SentirWarning) as caught:
        run = train(file, tmp_path / "run", from_model=old_run.folder)
    said = [str(one.message) for one in caught]
    assert any("no training review is of class negative, which the model knows" in s for s in said)
    assert run.bundle.labels.names == ("negative", "positive", "mixed")


def test_subwords_stay(tmp_path: Path) -> None:
    config = SETTINGS.override({"tokenizer": "bpe", "max_vocab_size": 300})
    old = train(write_fasttext(tmp_path / "a.ft.txt", 120), tmp_path / "old", config=config)
    with pytest.warns(SentirWarning, match="forgotten is not known"):
        run = train(new_reviews(tmp_path / "b.ft.txt"), tmp_path / "run", from_model=old.folder)
    assert run.bundle.tokenizer.vocabulary == old.bundle.tokenizer.vocabulary
    assert run.bundle.labels.names == ("negative", "positive", "mixed")


def test_a_full_vocabulary_takes_no_new_words(tmp_path: Path, old_run: Run) -> None:
    words = len(old_run.bundle.tokenizer.vocabulary)
    file = new_reviews(tmp_path / "b.ft.txt", mixed=0)
    run = train(file, tmp_path / "run", from_model=old_run.folder, max_vocab_size=words)
    assert run.bundle.tokenizer.vocabulary == old_run.bundle.tokenizer.vocabulary


def test_labels_of_another_scheme_are_refused(old_run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,label\n" + "".join(
        f'"{text}",{1 + 4 * (label == "positive")}\n' for label, text in sample_reviews(80)
        if '"' not in text
    ))  # fmt: skip
    with pytest.raises(DataError, match="the labels are stars"):
        train(file, tmp_path / "run", from_model=old_run.folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SentirWarning)
        run = train(file, tmp_path / "run", from_model=old_run.folder, labels="stars")
    assert run.bundle.labels == old_run.bundle.labels
