"""What is searched."""

from __future__ import annotations

import pytest

from sentir.config import Config
from sentir.errors import ConfigError
from sentir.tuning.space import SPACE, Choice, Range, choose_space, values_of


@pytest.mark.parametrize("preset", ["fast", "base", "best", "lecture"])
def test_every_preset_lies_in_the_space(preset: str) -> None:
    config = Config.preset(preset)
    space = choose_space(config, ())
    for name, value in values_of(config, space).items():
        where = space[name]
        if isinstance(where, Choice):
            assert value in where.values
        else:
            assert where.low <= value <= where.high


def test_settings_without_effect_are_not_searched() -> None:
    assert "dropout" not in choose_space(Config(), ())
    lecture = choose_space(Config.preset("lecture"), ())
    assert "dropout" in lecture
    assert "embedding_skip_dropout" not in lecture


def test_what_is_given_is_not_searched() -> None:
    assert "hidden_size" not in choose_space(Config(), {"hidden_size"})
    with pytest.raises(ConfigError, match="no setting is left"):
        choose_space(Config(), set(SPACE))


def test_what_is_named_is_searched_alone() -> None:
    assert list(choose_space(Config(), (), ["batch_size"])) == ["batch_size"]


def test_a_range_is_widened_by_the_value_to_start_from() -> None:
    assert Range(0.1, 0.2).including(0.5) == Range(0.1, 0.5)
    assert Choice((1, 3)).including(2) == Choice((1, 2, 3))
