"""Finding settings: trials of other settings, each a run of `sentir.train` on the same reviews.

Trial 0 is the preset. Later ones are chosen by what earlier ones showed (tree-structured Parzen
estimator: Bergstra et al. 2011, in Optuna: Akiba et al. 2019), and ended early where their
validation loss is above the median of the others at the same point of training. In the end preset
and best are trained again with other seeds, since a difference within the spread of the seeds may
be chance.

Nothing here sees a test set: settings that were chosen by it would be measured too well by it.
"""

from __future__ import annotations

import dataclasses
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentir.bundle import LanguageBundle
from sentir.config import Config, read_settings
from sentir.config_file import to_toml
from sentir.data.cache import digest
from sentir.data.prepare import Sources
from sentir.errors import ConfigError, SentirWarning, UsageError
from sentir.evaluation.comparison.comparison import Comparison
from sentir.extras import TRAINING, require
from sentir.inference.compare import compare
from sentir.io.atomic import atomic_write, remove
from sentir.io.paths import Paths, path_list
from sentir.training.callbacks import Callback, Event
from sentir.training.classifier_run import ClassifierRun, Run
from sentir.training.process_group import is_launched
from sentir.training.run_training import run_training
from sentir.training.transfer import start_new
from sentir.tuning.folder import (
    BEST,
    CACHE,
    JOURNAL,
    PAGE,
    is_finished,
    open_search_dir,
    run_name,
    runs_of,
)
from sentir.tuning.journal import open_study, results
from sentir.tuning.result import Search, TrialResult, best_of
from sentir.tuning.space import Choice, Range, choose_space, suggest, values_of

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

#: Trials that must fit into the time: with fewer there is nothing to choose from.
MIN_TRIALS = 3
#: Share of the time that is spent at most on training preset and best with other seeds.
REPETITION_SHARE = 1 / 3
#: What repetitions with other seeds have taken (seconds): its name in the journal.
REPEATED_S = "repetition_seconds"
#: Points of training at which a trial may be ended early.
RUNGS = 10
#: Steps after which the time of a whole trial is estimated, and those before, which compile.
ESTIMATE_AFTER, COMPILING = 30, 5

_log = logging.getLogger(__name__)


def tune(
    train: Paths,
    output: str | Path,
    *,
    minutes: float = 30.0,
    trials: int | None = None,
    search: Sequence[str] = (),
    seeds: int = 3,
    valid: Paths = (),
    labels: str = "auto",
    preset: str | None = None,
    config: Config | None = None,
    from_lm: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: Callable[[TrialResult, TrialResult | None], None] = lambda trial, best: None,
    **settings: Any,
) -> Search:
    """Find settings that have a lower validation loss than a preset's, in a given time.

    >>> import sentir
    >>> found = sentir.tune("reviews.csv", "runs/tuned", minutes=30)  # doctest: +SKIP
    >>> sentir.train("reviews.csv", "runs/shop", config=found.config)  # doctest: +SKIP

    Args:
        train: labelled reviews, as in `sentir.train`.
        output: the search's folder: a new or empty one, or that of a search.
        minutes: time for all of it, earlier parts of a resumed search included.
        trials: most trials; None: as many as fit.
        search: names of the settings to search, of `sentir.tuning.space.SPACE`; empty: all that
            have an effect and are not given as `settings`.
        seeds: seeds that preset and best are trained with in the end, if that takes at most a third
            of the time.
        valid: validation reviews; empty: a part of `train` is held out.
        labels: how labels become classes, as in `sentir.train`.
        preset: the preset to start from, as in `sentir.train`.
        config: all settings to start from, instead of a preset.
        from_lm: folder of a language model to start each trial from; its shape is not searched.
        resume: go on with the search in that folder.
        overwrite: replace the search in that folder.
        callbacks: called with every event of each trial, see `sentir.training.callbacks`.
        progress: called after each trial, with it and with the best one so far.
        **settings: as in `sentir.train`; what is given is not searched.

    Raises:
        SentirError: bad input, settings that cannot be, too little time for three trials, a folder
            that holds something else, or a package that is not installed.
    """
    require("finding settings", *TRAINING, "optuna")
    if is_launched():
        raise UsageError(
            "a search runs in one process", where="torchrun", todo="start sentir tune without it"
        )
    if not minutes > 0:
        raise UsageError(f"minutes = {minutes}", todo="give more than 0")
    if seeds < 1:
        raise UsageError(f"seeds = {seeds}", todo="give 1 or more")
    if trials is not None and trials < MIN_TRIALS:
        raise UsageError(f"trials = {trials}", todo=f"give {MIN_TRIALS} or more")
    read, changes = read_settings(settings, Config)
    sources = Sources(
        train=path_list(train, "train"), valid=path_list(valid, "valid"), labels=labels, read=read
    )
    lm, config = start_new(from_lm, preset, config, changes)
    fixed = {*changes, *(lm.config.model.classifier() if lm else ())}
    sources.check()
    found = _Searching(
        sources=sources,
        config=config,
        lm=lm,
        from_lm=str(from_lm),
        folder=Path(output),
        space=choose_space(config, fixed, search),
        budget_s=60 * minutes,
        max_trials=trials,
        max_seeds=seeds,
        callbacks=callbacks,
        progress=progress,
    )
    with open_search_dir(found.folder, found.identity(), resume=resume, overwrite=overwrite):
        return found.run()


