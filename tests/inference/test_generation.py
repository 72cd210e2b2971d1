"""A language model continues texts as it has learnt to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fixtures.toy_language_model import WORDS
from fixtures.toy_language_model import toy_language_model as toy
from sentir.bundle import save_bundle
from sentir.config import PretrainConfig
from sentir.errors import BundleError, UsageError
from sentir.inference.generation import TextGenerator, _join
from sentir.nn.restore import restore_language_model
from sentir.text.tokenizer import PAD, UNK
from sentir.training.pretrain import pretrain


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
    candidates = clouds.next_words("Las nubes están en el", 3)
    assert [candidate.word for candidate in candidates[:2]] == ["cielo", "río"]
    assert candidates[0].probability == pytest.approx(0.75, abs=0.15)
    assert candidates[1].probability == pytest.approx(0.25, abs=0.15)
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
    generator = TextGenerator(bundle)
    text = "las nubes están"
    for beams in (1, 4):
        for continuation in generator.search(text, 3, beams=beams):
            total = 1.0
            so_far = text
            for word in continuation.words:
                probabilities = dict(generator.next_words(so_far, 99))
                total *= probabilities[word]
                so_far += " " + word
            assert continuation.probability == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_probabilities_are_those_of_pytorch(cell: str) -> None:
    bundle = toy(cell)
    text = "las nubes están en el"
    ids = bundle.tokenizer.encode([text + " cielo"])[0]  # of the last word nothing is predicted
    model = restore_language_model(bundle)
    with torch.no_grad():
        forward, _ = model(torch.tensor([ids]), torch.tensor([len(ids)]))
        logits_NV = model.softmax.logits(forward.outputs_NE, model.embedding.weight)
    logits_NV[:, UNK] = -torch.inf
    expected = logits_NV[-1].softmax(0).tolist()
    candidates = dict(TextGenerator(bundle).next_words(text, 99))
    assert [candidates[word] for word in WORDS] == pytest.approx(expected[UNK + 1 :], abs=1e-6)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(BundleError, match=r"layer.forward_rnn.weight_ih_l0 is .*; train again"):
        TextGenerator(replace(toy("gru"), config=toy("lstm").config))


def test_probabilities_are_of_all_known_words() -> None:
    generator = TextGenerator(toy())
    candidates = generator.next_words("las nubes", 99)
    assert len(candidates) == len(WORDS)
    assert sum(candidate.probability for candidate in candidates) == pytest.approx(1, abs=1e-5)
    assert not {"_PAD", "_UNK"} & {candidate.word for candidate in candidates}
    assert [candidate.probability for candidate in candidates] == sorted(
        (candidate.probability for candidate in candidates), reverse=True
    )
    assert generator.next_words("las palabras desconocidas")  # an unknown word can be read
    assert (PAD, UNK) == (0, 1)


def test_one_seed_one_continuation() -> None:
    generator = TextGenerator(toy())
    drawn = {generator.draw("las", 6, temperature=1, seed=seed).text for seed in (1, 1, 2, 3)}
    assert len(drawn) == 3
    assert generator.draw("las  ", 0, temperature=1).text == "las"
    assert generator.next_words("las", 0) == []
    with pytest.raises(UsageError, match="seed = -1; take 0 or more"):
        generator.draw("las", 6, temperature=1, seed=-1)
    assert generator.search("las", 0, beams=3)[0].words == []


def test_more_beams_than_there_are_continuations() -> None:
    continuations = TextGenerator(toy()).search("las", 1, beams=500)
    assert len(continuations) == len(WORDS)
    assert sum(continuation.probability for continuation in continuations) == pytest.approx(
        1, abs=1e-5
    )


@pytest.mark.parametrize("text", ["", "  ", "<br />"])
def test_a_text_without_words_cannot_be_continued(text: str) -> None:
    generator = TextGenerator(toy())
    for call in (generator.next_words, lambda text: generator.draw(text, 3, temperature=1),
                lambda text: generator.search(text, 3, beams=2)):  # fmt: skip
        with pytest.raises(UsageError, match="no word to continue; give a few words"):
            call(text)


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
    generator = TextGenerator(pretrain([str(file)], tmp_path / "run", config=config).bundle)
    continuation = generator.draw("la habi", 8, temperature=1)
    assert "▁" not in continuation.text
    assert continuation.text.startswith("la habi")
    assert len(continuation.words) == 8


@pytest.mark.parametrize(
    ("words", "text"),
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
def test_words_are_join_as_people_do(words: list[str], text: str) -> None:
    assert _join(words) == text


def test_the_model_may_be_a_folder(tmp_path: Path) -> None:
    bundle = toy()
    save_bundle(bundle, tmp_path / "run" / "model")
    expected = TextGenerator(bundle).next_words("las nubes")
    for model in (tmp_path / "run", str(tmp_path / "run" / "model")):
        assert TextGenerator(model).next_words("las nubes") == expected
    with pytest.raises(BundleError, match="no model here"):
        TextGenerator(tmp_path)
