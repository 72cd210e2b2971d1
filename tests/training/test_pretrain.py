"""From reviews without labels to a language model, and from that to a classifier."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.tiny_runs import TINY, kill, write_fasttext
from sentir.bundle import load_bundle, load_language_model, save_bundle
from sentir.config import PretrainConfig
from sentir.data.encoding import TextCorpora
from sentir.errors import BundleError, ConfigError, DataError, UsageError
from sentir.nn.padding import reversal_index
from sentir.nn.restore import restore_classifier, restore_language_model
from sentir.synthetic.reviews import sample_reviews
from sentir.text.tokenizer import PAD
from sentir.training import ppmi
from sentir.training.ppmi import fill_ppmi_
from sentir.training.pretrain import Pretraining, pretrain
from sentir.training.run import train
from sentir.training.transfer import common_component, defaults_for, settings_from

SMALL = PretrainConfig().override(
    {"embedding_dim": 8, "hidden_size": 6, "epochs": 1, "batch_size": 32, "max_length": 40,
     "num_sampled": 100, "device": "cpu"}
)  # fmt: skip


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Pretraining:
    """A language model of 200 unlabelled and 100 labelled sample reviews."""
    folder = tmp_path_factory.mktemp("lm")
    texts = [text for _, text in sample_reviews(200)]
    (folder / "unlabelled.txt").write_text("\n".join(texts) + "\n", "utf-8")
    labelled = write_fasttext(folder / "labelled.ft.txt", 100, seed=1)
    sources = [str(folder / "unlabelled.txt"), str(labelled)]
    return pretrain(sources, folder / "run", config=SMALL)


def test_a_run_leaves_a_language_model_and_figures(pretrained: Pretraining) -> None:
    names = {path.name for path in pretrained.folder.iterdir()}
    assert names == {"run.json", "model", "metrics.jsonl", "cache"}
    loaded = load_language_model(pretrained.folder)
    assert loaded.config == SMALL
    assert loaded.metrics["training"]["reviews"] == 270  # a tenth is held out
    assert loaded.metrics["validation"]["perplexity"] > 1
    ours, theirs = pretrained.bundle.weights, loaded.weights
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert not loaded.synthetic


def test_a_language_model_answers_no_review(pretrained: Pretraining) -> None:
    with pytest.raises(BundleError, match="a language model, which has learnt no labels; train"):
        load_bundle(pretrained.folder)


def test_a_classifier_is_no_language_model(pretrained: Pretraining, tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    train(train=(str(file),), output=tmp_path / "run", config=TINY)
    with pytest.raises(BundleError, match="not a language model; make one with sentir pretrain"):
        load_language_model(tmp_path / "run")


@pytest.mark.parametrize("name", ["model.safetensors", "sentir_tokenizer.json", "metrics.json"])
def test_a_damaged_language_model_is_refused(
    pretrained: Pretraining, tmp_path: Path, name: str
) -> None:
    shutil.copytree(pretrained.folder / "model", tmp_path / "model")
    content = (tmp_path / "model" / name).read_bytes()
    (tmp_path / "model" / name).write_bytes(content[:-3] + b"xxx")
    with pytest.raises(BundleError, match="damaged") as caught:
        load_language_model(tmp_path / "model")
    assert caught.value.where == str(tmp_path / "model" / name)


def test_parts_that_do_not_fit_are_refused(pretrained: Pretraining, tmp_path: Path) -> None:
    from dataclasses import replace

    other = replace(pretrained.bundle, config=SMALL.override({"hidden_size": 7}))
    save_bundle(other, tmp_path / "model")
    with pytest.raises(BundleError, match="its parts do not fit"):
        restore_language_model(load_language_model(tmp_path / "model"))


def test_a_classifier_begins_with_the_language_model(
    pretrained: Pretraining, tmp_path: Path, events, messages
) -> None:
    told, watch = events
    lm = load_language_model(pretrained.folder)
    file = write_fasttext(tmp_path / "a.ft.txt", 120, seed=3)
    test = write_fasttext(tmp_path / "b.ft.txt", 30, seed=4)
    inputs = {"train": (str(file),), "test": (str(test),)}
    # Nothing but the head learns in half of the only epoch, and the rest at a rate of nearly 0.
    config = TINY.override(settings_from(lm)).override(
        {"gradual_unfreezing": 0.5, "layerwise_lr_decay": 1e-6}
    )
    run = train(**inputs, output=tmp_path / "run", config=config, from_lm=pretrained.folder,
                callbacks=[watch])  # fmt: skip
    assert run.bundle.tokenizer.vocabulary == lm.tokenizer.vocabulary
    model = restore_classifier(run.bundle)
    ids_BT, lengths_B = torch.tensor([[5, 1, 9, 3], [4, 7, 0, 0]]), torch.tensor([4, 2])
    reversal_index_TB = reversal_index(lengths_B, 4)
    states_TBF = model.layers[0](model.embedding(ids_BT.T), reversal_index_TB)
    source = restore_language_model(lm)
    wanted_TBF = source.layer(source.embedding(ids_BT.T), reversal_index_TB)
    for text, length in enumerate(lengths_B):  # the vectors are rounded to 16 bits
        torch.testing.assert_close(
            states_TBF[:length, text], wanted_TBF[:length, text], rtol=0, atol=1e-4
        )
    # What the vectors had in common is the layer's now.
    assert common_component(source.embedding.weight).norm() > 0.01
    assert common_component(model.embedding.weight).norm() < 1e-4
    assert not model.embedding.weight[PAD].any()
    assert "start from the language model's, of perplexity" in messages.logged()
    assert run.test is not None
    assert run.test.examples == 30
    told.clear()  # the same words are read from the cache, those of another model are not
    train(**inputs, output=tmp_path / "run", config=config, from_lm=pretrained.folder,
          overwrite=True, callbacks=[watch])  # fmt: skip
    assert not any(event["event"] == "progress" for event in told)
    train(**inputs, output=tmp_path / "run", config=config, overwrite=True, callbacks=[watch])
    assert any(event["event"] == "progress" for event in told)


def test_without_settings_the_language_model_s_are_taken(
    pretrained: Pretraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentir import config as config_module

    monkeypatch.setitem(config_module.PRESETS, "best", TINY)
    file = write_fasttext(tmp_path / "a.ft.txt", 80, seed=3)
    run = train(train=(str(file),), output=tmp_path / "run", from_lm=pretrained.folder)
    assert run.bundle.config.train == TINY.train
    assert run.bundle.config.model.hidden_size == 6
    assert run.bundle.config.text.max_vocab_size == 30_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"hidden_size": 9},
            "hidden_size = 9, and the language model has 6; leave hidden_size unset",
        ),
        ({"num_layers": 2}, "num_layers = 2, and the language model has 1"),
        ({"bidirectional": False}, "bidirectional = False, and the language model has True"),
        ({"cell": "gru"}, "cell = 'gru', and the language model has 'lstm'"),
        ({"min_count": 5}, "min_count = 5, and the language model has 2"),
        ({"clean": ["nfc"]}, "clean = .*, and the language model has"),
        (
            {"embedding_init": "v.txt"},
            "embedding_init = 'v.txt', and the language model has vectors",
        ),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_are_refused(
    pretrained: Pretraining, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    config = TINY.override(settings_from(pretrained.bundle)).override(changes)
    with pytest.raises(ConfigError, match=message) as caught:
        train(train=("sample",), output=tmp_path / "run", config=config,
              from_lm=pretrained.folder)  # fmt: skip
    assert caught.value.where == str(pretrained.folder)
    assert not (tmp_path / "run").exists()


def test_a_run_from_a_language_model_is_resumed_with_it_only(
    pretrained: Pretraining, tmp_path: Path
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    inputs = {"train": (str(file),)}
    config = TINY.override(settings_from(pretrained.bundle)).override(
        {"epochs": 3, "eval_steps": 1, "patience": 0}
    )

    for name in ("whole", "pieces"):
        given = {"config": config, "from_lm": pretrained.folder}
        if name == "pieces":
            with pytest.raises(RuntimeError, match="killed"):
                train(**inputs, output=tmp_path / name, callbacks=[kill], **given)
            with pytest.raises(DataError, match="other settings or data"):
                train(**inputs, output=tmp_path / name, config=config, resume=True)
            train(**inputs, output=tmp_path / name, resume=True, **given)
        else:
            train(**inputs, output=tmp_path / name, **given)
    weights = [(tmp_path / name / "model" / "model.safetensors").read_bytes()
               for name in ("whole", "pieces")]  # fmt: skip
    assert weights[0] == weights[1]


def test_subwords_go_along(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 150, language="es")
    config = SMALL.override({"tokenizer": "bpe", "max_vocab_size": 300})
    lm = pretrain([str(file)], tmp_path / "lm", config=config)
    settings = TINY.override(settings_from(lm.bundle))
    run = train(train=(str(file),), output=tmp_path / "run", config=settings, from_lm=lm.folder)
    assert run.bundle.tokenizer.vocabulary == lm.bundle.tokenizer.vocabulary
    assert run.bundle.tokenizer.encode(["¿Qué tal?"]) == lm.bundle.tokenizer.encode(["¿Qué tal?"])


def test_a_language_model_goes_on_learning(
    pretrained: Pretraining, tmp_path: Path, messages
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 150, seed=5)  # reviews of its kind, but others
    config = (
        defaults_for(pretrained.bundle)
        .override(SMALL.to_dict())
        .override({"max_length": 30, "epochs": 4, "learning_rate": 0.01})
    )
    runs = {
        name: pretrain([str(file)], tmp_path / name, config=settings, from_lm=pretrained.folder
                       ).bundle
        for name, settings in (("still", config.override({"learning_rate": 1e-9})),
                               ("on", config))
    }  # fmt: skip
    assert "continues from one of perplexity" in messages.logged()
    for run in runs.values():
        assert run.tokenizer.vocabulary == pretrained.bundle.tokenizer.vocabulary
        assert run.config.text.max_length == 30
        assert run.metrics["training"]["from_lm"] == str(pretrained.folder)
    for name, weight in pretrained.bundle.weights.items():
        np.testing.assert_allclose(runs["still"].weights[name], weight, rtol=1.3e-6, atol=1e-5)
    found = {name: run.metrics["validation"]["perplexity"] for name, run in runs.items()}
    assert found["on"] < 0.9 * found["still"]


def test_how_many_words_are_unknown_is_said(
    pretrained: Pretraining, tmp_path: Path, messages
) -> None:
    """And warned of where they are so many that it has learnt another language."""
    files = {name: str(write_fasttext(tmp_path / f"{name}.ft.txt", 60, seed=5, language=name))
             for name in ("en", "es")}  # fmt: skip
    config = defaults_for(pretrained.bundle).override({"epochs": 1})
    pretrain([files["en"]], tmp_path / "en", config=config, from_lm=pretrained.folder)  # fmt: skip
    assert "unknown to it" not in messages.warned()
    assert re.search(r"; \d\.\d% of the words here are unknown to it$", messages.logged(), re.M)
    train(
        train=(files["es"],), output=tmp_path / "es", from_lm=pretrained.folder,
        config=TINY.override(settings_from(pretrained.bundle)),
    )  # fmt: skip
    warning = "is it of the same language? sentir pretrain trains one on these reviews"
    assert warning in messages.warned()


def test_without_settings_a_language_model_goes_on_with_its_own(
    pretrained: Pretraining, tmp_path: Path
) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 60, seed=5)
    run = pretrain([str(file)], tmp_path / "run", from_lm=pretrained.folder)
    assert run.bundle.config.model == SMALL.model
    assert run.bundle.config.text == SMALL.text
    assert run.bundle.config.train == PretrainConfig().train


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"embedding_dim": 9},
            "embedding_dim = 9, and the language model has 8; leave embedding_dim unset",
        ),
        ({"cell": "gru"}, "cell = 'gru', and the language model has 'lstm'"),
        ({"max_vocab_size": 50}, "max_vocab_size = 50, and the language model has 30000"),
    ],
    ids=str,
)
def test_settings_that_it_cannot_go_on_with_are_refused(
    pretrained: Pretraining, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        pretrain(["sample"], tmp_path / "run", config=SMALL.override(changes),
                 from_lm=pretrained.folder)  # fmt: skip
    assert caught.value.where == str(pretrained.folder)
    assert not (tmp_path / "run").exists()


def test_going_on_is_resumed_from_the_same_language_model_only(
    pretrained: Pretraining, tmp_path: Path
) -> None:
    file = str(write_fasttext(tmp_path / "a.ft.txt", 120))
    given = {"config": SMALL.override({"epochs": 3, "eval_steps": 1, "patience": 0}),
             "from_lm": pretrained.folder}  # fmt: skip
    pretrain([file], tmp_path / "whole", **given)
    with pytest.raises(RuntimeError, match="killed"):
        pretrain([file], tmp_path / "pieces", callbacks=[kill], **given)
    with pytest.raises(DataError, match="other settings or data"):
        pretrain([file], tmp_path / "pieces", config=given["config"], resume=True)
    pretrain([file], tmp_path / "pieces", resume=True, **given)
    weights = [(tmp_path / name / "model" / "model.safetensors").read_bytes()
               for name in ("whole", "pieces")]  # fmt: skip
    assert weights[0] == weights[1]


def test_resumed_and_interrupted_and_overwritten(tmp_path: Path, events, messages) -> None:
    told, watch = events
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    config = SMALL.override({"epochs": 2, "eval_steps": 1})

    def interrupt(event: dict[str, object]) -> None:
        if event["event"] == "step" and event["step"] == 3:
            raise KeyboardInterrupt

    run = pretrain([str(file)], tmp_path / "run", config=config, callbacks=[watch, interrupt])
    assert run.bundle.metrics["training"]["stopped"] == "interrupted"
    assert "--resume goes on" in messages.logged()
    run = pretrain([str(file)], tmp_path / "run", config=config, resume=True)
    assert run.bundle.metrics["training"]["stopped"] == "finished"
    with pytest.raises(UsageError, match="a model is here"):
        pretrain([str(file)], tmp_path / "run", config=config)
    told.clear()
    pretrain([str(file)], tmp_path / "run", config=config, overwrite=True, callbacks=[watch])
    assert not any(event["event"] == "progress" for event in told)
    pretrain([str(file)], tmp_path / "run", config=config.override({"min_count": 1}),
             overwrite=True, callbacks=[watch])  # fmt: skip
    assert any(event["event"] == "progress" for event in told)
    assert len(list((tmp_path / "run" / "cache").iterdir())) == 1


def test_word_vectors_start_from_ppmi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 120)
    config = SMALL.override({"learning_rate": 1e-9, "epochs": 2,
                             "eval_steps": 1, "patience": 0})  # fmt: skip

    with pytest.raises(RuntimeError, match="killed"):
        pretrain([str(file)], tmp_path / "run", config=config, callbacks=[kill])
    made = []
    monkeypatch.setattr(ppmi, "fill_ppmi_", lambda *given: made.append(given))
    run = pretrain([str(file)], tmp_path / "run", config=config, resume=True)
    assert not made  # the checkpoint has them
    corpora = TextCorpora.open(next((tmp_path / "run" / "cache").iterdir()))
    wanted = torch.nn.Embedding(len(corpora.tokenizer.vocabulary), 8)
    assert fill_ppmi_(wanted, corpora.train) > 50
    is_set = (
        torch.from_numpy(run.bundle.weights["embedding.weight"])
        .isclose(wanted.weight, atol=1e-6)
        .all(dim=1)
    )
    assert is_set.sum() > 50


def test_made_up_reviews_are_said_to_be_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentir.io.builtin._SPLITS", {"": (60, 0)})
    assert pretrain(["sample_es"], tmp_path / "run", config=SMALL).bundle.synthetic
    assert load_language_model(tmp_path / "run").synthetic


def test_too_few_reviews(tmp_path: Path) -> None:
    file = write_fasttext(tmp_path / "a.ft.txt", 3)
    with pytest.raises(DataError, match="no review is left for validation; give more reviews"):
        pretrain([str(file)], tmp_path / "run", config=SMALL)


def test_what_config_json_says(pretrained: Pretraining) -> None:
    told = json.loads((pretrained.folder / "model" / "config.json").read_text())
    assert told["kind"] == "language model"
    assert "labels" not in told
    assert told["config"]["model"]["num_sampled"] == 100
