"""Encoding in parts: what comes out is what one process makes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.tiny_runs import TINY, write_fasttext
from sentir.config import Config, ReadOptions
from sentir.data import parts, vocabulary_join
from sentir.data.encode_folder import encode_files, join_folder
from sentir.data.encoding import TrainingCorpora, encode_training
from sentir.data.prepare import Sources, prepare_training
from sentir.errors import ConfigError, DataError, SentirError, SentirWarning, UsageError
from sentir.io.reader import BadRows, read_reviews
from sentir.io.shares import Share

READ = ReadOptions(on_error="skip")


def progress(what: str, count: int) -> None:
    pass


def encode(files: list[Path], folder: Path, share: Share = Share(), **changes: Any) -> None:  # noqa: B008
    labels, read = changes.pop("labels", "auto"), changes.pop("read", READ)
    encode_files(
        [str(file) for file in files], folder, share, config=TINY.override(changes),
        labels=labels, read=read, progress=progress, processes=1,
    )  # fmt: skip


def joined(files: list[Path], folder: Path, total: int, **changes: Any) -> TrainingCorpora:
    for number in reversed(range(total)):
        encode(files, folder, Share(number, total), **changes)
    return join_folder(folder, progress)


def content(corpora: TrainingCorpora) -> list[Any]:
    return [
        corpora.labels.to_dict(), dict(corpora.raw_counts), list(corpora.tokenizer.vocabulary),
        corpora.valid.texts(range(len(corpora.valid))),
        *(
            [[ids.tolist() for ids in one], one.labels_N.tolist(), one.hashes_N.tolist(),
             one.weights_N.tolist()]
            for one in (corpora.train, corpora.valid)
        ),
    ]  # fmt: skip


def outcome(make: Any) -> list[Any]:
    """What was made and warned of, or the error."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", SentirWarning)
        try:
            made = content(make())
        except SentirError as error:
            return [type(error), error.what]
    return [*made, [str(one.message) for one in warned]]


words = st.sampled_from("good bad film dull the a not _PAD don't ñandú 10/10".split())
row = st.tuples(st.sampled_from("1122234"), st.lists(words, min_size=1, max_size=6))


@settings(max_examples=40, deadline=None)
@given(
    files=st.lists(st.lists(row, min_size=1, max_size=9), min_size=1, max_size=4),
    total=st.integers(1, 6),
    kind=st.sampled_from(["word", "word", "word", "bpe"]),
    min_count=st.integers(1, 3),
    max_vocab_size=st.none() | st.integers(4, 12),
    seed=st.integers(0, 3),
)
def test_parts_make_what_one_process_makes(
    files: list[list[tuple[str, list[str]]]],
    total: int,
    kind: str,
    min_count: int,
    max_vocab_size: int | None,
    seed: int,
) -> None:
    changes = {
        "tokenizer": kind, "min_count": min_count, "seed": seed, "valid_fraction": 0.3,
        "max_vocab_size": max_vocab_size if kind == "word" else 60,
    }  # fmt: skip
    config = TINY.override(changes)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        paths = [folder / f"{index}.ft.txt" for index in range(len(files))]
        for path, rows in zip(paths, files, strict=True):
            lines = [f"__label__{label} {' '.join(text)}\n" for label, text in rows]
            path.write_text("".join(lines), "utf-8")
        (folder / "whole").mkdir()
        reviews = read_reviews([str(path) for path in paths], READ)
        whole = outcome(lambda: encode_training(
            reviews, folder / "whole", text=config.text, train=config.train,
            bad_rows=BadRows("skip"), processes=1,
        ))  # fmt: skip
        # Segments of one batch, and two words a bucket: all that is for large corpora.
        patch.setattr(parts, "SEGMENT_BYTES", 1)
        patch.setattr(vocabulary_join, "BUCKET_WORDS", 2)
        patch.setattr("sentir.data.spool.BATCH_ROWS", 3)
        assert outcome(lambda: joined(paths, folder / "parts", total, **changes)) == whole


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write_fasttext(tmp_path / f"{seed}.ft.txt", 60, seed=seed) for seed in range(3)]


def test_training_reads_the_folder(files: list[Path], tmp_path: Path) -> None:
    corpora = joined(files, tmp_path / "enc", 2)
    assert sorted(one.name for one in (tmp_path / "enc").iterdir()) == ["corpus", "encode.json"]
    sources = Sources(train=(str(tmp_path / "enc"),), test=(str(files[0]),))
    sources.check()
    for _ in range(2):
        found = prepare_training(
            sources, TINY.override({"max_length": 7, "hidden_size": 3}), None, tmp_path / "cache",
            resume=False, progress=progress,
        )  # fmt: skip
        assert content(found.corpora) == content(corpora)
        assert found.test is not None
        assert found.skipped.count == 0
    assert sorted(one.name for one in (tmp_path / "enc").iterdir()) == ["corpus", "encode.json"]


@pytest.mark.parametrize(
    ("changes", "labels", "message"),
    [
        (
            {"min_count": 9},
            "auto",
            "min_count is 9, and the reviews were encoded with 2; set --min",
        ),
        ({"clean": ("lower",)}, "auto", "clean is lower, and the reviews were encoded with nfc,"),
        ({"seed": 4}, "auto", "seed is 4, and the reviews were encoded with 0"),
        ({"valid_fraction": 0.5}, "auto", "valid_fraction is 0.5"),
        ({}, "1,2", "labels is 1,2, and the reviews were encoded with auto"),
    ],
)
def test_settings_that_differ_are_named(
    files: list[Path], tmp_path: Path, changes: dict[str, Any], labels: str, message: str
) -> None:
    joined(files[:1], tmp_path / "enc", 1)
    sources = Sources(train=(str(tmp_path / "enc"),), labels=labels)
    config = TINY.override(changes)
    with pytest.raises(ConfigError, match=message):
        prepare_training(sources, config, None, tmp_path / "cache", resume=False, progress=progress)
    with pytest.raises(ConfigError, match=message):
        encode(files[:1], tmp_path / "enc", labels=labels, **changes)


