from __future__ import annotations

import base64
import dataclasses
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer

from fixtures.toy_bundle import toy
from sentir import cli
from sentir.bundle import Bundle, load_bundle, save_bundle
from sentir.config import Config, TextConfig
from sentir.errors import UsageError
from sentir.explanation.gates import explain
from sentir.inference.predictor import Predictor
from sentir.io.atomic import write_page
from sentir.io.builtin import builtin_reviews
from sentir.lesson.webpage.network import SEEDS, SMALL, small_network, train_network
from sentir.lesson.webpage.page import (
    EXAMPLES,
    EXPERIMENTS,
    MAX_UNITS,
    network_data,
    render_page,
)
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.synthetic.reviews import LANGUAGES
from sentir.synthetic.short_sentences import short_sentences
from sentir.text.tokenizer import UNK, SubwordTokenizer

SHOWN = {"bidirectional": False, "pooling": "last"}


class Page(HTMLParser):
    """What the tests ask about: the data, and the names that must have a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.message: set[str] = set()
        self.data = ""
        self._inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.message |= {found[name] or "" for name in ("data-say", "data-label") if name in found}
        self._inside = found.get("id") == "data"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data += data
            self._inside = False


def shipped() -> dict[str, Bundle]:
    return {language: small_network(language) for language in LANGUAGES}


@pytest.fixture(scope="module")
def html() -> str:
    return render_page(shipped(), "es", experiments=True)


def unpacked(text: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_the_file_holds_all_that_it_computes_with(html: str) -> None:
    page = Page(html)
    data = json.loads(page.data)
    assert html.startswith('<!doctype html>\n<html lang="es">')
    assert "{{" not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert len(page.ids) == len(set(page.ids))
    assert data["language"] == "es"
    assert [one["language"] for one in data["networks"]] == list(LANGUAGES)
    for packed in data["networks"]:
        bundle = small_network(packed["language"])
        weights = {name: unpacked(text) for name, text in packed["weights"].items()}
        total = sum(weight.size for weight in bundle.weights.values())
        assert sum(map(len, weights.values())) == total
        embedding = bundle.weights["embedding.weight"]
        assert np.array_equal(weights["embedding_dim"].reshape(-1, packed["inputs"]), embedding)
        assert [UNK + 1 + at for at in range(len(packed["words"]))] == [
            bundle.tokenizer.encode([word])[0][0] if word != "<url>" else UNK + 1 + at
            for at, word in enumerate(packed["words"])
        ]
        assert packed["clean"] == ["html", "nfc", "quotes", "url", "lower", "digits"]
        assert packed["synthetic"] is True


def test_nothing_comes_from_outside(html: str) -> None:
    frame = html.replace(Page(html).data, "")
    assert not re.search(r"https?://(?!\[)|@import|src=|<link|url\((?!#)|fetch\(|import\(", frame)
    assert len(html) < 250_000


def test_both_languages_say_the_same_things(html: str) -> None:
    page = Page(html)
    texts = json.loads(page.data)["texts"]
    assert set(texts) == set(LANGUAGES)
    assert set(texts["en"]) == set(texts["es"])
    assert page.message <= set(texts["en"])
    called = set(re.findall(r'\bsay\("(\w+)"', html))
    assert len(called) > 15
    assert called <= set(texts["en"])
    for key, text in texts["en"].items():
        if key != "labels":
            slots = [sorted(re.findall(r"\{\w+\}", told)) for told in (text, texts["es"][key])]
            assert slots[0] == slots[1]


def test_the_same_networks_are_the_same_page(html: str) -> None:
    assert render_page(shipped(), "es", experiments=True) == html


def test_a_sentence_cannot_break_out() -> None:
    evil = "</script><script>alert(1)</script> {{script}} \\u003c"
    html = render_page({"en": toy(**SHOWN)}, "en", examples=[evil])
    data = json.loads(Page(html).data)
    assert data["examples"] == {language: [evil] for language in LANGUAGES}
    assert data["experiments"] == {language: [] for language in LANGUAGES}
    assert html.count("</script>") == 2


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"cell": "gru"}, "cell = gru"),
        ({"num_layers": 2}, "layers = 2"),
        ({"bidirectional": True, "pooling": "max"}, "bidirectional = True; pooling = max"),
        ({"embedding_skip": True}, "skip = True"),
        ({"bigram_buckets": 64, "ngram_buckets": 64}, "bigrams = 64; terms = 64"),
        ({"hidden_size": MAX_UNITS + 1}, "hidden = 33, more than 32"),
        ({"embedding_dim": 120_000}, r"\d,\d+,\d+ weights, more than 2,000,000"),
    ],
)
def test_a_network_that_the_page_cannot_show(settings: dict[str, Any], told: str) -> None:
    bundle = toy(**{**SHOWN, **settings})
    with pytest.raises(
        UsageError, match=rf"^mine: .*{told}; train one with --cell lstm --num-layers"
    ):
        render_page({"en": bundle}, "en", where="mine")


def test_the_settings_to_train_with_are_options() -> None:
    with pytest.raises(UsageError) as told:
        network_data(toy(), "en")
    given = re.findall(r"--[a-z-]+", str(told.value))
    train = typer.main.get_command(cli.app).commands["train"]
    known = {name for option in train.params for name in (*option.opts, *option.secondary_opts)}
    assert len(given) == 11
    assert set(given) <= known


def test_subwords_cannot_be_shown(tmp_path: Path) -> None:
    text = TextConfig(tokenizer="bpe", max_vocab_size=60, min_count=1)
    pieces = SubwordTokenizer.train(["the film was good"] * 9, text)
    config = Config().override({"tokenizer": "bpe", "embedding_dim": 4, "hidden_size": 3, **SHOWN})
    model = SentimentClassifier(config.model, vocabulary=len(pieces.vocabulary), classes=2)
    bundle = dataclasses.replace(toy(), tokenizer=pieces, config=config, weights=to_arrays(model))
    with pytest.raises(UsageError, match="page cannot show a network of tokenizer = bpe; train"):
        network_data(bundle, "en")


def test_a_language_that_is_not_spoken() -> None:
    with pytest.raises(UsageError, match="the page does not speak 'fr'; take one of en, es"):
        render_page({"en": toy(**SHOWN)}, "fr")
    with pytest.raises(UsageError, match="no network reads 'fr'; take one of en, es"):
        small_network("fr")
    with pytest.raises(UsageError, match="language 'fr' has no grammar"):
        train_network("fr", Path("nowhere"))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"page\.html: cannot be written"):
        write_page("page", tmp_path / "file" / "page.html")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_network_that_comes_along_has_learnt_to_read(language: str) -> None:
    bundle = small_network(language)
    assert bundle.config == SMALL.override({"seed": SEEDS[language]})
    name = {"en": "sample", "es": "sample_es"}[language]
    predictor = Predictor(bundle)
    for fresh in (builtin_reviews(f"{name}:test"), short_sentences(300, language=language, seed=1)):
        labels, texts = zip(*(fresh or ()), strict=True)
        found = [one.label for one in predictor.predict(texts)]
        right = [one == label for one, label in zip(found, labels, strict=True)]
        assert sum(right) / len(right) > 0.97
    assert all(bundle.tokenizer.encode([text])[0].count(UNK) == 0 for text in EXAMPLES[language])
    for tried in EXPERIMENTS[language]:
        assert tried["word"] in bundle.tokenizer.tokens(tried["text"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_moves_in_the_examples(language: str) -> None:
    for text in EXAMPLES[language]:
        answer_T = explain(small_network(language), text).answer_TC[:, 1]
        assert answer_T.max() - answer_T.min() > 0.5
        assert abs(answer_T[-1] - 0.5) > 0.45


def test_a_network_can_be_made_anew(tmp_path: Path) -> None:
    config = SMALL.override({"epochs": 1, "max_vocab_size": 100})
    folder = tmp_path / "es"
    made = train_network("es", folder, config=config, reviews=200, sentences=40)
    found = load_bundle(folder)
    assert found.synthetic
    assert found.config == made.config == config.override({"seed": SEEDS["es"]})
    weights = zip(found.model.parameters(), made.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)
    assert "la" in json.loads(Page(render_page({"es": found}, "es")).data)["networks"][0]["words"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_sentences(language: str) -> None:
    made = list(short_sentences(400, language=language, seed=3))
    assert made[:50] == list(short_sentences(50, language=language, seed=3))
    assert made != list(short_sentences(400, language=language, seed=4))
    assert [label for label, _ in made[:2]] == ["negative", "positive"]
    assert len({text for _, text in made}) > 300
    assert not any(re.search(r"[{}|]|\s$", text) for _, text in made)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["sentir", "lesson", "page", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "--output", "es.html", "--language", "es") == 0
    assert "es.html" in capsys.readouterr().out
    assert 'lang="es"' in Path("es.html").read_text("utf-8")
    save_bundle(toy(**SHOWN), Path("mine"))
    assert run(monkeypatch, "mine", "--example", "the film was dull") == 0
    data = json.loads(Page(Path("page.html").read_text("utf-8")).data)
    assert data["examples"]["en"] == ["the film was dull"]
    assert [one["units"] for one in data["networks"]] == [5]
    save_bundle(toy(), Path("other"))
    assert run(monkeypatch, "other") == 2
    assert "error: other: the page cannot show" in capsys.readouterr().err
    assert run(monkeypatch, "--language", "fr") == 2
    assert "the page does not speak 'fr'" in capsys.readouterr().err
    assert run(monkeypatch, "--help") == 0
    assert "Examples" in capsys.readouterr().out
