from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.config import TextConfig, TrainConfig
from sentir.data import spool
from sentir.data.dataset import EncodedCorpus
from sentir.data.encoding import (
    TrainingCorpora,
    encode_reviews,
    encode_training,
    encode_unlabelled,
)
from sentir.errors import DataError, SentirWarning
from sentir.io.label_tally import LabelTally
from sentir.io.labels import LabelScheme
from sentir.io.reader import BadRows, Review
from sentir.text.batch import text_hash
from sentir.text.tokenizer import UNK, SubwordTokenizer, WordTokenizer

RAW = ("neg", "pos")
SCHEME = LabelScheme(("negative", "positive"), {"neg": 0, "pos": 1})
TEXT = TextConfig(min_count=1)


def review(text: str, label: str | None = "pos", line: int = 1) -> Review:
    return Review(text, label, "a.csv", line, None)


def numbered(count: int) -> list[Review]:
    return [review(f"review w{i} w{i % 7}", RAW[i % 2], i + 1) for i in range(count)]


def encoded(
    reviews: Iterable[Review], folder: Path, *, text: TextConfig = TEXT, **settings: Any
) -> TrainingCorpora:
    given = {
        name: settings.pop(name)
        for name in ("labels", "valid_reviews", "unlabelled", "tokenizer", "bad_rows", "advance")
        if name in settings
    }
    given.setdefault("bad_rows", BadRows())
    return encode_training(reviews, folder, text=text, train=TrainConfig(**settings), **given)


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def words_of(corpora: TrainingCorpora, ids: Iterable[int]) -> list[str]:
    return [corpora.tokenizer.vocabulary[i] for i in ids]


def test_the_folder_holds_all_that_training_reads(tmp_path: Path) -> None:
    corpora = encoded(numbered(40), tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "labels.json",
        "sentir_tokenizer.json",
        "train.arrow",
        "valid.arrow",
    ]
    again = TrainingCorpora.open(tmp_path)
    assert again.labels == corpora.labels == SCHEME
    assert list(again.tokenizer.vocabulary) == list(corpora.tokenizer.vocabulary)
    assert [ids.tolist() for ids in again.train] == [ids.tolist() for ids in corpora.train]
    assert again.valid.labels_N.tolist() == corpora.valid.labels_N.tolist()


def test_every_review_is_on_one_side_as_the_tokenizer_would_have_it(tmp_path: Path) -> None:
    reviews = numbered(100)
    corpora = encoded(reviews, tmp_path, valid_fraction=0.2)
    assert (len(corpora.train), len(corpora.valid)) == (80, 20)
    sides = {int(hashed): i for i, hashed in enumerate(corpora.train.hashes_N)}
    for item in reviews:
        hashed = text_hash(item.text)
        side, row = (
            (corpora.train, sides[hashed])
            if hashed in sides
            else (corpora.valid, corpora.valid.hashes_N.tolist().index(hashed))
        )
        assert side[row].tolist() == corpora.tokenizer.encode([item.text])[0]
        assert side.labels_N[row] == RAW.index(item.label or "")
    valid = [item for item in reviews if text_hash(item.text) not in sides]
    assert corpora.valid.texts(range(20)) == [item.text for item in valid]  # in the files' order


def test_copies_stay_on_one_side(tmp_path: Path) -> None:
    reviews = [review(f"  Review {i % 30}" if i % 3 else f"review {i % 30}", RAW[i % 2])
               for i in range(300)]  # fmt: skip
    corpora = encoded(reviews, tmp_path)
    assert not set(corpora.train.hashes_N.tolist()) & set(corpora.valid.hashes_N.tolist())
    assert len(corpora.train) + len(corpora.valid) == 300
    assert len(corpora.valid) == 30  # three reviews of ten copies each


def test_the_split_follows_from_the_seed_and_the_texts(tmp_path: Path) -> None:
    def chosen(reviews: list[Review], seed: int) -> set[int]:
        return set(encoded(reviews, tmp_path, seed=seed).valid.hashes_N.tolist())

    first = chosen(numbered(200), 0)
    assert chosen(numbered(200)[::-1], 0) == first
    others = [chosen(numbered(200), seed) for seed in (1, 2, 2**63)]
    assert all(len(first & other) < 12 for other in others)  # by chance: 2 of 20


