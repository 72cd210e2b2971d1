"""Every command for archives, folders and spreadsheets in the how-to page is run."""

from __future__ import annotations

import json
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pytest

from fixtures.archives import CONTAINERS, as_csv, table_of, tar_of, zip_of
from fixtures.command import sentir
from fixtures.review_files import Row
from fixtures.tiny_runs import TINY
from sentir import config
from sentir.synthetic.reviews import sample_reviews
from sentir.training import loop
from sentir.training.run import Run

PAGE = Path(__file__).parents[2] / "docs" / "site" / "how-to" / "files.md"
_SECTION = PAGE.read_text("utf-8").partition("## Archives, folders and spreadsheets")[2]
COMMANDS = re.findall(r"^sentir train .*", _SECTION.partition("## ")[0], re.MULTILINE)

ROWS: list[Row] = [(text, label) for label, text in sample_reviews(90)]


def _class_folders(folder: Path) -> dict[str, str]:
    """The files of the Large Movie Review Dataset, by their names in its archive."""
    files = {
        f"{folder.name}/{split}/{label[:3]}/{number}_9.txt": text
        for split, rows in (("train", ROWS[:60]), ("test", ROWS[60:]))
        for number, (text, label) in enumerate(rows)
    }
    for name, text in files.items():
        path = folder.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return files


def _make_files(here: Path) -> None:
    table = as_csv(ROWS, here)
    zip_of(here / "reviews.zip", {"part1.csv": table, "__MACOSX/._part1.csv": b"\0\1"})
    tar_of(here / "reviews.tar.gz", {"reviews/part1.csv": table}, "w:gz")
    tar_of(here / "aclImdb_v1.tar.gz", dict(_class_folders(here / "aclImdb")), "w:gz")
    for label in ("positive", "negative"):
        lines = [text.replace("\n", " ") for text, of in ROWS if of == label]
        (here / f"{label[:3]}.txt").write_text("\n".join(lines), encoding="utf-8")
    CONTAINERS["columns.json"](here / "reviews.json", ROWS)
    CONTAINERS["feather"](here / "reviews.feather", ROWS)
    nested = [{"review": {"text": text, "stars": label}} for text, label in ROWS]
    (here / "nested.json").write_text(json.dumps(nested, indent=2), encoding="utf-8")
    (here / "values.json").write_text(json.dumps(ROWS), encoding="utf-8")
    for split, rows in (("train", ROWS[:60]), ("test", ROWS[60:])):
        folder = here / "saved_data_set" / split
        folder.mkdir(parents=True)
        arrow: pa.Table = table_of(rows)
        feather.write_feather(arrow, str(folder / "data-00000-of-00001.arrow"))
        (folder / "state.json").write_text("{}", encoding="utf-8")
    if find_spec("openpyxl"):
        import openpyxl

        book = openpyxl.Workbook()
        book.active.title = "Reviews"
        for row in [("text", "label"), *ROWS]:
            book.active.append(row)
        book.save(here / "reviews.xlsx")


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_train(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if ".xlsx" in command and not find_spec("openpyxl"):
        pytest.skip("the extra xlsx is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(config.PRESETS, config.DEFAULT_PRESET, TINY)
    monkeypatch.setattr(loop, "MIN_STEPS", 2)
    _make_files(tmp_path)
    arguments = shlex.split(command)[1:]
    code, _, error = sentir(*arguments, capfd=capfd)
    assert code == 0, error
    folder = Path(arguments[arguments.index("--output") + 1])
    report = json.loads((folder / "model" / "config.json").read_text("utf-8"))
    assert report["labels"]["names"] == ["negative", "positive"]


def test_there_is_a_command_for_each() -> None:
    assert len(COMMANDS) == 13


def test_answers_of_an_archive(
    tiny_run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Tar headers were once answered as reviews."""
    tar = tar_of(tmp_path / "train.tar.gz", {"a.csv": as_csv(ROWS[:3], tmp_path)}, "w:gz")
    for given, stdin in ((tar, None), ("-", tar.read_bytes())):
        code, out, error = sentir("predict", tiny_run.folder, given, stdin=stdin, capfd=capfd)
        assert code == 0, error
        assert out.startswith("text,label,prediction,probability")
        assert out.count("\n") >= 4
    code, out, _ = sentir("evaluate", tiny_run.folder, tar, "--json", capfd=capfd)
    assert (code, json.loads(out)["skipped"]) == (0, 0)
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    code, out, error = sentir("predict", tiny_run.folder, pdf, capfd=capfd)
    assert (code, out) == (2, "")
    assert "a PDF document" in error
