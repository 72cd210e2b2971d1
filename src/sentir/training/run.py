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

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import FOLDER, Bundle, LanguageBundle, load_language_model, save_bundle
from sentir.confidence import Answered
from sentir.config import Config, read_settings
from sentir.data.dataset import EncodedCorpus, Reviews, identity, weighted_targets
from sentir.data.encoding import TrainingCorpora
from sentir.data.prepare import (
    Progress,
    Sources,
    log_data,
    prepare_training,
    warn_of_leakage,
)
from sentir.data.summary import DataSummary
from sentir.errors import UsageError
from sentir.evaluation.baseline import fit_baseline
from sentir.evaluation.history import read_metrics
from sentir.evaluation.metrics import Metrics, measure, warn_of_imbalance
from sentir.evaluation.mistakes import Mistake, Mistakes
from sentir.evaluation.occlusion import TextRead, word_effects
from sentir.evaluation.report import Evaluation, Report, write_report
from sentir.evaluation.selective import (
    check_coverage,
    fit_threshold,
    measure_answered,
    warn_of_coverage,
)
from sentir.extras import TRAINING, require
from sentir.io.builtin import is_synthetic
from sentir.io.paths import Paths, path_list
from sentir.io.reader import BadRows
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.nn.word_vectors import check_vectors, load_vectors
from sentir.text.tokenizer import UNK
from sentir.training.calibration import fit_calibration, set_calibration
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.class_weights import balanced_class_weights
from sentir.training.classification import (
    fit_classifier,
    logits,
    probabilities,
    probabilities_of_ids,
)
from sentir.training.distillation import Teacher, check_teachers, distilled
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.ppmi import init_ppmi_
from sentir.training.run_training import Trained, run_training
from sentir.training.strongest_ngrams import strongest_ngrams
from sentir.training.transfer import check_settings, copy_weights, log_transfer, preset_for
from sentir.version import __version__