def test_no_more_is_held_out_than_asked(tmp_path: Path) -> None:
    assert len(encoded(numbered(100), tmp_path, max_valid_examples=7).valid) == 7
    assert (
        len(encoded(numbered(100), tmp_path, valid_fraction=0.5, max_valid_examples=7).valid) == 7
    )
    assert len(encoded(numbered(100), tmp_path, valid_fraction=0.25).valid) == 25


def test_a_word_of_held_out_reviews_only_is_unknown(tmp_path: Path) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    reviews = [review(f"same {item}{two}", RAW[i % 2])
               for i, item in enumerate(letters) for two in letters]  # fmt: skip
    corpora = encoded(reviews, tmp_path)
    (same,) = corpora.tokenizer.encode(["same"])[0]
    assert [ids.tolist() for ids in corpora.valid] == [[same, UNK]] * 68
    assert all(UNK not in ids for ids in corpora.train)
    assert len(corpora.tokenizer.vocabulary) == 2 + 1 + len(corpora.train)
    assert {word for ids in corpora.train for word in words_of(corpora, ids)} == set(
        corpora.tokenizer.vocabulary[2:]
    )


def test_validation_reviews_of_one_s_own(tmp_path: Path) -> None:
    own = [review("Review w1", "pos"), review("w2", "neg"), review("only here", "positive")]
    corpora = encoded(numbered(30), tmp_path, valid_reviews=own)
    assert len(corpora.train) == 30
    assert corpora.valid.labels_N.tolist() == [1, 0, 1]
    assert corpora.valid.texts([0, 1, 2]) == ["Review w1", "w2", "only here"]
    assert [ids.tolist() for ids in corpora.valid] == corpora.tokenizer.encode(
        ["Review w1", "w2", "only here"]
    )
    assert corpora.valid[2].tolist() == [UNK, UNK]
    assert {"only", "here"}.isdisjoint(corpora.tokenizer.vocabulary)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_subwords(tmp_path: Path, kind: str) -> None:
    text = TextConfig(tokenizer=kind, max_vocab_size=60)  # type: ignore[arg-type]
    reviews = [review(f"La habitación w{i} estaba {'bien' if i % 2 else 'mal'}", RAW[i % 2])
               for i in range(60)]  # fmt: skip
    corpora = encoded(reviews, tmp_path, text=text)
    assert isinstance(corpora.tokenizer, SubwordTokenizer)
    assert (len(corpora.train), len(corpora.valid)) == (54, 6)
    assert [ids.tolist() for ids in corpora.valid] == corpora.tokenizer.encode(
        corpora.valid.texts(range(6))
    )
    assert max(map(max, corpora.train)) < len(corpora.tokenizer.vocabulary)


def test_subwords_are_learnt_from_train_only(tmp_path: Path) -> None:
    text = TextConfig(tokenizer="bpe", min_count=1)
    unseen = [review("ひらがな " * 9, "neg"), review("a", "pos")]
    corpora = encoded(numbered(60), tmp_path, text=text, valid_reviews=unseen)
    assert UNK in corpora.valid[0]


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_a_final_tokenizer_is_used_unchanged(tmp_path: Path, kind: str) -> None:
    text = TextConfig(tokenizer=kind, min_count=1, clean=("lower",))  # type: ignore[arg-type]
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    known = encoded(numbered(40), tmp_path / "first", text=text).tokenizer
    others = [review(f"REVIEW w{i} other{i}", RAW[i % 2]) for i in range(40)]
    # The tokenizer's own cleaning is what counts, and nothing is learnt.
    corpora = encoded(others, tmp_path / "second", tokenizer=known, valid_fraction=0.25)
    assert corpora.tokenizer.vocabulary == known.vocabulary
    assert (len(corpora.train), len(corpora.valid)) == (30, 10)
    expected = {text_hash(item.text): known.encode([item.text])[0] for item in others}
    for corpus in (corpora.train, corpora.valid):
        for ids, hashed in zip(corpus, corpus.hashes_N.tolist(), strict=True):
            assert ids.tolist() == expected[hashed]


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_reviews_without_labels(tmp_path: Path, kind: str) -> None:
    reviews = [review(f"review w{i} w{i % 7}", (None, "pos", "3", "Ω")[i % 4])
               for i in range(40)]  # fmt: skip
    text = TextConfig(tokenizer=kind, min_count=1)  # type: ignore[arg-type]
    counted: list[int] = []
    corpora = encode_unlabelled(
        reviews, tmp_path, text=text, train=TrainConfig(), advance=counted.append
    )
    assert (len(corpora.train), len(corpora.valid)) == (36, 4)
    assert sum(counted) == 40
    assert {path.name for path in tmp_path.iterdir()} == {
        "train.arrow", "valid.arrow", "sentir_tokenizer.json"
    }  # fmt: skip
    expected = {text_hash(item.text): corpora.tokenizer.encode([item.text])[0] for item in reviews}
    for corpus in (corpora.train, corpora.valid):
        for ids, hashed in zip(corpus, corpus.hashes_N.tolist(), strict=True):
            assert ids.tolist() == expected[hashed]


