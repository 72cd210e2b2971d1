"""Units that hold something nameable, and how they are chosen."""

from __future__ import annotations

import numpy as np
import pytest

from sentir.errors import UsageError
from sentir.lesson.units.experiment import CharacterModel, best_unit, find_units, synthetic_text
from sentir.lesson.units.picture import figure, table
from sentir.lesson.units.properties import (
    PROPERTIES,
    after_negation,
    areas,
    correlations,
    inside_quotes,
    into_sentence,
    into_word,
)


def shown(text: str, truth_T: np.ndarray) -> str:
    return "".join(sign for sign, is_in in zip(text, truth_T, strict=True) if is_in)


def test_what_a_text_holds() -> None:
    text = 'He said "not bad". I can\'t say. Fine'
    assert shown(text, inside_quotes(text, "en")) == '"not bad'
    assert shown(text, after_negation(text, "en")) == ' bad" say'
    assert into_sentence("ab. c", "en").tolist() == [1, 2, 0, 1, 2]
    assert into_word("ab. c", "en").tolist() == [1, 2, 0, 0, 1]
    assert shown("No lo sé. Sí", after_negation("No lo sé. Sí", "es")) == " lo sé"
    with pytest.raises(UsageError, match="the lesson does not speak 'fr'"):
        after_negation("ne pas", "fr")


def test_scores_by_hand() -> None:
    truth_T = np.array([0.0, 0, 1, 1])
    values_TH = np.array([[0.0, 3, 1], [1, 2, 1], [2, 1, 1], [3, 0, 1]])
    assert areas(values_TH, truth_T).tolist() == [1, 0, 0.5]
    np.testing.assert_allclose(correlations(values_TH, np.arange(4.0)), [1, -1, 0])


def test_a_unit_is_scored_where_it_was_not_chosen() -> None:
    """Unit 0 tells all of the first half by chance and nothing of the second."""
    truth_T = np.array([0.0, 1, 0, 1, 0, 1, 0, 1])
    told, other = [0, 1, 0, 1, 5, 5, 5, 5], [0, -1, 0, 0, 0, -1, 0, -1]
    cells_TH = np.array([told, other], float).T
    auc = PROPERTIES[0]
    assert best_unit(cells_TH, truth_T, auc, 4) == (0, 1, 0.5)
    assert best_unit(-cells_TH[:, 1:], truth_T, auc, 4) == (0, 1, 1.0)
    assert best_unit(cells_TH[:, 1:], truth_T, auc, 4) == (0, -1, 1.0)  # it falls with it


def test_cells_are_those_of_the_readable_step() -> None:
    import torch

    torch.manual_seed(0)
    model = CharacterModel(7, 5)
    ids_T = torch.tensor([1, 4, 2, 6])
    with torch.inference_mode():
        _, (_, cell_1BH) = model.layer(model.embedding(ids_T)[:, None])
    np.testing.assert_allclose(model.cells(ids_T)[-1], cell_1BH[0, 0], rtol=1e-5, atol=1e-6)


def test_units_track_negations_and_sentences_better_than_chance() -> None:
    steps: list[int] = []
    found = find_units("en", units=32, steps=300, advance=steps.append)
    assert sum(steps) == 300
    assert found.bits < 4 < found.bits_untrained
    by_name = {one.name: one for one in found.found}
    assert set(by_name) == {"negation", "sentence", "word"}  # the sample has no quotation marks
    for name in ("negation", "sentence"):
        assert by_name[name].score > by_name[name].chance + 0.03, name
    assert len(found.text) == len(found.cells_TH)
    assert set(found.to_dict()) == {"bits", "bits_untrained", "found"}
    for language in ("en", "es"):
        assert table(found, language).row_count == 3
        assert len(figure(found, language).axes) == 6


def test_the_same_seed_gives_the_same() -> None:
    one, other = (find_units("es", units=8, steps=5, seed=3).to_dict() for _ in range(2))
    assert one == other


def test_texts_of_ones_own() -> None:
    texts = ['She said "never again" and left. Good.'] * 300
    found = find_units("en", texts=texts, units=8, steps=5)
    assert {one.name for one in found.found} == {"quotes", "negation", "sentence", "word"}


def test_too_little_text() -> None:
    with pytest.raises(UsageError, match="17 characters are too few"):
        find_units("en", texts=["Short and no good"], steps=1)


def test_the_made_up_text() -> None:
    assert len(synthetic_text("es", 5000)) == 5000
    with pytest.raises(UsageError, match="'fr'"):
        synthetic_text("fr", 100)
