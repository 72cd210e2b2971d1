from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

import sentir
from sentir.data.cache import cached, cached_reviews, digest, fingerprint, is_volatile
from sentir.errors import DataError


def make_half(place: Path) -> None:
    (place / "half.txt").touch()
    raise KeyError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(place: Path) -> None:
        made.append(place)
        (place / "a.txt").write_text(str(len(made)))

    cache = tmp_path / "cache"
    assert cached(cache, "key", make) == cached(cache, "key", make) == cache / "key"
    assert (cache / "key" / "a.txt").read_text() == "1"
    cached(cache, "other", make)
    assert len(made) == 2
    assert made[0] != cache / "key"  # made beside, and renamed
    assert names(cache) == ["key", "other"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        cached(tmp_path, "key", make_half)
    assert names(tmp_path) == []


def test_what_a_kill_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".key.abcdefgh.part"
    left.mkdir()
    (left / "half.txt").touch()
    cached(tmp_path, "key", lambda place: (place / "a.txt").touch())
    assert names(tmp_path) == ["key"]
    assert names(tmp_path / "key") == ["a.txt"]


def test_a_digest_is_the_same_everywhere() -> None:
    assert digest(["a", {"b": 1, "a": None}]) == "39b9b93259458f34"
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert len({digest(parts) for parts in ([], [1], ["1"], [[1]], None, "ñ")}) == 6


def test_a_fingerprint_changes_with_the_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("text,label\n")
    before = fingerprint([str(first)])
    assert before == fingerprint([str(tmp_path / "*.csv")]) == fingerprint([str(first)])
    assert before == [["a.csv", 11, hashlib.sha256(b"text,label\n").hexdigest()]]
    first.write_text("label,text\n")  # as long
    os.utime(first, ns=(0, 20))
    assert fingerprint([str(first)]) != before
    second.write_text("text,label\n")
    assert fingerprint([str(tmp_path / "*.csv")]) != fingerprint([str(first)])
    assert fingerprint([str(second)]) != before  # a name may say the class


def test_a_fingerprint_is_the_same_elsewhere_and_later(tmp_path: Path) -> None:
    for place in ("here/reviews", "there/mounted"):
        for name in ("pos/1.txt", "neg/1.txt", "all.csv"):
            file = tmp_path / place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
            os.utime(file, ns=(0, len(place)))
    here, there = tmp_path / "here/reviews", tmp_path / "there/mounted"
    assert fingerprint([str(here)]) == fingerprint([str(there)])
    assert fingerprint([str(here / "all.csv")]) == fingerprint([str(there / "all.csv")])
    assert fingerprint([str(here / "*" / "1.txt")]) == fingerprint([str(there / "*" / "1.txt")])
    # The name of a folder is the class of its files, if it is one.
    assert fingerprint([str(here / "pos")]) != fingerprint([str(here / "neg")])
    (there / "pos/1.txt").rename(there / "pos/2.txt")
    assert fingerprint([str(here)]) != fingerprint([str(there)])


def test_a_pipe_is_not_read_for_its_fingerprint(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "pipe.csv")
    assert fingerprint([str(tmp_path / "pipe.csv")])[0][:2] == [
        "pipe.csv", str(tmp_path / "pipe.csv"),
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("text,label\n")

    def refuse(*given: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"a\.csv"):
        fingerprint([str(tmp_path / "a.csv")])


def test_a_name_s_fingerprint_is_the_version() -> None:
    assert fingerprint(["sample", "sample_es:test"]) == [
        ["sample", sentir.__version__],
        ["sample_es:test", sentir.__version__],
    ]


@pytest.mark.parametrize("source", ["-", "https://a.b/c.csv", "http://a.b/c.csv"])
def test_what_can_change_without_a_trace_is_volatile(source: str) -> None:
    assert is_volatile([source])
    assert is_volatile(["a.csv", source])
    assert fingerprint([source]) == [[source]]


def test_files_beside_a_url_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    """A URL has an identity of its own, and hides no change of what stands beside it."""
    file = tmp_path / "a.csv"
    file.write_text("one")
    sources = [str(file), "https://a.b/c.csv"]
    before = fingerprint(sources)
    assert before != fingerprint([str(file), "https://a.b/d.csv"])
    file.write_text("other")
    assert before != fingerprint(sources)


def test_a_named_data_set_is_not_volatile() -> None:
    assert not is_volatile(["sample", "sample_es:test", "a.csv"])


def test_only_what_the_cache_made_is_removed_from_it(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / ".thesis.abcdefgh.part").mkdir()
    (tmp_path / "0123456789abcdef").mkdir()  # of another key
    (tmp_path / ".fedcba9876543210.abcdefgh.part").mkdir()  # killed while it was made
    folder = cached_reviews(tmp_path, ["key"], lambda folder: None, keep=True)
    assert names(tmp_path) == sorted([folder.name, "thesis", ".thesis.abcdefgh.part"])
    assert cached_reviews(tmp_path, ["key"], make_half, keep=True) == folder
    with pytest.raises(KeyError):
        cached_reviews(tmp_path, ["key"], make_half, keep=False)
    assert names(tmp_path) == [".thesis.abcdefgh.part", "thesis"]


def test_the_fingerprint_of_nothing() -> None:
    assert fingerprint([]) == []


def test_the_fingerprint_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        fingerprint([str(tmp_path / "a.csv")])


def test_a_fingerprint_changes_with_what_a_folder_holds(tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    (folder / "pos").mkdir(parents=True)
    (folder / "pos" / "1.txt").write_text("good")
    seen = [fingerprint([str(folder)])]
    (folder / "pos" / "2.txt").write_text("fine")
    seen.append(fingerprint([str(folder)]))
    (folder / "pos" / "1.txt").write_text("gooood")
    seen.append(fingerprint([str(folder)]))
    seen += [fingerprint([f"{folder}:pos"]), fingerprint([f"{folder}:neg"])]
    assert fingerprint([f"{folder}:neg"]) == seen[-1]
    assert len({digest(entry) for entry in seen}) == 5
    assert len(seen[-1]) == 2
    assert not is_volatile([f"{folder}:pos"])


def test_a_fingerprint_changes_with_an_archive_and_its_part(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK")
    parts = [fingerprint([f"{path}{part}"]) for part in ("", ":train", ":test")]
    path.write_bytes(b"PK.")
    parts.append(fingerprint([f"{path}:train"]))
    assert len({digest(part) for part in parts}) == 4
