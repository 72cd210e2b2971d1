from __future__ import annotations

import importlib.resources
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.config import CLEAN_STEPS, TextConfig
from sentir.errors import BundleError
from sentir.synthetic.reviews import LANGUAGES
from sentir.text.cleaning import cleaner
from sentir.text.tokenizer import (
    PAD,
    SPECIAL,
    UNK,
    WORD_START,
    SubwordTokenizer,
    Tokenizer,
    WordTokenizer,
    load_tokenizer,
)

Kind = Literal["word", "bpe", "unigram"]

REVIEWS = [
    "The room was clean, the staff wasn't unfriendly and I'd stay again.",
    "La habitación estaba limpia; el niño no quería irse. ¡Qué hotel más bueno!",
    "It wasn't good: the plot was dull, the acting awful... see www.x.com/a for more.",
    "¿Por qué pagar 12,50 euros por una película tan aburrida? Ni regalada.",
] * 5
#: The names of the special ids, the URL token, and signs of the subwords.
PARTS = "_PAD _UNK <url> www.x.com clean habitación xyzzy ñ 😀 ▁ _ ' . ¡ \u200d e\u0301".split()
texts = st.text() | st.lists(st.sampled_from([*PARTS, " "]), max_size=12).map("".join)


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, Tokenizer]:
    words = "the was clean , habitación <url> n't ` . _PAD _UNK".split()
    made: dict[str, Tokenizer] = {"word": WordTokenizer(words, CLEAN_STEPS)}
    kinds: tuple[Kind, ...] = ("bpe", "unigram")
    for kind in kinds:
        config = TextConfig(tokenizer=kind, max_vocab_size=150)
        made[kind] = SubwordTokenizer.train(REVIEWS, config)
    return made


@pytest.fixture(params=["word", "bpe", "unigram"])
def tokenizer(request: pytest.FixtureRequest, tokenizers: dict[str, Tokenizer]) -> Tokenizer:
    return tokenizers[request.param]


def saved(tokenizer: Tokenizer, folder: Path) -> Tokenizer:
    tokenizer.save(folder / "sentir_tokenizer.json")
    return load_tokenizer(folder / "sentir_tokenizer.json")


same_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@same_fixtures
@given(batch=st.lists(texts, max_size=4))
def test_saved_and_loaded_it_is_the_same(
    tokenizer: Tokenizer, tmp_path: Path, batch: list[str]
) -> None:
    again = saved(tokenizer, tmp_path)
    assert type(again) is type(tokenizer)
    assert again.steps == tokenizer.steps
    assert list(again.vocabulary) == list(tokenizer.vocabulary)
    assert again.encode(batch) == tokenizer.encode(batch)
    assert [again.tokens(text) for text in batch] == [tokenizer.tokens(text) for text in batch]


@same_fixtures
@given(words=st.lists(st.text(min_size=1), unique=True), text=texts)
def test_any_vocabulary_survives_the_file(tmp_path: Path, words: list[str], text: str) -> None:
    made = WordTokenizer(words, ["lower"])
    again = saved(made, tmp_path)
    assert list(again.vocabulary) == [*SPECIAL, *words]
    assert again.encode([text]) == made.encode([text])


