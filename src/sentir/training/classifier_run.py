"""The run of a classifier: what it reads, starts from, learns and leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import FOLDER, Bundle, LanguageBundle, save_bundle
from sentir.confidence import Answered
from sentir.config import Config
from sentir.data.dataset import EncodedCorpus, Reviews, weighted_targets
from sentir.data.encoding import TrainingCorpora
from sentir.data.prepare import (
    Progress,
    Sources,
    log_data,
    prepare_training,
    warn_of_leakage,
)
from sentir.data.summary import DataSummary
from sentir.evaluation.baseline import fit_baseline
from sentir.evaluation.metrics import Metrics, measure, warn_of_imbalance
from sentir.evaluation.report import write_report
from sentir.evaluation.selective import fit_threshold, measure_answered, warn_of_coverage
from sentir.io.builtin import is_synthetic
from sentir.io.reader import BadRows
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.nn.word_vectors import load_vectors
from sentir.training.calibration import fit_calibration, set_calibration
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.class_weights import balanced_class_weights
from sentir.training.classification import fit_classifier, logits, probabilities
from sentir.training.distillation import Teacher, distilled
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.ppmi import init_ppmi_
from sentir.training.run_evaluation import describe_texts, evaluate, identities, mark_mistakes
from sentir.training.run_report import assemble_report
from sentir.training.run_training import Trained
from sentir.training.transfer import copy_weights, log_transfer

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
            unlabelled=self.corpora.unlabelled,
            checkpoints=checkpoints,
            emit=emit,
            resume=resume,
        )

    def finish(self, network: SentimentClassifier, folder: Path, trained: Trained) -> Run:
        corpora, max_length = self.corpora, self.config.text.max_length
        network.round_tables()
        before_NC, after_NC = self._calibrate(network)
        seconds = trained.seconds()
        evaluations = {
            "uncalibrated": evaluate(before_NC, corpora.valid, corpora.labels.names),
            "validation": evaluate(after_NC, corpora.valid, corpora.labels.names),
        }
        if self.test is not None:
            test_NC = probabilities(network, self.test, max_length)
            evaluations["test"] = evaluate(test_NC, self.test, corpora.labels.names)
        name, headline = list(evaluations.items())[-1]  # the one whose mistakes are shown
        marked = mark_mistakes(network, headline.mistakes, corpora.tokenizer, max_length)
        evaluations[name] = replace(headline, mistakes=marked)
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
                "validation_texts": describe_texts(corpora.valid),
                "data": identities(corpora, self.test),
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
        report = assemble_report(
            folder,
            bundle,
            sources=self.sources,
            corpora=corpora,
            summary=self.summary,
            evaluations=evaluations,
            baseline=baseline,
            trained=trained,
            seconds=seconds,
        )
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

    def _baseline(self) -> Metrics:
        _log.info("fitting the baseline: TF-IDF and logistic regression")
        train, names = self.corpora.train, self.corpora.labels.names
        measured = self.corpora.valid if self.test is None else self.test
        probabilities_NC = fit_baseline(train, train.labels_N, measured, len(names))
        return measure(probabilities_NC, measured.labels_N, names)
