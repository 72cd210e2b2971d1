"""``sentir audit``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fixtures.command import sentir
from fixtures.tiny_runs import write_fasttext


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = write_fasttext(tmp_path / "a.ft.txt", 200)
    with path.open("a", encoding="utf-8") as lines:
        lines.write(
            "__label__negative <b>[red]Great</b> & cheap, it does all that I want of it...\n"
        )
    return path


def test_tables_files_and_page(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    table, page = tmp_path / "found.csv", tmp_path / "audit.html"
    code, out, err = sentir(
        "audit", file, "--against", file, "-o", table, "--page", page, capfd=capfd
    )
    assert code == 0
    assert "201 reviews" in out
    assert "leakage: the first 10 of 201" in out
    assert "about 1 s" in err
    assert "of the out-of-fold answers agree with the labels" in err
    assert file.read_bytes() == before
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["file", "line", "kind", "score", "label", "suggested", "note", "text"]
    last = next(row for row in rows if row["line"] == "201" and row["kind"] == "cut")
    assert (last["label"], last["file"]) == ("negative", str(file))
    html = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;[red]Great&lt;/b&gt; &amp; cheap" in html
    assert "<script" not in html
    assert "The first 200 of 201." in html


def test_without_texts_and_as_json(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found, page = tmp_path / "found.jsonl", tmp_path / "audit.html"
    code, out, _ = sentir(
        "audit", file, "--json", "--no-texts", "-o", found, "--page", page, capfd=capfd
    )
    assert code == 0
    answer = json.loads(out)
    assert answer["reviews"] == 201
    records = [json.loads(line) for line in found.read_text(encoding="utf-8").splitlines()]
    assert len(records) == sum(answer["findings"].values())
    assert all("text" not in record for record in records)
    assert "cheap" not in page.read_text(encoding="utf-8")
    code, out, _ = sentir("audit", file, "--no-texts", capfd=capfd)
    assert code == 0
    assert "cheap" not in out


def test_findings_on_standard_output(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = sentir("audit", file, "--output", "-", capfd=capfd)
    assert code == 0
    assert next(csv.reader(out.splitlines()))[0] == "file"


def test_names_are_checked_before_the_work(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for option, name in (("--page", "a.pdf"), ("--output", "a.xlsx"), ("--output", "")):
        code, out, err = sentir("audit", file, option, tmp_path / name, capfd=capfd)
        assert code == 2
        assert err.startswith("error: ")
        assert "reading" not in err
        assert not out
    code, _, err = sentir("audit", file, "--json", "--output", "-", capfd=capfd)
    assert code == 2
    assert "--json" in err