#: Most confident mistakes shown in the report: of all classes, and at least so many of each.
SHOWN_MISTAKES, MIN_SHOWN_MISTAKES = 20, 3
#: Of each class, mistakes whose words of the largest effect are named, and how many words.
MARKED_MISTAKES, MARKED_WORDS = 3, 8
#: Answers that the effects of one review's words cost at most.
MARKED_ANSWERS = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run left behind.

    Attributes:
        folder: the run's folder.
        bundle: the model, ready for `sentir.Predictor`.
        validation: metrics on the validation reviews.
        test: metrics on the test reviews, if there were any.
        baseline: those of a bag of words on the same test reviews, if it was asked for.
        answered: with a threshold of confidence, how many of the test reviews (validation, if there
            are none) reach it, and the accuracy over them.
        skipped: rows left out under ``on_error="skip"``.
    """

    folder: Path
    bundle: Bundle
    validation: Metrics
    test: Metrics | None
    baseline: Metrics | None
    skipped: BadRows
    answered: Answered | None = None


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
    teachers: Sequence[Teacher] = (),
    resume: bool = False,
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
        unlabelled: the same without labels, for `teachers` to answer and the model to learn from.
        labels: how labels become classes: ``auto``, ``stars``, ``a,b`` in their order, or
            ``bad=negative,good=positive``.
        preset: ``fast``, ``base``, ``best`` or ``lecture``; unset: ``base``, or ``best`` with
            `from_lm`.
        config: all settings, instead of a preset.
        from_lm: folder of a language model (`sentir.pretrain`) whose tokenizer and weights to
            start from; the settings must fit it.
        teachers: trained models (`sentir.load`) whose answers to the unlabelled reviews are learnt
            too (distillation).
        resume: go on with the unfinished run in that folder.
        overwrite: replace the run in that folder; its encoded reviews are used again.
        baseline: measure a bag of words on the same test reviews (validation, if there are none).
        coverage: share of reviews that the model shall answer, above 0 and at most 1. The least
            confident others it marks as unsure, by a threshold found on the validation reviews (see
            `sentir.confidence`); None: it answers all.
        callbacks: called with every event, see `sentir.training.callbacks`.
        **settings: any field of `sentir.Config` or of how files are read, such as
            ``hidden_size=32`` or ``text_column=("title", "body")``.

    Raises:
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
        labels=labels,
        read=read,
    )
    check_teachers(teachers, sources.unlabelled)
    lm = load_language_model(from_lm) if from_lm else None
    if config is not None and preset is not None:
        raise UsageError("both a preset and a config", todo="give one of them")
    config = (config or preset_for(lm, preset)).override(changes, where="settings")
    if lm is not None:
        check_settings(config, lm, str(from_lm))
    elif config.model.embedding_init not in ("random", "ppmi"):
        check_vectors(config.model.embedding_init, config.model.embedding_dim)
    sources.check()
    task = ClassifierRun(
        sources, config, lm, str(from_lm), teachers, baseline=baseline, coverage=coverage
    )
    return run_training(task, Path(output), callbacks=callbacks, resume=resume, overwrite=overwrite)


def _describe_texts(corpus: EncodedCorpus) -> dict[str, float]:
    """What `sentir.drift` compares with: unknown words (a share) and length (tokens)."""
    unknown, tokens = (sum(int(np.count_nonzero(ids == UNK)) for ids in corpus),
                       int(corpus.lengths_N.sum()))  # fmt: skip
    return {"unknown_share": unknown / max(tokens, 1), "mean_length": tokens / len(corpus)}


class ClassifierRun:
    """The run of a classifier, see `sentir.training.run_training.RunTask`."""

    corpora: TrainingCorpora
    test: EncodedCorpus | None
    skipped: BadRows
    summary: DataSummary
    #: The reviews that are learnt from: train, and with teachers the unlabelled ones too.
    learnt: Reviews

    def __init__(
        self,
        sources: Sources,
        config: Config,
        lm: LanguageBundle | None,
        from_lm: str,
        teachers: Sequence[Teacher],
        *,
        baseline: bool,
        coverage: float | None,
    ) -> None:
        self.sources, self.config = sources, config
        self.baseline, self.coverage = baseline, coverage
        self.lm, self.from_lm, self.teachers = lm, from_lm, teachers
        self.teacher_names = [teacher.identity for teacher in teachers]

    def cache_key(self) -> list[Any]:
        return [*self.sources.cache_key(self.config, self.lm), *self.teacher_names]

    def read(self, cache: Path, *, resume: bool, progress: Progress) -> None:
        self.corpora, self.test, self.skipped, self.summary = prepare_training(
            self.sources, self.config, self.lm, cache, resume=resume, progress=progress
        )
        self.skipped.warn(kept=len(self.corpora.train))
        log_data(self.summary, self.corpora)
        warn_of_leakage(self.corpora, self.test)
        self.learnt = (
            distilled(self.corpora, self.teachers, progress)
            if self.teachers
            else self.corpora.train
        )

    def network(self) -> SentimentClassifier:
        return SentimentClassifier(
            self.config.model,
            vocabulary=len(self.corpora.tokenizer.vocabulary),
            classes=len(self.corpora.labels.names),
        )

    def initialise(self, network: SentimentClassifier) -> None:
        vocabulary, init = self.corpora.tokenizer.vocabulary, self.config.model.embedding_init
        if self.lm is not None:
            copy_weights(self.lm, network)
            what = f"{len(vocabulary):,} word vectors and the recurrent layer start from the"
            log_transfer(f"{what} language model's,", self.lm, self.learnt)
        elif init == "ppmi":
            init_ppmi_(network.embedding, self.learnt)
        elif init != "random":
            covered = load_vectors(init, vocabulary, network.embedding)
            _log.info(
                "%s: vectors for %s of %s words (%s)",
                init, f"{covered:,}", f"{len(vocabulary):,}", f"{covered / len(vocabulary):.1%}",
            )  # fmt: skip

    def fit(
        self,
        network: SentimentClassifier,
        *,
        checkpoints: Checkpoints,
        emit: Callback,
        resume: bool,
    ) -> Position:
        if self.config.train.class_weights == "balanced":
            network.set_class_weights(
                balanced_class_weights(self.corpora.train.labels_N, network.classes)
            )
        return fit_classifier(
            network,
            self.learnt,
            self.corpora.valid,
            self.config,
            checkpoints=checkpoints,
            emit=emit,
            resume=resume,
        )

    def finish(self, network: SentimentClassifier, folder: Path, trained: Trained) -> Run:
        corpora, max_length = self.corpora, self.config.text.max_length
        before_NC, after_NC = self._calibrate(network)
        seconds = trained.seconds()
        evaluations = {
            "uncalibrated": self._evaluation(before_NC, corpora.valid),
            "validation": self._evaluation(after_NC, corpora.valid),
        }
        if self.test is not None:
            test_NC = probabilities(network, self.test, max_length)
            evaluations["test"] = self._evaluation(test_NC, self.test)
        name, headline = list(evaluations.items())[-1]  # the one whose mistakes are shown
        evaluations[name] = replace(headline, mistakes=self._marked(network, headline.mistakes))
        warn_of_imbalance(headline.metrics)
        threshold = answered = None
        if self.coverage is not None:
            threshold = fit_threshold(after_NC, corpora.valid.labels_N, self.coverage)
            answered = measure_answered(headline.probabilities, headline.labels, threshold)
            warn_of_coverage(answered, threshold)
        baseline = self._baseline() if self.baseline else None
        bundle = Bundle(
            weights=to_arrays(network),
            tokenizer=corpora.tokenizer,
            labels=corpora.labels,
            config=self.config,
            metrics={
                **{name: part.metrics.to_dict() for name, part in evaluations.items()},
                **({"baseline": baseline.to_dict()} if baseline else {}),
                "validation_texts": _describe_texts(corpora.valid),
                "data": self._identities(),
                "training_data": self.summary.to_dict(),
                "training": {
                    **asdict(trained.position),
                    "seconds": round(seconds, 1),
                    **({"from_lm": self.from_lm} if self.lm else {}),
                    **({"teachers": self.teacher_names} if self.teachers else {}),
                },
            },
            columns=self.summary.columns,
            threshold=threshold,
            synthetic=any(map(is_synthetic, self.sources.train)),
        )
        save_bundle(bundle, folder / FOLDER)
        report = self._report(folder, bundle, evaluations, baseline, trained, seconds)
        write_report(report, folder / "report.html")
        return Run(
            folder=folder,
            bundle=bundle,
            validation=evaluations["validation"].metrics,
            test=evaluations["test"].metrics if self.test is not None else None,
            baseline=baseline,
            skipped=self.skipped,
            answered=answered,
        )

    def _calibrate(
        self, network: SentimentClassifier
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Fit the n-gram linear model, and calibrate the probabilities.

        Returns:
            Probabilities (N, C) of the validation reviews before that and after it, both of a
            model that has not learnt from them. Validation reviews that the user gave are never
            learnt from; those that were held out of train are, by the n-gram model, in the end.
        """
        valid, max_length = self.corpora.valid, self.config.text.max_length
        network_NO = logits(network, valid, max_length)
        if network.ngram_linear is None:
            calibration = fit_calibration(
                network, [network_NO], weighted_targets(valid, network.classes)
            )
            set_calibration(network, calibration.weights[0], calibration.shift_O)
            calibrated_NO = calibration.apply([network_NO])
        else:
            _log.info("fitting the n-gram linear model")
            refit = not self.sources.valid
            calibrated_NO = fit_ngram_linear(
                network, self.learnt, valid, network_NO, max_length, refit=refit
            )
        before_NC, after_NC = (
            network.probabilities(torch.from_numpy(logits_NO)).numpy()
            for logits_NO in (network_NO, calibrated_NO)
        )
        return before_NC, after_NC

    def _evaluation(
        self, probabilities_NC: npt.NDArray[np.float64], corpus: EncodedCorpus
    ) -> Evaluation:
        mistakes: list[Mistake] = []
        classes = probabilities_NC.shape[1]
        shown = max(SHOWN_MISTAKES // classes, MIN_SHOWN_MISTAKES)
        for label in range(classes):
            is_wrong_N = (corpus.labels_N == label) & (probabilities_NC.argmax(axis=1) != label)
            rows = np.flatnonzero(is_wrong_N)
            rows = rows[np.argsort(-probabilities_NC[rows].max(axis=1), kind="stable")][:shown]
            worst = Mistakes(shown)
            worst.add(probabilities_NC[rows], corpus.labels_N[rows], corpus.texts(rows.tolist()))
            mistakes += worst.worst()
        return Evaluation(
            metrics=measure(probabilities_NC, corpus.labels_N, self.corpora.labels.names),
            probabilities=probabilities_NC,
            labels=corpus.labels_N,
            mistakes=mistakes,
        )

    def _marked(self, network: SentimentClassifier, mistakes: Sequence[Mistake]) -> list[Mistake]:
        """The mistakes, the first of each class with the words of the largest effect."""
        tokenizer, max_length = self.corpora.tokenizer, self.config.text.max_length
        marked, done = [], Counter[int]()
        for mistake in mistakes:
            done[mistake.label] += 1
            is_marked = done[mistake.label] <= MARKED_MISTAKES
            if is_marked and (read := TextRead.of(mistake.text, tokenizer, max_length)).ids:
                effects = word_effects(
                    *read,
                    lambda texts: probabilities_of_ids(network, texts, max_length),
                    class_id=mistake.predicted,
                    max_answers=MARKED_ANSWERS,
                )
                effects.sort(key=lambda word: -abs(word.effect))
                mistake = replace(mistake, words=effects[:MARKED_WORDS])
            marked.append(mistake)
        return marked

    def _identities(self) -> dict[str, dict[str, Any]]:
        """Which reviews were learnt from and measured on, for the comparison of runs.

        Validation reviews count with train: what is held out of it depends on the seed.
        """
        corpora = self.corpora
        parts = {"train": [corpora.train, corpora.valid], "validation": [corpora.valid]}
        if corpora.unlabelled:
            parts["unlabelled"] = [corpora.unlabelled]
        if self.test is not None:
            parts["test"] = [self.test]
        return {name: identity(corpora.labels.names, part) for name, part in parts.items()}

    def _baseline(self) -> Metrics:
        _log.info("fitting the baseline: TF-IDF and logistic regression")
        train, names = self.corpora.train, self.corpora.labels.names
        measured = self.corpora.valid if self.test is None else self.test
        probabilities_NC = fit_baseline(train, train.labels_N, measured, len(names))
        return measure(probabilities_NC, measured.labels_N, names)

    def _report(
        self,
        folder: Path,
        bundle: Bundle,
        evaluations: Mapping[str, Evaluation],
        baseline: Metrics | None,
        trained: Trained,
        seconds: float,
    ) -> Report:
        corpora, sources, position = self.corpora, self.sources, trained.position
        parameters = sum(weight.size for weight in bundle.weights.values())
        minutes, rest_s = divmod(round(seconds), 60)
        facts = {"files": ", ".join(sources.train), **self.summary.facts()}
        if corpora.unlabelled:
            facts["unlabelled reviews"] = (
                f"{len(corpora.unlabelled):,} from {', '.join(sources.unlabelled)}, answered by "
                "teachers"
            )
        facts |= {
            "vocabulary": f"{len(corpora.tokenizer.vocabulary):,} tokens",
            "parameters": f"{parameters / 1e6:.1f} million",
            "steps": f"{position.step:,}, best at {position.best_step:,} ({position.stopped})",
            "device": trained.place,
            "time": f"{minutes} min {rest_s} s",
            "versions": f"sentir {__version__}, torch {torch.__version__}",
        }
        return Report(
            title=folder.name,
            synthetic=bundle.synthetic,
            history=read_metrics(folder / "metrics.jsonl"),
            evaluations=evaluations,
            baseline=baseline,
            lengths=corpora.train.lengths_N,
            max_length=bundle.config.text.max_length,
            config=bundle.config.to_dict(),
            facts=facts,
            ngrams=strongest_ngrams(
                bundle.weights,
                corpora.tokenizer,
                corpora.labels.names,
                corpora.train,
                bundle.config.text.max_length,
            )
            if bundle.config.model.ngram_buckets
            else (),
        )