@dataclasses.dataclass(kw_only=True)
class _Searching:
    """A search at work; the attributes are the arguments of `tune`."""

    sources: Sources
    config: Config
    lm: LanguageBundle | None
    from_lm: str
    folder: Path
    space: dict[str, Range | Choice]
    budget_s: float
    max_trials: int | None
    max_seeds: int
    callbacks: Sequence[Callback]
    progress: Callable[[TrialResult, TrialResult | None], None]

    def identity(self) -> str:
        """Equal for searches that can go on in the same folder."""
        key = self.sources.cache_key(self.config, self.lm)
        space = {name: vars(where) for name, where in self.space.items()}
        return digest([key, self.config.to_dict(), space])

    def run(self) -> Search:
        study = open_study(self.folder / JOURNAL)
        interrupted = False
        try:
            self._search(study)
            self._repeat(study)
        except KeyboardInterrupt:
            interrupted = True
            if best_of(results(study)) is None:
                raise
        return self._finish(results(study), interrupted=interrupted)

    def _search(self, study: Study) -> None:
        """Run trials until the time is over, or Ctrl-C."""
        while self._has_time(ended := results(study), study.user_attrs.get(REPEATED_S, 0.0)):
            if self.max_trials is not None and len(ended) >= self.max_trials:
                break
            trial = self._next_trial(study)
            self._run_trial(study, trial)
            ended = results(study)
            self._keep_best(ended)
            self.progress(ended[-1], best_of(ended))

    def _has_time(self, ended: Sequence[TrialResult], repeated_s: float) -> bool:
        """Whether another trial fits, with the repetitions that follow.

        Args:
            ended: the trials so far.
            repeated_s: what repetitions with other seeds have taken, before a search was resumed.

        Raises:
            UsageError: fewer than `MIN_TRIALS` fit.
        """
        whole = [trial.seconds for trial in ended if trial.loss is not None]
        if not whole:
            return True
        if MIN_TRIALS * whole[0] > self.budget_s:
            raise _too_little_time(whole[0], self.budget_s)
        used = sum(trial.seconds for trial in ended) + repeated_s
        one = statistics.median(whole)
        return used + (1 + 2 * self._repetitions(one)) * one <= self.budget_s

    def _repetitions(self, trial_s: float) -> int:
        """How many other seeds preset and best are trained with, if a run takes `trial_s`."""
        affordable = int(REPETITION_SHARE * self.budget_s / (2 * trial_s))
        return min(self.max_seeds - 1, affordable)

    def _next_trial(self, study: Study) -> Trial:
        """The next trial: one that a kill or Ctrl-C ended goes on, with its settings."""
        import optuna
        from optuna.trial import TrialState

        begun = [trial for trial in study.trials if trial.state != TrialState.WAITING]
        killed = [trial for trial in begun if trial.state == TrialState.RUNNING]
        number = killed[0].number if killed else len(begun)
        # Seeded by the number, so that a resumed search proposes what an uninterrupted one does.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.sampler = optuna.samplers.TPESampler(
                seed=self.config.train.seed + number, multivariate=True, n_startup_trials=8
            )
        if killed:
            return optuna.trial.Trial(study, killed[0]._trial_id)
        if not study.trials:
            study.enqueue_trial(values_of(self.config, self.space))
        return study.ask()

    def _run_trial(self, study: Study, trial: Trial) -> None:
        """Train with the settings of a trial, and tell how it ended."""
        from optuna.exceptions import TrialPruned
        from optuna.trial import TrialState

        settings = suggest(trial, self.space)
        trial.set_user_attr("settings", settings)
        folder = self.folder / run_name(trial.number)
        clock = _Clock(trial, None if trial.number else self.budget_s)
        try:
            with _quiet(trial.number > 0):
                run = self._train(self.config.override(settings), folder, [clock])
        except TrialPruned:
            clock.save()
            study.tell(trial, state=TrialState.PRUNED)
            remove(folder)
        except ConfigError as error:  # the loss is no longer finite
            if not trial.number:
                raise
            _log.info("trial %d failed: %s", trial.number, error)
            clock.save()
            study.tell(trial, state=TrialState.FAIL)
            remove(folder)
        else:
            if run.bundle.metrics["training"]["stopped"] == "interrupted":
                raise KeyboardInterrupt
            clock.save()
            trial.set_user_attr("accuracy", run.validation.accuracy)
            study.tell(trial, run.validation.loss)

    def _train(self, config: Config, folder: Path, callbacks: Sequence[Callback]) -> Run:
        """One run, like one of `sentir.train` with these settings."""
        task = ClassifierRun(
            self.sources, config, self.lm, self.from_lm, (), baseline=False, coverage=None
        )
        return run_training(
            task,
            folder,
            callbacks=[*callbacks, *self.callbacks],
            resume=(folder / "checkpoint.pt").exists(),
            overwrite=False,
            cache=self.folder / CACHE / f"seed-{config.train.seed}",
        )

    def _keep_best(self, ended: tuple[TrialResult, ...]) -> None:
        """Remove the runs of all trials but the preset's and the best one's."""
        best = best_of(ended)
        for trial in ended:
            if trial.number and best is not None and trial.number != best.number:
                for run in runs_of(self.folder, trial.number):
                    remove(run)

    def _repeat(self, study: Study) -> None:
        """Train preset and best with other seeds, as far as the time allows."""
        ended = results(study)
        best = best_of(ended)
        if best is None or best.number == 0:
            return
        one = statistics.median(trial.seconds for trial in ended if trial.loss is not None)
        for repetition in range(1, self._repetitions(one) + 1):
            seed = self.config.train.seed + repetition
            for number, config in ((0, self.config), (best.number, self._config_of(best))):
                folder = self.folder / run_name(number, seed)
                if is_finished(folder):
                    continue
                _log.info("%s with seed %d", run_name(number), seed)
                with _quiet(True):
                    run = self._train(config.override({"seed": seed}), folder, [])
                if run.bundle.metrics["training"]["stopped"] == "interrupted":
                    raise KeyboardInterrupt
                seconds = run.bundle.metrics["training"]["seconds"]
                study.set_user_attr(REPEATED_S, study.user_attrs.get(REPEATED_S, 0.0) + seconds)

    def _config_of(self, trial: TrialResult) -> Config:
        return self.config.override(trial.settings)

    def _finish(self, ended: tuple[TrialResult, ...], *, interrupted: bool) -> Search:
        best = best_of(ended)
        assert best is not None  # trial 0 is complete, or has raised
        self._keep_best(ended)
        result = Search(
            folder=self.folder,
            config=self._config_of(best),
            best=best,
            trials=ended,
            space=self.space,
            minutes=self.budget_s / 60,
            comparison=self._compare(best) if best.number else None,
            interrupted=interrupted,
        )
        title = f"Settings of trial {best.number} of a search (validation loss {best.loss:.4f})"
        with atomic_write(self.folder / BEST) as part:
            part.write_text(to_toml(result.config, title), encoding="utf-8")
        from sentir.tuning.page import write_search  # here, as matplotlib takes a second to load

        write_search(result, self.folder / PAGE)
        return result

    def _compare(self, best: TrialResult) -> Comparison:
        """Preset and best, with all seeds that both were trained with."""
        seeds = [None, *(self.config.train.seed + index for index in range(1, self.max_seeds))]
        runs = [[self.folder / run_name(number, seed) for number in (0, best.number)]
                for seed in seeds]  # fmt: skip
        presets, others = zip(*(pair for pair in runs if all(map(is_finished, pair))), strict=True)
        with warnings.catch_warnings():  # that reviews are synthetic was said at the start
            warnings.simplefilter("ignore", SentirWarning)
            comparison = compare([*presets, *others])
        names = ("preset", f"trial {best.number}")
        groups = [
            dataclasses.replace(group, name=name)
            for group, name in zip(comparison.groups, names, strict=True)
        ]
        return dataclasses.replace(comparison, groups=tuple(groups))


