"""The words that are named are those that the answer depends on, on real reviews."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from faithfulness import MIN_WORDS, main, measure
from reviews import read_lines, reviews_file, split_labels, write_lines

from fixtures.tiny_runs import TINY
from sentir.inference.predictor import load
from sentir.training.run import train


@pytest.fixture(scope="module")
def lines(real_data: Path) -> list[str]:
    return list(islice(read_lines(reviews_file(real_data, "amazon")), 2000))


@pytest.fixture(scope="module")
def model(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    write_lines(lines[:1900], folder / "train.ft.txt")
    config = TINY.override(
        {"cell": "gru", "pooling": "attention", "ngram_buckets": 2**16, "max_length": 100,
         "learning_rate": 0.01}
    )  # fmt: skip
    train(str(folder / "train.ft.txt"), folder / "run", config=config)
    return folder / "run"


def test_deleting_the_words_that_are_named_moves_the_answer_most(
    model: Path, lines: list[str]
) -> None:
    _, texts = split_labels(lines[1900:])
    texts = [text for text in texts if len(text.split()) >= MIN_WORDS][:40]
    found = measure(load(model), texts)
    for share in (0.05, 0.1, 0.2):
        named, random = found[share, "largest effect"], found[share, "random"]
        assert named.fall > 4 * max(random.fall, 0.05)
        assert named.fall > found[share, "largest attention weight"].fall
        assert named.changed > random.changed
        assert found[share, "smallest effect"].fall < 0
        assert found[share, "smallest effect"].changed == 0


def test_the_table(
    model: Path, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_lines(lines[1900:], tmp_path / "held.ft.txt")
    arguments = ["faithfulness.py", str(model), str(tmp_path / "held.ft.txt"), "--reviews", "2"]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    out = capsys.readouterr().out
    assert out.count("\n") == 2 + 3 * 4
    assert "| 10% | largest effect | 2 | " in out
