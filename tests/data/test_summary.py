"""What a run learns from, as sentences and as data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.tiny_runs import TINY
from sentir.config import ReadOptions
from sentir.data.prepare import Sources, prepare_training
from sentir.data.summary import _percentile

SKIP = ReadOptions(on_error="skip")


def test_a_shop_s_export(tmp_path: Path) -> None:
    rows = [f"Title,word{at} good,5" for at in range(850)] + [
        f",word{at} bad,1" for at in range(60)
    ]
    rows += [",fine,3"] * 20 + [",,5"] * 30 + ["a,b,"] * 4 + ["a,b,5,6"] * 2
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["title,body,rating", *rows]) + "\n")
    for labels, classes in (
        ("1=bad,5=good", {"bad": ["1"], "good": ["5"]}),
        ("1,3,5", {"1": ["1"], "3": ["3"], "5": ["5"]}),
    ):
        summary = prepare_training(
            Sources(train=(str(file),), labels=labels, read=SKIP), TINY, None, tmp_path / "cache",
            resume=False, progress=lambda what, count: None,
        ).summary  # fmt: skip
        data = json.loads(json.dumps(summary.to_dict()))
        assert {part["name"]: part["labels"] for part in data["classes"]} == classes
        strays = 20 if labels.startswith("1=") else 0
        assert (data["rows"], data["without_text"], data["without_label"]) == (966, 30, 4)
        assert data["skipped"] == 2 + strays
        assert data["training"] + data["validation"] == 930 - strays
        assert data["median_tokens"] == data["p95_tokens"] == 4
    facts = summary.facts()
    assert facts["columns"] == "text = 'title' and 'body' joined with ': '; label = 'rating'"
    assert facts["rows"] == (
        "966, of which are left out: 30 without text, 4 without a label, 2 that cannot be read"
    )
    good = summary.classes[2].reviews
    assert facts["training"].endswith(f"; {good} reviews of class 5")
    assert facts["length"] == "4 tokens at the median, 4 at the 95th percentile"


def test_three_stars_are_left_out_by_name(tmp_path: Path, messages) -> None:
    file = tmp_path / "a.ft.txt"
    file.write_text("".join(f"__label__{1 + at % 5} word{at}\n" for at in range(100)))
    summary = prepare_training(
        Sources(train=(str(file),)), TINY, None, tmp_path / "cache",
        resume=False, progress=lambda what, count: None,
    ).summary  # fmt: skip
    facts = summary.facts()
    assert "columns" not in facts
    assert facts["rows"] == "100, of which are left out: 20 labelled 3"
    assert "of class negative (labelled 1, 2); " in facts["training"]
    assert (summary.left_out, summary.left_out_labels) == (20, ("3",))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(0, 100))
def test_percentiles_are_those_of_numpy(lengths: list[int], percent: int) -> None:
    found = _percentile(np.bincount(lengths), percent)
    assert found == pytest.approx(float(np.percentile(lengths, percent)))
