"""A language model goes on as it has learnt to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sentir.bundle import LanguageBundle, save_bundle
from sentir.config import CLEAN_STEPS, PretrainConfig
from sentir.errors import BundleError, UsageError
from sentir.inference.generation import TextGenerator, _written
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import to_arrays
from sentir.text.tokenizer import PAD, UNK, WordTokenizer
from sentir.training.pretrain import pretrain

WORDS = "las nubes están en el cielo . la comida fue ¿ qué ? , n't".split()


def toy(cell: str = "lstm") -> LanguageBundle:
    config = PretrainConfig().override({"embedding_dim": 6, "hidden_size": 5, "cell": cell})
    torch.manual_seed(0)
    tokenizer = WordTokenizer(WORDS, CLEAN_STEPS)
    model = LanguageModel(config.model, vocabulary=len(tokenizer.vocabulary))
    with torch.no_grad():
        for weight in model.parameters():
            weight += torch.randn_like(weight)
    return LanguageBundle(weights=to_arrays(model), tokenizer=tokenizer, config=config, metrics={})


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> TextGenerator:
    """A language model that has read of clouds in the sky, most of the time."""
    folder = tmp_path_factory.mktemp("clouds")
    lines = [f"Las nubes {verb} en el {place}." for verb in ("están", "pasan", "flotan", "viven")
             for place in ["cielo"] * 6 + ["río"] * 2] * 12  # fmt: skip
    lines = [f"{line} {number}" for number, line in enumerate(lines)]
    file = folder / "clouds.txt"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    config = PretrainConfig().override(
        {"embedding_dim": 16, "hidden_size": 16, "epochs": 6, "batch_size": 16,
         "learning_rate": 0.02, "num_sampled": 100, "eval_steps": 66, "device": "cpu"}
    )  # fmt: skip
    return TextGenerator(pretrain([str(file)], Path(folder, "run"), config=config).bundle)


def test_a_frequent_pattern_comes_first(clouds: TextGenerator) -> None:
    found = clouds.next_words("Las nubes están en el", 3)
    assert [one.word for one in found[:2]] == ["cielo", "río"]
    assert found[0].probability == pytest.approx(0.75, abs=0.15)
    assert found[1].probability == pytest.approx(0.25, abs=0.15)
    likeliest = clouds.draw("Las nubes viven", 4, temperature=0)
    assert clouds.draw("Las nubes viven", 4, temperature=1e-300) == likeliest
    for impossible in (float("inf"), float("nan"), -1.0):
        with pytest.raises(UsageError, match="take 0 or more"):
            clouds.draw("Las nubes viven", 4, temperature=impossible)
    assert likeliest.words == ["en", "el", "cielo", "."]
    assert likeliest.text == "Las nubes viven en el cielo."
    searched = clouds.search("Las nubes viven", 4, beams=2)
    assert searched[0].words == likeliest.words
    assert searched[1].words == ["en", "el", "río", "."]
    assert searched[0].probability == pytest.approx(likeliest.probability, rel=1e-4)


def test_drawing_follows_the_probabilities(clouds: TextGenerator) -> None:
    drawn = [clouds.draw("las nubes pasan en el", 1, temperature=1, seed=seed).words[0]
             for seed in range(100)]  # fmt: skip
    assert 55 <= drawn.count("cielo") <= 95
    assert drawn.count("cielo") + drawn.count("río") >= 95
    cool = [clouds.draw("las nubes pasan en el", 1, temperature=0.05, seed=seed).words[0]
            for seed in range(20)]  # fmt: skip
    assert cool == ["cielo"] * 20


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_step_by_step_is_all_at_once(cell: str) -> None:
    bundle = toy(cell)
    completer = TextGenerator(bundle)
    text = "las nubes están"
    for beams in (1, 4):
        for found in completer.search(text, 3, beams=beams):
            total = 1.0
            so_far = text
            for word in found.words:
                shares = {one.word: one.probability for one in completer.next_words(so_far, 99)}
                total *= shares[word]
                so_far += " " + word
            assert found.probability == pytest.approx(total, rel=1e-4)


def test_probabilities_are_of_all_known_words() -> None:
    completer = TextGenerator(toy())
    found = completer.next_words("las nubes", 99)
    assert len(found) == len(WORDS)
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-5)
    assert not {"_PAD", "_UNK"} & {one.word for one in found}
    assert [one.probability for one in found] == sorted(
        (one.probability for one in found), reverse=True
    )
    assert completer.next_words("las palabras desconocidas")  # an unknown word can be read
    assert (PAD, UNK) == (0, 1)


def test_one_seed_one_continuation() -> None:
    completer = TextGenerator(toy())
    drawn = {completer.draw("las", 6, temperature=1, seed=seed).text for seed in (1, 1, 2, 3)}
    assert len(drawn) == 3
    assert completer.draw("las  ", 0, temperature=1).text == "las"
    assert completer.search("las", 0, beams=3)[0].words == []


def test_more_beams_than_there_are_continuations() -> None:
    found = TextGenerator(toy()).search("las", 1, beams=500)
    assert len(found) == len(WORDS)
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", "  ", "<br />"])
def test_nothing_to_go_on_from(text: str) -> None:
    completer = TextGenerator(toy())
    for ask in (completer.next_words, lambda text: completer.draw(text, 3, temperature=1),
                lambda text: completer.search(text, 3, beams=2)):  # fmt: skip
        with pytest.raises(UsageError, match="no word to go on from; give a few words"):
            ask(text)


def test_subwords_are_joined(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("la habitación estaba sucia\nla comida estaba fría\n" * 40, "utf-8")
    config = PretrainConfig().override(
        {
            "embedding_dim": 6,
            "hidden_size": 5,
            "tokenizer": "bpe",
            "max_vocab_size": 60,
            "epochs": 1,
        }
    )
    completer = TextGenerator(pretrain([str(file)], tmp_path / "run", config=config).bundle)
    found = completer.draw("la habi", 8, temperature=1)
    assert "▁" not in found.text
    assert found.text.startswith("la habi")
    assert len(found.words) == 8


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["was", "good", ",", "but", "do", "n't", "go", "."], " was good, but don't go."),
        (["(", "the", "end", ")"], " (the end)"),
        (["¿", "qué", "tal", "?", "¡", "bien", "!"], " ¿qué tal? ¡bien!"),
        (["it", "'s", "``", "fine", "''"], ' it\'s "fine"'),
        (["▁bue", "no", "▁sí"], " bueno sí"),
        (["no", "▁sí"], "no sí"),
        ([], ""),
    ],
)
def test_words_are_written_as_people_do(words: list[str], written: str) -> None:
    assert _written(words) == written


def test_the_model_may_be_a_folder(tmp_path: Path) -> None:
    bundle = toy()
    save_bundle(bundle, tmp_path / "run" / "model")
    expected = TextGenerator(bundle).next_words("las nubes")
    for model in (tmp_path / "run", str(tmp_path / "run" / "model")):
        assert TextGenerator(model).next_words("las nubes") == expected
    with pytest.raises(BundleError, match="no model here"):
        TextGenerator(tmp_path)
