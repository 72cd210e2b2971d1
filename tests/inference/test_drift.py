"""Files are compared as the same texts in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import sentir
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import Bundle, save_bundle
from sentir.errors import BundleError, ConfigError, DataError
from sentir.inference import drift as drift_module
from sentir.inference.predictor import Predictor

TEXTS = [text or "good" for text in random_texts(50)]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    reliability = [{"count": 200, "confidence": 0.7}]
    validation = {"accuracy": 0.7, "examples": 200, "reliability": reliability}
    texts = {"unknown_share": 0.0, "mean_length": 30.0}
    return replace(toy(), metrics={"validation": validation, "validation_texts": texts})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "new.csv"
    path.write_text("text\n" + "".join(f'"{text}"\n' for text in [*TEXTS, "zyx abc"]))
    return path


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")
def test_confidence_unknown_words_and_length(
    bundle: Bundle, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(bundle)
    tokens = [token for text in [*TEXTS, "zyx abc"] for token in bundle.tokenizer.tokens(text)]
    confidence_N = predictor.predict_proba([*TEXTS, "zyx abc"]).max(axis=1)
    found = sentir.drift(predictor, file)
    assert found.examples == 51
    assert found.confidence == pytest.approx(confidence_N.mean())
    assert found.unknown_share == pytest.approx(2 / len(tokens))
    assert found.mean_length == len(tokens) / 51
    monkeypatch.setattr(drift_module, "WINDOW", 4)  # it is streamed
    counts: list[int] = []
    again = sentir.drift(bundle, [str(file)], progress=counts.append)
    assert counts == [16, 16, 16, 3, 0]
    assert again.confidence == pytest.approx(found.confidence)
    save_bundle(bundle, tmp_path / "run" / "model")
    loaded = sentir.drift(tmp_path / "run", file)
    assert loaded.confidence == pytest.approx(found.confidence)


def test_labels_are_not_read(bundle: Bundle, tmp_path: Path, messages) -> None:
    file = tmp_path / "a.csv"
    file.write_text("label,text\nstrange,the film was good\n,the film was bad\nx,\n")
    assert sentir.drift(bundle, file).examples == 2
    assert "1 without text" in messages.logged()


def test_what_cannot_be_compared(bundle: Bundle, file: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no figures of validation"):
        sentir.drift(toy(), file)
    with pytest.raises(ConfigError, match="no setting"):
        sentir.drift(bundle, file, labels="a,b")
    empty = tmp_path / "empty.csv"
    empty.write_text("text,n\n,1\n")
    with pytest.raises(DataError, match="none of its rows could be read"):
        sentir.drift(bundle, empty)
    with pytest.raises(BundleError, match="no model here"):
        sentir.drift(tmp_path, file)
