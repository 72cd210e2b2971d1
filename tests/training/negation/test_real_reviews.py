"""What a model of real reviews reads in order: the README's own sentences, and their like."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentir.config import Config
from sentir.inference.predictor import load
from sentir.training.run import train

SENTENCES = {
    "It stopped working after two days.": "negative",
    "Not what I expected, but I love it.": "positive",
    "The film was not bad at all.": "positive",
    "I can't say it was bad.": "positive",
    "Not bad at all.": "positive",
    "There is nothing wrong with it.": "positive",
    "It was bad.": "negative",
    "Not good at all.": "negative",
    "There is nothing good about it.": "negative",
}


@pytest.mark.long
def test_negation_turns_the_answer(real_data: Path, tmp_path: Path) -> None:
    run = train(
        train=str(real_data / "amazon" / "train.ft.txt.bz2"),
        output=tmp_path / "run",
        config=Config.preset("base"),
    )
    answers = load(run.folder).predict(list(SENTENCES))
    assert dict(zip(SENTENCES, [answer.label for answer in answers], strict=True)) == SENTENCES