@pytest.mark.parametrize("kind", ["word", "unigram"])
def test_some_reviews_without_labels(tmp_path: Path, kind: str) -> None:
    """Whatever labels they have, they are kept apart with their texts, and their words are known.

    One that stands among those with labels is left out.
    """
    reviews = numbered(40)
    others = [review(f"another w{i} q{i}", ("strange", None)[i % 2]) for i in range(10)]
    text = TextConfig(tokenizer=kind, min_count=1)  # type: ignore[arg-type]
    alone = encoded(reviews, folder(tmp_path / "alone"), text=text)
    assert alone.unlabelled is None
    counted: list[int] = []
    both = encoded(reviews, folder(tmp_path / "both"), text=text, advance=counted.append,
                   unlabelled=[*reviews[:5], *others])  # fmt: skip
    assert sum(counted) == 55
    assert both.labels == alone.labels
    assert both.unlabelled is not None
    for name in ("train", "valid"):
        assert np.array_equal(getattr(both, name).hashes_N, getattr(alone, name).hashes_N)
        assert np.array_equal(getattr(both, name).labels_N, getattr(alone, name).labels_N)
    texts = [item.text for item in others]
    assert both.unlabelled.texts(range(10)) == texts
    assert both.unlabelled.labels_N.tolist() == [-1] * 10
    assert [ids.tolist() for ids in both.unlabelled] == both.tokenizer.encode(texts)
    if kind == "word":
        assert set(both.tokenizer.vocabulary) - set(alone.tokenizer.vocabulary) == {"another", "q0"}


def test_unlabelled_reviews_that_all_have_labels(tmp_path: Path) -> None:
    reviews = numbered(40)
    with pytest.raises(DataError, match="all 3 unlabelled reviews are also among those"):
        encoded(reviews, tmp_path, unlabelled=reviews[:3])
    assert list(tmp_path.iterdir()) == []


def test_unlabelled_reviews_that_are_validated_on_are_not_learnt_from(tmp_path: Path) -> None:
    valid = [review(f"another v{i}", ("neg", "pos")[i % 2]) for i in range(10)]
    others = [review(f"one more u{i}", None) for i in range(5)]
    corpora = encoded(numbered(40), folder(tmp_path / "a"), valid_reviews=valid,
                      unlabelled=[*valid[:4], *others])  # fmt: skip
    assert corpora.unlabelled is not None
    assert corpora.unlabelled.texts(range(5)) == [item.text for item in others]
    assert len(corpora.unlabelled) == 5
    assert len(corpora.valid) == 10
    with pytest.raises(DataError, match="all 4 unlabelled reviews are also among those"):
        encoded(numbered(40), folder(tmp_path / "b"), valid_reviews=valid, unlabelled=valid[:4])


def test_too_few_reviews_without_labels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no review is left for validation; give more reviews"):
        encode_unlabelled(numbered(3), tmp_path, text=TEXT, train=TrainConfig())
    assert list(tmp_path.iterdir()) == []