@same_fixtures
@given(text=texts)
def test_no_text_pads_and_every_id_has_a_token(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = tokenizer.encode([text])
    assert PAD not in ids
    assert all(0 <= id < len(tokenizer.vocabulary) for id in ids)
    tokens = tokenizer.tokens(text)
    assert len(tokens) == len(ids)
    assert all(tokens)


@same_fixtures
@given(batch=st.lists(texts, max_size=4))
def test_a_batch_is_its_texts_one_by_one(tokenizer: Tokenizer, batch: list[str]) -> None:
    assert tokenizer.encode(batch) == [tokenizer.encode([text])[0] for text in batch]


def test_the_first_ids_are_reserved(tokenizer: Tokenizer) -> None:
    assert (PAD, UNK) == (0, 1)
    assert tuple(tokenizer.vocabulary[:2]) == SPECIAL
    assert len(set(tokenizer.vocabulary)) == len(tokenizer.vocabulary) or isinstance(
        tokenizer, WordTokenizer
    )


def test_empty_texts(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode([]) == []
    assert tokenizer.encode(["", " \n"]) == [[], []]
    assert tokenizer.tokens("") == []


@pytest.mark.parametrize("text", ["good \ud83d film", "\udcff", "\ud83d\ude21", "a\0b\x1b"])
def test_any_string_has_tokens(tokenizer: Tokenizer, text: str) -> None:
    """Halves of surrogate pairs too, which come from JSON escapes and broken arguments."""
    assert len(tokenizer.encode([text])[0]) == len(tokenizer.tokens(text)) > 0


def test_words() -> None:
    tokenizer = WordTokenizer("the , n't was habitación <url>".split(), CLEAN_STEPS)
    text = "The room wasn't, HABITACIO\u0301N at www.x.com"
    assert tokenizer.tokens(text) == "the room was n't , habitación at <url>".split()
    assert tokenizer.encode([text]) == [[2, UNK, 5, 4, 3, 6, UNK, 7]]
    assert [tokenizer.vocabulary[id] for id in (2, 5, 7)] == ["the", "was", "<url>"]


def test_the_names_of_special_ids_in_a_review_are_words() -> None:
    tokenizer = WordTokenizer(["_PAD", "_UNK", "a"], [])
    assert tokenizer.encode(["_PAD a _UNK"]) == [[2, 4, 3]]
    assert WordTokenizer(["a"], []).encode(["_PAD a _UNK"]) == [[UNK, 2, UNK]]


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_subwords_spell_words_never_seen(kind: str, tokenizers: dict[str, Tokenizer]) -> None:
    tokenizer = tokenizers[kind]
    assert len(tokenizer.vocabulary) <= 151  # plus the URL token
    (ids,) = tokenizer.encode(["La película estaba sucia"])
    pieces = [tokenizer.vocabulary[id] for id in ids]
    assert "".join(pieces).replace("▁", " ").strip() == "la película estaba sucia"
    assert UNK in tokenizer.encode(["クレヨン"])[0]


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@given(text=texts)
def test_subwords_are_shown_as_they_are_written(
    kind: str, tokenizers: dict[str, Tokenizer], text: str
) -> None:
    shown = "".join(tokenizers[kind].tokens(text)).replace(WORD_START, "")
    cleaned = cleaner(CLEAN_STEPS)(text).replace(WORD_START, "")
    assert "".join(shown.split()) == "".join(cleaned.split())


@same_fixtures
@given(text=texts)
def test_every_token_belongs_to_a_word(tokenizer: Tokenizer, text: str) -> None:
    words = tokenizer.words(text)
    assert len(words) == len(tokenizer.tokens(text))
    assert all(0 <= after - before <= 1 for before, after in pairwise(words))


def test_each_word_of_the_word_tokenizer_is_a_token(tokenizers: dict[str, Tokenizer]) -> None:
    assert tokenizers["word"].words("the room wasn't clean") == [0, 1, 2, 3, 4]
    assert tokenizers["word"].join([2, 1, 3]) == "the _UNK was"


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_subwords_of_a_word_belong_together(kind: str, tokenizers: dict[str, Tokenizer]) -> None:
    tokenizer, text = tokenizers[kind], "unclean didn't 'xyz', www.x.com stay"
    words, tokens = tokenizer.words(text), tokenizer.tokens(text)
    assert len(tokens) > 5
    pairs = list(zip(words, tokens, strict=True))
    written = ["".join(t for w, t in pairs if w == word) for word in dict.fromkeys(words)]
    assert [word.replace(WORD_START, "") for word in written] == [
        "unclean", "didn't", "'", "xyz", "'", ",", "<url>", "stay",
    ]  # fmt: skip
    (ids,) = tokenizer.encode(["clean room"])
    assert tokenizer.join(ids) == "clean room"


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_a_url_is_one_subword(kind: str, tokenizers: dict[str, Tokenizer]) -> None:
    tokenizer = tokenizers[kind]
    url = list(tokenizer.vocabulary).index("<url>")
    for text in ("www.never.seen/x", "clean (http://a.b/c), good", "clean:www.x.com."):
        assert tokenizer.encode([text])[0].count(url) == 1
        assert "<url>" in tokenizer.tokens(text)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_the_names_of_special_ids_in_a_review_are_subwords(kind: Kind, tmp_path: Path) -> None:
    # without "lower", which would hide them
    config = TextConfig(tokenizer=kind, clean=(), min_count=1, max_vocab_size=100)
    made = SubwordTokenizer.train(["_PAD and _UNK", "A PAD, UNKNOWN"] * 5, config)
    for tokenizer in (made, saved(made, tmp_path)):
        assert PAD not in tokenizer.encode(["_PAD _UNK A_PAD"])[0]
        assert not {*SPECIAL} & {*tokenizer.tokens("_PAD _UNK A_PAD")}


def test_no_url_token_without_the_step() -> None:
    config = TextConfig(tokenizer="bpe", clean=("lower",), max_vocab_size=100)
    assert "<url>" not in SubwordTokenizer.train(REVIEWS, config).vocabulary


def test_rare_subwords_are_not_learnt() -> None:
    def size(min_count: int) -> int:
        config = TextConfig(tokenizer="bpe", min_count=min_count, max_vocab_size=1000)
        return len(SubwordTokenizer.train(REVIEWS, config).vocabulary)

    assert size(1000) < size(1)


def change(key: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.update({key: value})


@pytest.mark.parametrize(
    ("kind", "damage", "message"),
    [
        ("word", change("format", 2), "format 2, this version reads 1; upgrade sentir"),
        ("word", change("format", "1"), "format '1', this version reads 1"),
        ("word", change("clean", ["lower", "stem"]), r"unknown cleaning in .*; upgrade sentir"),
        ("word", change("form", "other"), "form 'other', not 'sentir tokenizer'"),
        ("word", change("clean", None), "not a tokenizer of sentir"),
        ("word", change("vocabulary", 5), "not a tokenizer of sentir"),
        ("word", lambda data: data.pop("vocabulary"), "not a tokenizer of sentir"),
        ("word", lambda data: data.pop("format"), "not a tokenizer of sentir"),
        ("word", change("kind", "letters"), "not a tokenizer of sentir"),
        ("bpe", change("subword", {}), "not a tokenizer of sentir"),
        ("bpe", change("subword", None), "not a tokenizer of sentir"),
        ("unigram", lambda data: data["subword"].pop("model"), "not a tokenizer of sentir"),
    ],
)
def test_a_file_that_was_tampered_with(
    tokenizers: dict[str, Tokenizer],
    tmp_path: Path,
    kind: str,
    damage: Callable[[dict[str, Any]], object],
    message: str,
) -> None:
    path = tmp_path / "sentir_tokenizer.json"
    tokenizers[kind].save(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    damage(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BundleError, match=rf"tokenizer\.json: {message}"):
        load_tokenizer(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b'"\xff"', b"null", b"[" * 9999])
def test_a_file_that_is_no_tokenizer(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sentir_tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"not a tokenizer of sentir .*; copy the folder again"):
        load_tokenizer(path)


def test_a_file_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"tokenizer\.json: no such file; copy the whole folder"):
        load_tokenizer(tmp_path / "sentir_tokenizer.json")
    with pytest.raises(BundleError, match="not a tokenizer of sentir"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_lesson_s_networks_is_still_a_word(language: str) -> None:
    networks = importlib.resources.files("sentir.lesson.webpage") / "networks"
    with importlib.resources.as_file(networks / language / "sentir_tokenizer.json") as path:
        tokenizer = load_tokenizer(path)
    words = tokenizer.vocabulary[len(SPECIAL) :]
    assert [tokenizer.tokens(word) for word in words] == [[word] for word in words]
