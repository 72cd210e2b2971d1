"""A run: the whole journey from labelled reviews to a measured model in a folder.

::

    RUN/
      run.json        by which the folder is known as a run's
      model/          the bundle, which is all that inference needs
      report.html     the run to look at
      metrics.jsonl   one line per step and per validation
      cache/          the reviews as ids, so that the next run starts at once
      checkpoint.pt, best.safetensors    while it is unfinished
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentir.bundle import Bundle, LanguageBundle, load_bundle
from sentir.config import Config, read_settings
from sentir.data.prepare import Sources
from sentir.errors import UsageError
from sentir.evaluation.selective import check_coverage
from sentir.extras import TRAINING, require
from sentir.io.paths import Paths, path_list
from sentir.training.callbacks import Callback
from sentir.training.classifier_run import ClassifierRun, Run
from sentir.training.continuation import check_changes, check_start
from sentir.training.distillation import Teacher, check_teachers
from sentir.training.process_group import current, joined
from sentir.training.run_training import run_training
from sentir.training.semi_supervised import check_unlabelled, uses_unlabelled
from sentir.training.transfer import start_new

__all__ = ["Run", "train"]


@joined()
def train(
    train: Paths,
    output: str | Path,
    *,
    test: Paths = (),
    valid: Paths = (),
    unlabelled: Paths = (),
    labels: str = "auto",
    preset: str | None = None,
    config: Config | None = None,
    from_lm: str | Path | None = None,
    from_model: str | Path | None = None,
    old_test: Paths = (),
    teachers: Sequence[Teacher] = (),
    resume: bool = False,
    resume_if_begun: bool = False,
    overwrite: bool = False,
    baseline: bool = False,
    coverage: float | None = None,
    callbacks: Sequence[Callback] = (),
    **settings: Any,
) -> Run:
    """Train a model and leave it, its metrics and its report in a folder.

    >>> import sentir
    >>> run = sentir.train("reviews.csv", "runs/shop", test="test.csv", epochs=3)  # doctest: +SKIP
    >>> run.test.accuracy  # doctest: +SKIP
    0.93

    What may falsify a result is warned of (`sentir.SentirWarning`); what is going on is logged to
    ``logging.getLogger("sentir")``.

    Args:
        train: labelled reviews: a path, glob, URL or name of a data set, or a list of them.
        output: the run's folder: a new or empty one, or that of a run.
        test: the same, measured on once, at the end.
        valid: the same, to choose the best model by; empty: a part of train is held out.
        unlabelled: the same without labels, for `teachers` to answer and the model to learn from,
            or for ``virtual_adversarial_epsilon`` and ``entropy_weight``.
        labels: how labels become classes: ``auto``, ``stars``, ``a,b`` in their order, or
            ``bad=negative,good=positive``.
        preset: ``fast``, ``base``, ``best`` or ``lecture``; unset: ``base``, or ``best`` with
            `from_lm`.
        config: all settings, instead of a preset.
        from_lm: folder of a language model (`sentir.pretrain`) whose tokenizer and weights to
            start from; the settings must fit it.
        from_model: folder of a trained model, or ``hf://user/model``, that goes on learning from
            these reviews. Its settings are the defaults; new words and new labels are added to its
            own.
        old_test: test reviews like those that `from_model` was trained on, to measure what it
            forgets; unset: those that its run was tested on, if its folder still has them.
        teachers: trained models (`sentir.load`) whose answers to the unlabelled reviews are learnt
            too (distillation).
        resume: go on with the unfinished run in that folder.
        resume_if_begun: the same if there is one, for a command that is repeated after a failure.
        overwrite: replace the run in that folder; its encoded reviews are used again.
        baseline: measure a bag of words on the same test reviews (validation, if there are none).
        coverage: share of reviews that the model shall answer, above 0 and at most 1. The least
            confident others it marks as unsure, by a threshold found on the validation reviews (see
            `sentir.confidence`); None: it answers all.
        callbacks: called with every event, see `sentir.training.callbacks`.
        **settings: any field of `sentir.Config` or of how files are read, such as
            ``hidden_size=32`` or ``text_column=("title", "body")``.

    Several processes that torchrun or Ray Train has started train together, and all return the
    same.

    Raises:
        FinishedRunError: with `resume_if_begun`, this very run has finished.
        SentirError: bad input, settings that cannot be, a folder that holds something else, or a
            package that is not installed.
    """
    require("training", *TRAINING)
    if coverage is not None:
        check_coverage(coverage)
    read, changes = read_settings(settings, Config)
    sources = Sources(
        train=path_list(train, "train"),
        test=path_list(test, "test"),
        valid=path_list(valid, "valid"),
        unlabelled=path_list(unlabelled, "unlabelled"),
        old_test=path_list(old_test, "old_test"),
        old_run=str(from_model or ""),
        labels=labels,
        read=read,
    )
    start: LanguageBundle | Bundle | None
    if from_model:
        check_start(from_model, Path(output), from_lm=from_lm, preset=preset)
        start = load_bundle(from_model)
        config = (config or start.config).override(changes, where="settings")
        check_changes(config, start, str(from_model))
    else:
        if sources.old_test:
            raise UsageError(
                "old test reviews, and no model that goes on learning",
                where="--old-test",
                todo="name it with --from-model, or give test reviews with --test",
            )
        start, config = start_new(from_lm, preset, config, changes)
    check_unlabelled(config.finetune, sources.unlabelled)
    check_teachers(teachers, sources.unlabelled, is_used=uses_unlabelled(config.finetune))
    if current().rank == 0:
        sources.check()
    task = ClassifierRun(
        sources,
        config,
        start,
        str(from_model or from_lm),
        teachers,
        baseline=baseline,
        coverage=coverage,
    )
    return run_training(
        task,
        Path(output),
        callbacks=callbacks,
        resume=resume,
        resume_if_begun=resume_if_begun,
        overwrite=overwrite,
    )