def test_what_is_not_for_this_folder_is_refused(files: list[Path], tmp_path: Path) -> None:
    encode(files, tmp_path / "enc", Share(0, 3))
    with pytest.raises(UsageError, match="it is encoded in 3 parts"):
        encode(files, tmp_path / "enc", Share(0, 2))
    with pytest.raises(UsageError, match="for other files"):
        encode(files[:2], tmp_path / "enc", Share(1, 3))
    with pytest.raises(DataError, match=r"2 of 3 parts are missing: 1, 2; .*--part NUMBER/3"):
        join_folder(tmp_path / "enc", progress)
    with pytest.raises(UsageError, match="not a folder of encoded reviews, and not empty"):
        encode(files, tmp_path)
    with pytest.raises(UsageError, match="not a folder;"):
        encode(files, files[0])
    with pytest.raises(UsageError, match="standard input has no parts"):
        encode([Path("-")], tmp_path / "other", Share(0, 2))
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "corpus").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="a symbolic link"):
        encode(files, tmp_path / "link")
    with pytest.raises(DataError, match=r"no encode\.json"):
        join_folder(tmp_path, progress)
    (tmp_path / "enc" / "encode.json").write_text(json.dumps({"format": 9}))
    with pytest.raises(DataError, match="another version of sentir"):
        join_folder(tmp_path / "enc", progress)


def test_a_damaged_part_is_named(files: list[Path], tmp_path: Path) -> None:
    encode(files, tmp_path / "enc")
    (tmp_path / "enc" / "part-000-of-001" / "part.json").write_text("{}")
    with pytest.raises(DataError, match="part-000-of-001: not an encoded part"):
        join_folder(tmp_path / "enc", progress)


def test_where_the_folder_cannot_be_read(files: list[Path], tmp_path: Path) -> None:
    encode(files, tmp_path / "enc")
    name = str(tmp_path / "enc")
    for sources in (
        Sources(train=(name, str(files[0]))),
        Sources(train=(str(files[0]),), test=(name,)),
        Sources(train=(name,), test=(name,)),
    ):
        with pytest.raises(UsageError, match="for sentir train alone"):
            sources.check()
    with pytest.raises(UsageError, match="for sentir train alone"):
        Sources(train=(name,)).check(labelled=False)
    with pytest.raises(UsageError, match="--valid, and the reviews are encoded already"):
        Sources(train=(name,), valid=(str(files[0]),)).check()
    with pytest.raises(DataError, match="its parts are not joined; sentir encode --join"):
        prepare_training(
            Sources(train=(name,)), TINY, None, tmp_path / "c", resume=False, progress=progress
        )


def test_bad_rows_columns_and_labels_are_joined(tmp_path: Path) -> None:
    for number in range(3):
        rows = "".join(f"word{i} a film,{'neg' if i % 2 else 'pos'}\n" for i in range(20))
        (tmp_path / f"{number}.csv").write_text(f"text,label\n{rows},pos\nno label,\n")
    corpora = joined([tmp_path / f"{number}.csv" for number in range(3)], tmp_path / "enc", 3)
    skipped = BadRows("skip")
    skipped.add_saved(tmp_path / "enc" / "corpus")
    assert (skipped.count, skipped.without_text, skipped.without_label) == (6, 3, 3)
    assert corpora.raw_counts == {"pos": 30, "neg": 30}
    columns = json.loads((tmp_path / "enc" / "corpus" / "columns.json").read_text())
    assert len(columns) == 1


_KILLED = """
import sys
from pathlib import Path
from sentir.config import ReadOptions
from sentir.data.encode_folder import encode_files, join_folder
from sentir.io.shares import Share
from fixtures.tiny_runs import TINY
import os, signal

def progress(what, count):
    if what == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

folder, files = Path(sys.argv[1]), sys.argv[3:]
if sys.argv[2] == "reading reviews":
    encode_files(files, folder, Share(1, 2), config=TINY, read=ReadOptions(on_error="skip"),
                 progress=progress, processes=1)
else:
    join_folder(folder, progress)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_kill_loses_nothing(files: list[Path], tmp_path: Path) -> None:
    whole = content(joined(files, tmp_path / "whole", 2))
    enc = tmp_path / "enc"
    encode(files, enc, Share(0, 2))
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": tests}
    for stage in ("reading reviews", "joining reviews"):
        command = [sys.executable, "-c", _KILLED, str(enc), stage, *map(str, files)]
        assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
        assert not (enc / "corpus").exists()
        encode(files, enc, Share(1, 2))
    for _ in range(2):  # a second time nothing is left to do
        assert content(join_folder(enc, progress)) == whole
    encode(files, enc, Share(0, 2))
    assert sorted(one.name for one in enc.iterdir()) == ["corpus", "encode.json"]


def test_the_settings_of_a_preset_suit_those_of_another(files: list[Path], tmp_path: Path) -> None:
    joined(files, tmp_path / "enc", 1)
    sources = Sources(train=(str(tmp_path / "enc"),))
    for preset in ("fast", "base", "best", "lecture"):
        prepare_training(
            sources, Config.preset(preset), None, tmp_path / "c", resume=False, progress=progress
        )
    key = sources.cache_key(TINY, None)
    (tmp_path / "enc").rename(tmp_path / "moved")
    assert Sources(train=(str(tmp_path / "moved"),)).cache_key(TINY, None) == key
    assert np.all(np.array(join_folder(tmp_path / "moved", progress).train.labels_N) >= 0)
