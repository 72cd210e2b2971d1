from __future__ import annotations

import base64
import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from fixtures.toy_bundle import toy
from sentir import cli
from sentir.bundle import Bundle
from sentir.config import TextConfig
from sentir.errors import UsageError
from sentir.io.atomic import write_page
from sentir.lesson.webpage.network import small_network
from sentir.lesson.webpage.page import (
    MAX_UNITS,
    network_data,
    render_page,
)
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.synthetic.reviews import LANGUAGES
from sentir.text.tokenizer import UNK, SubwordTokenizer

SHOWN = {"bidirectional": False, "pooling": "last"}


class Page(HTMLParser):
    """The parts that tests look at: ids, keys of texts, and the data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.keys: set[str] = set()
        self.data = ""
        self._inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.keys |= {found[name] or "" for name in ("data-say", "data-label") if name in found}
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


def test_the_page_contains_all_that_it_computes_with(html: str) -> None:
    page = Page(html)
    data = json.loads(page.data)
    assert html.startswith('<!doctype html>\n<html lang="es">')
    assert "{{" not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert len(page.ids) == len(set(page.ids))
    assert data["language"] == "es"
    assert [network["language"] for network in data["networks"]] == list(LANGUAGES)
    for packed in data["networks"]:
        bundle = small_network(packed["language"])
        weights = {name: unpacked(text) for name, text in packed["weights"].items()}
        total = sum(weight.size for weight in bundle.weights.values())
        assert sum(map(len, weights.values())) == total
        embedding = bundle.weights["embedding.weight"]
        assert np.array_equal(weights["embedding"].reshape(-1, packed["inputs"]), embedding)
        assert packed["words"] == list(bundle.tokenizer.vocabulary[UNK + 1 :])
        assert packed["clean"] == ["html", "nfc", "quotes", "url", "lower", "digits"]
        assert packed["synthetic"] is True


def test_nothing_is_loaded_from_outside(html: str) -> None:
    frame = html.replace(Page(html).data, "")
    assert not re.search(r"https?://(?!\[)|@import|src=|<link|url\((?!#)|fetch\(|import\(", frame)
    assert len(html) < 250_000


def test_both_languages_have_the_same_texts(html: str) -> None:
    page = Page(html)
    texts = json.loads(page.data)["texts"]
    assert set(texts) == set(LANGUAGES)
    assert set(texts["en"]) == set(texts["es"])
    assert page.keys <= set(texts["en"])
    called = set(re.findall(r'\bsay\("(\w+)"', html))
    assert len(called) > 15
    assert called <= set(texts["en"])
    for key, text in texts["en"].items():
        if key != "labels":
            slots = [
                sorted(re.findall(r"\{\w+\}", translation))
                for translation in (text, texts["es"][key])
            ]
            assert slots[0] == slots[1]


def test_the_same_networks_give_the_same_page(html: str) -> None:
    assert render_page(shipped(), "es", experiments=True) == html


def test_a_sentence_cannot_break_out() -> None:
    evil = "</script><script>alert(1)</script> {{script}} \\u003c"
    html = render_page({"en": toy(**SHOWN)}, "en", examples=[evil])
    data = json.loads(Page(html).data)
    assert data["examples"] == {language: [evil] for language in LANGUAGES}
    assert data["experiments"] == {language: [] for language in LANGUAGES}
    assert html.count("</script>") == 2


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"cell": "gru"}, "cell = gru"),
        ({"num_layers": 2}, "num_layers = 2"),
        ({"bidirectional": True, "pooling": "max"}, "bidirectional = True; pooling = max"),
        ({"embedding_skip": True}, "embedding_skip = True"),
        ({"bigram_buckets": 64, "ngram_buckets": 64}, "bigram_buckets = 64; ngram_buckets = 64"),
        ({"hidden_size": MAX_UNITS + 1}, "hidden_size = 33, more than 32"),
        ({"embedding_dim": 120_000}, r"\d,\d+,\d+ weights, more than 2,000,000"),
    ],
)
def test_a_network_that_the_page_cannot_show_is_refused(
    settings: dict[str, Any], problem: str
) -> None:
    bundle = toy(**{**SHOWN, **settings})
    with pytest.raises(
        UsageError, match=rf"^mine: .*{problem}; train one with --cell lstm --num-layers"
    ):
        render_page({"en": bundle}, "en", where="mine")


def test_the_options_in_the_error_exist() -> None:
    with pytest.raises(UsageError) as error:
        network_data(toy(), "en")
    options = re.findall(r"--[a-z-]+", str(error.value))
    train = typer.main.get_command(cli.app).commands["train"]
    known = {name for option in train.params for name in (*option.opts, *option.secondary_opts)}
    assert len(options) == 11
    assert set(options) <= known


def test_subwords_are_refused(tmp_path: Path) -> None:
    text = TextConfig(tokenizer="bpe", max_vocab_size=60, min_count=1)
    pieces = SubwordTokenizer.train(["the film was good"] * 9, text)
    config = toy(**SHOWN).config.override({"tokenizer": "bpe"})
    model = SentimentClassifier(config.model, vocabulary=len(pieces.vocabulary), classes=2)
    bundle = dataclasses.replace(toy(), tokenizer=pieces, config=config, weights=to_arrays(model))
    with pytest.raises(UsageError, match="page cannot show a network of tokenizer = bpe; train"):
        network_data(bundle, "en")


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="the page does not speak 'fr'; use one of en, es"):
        render_page({"en": toy(**SHOWN)}, "fr")


def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"page\.html: cannot be written"):
        write_page("page", tmp_path / "file" / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
