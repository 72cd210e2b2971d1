"""The settings that are searched, and where: a range or a list of values each.

The ranges are wide enough for a few hundred to a few million reviews. None of these settings
changes which reviews are held out or how a text becomes ids, so the reviews are encoded once.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sentir.config import Config, sections
from sentir.errors import ConfigError

if TYPE_CHECKING:
    from optuna.trial import Trial

#: Digits kept of a number that is tried: a report and a settings file can show it whole.
DIGITS = 3


@dataclasses.dataclass(frozen=True)
class Range:
    """Any number from `low` to `high`; `log`: each doubling is as probable as the next."""

    low: float
    high: float
    log: bool = False

    def including(self, value: float) -> Range:
        """The range, widened so that `value` is in it."""
        return dataclasses.replace(self, low=min(self.low, value), high=max(self.high, value))

    def suggest(self, trial: Trial, name: str) -> float:
        """A number of that range for a trial."""
        return float(f"{trial.suggest_float(name, self.low, self.high, log=self.log):.{DIGITS}g}")


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[float, ...]

    def including(self, value: float) -> Choice:
        """The choice, with `value` among its values."""
        return Choice(tuple(sorted({*self.values, value})))

    def suggest(self, trial: Trial, name: str) -> Any:
        """One of the values for a trial."""
        return trial.suggest_categorical(name, self.values)


#: What can be searched.
SPACE: dict[str, Range | Choice] = {
    "learning_rate": Range(0.0005, 0.02, log=True),
    "batch_size": Choice((16, 32, 64, 128)),
    "ema_decay": Choice((0.0, 0.98, 0.99, 0.995, 0.999)),
    "weight_decay": Choice((0.0, 0.001, 0.01, 0.1)),
    "hidden_size": Choice((16, 32, 64, 128)),
    "embedding_dropout": Range(0.0, 0.6),
    "head_dropout": Range(0.0, 0.7),
    "embedding_skip_dropout": Range(0.0, 0.8),
    "dropout": Range(0.0, 0.6),
}


def choose_space(
    config: Config, fixed: Collection[str], names: Sequence[str] = ()
) -> dict[str, Range | Choice]:
    """The settings to search, each with its range, in which the given configuration lies.

    Args:
        config: what the search starts from.
        fixed: settings that the user has given, which are not searched.
        names: what to search; empty: all of `SPACE` that have an effect.

    Raises:
        ConfigError: a name cannot be searched, or is both fixed and searched.
    """
    for name in names:
        if name not in SPACE:
            near = difflib.get_close_matches(name, SPACE, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"no setting that can be searched: {name!r}",
                where="--search",
                todo=f"did you mean {near!r}? All: {', '.join(SPACE)}",
            )
        if name in fixed:
            raise ConfigError(
                f"{name} is both given and searched", where="--search", todo="leave one of them out"
            )
    model = config.model
    idle = {
        *(["dropout"] if model.num_layers == 1 else []),
        *([] if model.embedding_skip else ["embedding_skip_dropout"]),
    }
    chosen = names or [name for name in SPACE if name not in {*fixed, *idle}]
    if not chosen:
        raise ConfigError(
            "no setting is left to search", where="--search", todo="give fewer settings"
        )
    values = values_of(config, chosen)
    return {name: SPACE[name].including(values[name]) for name in chosen}


def values_of(config: Config, names: Collection[str]) -> dict[str, Any]:
    """The values that a configuration has for these settings."""
    section_of = sections(Config)
    return {name: getattr(getattr(config, section_of[name]), name) for name in names}


def suggest(trial: Trial, space: Mapping[str, Range | Choice]) -> dict[str, Any]:
    """A value of each setting for a trial."""
    return {name: where.suggest(trial, name) for name, where in space.items()}