def test_stars_in_between_are_left_out(tmp_path: Path) -> None:
    reviews = [review(f"w{i}", str(i % 5 + 1)) for i in range(100)]
    corpora = encoded(reviews, tmp_path, labels="stars")
    assert len(corpora.train) + len(corpora.valid) == 80
    assert corpora.labels.names == ("negative", "positive")
    both = np.concatenate([corpora.train.labels_N, corpora.valid.labels_N])
    assert np.bincount(both).tolist() == [40, 40]


def test_a_stray_label_is_an_error_or_is_counted(tmp_path: Path) -> None:
    reviews = [*numbered(300), review("odd", "psitive", 301), review("odd", "psitive", 302)]
    with pytest.raises(DataError, match=r"a\.csv:301: label 'psitive' is not one of"):
        encoded(reviews, tmp_path)
    assert list(tmp_path.iterdir()) == []
    bad_rows = BadRows("skip")
    corpora = encoded(reviews, tmp_path, bad_rows=bad_rows)
    assert bad_rows.count == 2
    assert len(corpora.train) + len(corpora.valid) == 300
    assert "odd" not in corpora.tokenizer.vocabulary


@pytest.mark.parametrize(
    ("reviews", "settings", "message"),
    [
        ([], {}, "no labelled review"),
        (numbered(1), {}, "all 1 labelled reviews are 'neg'"),
        (numbered(2), {}, "no review is left for validation; give more reviews, or .* --valid"),
        (
            numbered(4),
            {"valid_fraction": 0.9},
            "no training review is of class negative or positive; give more",
        ),
        (
            [review("same", label) for label in RAW * 9],
            {},
            "no training review is of class negative or pos",
        ),
        (
            [*numbered(1), *[review("same", "pos")] * 9],
            {},
            "no training review is of class positive; give mo",
        ),
        (
            numbered(2),
            {"valid_reviews": []},
            "no review to measure on; check the file and its labels",
        ),
        (numbered(40), {"labels": "neg,pos,other"}, "no review is 'other'"),
    ],
)
def test_too_few(
    tmp_path: Path, reviews: list[Review], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        encoded(reviews, tmp_path, **settings)
    assert not (tmp_path / "spool.arrow").exists()
    assert not (tmp_path / "labels.json").exists()


def test_an_error_of_the_reader_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Review]:
        yield from numbered(5000)
        raise DataError("the stream is damaged")

    with pytest.raises(DataError, match="the stream is damaged"):
        encoded(broken(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_reported(tmp_path: Path) -> None:
    counts: list[int] = []
    encoded(numbered(5000), tmp_path, advance=counts.append)
    assert sum(counts) == 5000
    assert len(counts) > 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None,
          max_examples=30)  # fmt: skip
@given(st.lists(st.tuples(st.text(), st.booleans()), max_size=40), st.integers(1, 9))
def test_nothing_depends_on_how_reviews_are_grouped(
    tmp_path: Path, rows: list[tuple[str, bool]], chunk: int
) -> None:
    # the forty make sure that both classes are left for training
    reviews = [*numbered(40), *(review(text, RAW[label]) for text, label in rows)]

    def content() -> tuple[Any, ...]:
        corpora = encoded(reviews, tmp_path)
        sides = [[ids.tolist() for ids in side] for side in (corpora.train, corpora.valid)]
        return *sides, list(corpora.tokenizer.vocabulary), corpora.valid.labels_N.tolist()

    whole = content()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "BATCH_ROWS", chunk)
        assert content() == whole


def test_encode_reviews_for_measuring(tmp_path: Path) -> None:
    tokenizer = WordTokenizer(["good", "film"], ["lower"])
    counts: list[int] = []
    path = tmp_path / "test.arrow"
    reviews = [review("Good film", "pos"), review("", "neg"), review("bad", "negative")]
    corpus = encode_reviews(
        reviews, path, tokenizer, LabelTally(SCHEME), bad_rows=BadRows(), advance=counts.append
    )
    assert [ids.tolist() for ids in corpus] == [[2, 3], [], [UNK]]
    assert corpus.labels_N.tolist() == [1, 0, 0]
    assert corpus.texts([0]) == ["Good film"]
    assert counts == [3, 0]
    assert len(EncodedCorpus(path)) == 3


