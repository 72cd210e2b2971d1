"""Units that track a property, and how they are chosen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sentir.errors import UsageError
from sentir.lesson.units.experiment import CharacterModel, best_unit, find_units, synthetic_text
from sentir.lesson.units.properties import PROPERTIES


def test_a_unit_is_scored_where_it_was_not_chosen() -> None:
    """Unit 0 tracks the property in the first half by chance and not in the second."""
    truth_T = np.array([0.0, 1, 0, 1, 0, 1, 0, 1])
    tracks, other = [0, 1, 0, 1, 5, 5, 5, 5], [0, -1, 0, 0, 0, -1, 0, -1]
    cells_TH = np.array([tracks, other], float).T
    auc = PROPERTIES[0]
    assert best_unit(cells_TH, truth_T, auc, 4) == (0, 1, 0.5)
    assert best_unit(-cells_TH[:, 1:], truth_T, auc, 4) == (0, 1, 1.0)
    assert best_unit(cells_TH[:, 1:], truth_T, auc, 4) == (0, -1, 1.0)  # it falls with it


def test_cells_are_those_of_the_readable_step() -> None:
    torch.manual_seed(0)
    model = CharacterModel(7, 5)
    ids_T = torch.tensor([1, 4, 2, 6])
    with torch.inference_mode():
        _, (_, cell_1BH) = model.layer(model.embedding(ids_T)[:, None])
    np.testing.assert_allclose(model.cells(ids_T)[-1], cell_1BH[0, 0], rtol=1e-5, atol=1e-6)


def test_units_track_negations_and_sentences_better_than_untrained_ones() -> None:
    steps: list[int] = []
    units = find_units("en", units=32, steps=300, advance=steps.append)
    assert sum(steps) == 300
    assert units.bits < 4 < units.bits_untrained
    by_name = {best.name: best for best in units.best}
    assert set(by_name) == {"negation", "sentence", "word"}  # the sample has no quotation marks
    for name in ("negation", "sentence"):
        assert by_name[name].score > by_name[name].chance + 0.03, name
    assert len(units.text) == len(units.cells_TH)
    assert set(units.to_dict()) == {"bits", "bits_untrained", "best"}


def test_the_same_seed_gives_the_same() -> None:
    one, other = (find_units("es", units=8, steps=5, seed=3).to_dict() for _ in range(2))
    assert one == other


def test_the_users_own_texts() -> None:
    texts = ['She said "never again" and left. Good.'] * 300
    units = find_units("en", texts=texts, units=8, steps=5)
    assert {best.name for best in units.best} == {"quotes", "negation", "sentence", "word"}


def test_too_little_text_is_refused() -> None:
    with pytest.raises(UsageError, match="17 characters are too few"):
        find_units("en", texts=["Short and no good"], steps=1)


def test_the_synthetic_text() -> None:
    assert len(synthetic_text("es", 5000)) == 5000
    with pytest.raises(UsageError, match="'fr'"):
        synthetic_text("fr", 100)
