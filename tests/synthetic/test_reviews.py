"""Synthetic reviews: reproducible, balanced, streamed, and hard for a bag of words."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from statistics import correlation, mean

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sentir.errors import UsageError
from sentir.synthetic import reviews
from sentir.synthetic.reviews import LANGUAGES, WORDS_MAX, WORDS_MIN, sample_reviews

FIRST_1000 = {
    "en": "9cfd412a518a758c94b3977eadf4864b0c85eac08a63af123e400b282016b7be",
    "es": "be601b07042602145291d659139ec0bc8db9ff28e7dfc4d8bfb2589e2dbdf291",
}
POLAR_EN = {
    +1: "wonderful excellent superb fantastic brilliant delightful impressive lovely outstanding "
    "marvellous splendid magnificent great good terrific charming flawless amazing memorable",
    -1: "awful terrible dreadful horrible bad poor disappointing mediocre lousy appalling "
    "atrocious pathetic dismal hopeless unpleasant frustrating irritating shoddy disastrous",
}
POLAR_ES = {
    +1: "maravillos excelent magnífic fantástic estupend genial espléndid buen impresionant "
    "fabulos encantador sobresalient admirabl extraordinari soberbi memorabl agradabl",
    -1: "horribl mal pésim terribl espantos decepcionant mediocr lamentabl desastros deplorabl "
    "patétic nefast penos insoportabl frustrant atroz desagradabl irritant deprimente",
}


def polar_balance(language: str, text: str) -> int:
    """Number of positive minus negative adjectives, whoever says them and negated or not."""
    balance = 0
    for sign, words in (POLAR_EN if language == "en" else POLAR_ES).items():
        ending = "" if language == "en" else "(?:e|o|a|es|os|as)?"
        balance += sign * len(
            re.findall(rf"\b(?:{'|'.join(words.split())}){ending}\b", text.lower())
        )
    return balance


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_1000_reviews_are_pinned(language: str) -> None:
    lines = "".join(f"{label}\t{text}\n" for label, text in sample_reviews(1000, language=language))
    assert hashlib.sha256(lines.encode()).hexdigest() == FIRST_1000[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_smaller_count_gives_the_first_reviews(language: str) -> None:
    few = list(sample_reviews(7, language=language, seed=3))
    assert few == list(islice(sample_reviews(500, language=language, seed=3), 7))


def test_seeds_differ_also_by_their_sign() -> None:
    firsts = [
        next(sample_reviews(1, language=lang, seed=s)) for lang in LANGUAGES for s in (-1, 0, 1)
    ]
    assert len({text for _, text in firsts}) == 6


def test_reviews_are_streamed() -> None:
    reviews = sample_reviews(10**12)
    assert isinstance(reviews, Iterator)
    assert len(list(islice(reviews, 3))) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_are_balanced_in_every_pair(language: str) -> None:
    labels = [label for label, _ in sample_reviews(2000, language=language)]
    pairs = list(zip(labels[::2], labels[1::2], strict=True))
    assert set(pairs) == {("negative", "positive"), ("positive", "negative")}
    assert 0.45 < mean(first == "positive" for first, _ in pairs) < 0.55


@pytest.mark.parametrize("language", LANGUAGES)
def test_lengths_lie_within_the_bounds(language: str) -> None:
    lengths = [len(text.split()) for _, text in sample_reviews(20_000, language=language)]
    assert min(lengths) >= WORDS_MIN
    assert max(lengths) <= WORDS_MAX
    assert 35 < mean(lengths) < 55


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_review_is_repeated_or_contains_grammar_symbols(language: str) -> None:
    texts = [text for _, text in sample_reviews(5000, language=language)]
    assert len(set(texts)) == len(texts)
    assert not [text for text in texts if re.search(r"[{}|()*\[\]%]|  | [.,;]", text)]


def test_no_frame_is_used_twice_in_a_review() -> None:
    texts = [text for _, text in sample_reviews(5000)]
    assert not [text for text in texts if text.count("drawer") > 1 or text.count("Rumour") > 1]


def test_each_language_has_its_own_words_and_characters() -> None:
    english, spanish = (
        " ".join(text for _, text in sample_reviews(3000, language=language))
        for language in LANGUAGES
    )
    assert english.isascii()
    assert set("áéíóúñ¡¿") <= set(spanish)
    for text in (english, spanish):
        assert "https://" in text
        assert "<br />" in text
        assert re.search(r"\d", text)
        words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
        assert sum(count >= 5 for count in words.values()) > 500


def test_spanish_adjectives_agree_with_their_nouns() -> None:
    nouns = [
        reviews._noun(written) for written in ("el bar", "la taberna", "los postres", "las tapas")
    ]
    forms = {
        "bueno": "bueno buena buenos buenas",
        "genial": "genial genial geniales geniales",
        "atroz": "atroz atroz atroces atroces",
        "encantador": "encantador encantadora encantadores encantadoras",
        "hortera": "hortera hortera horteras horteras",
    }
    for adjective, expected in forms.items():
        assert [reviews._agree(adjective, noun) for noun in nouns] == expected.split()


def test_spanish_contracts_its_articles_and_conjunctions() -> None:
    text = " ".join(text.lower() for _, text in sample_reviews(5000, language="es"))
    assert not re.search(r"\b(?:de|a) el\b|\by h?i", text)
    assert " del " in text
    assert " al " in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_polar_words_say_little_about_the_label(language: str) -> None:
    reviews = list(sample_reviews(5000, language=language))
    balances = [polar_balance(language, text) for _, text in reviews]
    labels = [label == "positive" for label, _ in reviews]
    assert mean(balance != 0 for balance in balances) > 0.4
    assert abs(correlation(balances, labels)) < 0.25


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bag_of_words_and_pairs_stays_under_70_percent(language: str) -> None:
    labels, texts = zip(*sample_reviews(4000, language=language), strict=True)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2))
    features = vectorizer.fit_transform(texts[:3000])
    model = LogisticRegression(max_iter=1000).fit(features, labels[:3000])
    assert model.score(vectorizer.transform(texts[3000:]), labels[3000:]) < 0.70


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="language 'fr' has no grammar; use one of en, es"):
        sample_reviews(5, language="fr")


@pytest.mark.parametrize("count", [0, -3])
def test_fewer_than_one_review_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match=f"count is {count}; use 1 or more"):
        sample_reviews(count)
