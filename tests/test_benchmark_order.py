"""The benchmark of order: its sentences, and what is measured of a model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import order


def by_a_word(texts: list[str]) -> npt.NDArray[np.float64]:
    """Positive where "good" stands."""
    return np.array([0.9 if "good" in text else 0.2 for text in texts])


def test_sentences_are_labelled_and_as_many_of_each_kind_in_both_parts() -> None:
    rows = order.rows_of(order.HERE / "order_sentences.tsv")
    parts = {
        part: Counter((row["language"], row["kind"]) for row in rows if row["part"] == part)
        for part in ("dev", "test")
    }
    assert parts["dev"] == parts["test"]
    assert {row["label"] for row in rows} == {"positive", "negative"}
    assert len({row["text"] for row in rows}) == len(rows)


def test_a_sentence_counts_by_its_kind_and_among_all() -> None:
    counts = order.on_sentences(by_a_word, "en")
    kinds = counts["dev"]
    assert kinds["all"] == [
        sum(kind[place] for name, kind in kinds.items() if name != "all") for place in (0, 1)
    ]
    assert kinds["negated positive"][0] == kinds["negated positive"][1] - 1  # "is not good"


def test_a_pair_is_right_if_both_are(tmp_path: Path) -> None:
    rows = ["pair\tlabel\ttext", "1\tpositive\tgood", "1\tnegative\tbad", "2\tpositive\tgood",
            "2\tnegative\tgood too"]  # fmt: skip
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(rows) + "\n")
    assert order.on_pairs(by_a_word, path) == {"pairs": 0.75, "both_right": 0.5}


def test_the_spread_is_zero_where_names_do_not_matter() -> None:
    assert set(order.on_names(by_a_word, "en").values()) == {0.0}
    lengths = order.on_names(lambda texts: np.array([len(text) / 100 for text in texts]), "es")
    assert lengths["all"] > 0


def test_a_run_has_no_spanish_row_in_the_tables() -> None:
    row = {
        "tool": "run a", "settings": {}, "seed": 0, "reviews": None, "measured_on": "kept back",
        "recipe": "x", "minutes": 1.0, "whole_reviews": 0.9, "pairs": 0.8, "both_right": 0.7,
        "amazon_sentences": 0.9, "yelp_sentences": 0.8, "names": {"all": 0.1, "age": 0.25},
        "sentences": {"dev": {"all": [3, 4], "plain": [1, 2]}},
    }  # fmt: skip
    _, english, spanish, names, _ = order.tables([row], "dev")
    assert "| run a, seed 0 | 1 of 2 | 3 of 4 |" in english
    assert "run a" not in spanish
    assert "| run a, seed 0 | 25 | 10 |" in names
