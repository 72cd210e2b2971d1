from __future__ import annotations

import bz2
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from sentir.config import CLEAN_STEPS
from sentir.synthetic.reviews import LANGUAGES, sample_reviews
from sentir.text.suitability import MIN_WORDS, unsuitable_ids, unsuitable_words
from sentir.text.treebank import WordSplitter

CHINESE = [
    "这家酒店的房间很干净服务也很好",
    "电影太无聊了我不推荐",
    "质量很差不值这个价格",
    "非常喜欢",
]
JAPANESE = [
    "この映画は本当に素晴らしかった",
    "部屋が汚くて二度と泊まりたくない",
    "おいしかったです",
]
THAI = ["โรงแรมนี้สะอาดมากและพนักงานเป็นมิตร", "หนังเรื่องนี้น่าเบื่อมาก", "อาหารอร่อยมากครับ"]


def problem_of(texts: list[str]) -> str | None:
    split = WordSplitter(CLEAN_STEPS, tuple)
    counts = Counter(word for text in texts for word in split(text))
    once = sum(count == 1 for count in counts.values())
    return unsuitable_words(counts.items(), total=counts.total(), once=once)


@pytest.mark.parametrize("sentences", [CHINESE, JAPANESE, THAI], ids=["zh", "ja", "th"])
@pytest.mark.parametrize("repeats", [1, 100])
def test_text_without_spaces_is_found(sentences: list[str], repeats: int) -> None:
    for mark in ("。", "！", " "):
        problem = problem_of([mark.join(sentences)] * repeats)
        assert problem is not None
        assert "without spaces between words" in problem
        assert problem.endswith("use subwords: --tokenizer bpe or --tokenizer unigram")


def test_text_without_spaces_among_other_text_is_found() -> None:
    english = [text for _, text in sample_reviews(20, seed=1)]
    assert problem_of(english) is None
    assert problem_of([*english, *CHINESE * 100]) is not None
    assert problem_of([*english * 10, CHINESE[-1]]) is None  # a name in a review


@pytest.mark.parametrize(
    "text",
    [
        "这 家 酒店 的 房间 很 干净 ， 服务 也 很 好 。",
        "この 映画 は 本当 に 素晴らしかっ た 。",
        "โรงแรม นี้ สะอาด มาก และ พนักงาน เป็น มิตร",
        "이 호텔은 방이 정말 깨끗하고 직원들이 친절했어요",
        "Das Preis-Leistungs-Verhältnis dieses Staubsaugers ist hervorragend",
        "Huoneemme oli siisti ja henkilökunta ystävällistä",
        "الغرفة نظيفة جدا والموظفون ودودون",
        "कमरा बहुत साफ था और कर्मचारी अच्छे थे।",
        "Номер был чистым, а персонал приветливым",
    ],
)
def test_text_with_spaces_suits(text: str) -> None:
    assert problem_of([text] * 100) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_synthetic_reviews_suit(language: str) -> None:
    assert problem_of([text for _, text in sample_reviews(200, language=language, seed=3)]) is None


def test_very_long_words_are_found() -> None:
    problem = problem_of(["thisfilmwasagreatdisappointment itwasnotworththemoney"] * 50)
    assert problem is not None
    assert "a word has 26 characters on average; use subwords" in problem


def test_words_that_occur_once_are_found() -> None:
    random = Random(0)
    texts = ["".join(random.choices("abcdefghij", k=9)) for _ in range(MIN_WORDS)]
    problem = problem_of(texts)
    assert problem is not None
    assert "100% of their words occur only once" in problem
    assert problem_of(texts[: MIN_WORDS // 2]) is None  # too few to tell


def test_an_empty_corpus_suits() -> None:
    assert problem_of([]) is None
    assert unsuitable_ids(0, 0) is None


def test_unknown_tokens_of_another_tokenizer_are_found() -> None:
    assert unsuitable_ids(500, 1000) is None
    assert unsuitable_ids(999, 999) is None  # too few to tell
    problem = unsuitable_ids(600, 1000)
    assert problem is not None
    assert "60% of their tokens are unknown" in problem
    assert "--tokenizer bpe" in problem


@pytest.mark.long
@pytest.mark.parametrize("name", ["amazon", "imdb"])
def test_real_reviews_suit(name: str, real_data: Path) -> None:
    with bz2.open(real_data / name / "train.ft.txt.bz2", "rt", encoding="utf-8") as file:
        texts = [file.readline().partition(" ")[2] for _ in range(1000)]
    for count in (10, 100, 1000):
        assert problem_of(texts[:count]) is None
