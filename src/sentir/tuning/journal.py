"""The journal of a search: Optuna's file of every trial, which survives a kill."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sentir.errors import DataError
from sentir.tuning.result import COMPLETE, FAILED, PRUNED, TrialResult

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


class _NoLock:
    """The folder is locked as a whole, and a lock file of Optuna's would outlive a kill."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


def open_study(path: Path) -> Study:
    """The search that the journal holds; a new one if there is no file.

    Trials that a new one is compared with, to end it early, are those that got as far.

    Raises:
        DataError: the journal is damaged.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(logging.WARNING)
    _end_last_line(path)
    try:
        return optuna.create_study(
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(path), _NoLock())),  # type: ignore[arg-type]
            study_name="sentir",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
        )
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise DataError(
            f"damaged journal ({error})", where=str(path), todo="start again with --overwrite"
        ) from None


def _end_last_line(path: Path) -> None:
    """Drop the half of a line that a kill left, which the next line would be appended to."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))


def results(study: Study) -> tuple[TrialResult, ...]:
    """All trials that have ended, in their order."""
    return tuple(_result(trial) for trial in study.trials if trial.state.is_finished())


def _result(trial: FrozenTrial) -> TrialResult:
    from optuna.trial import TrialState

    states = {TrialState.COMPLETE: COMPLETE, TrialState.PRUNED: PRUNED}
    return TrialResult(
        number=trial.number,
        settings=trial.user_attrs.get("settings", trial.params),
        state=states.get(trial.state, FAILED),
        loss=trial.value if trial.state == TrialState.COMPLETE else None,
        accuracy=trial.user_attrs.get("accuracy"),
        seconds=trial.user_attrs.get("seconds", 0.0),
    )
