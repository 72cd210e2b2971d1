"""``sentir complete``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.command import sentir
from fixtures.tiny_runs import write_fasttext
from sentir.training.pretrain import pretrain


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm")
    file = write_fasttext(folder / "a.ft.txt", 100)
    run = pretrain(file, folder / "run", embedding_dim=8, hidden_size=8, epochs=1, num_sampled=100)
    return run.folder


def test_the_likeliest_words_and_a_continuation(
    language_model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = sentir(
        "complete", language_model, "the film", "--top", 3, "--words", 4, capfd=capfd
    )
    assert code == 0
    lines = out.strip().splitlines()
    assert [line.count("%") for line in lines[1:4]] == [1, 1, 1]
    assert lines[-1].startswith("the film ")


@pytest.mark.parametrize("beams", [0, 2])
def test_as_json(language_model: Path, beams: int, capfd: pytest.CaptureFixture[str]) -> None:
    given = ("complete", language_model, "the film", "--json", "--beams", beams, "--seed", 3)
    answers = [json.loads(sentir(*given, capfd=capfd)[1]) for _ in range(2)]
    assert answers[0] == answers[1]  # the seed decides
    assert answers[0]["text"] == "the film"
    assert len(answers[0]["next"]) == 10
    assert len(answers[0]["continuations"]) == max(1, beams)


def test_a_classifier_is_refused(tiny_run, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = sentir("complete", tiny_run.folder, "the film", capfd=capfd)
    assert code == 2
    assert "not a language model; make one with sentir pretrain" in err