class _Clock:
    """Times a trial, ends it early where others were better, and refuses one that takes too long.

    Args:
        trial: the trial.
        budget_s: seconds of the whole search, for trial 0; else None.
    """

    def __init__(self, trial: Trial, budget_s: float | None) -> None:
        self._trial, self._budget_s = trial, budget_s
        before = trial.user_attrs.get("seconds", 0.0)  # of a killed trial that goes on
        self._began = time.perf_counter() - before
        self._first: tuple[int, float] | None = None
        self._start = self._total = 0
        self._reported = set(trial.study.trials[trial.number].intermediate_values)

    def __call__(self, event: Event) -> None:
        if event["event"] == "start":
            self._start, self._total = event["step"], event["total_steps"]
        elif event["event"] == "step" and self._budget_s is not None:
            self._estimate(event["step"] - self._start)
        elif event["event"] == "validation":
            rung = RUNGS * event["step"] // self._total
            if rung not in self._reported and rung < RUNGS:
                self._reported.add(rung)
                self._trial.report(event["loss"], rung)
                self.save()
                if self._trial.should_prune():
                    from optuna.exceptions import TrialPruned

                    raise TrialPruned

    def _estimate(self, steps: int) -> None:
        """After some steps of trial 0, see whether three such trials fit.

        Raises:
            UsageError: they do not.
        """
        now = time.perf_counter()
        if steps == COMPILING:
            self._first = (steps, now)
        if steps == ESTIMATE_AFTER and self._first is not None and self._budget_s is not None:
            done, then = self._first
            left_s = (now - then) / (steps - done) * (self._total - self._start - steps)
            whole_s = now - self._began + left_s
            if MIN_TRIALS * whole_s > self._budget_s:
                raise _too_little_time(whole_s, self._budget_s)

    def save(self) -> None:
        """Save how long the trial has taken."""
        self._trial.set_user_attr("seconds", round(time.perf_counter() - self._began, 1))


def _too_little_time(trial_s: float, budget_s: float) -> UsageError:
    need = -(-MIN_TRIALS * trial_s * 1.2 // 60)
    return UsageError(
        f"a trial takes about {trial_s / 60:.1f} minutes, so fewer than {MIN_TRIALS} fit into "
        f"{budget_s / 60:g}",
        todo=f"give --minutes {need:.0f} or more with --resume, a quicker preset (--preset fast), "
        "or fewer reviews",
    )


@contextmanager
def _quiet(is_quiet: bool) -> Iterator[None]:
    """Say nothing of a run that was said of the first one on the same reviews."""
    logger = logging.getLogger("sentir")
    level = logger.level
    with warnings.catch_warnings():
        if is_quiet:
            logger.setLevel(logging.WARNING)
            warnings.simplefilter("ignore", SentirWarning)
        try:
            yield
        finally:
            logger.setLevel(level)
