"""Files are read once, and what is found has its place in them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import sentir
from sentir.errors import ConfigError, DataError, SentirWarning, UsageError
from sentir.evaluation.audit.findings import KINDS
from sentir.inference import audit as audit_module

Row = tuple[str, str]


def write(path: Path, rows: list[Row]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "text"])
        writer.writerows(rows)
    return path


def reviews(count: int) -> list[Row]:
    """Rows with the labels 1 and 2, told by a word; no text twice."""
    words = {"1": ("awful", "poor", "broken"), "2": ("great", "fine", "lovely")}
    return [
        (
            label,
            f"It is number {row} of the things that I bought and it was {words[label][row % 3]}.",
        )
        for row in range(count)
        for label in ["12"[row % 7 % 2]]
    ]


def test_flipped_labels_are_found(tmp_path: Path) -> None:
    rows = reviews(400)
    flipped = [37, 169, 350]
    for row in flipped:
        label, text = rows[row]
        rows[row] = ("1" if label == "2" else "2", text)
    file = write(tmp_path / "a.csv", rows)
    counts: list[tuple[str, int]] = []
    found = sentir.audit(file, progress=lambda *event: counts.append(event))
    assert {finding.line - 2 for finding in found.of_kind("label")[:3]} == {*flipped}
    first = found.findings[0]
    assert (first.kind, first.path, first.text) == ("label", str(file), rows[first.line - 2][1])
    assert first.suggested == ("positive" if first.label == "1" else "negative")
    assert found.reviews == found.answered == len(rows)
    assert found.accuracy is not None
    assert found.accuracy > 0.9
    assert not found.sampled
    assert found.classes == ("negative", "positive")
    assert [sum(n for what, n in counts if what == of) for of in ("reading", "answering")] == [
        len(rows), len(rows),
    ]  # fmt: skip
    assert counts[-1] == ("answering", 0)


def test_every_other_kind(tmp_path: Path) -> None:
    rows = reviews(200)
    start = len(rows) + 2
    label, text = rows[0]
    other = "1" if label == "2" else "2"
    spanish = "El sonido es bueno, pero la batería no es lo que me dijo el vendedor de la tienda."
    rows += [
        (other, text), ("1", ""), ("2", "Great"), ("1", spanish), ("9", "A label that is no class"),
        ("2", "It is what I was looking for and it does all that it should do..."), rows[1],
    ]  # fmt: skip
    test = write(tmp_path / "t.csv", [("1", f"  {rows[2][1].upper()}"), ("2", "Only here.")])
    file = write(tmp_path / "a.csv", rows)
    found = sentir.audit([str(file)], against=test)
    lines = {kind: [one.line for one in found.of_kind(kind)] for kind in KINDS}
    assert sorted(lines["conflict"]) == [2, start]
    assert lines["empty"] == [start + 1]
    assert start + 2 in lines["short"]
    assert lines["language"] == [start + 3]
    assert lines["unknown-label"] == [start + 4]
    assert lines["cut"] == [start + 5]
    assert lines["duplicate"] == [start + 6]
    assert lines["leakage"] == [4]
    assert found.of_kind("leakage")[0].note == f"as {test}:2"
    assert found.of_kind("duplicate")[0].note == f"as {file}:3"
    assert found.to_dict()["findings"] == {kind: len(lines[kind]) for kind in KINDS}
    record = found.of_kind("empty")[0].to_dict()
    assert record["label"] == ""  # of a row without text it is not read
    assert "text" not in found.findings[0].to_dict(texts=False)


def test_a_sample_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.csv", reviews(200))
    monkeypatch.setattr(audit_module, "MAX_TOKENS", 1000)
    with pytest.warns(SentirWarning, match=r"a random sample of \d+ of 200 reviews"):
        found = sentir.audit(file)
    assert found.sampled
    assert found.answered < found.reviews == 200


def test_a_rare_class_is_told(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", [*reviews(100), ("3", "Neither one nor the other, I say")])
    with pytest.warns(SentirWarning, match="the labels of 1 of 101 reviews are not checked"):
        found = sentir.audit(file, labels="1,2,3")
    assert found.answered == 100


def test_models_that_learnt_nothing_are_told(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(1, 3, 60)
    rows = [(str(label), text) for label, (_, text) in zip(labels, reviews(60), strict=True)]
    file = write(tmp_path / "a.csv", rows)
    with pytest.warns(SentirWarning, match=r"the models agree with .* are of the largest class"):
        sentir.audit(file)


def test_stars_in_the_middle_are_no_class(tmp_path: Path) -> None:
    stars = [("1" if label == "1" else "5", text) for label, text in reviews(100)]
    file = write(tmp_path / "a.csv", [*stars, ("3", "It is neither good nor bad, I would say.")])
    with pytest.warns(SentirWarning, match="three stars"):
        found = sentir.audit(file)
    assert found.reviews == 101
    assert found.answered == 100
    assert not found.of_kind("unknown-label")


def test_what_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", reviews(20))
    with pytest.raises(UsageError, match="take 2 to 20"):
        sentir.audit(file, folds=1)
    with pytest.raises(ConfigError, match="no setting"):
        sentir.audit(file, epochs=3)
    with pytest.raises(ConfigError, match="--labels"):
        sentir.audit(file, labels="x")
    with pytest.raises(DataError, match="all 10 labelled reviews are"):
        sentir.audit(write(tmp_path / "b.csv", [("1", f"Bad product {n}") for n in range(10)]))
    with pytest.raises(DataError, match=r"missing\.csv"):
        sentir.audit(file, against=tmp_path / "missing.csv")