def test_encode_reviews_reports_unknown_labels(tmp_path: Path) -> None:
    tokenizer, path = WordTokenizer([], []), tmp_path / "test.arrow"
    reviews = [review("d", "neg"), review("a", "pos"), review("b", "meh", 2), review("c", None, 3)]
    with pytest.raises(DataError, match=r"a\.csv:2: label 'meh' is not one of neg, pos"):
        encode_reviews(reviews, path, tokenizer, LabelTally(SCHEME), bad_rows=BadRows())
    assert not path.exists()
    bad_rows = BadRows("skip")
    measured = encode_reviews(reviews, path, tokenizer, LabelTally(SCHEME), bad_rows=bad_rows)
    assert len(measured) == 2
    assert bad_rows.count == 2
    with pytest.raises(DataError, match="no review to measure on"):
        encode_reviews(reviews[2:], path, tokenizer, LabelTally(SCHEME), bad_rows=BadRows("skip"))
    assert len(EncodedCorpus(path)) == 2  # what stood there stands


def test_a_damaged_label_file(tmp_path: Path) -> None:
    encoded(numbered(40), tmp_path)
    (tmp_path / "labels.json").write_text(json.dumps({"names": 5}))
    with pytest.raises(DataError, match="not a label scheme"):
        TrainingCorpora.open(tmp_path)


def test_memory_does_not_grow_with_the_texts(tmp_path: Path) -> None:
    def stream() -> Iterator[Review]:
        for i in range(100_000):
            yield review(f"w{i % 500} was not w{i * 7 % 500} at all", RAW[i % 2])

    encoded(numbered(40), tmp_path)  # what is imported and made once is not counted
    tracemalloc.start()
    try:
        encoded(stream(), tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 100 bytes a review; the reviews themselves would be several times that
    assert peak < 10e6


CHINESE = ["这家酒店的房间很干净服务也很好", "电影太无聊了我不推荐给朋友们", "质量很差不值这个价格"]


def chinese_reviews() -> list[Review]:
    return [review(f"{CHINESE[i % 3]}。{i}", RAW[i % 2]) for i in range(60)]


def test_text_without_spaces_is_warned_of(tmp_path: Path) -> None:
    with pytest.warns(SentirWarning, match="Chinese or Japanese .* --tokenizer bpe or --tokenizer"):
        encoded(chinese_reviews(), tmp_path)


def test_a_language_model_is_warned_of_text_without_spaces(tmp_path: Path) -> None:
    with pytest.warns(SentirWarning, match="--tokenizer bpe or --tokenizer unigram"):
        encode_unlabelled(chinese_reviews(), tmp_path, text=TEXT, train=TrainConfig())


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_subwords_suit_text_without_spaces(tmp_path: Path, kind: str) -> None:
    text = TextConfig(tokenizer=kind, max_vocab_size=200)  # type: ignore[arg-type]
    corpora = encoded(chinese_reviews(), tmp_path, text=text)
    assert not any(UNK in ids for ids in corpora.train)


def test_a_given_tokenizer_that_knows_few_words_is_warned_of(tmp_path: Path) -> None:
    reviews = [review(f"strange w{i % 50} " * 20, RAW[i % 2]) for i in range(60)]
    known = WordTokenizer(["good", "film"], ["lower"])
    with pytest.warns(SentirWarning, match="100% of their tokens are unknown to it"):
        encoded(reviews, tmp_path, tokenizer=known)


def test_weights_of_0(tmp_path: Path) -> None:
    reviews = numbered(60)
    with pytest.raises(DataError, match="every weight is 0, so no review counts"):
        encoded([one._replace(weight=0.0) for one in reviews], folder(tmp_path / "a"))
    half = [one._replace(weight=float(one.label == RAW[0])) for one in reviews]
    with pytest.warns(SentirWarning, match="every review of class .* has the weight 0"):
        corpora = encoded(half, folder(tmp_path / "b"))
    assert {*corpora.train.weights_N.tolist()} != {1.0}
