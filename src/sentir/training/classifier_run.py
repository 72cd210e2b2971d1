"""The run of a classifier: what it reads, starts from, learns and leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import FOLDER, Bundle, LanguageBundle, save_bundle
from sentir.class_order import are_ordered
from sentir.confidence import Answered
from sentir.config import Config
from sentir.data.cache import digest
from sentir.data.dataset import (
    EncodedCorpus,
    JoinedCorpora,
    Reviews,
    class_probabilities,
    weighted_targets,
)
from sentir.data.encoded import CORPUS
from sentir.data.encoding import TrainingCorpora
from sentir.data.prepare import (
    Progress,
    Sources,
    log_data,
    prepare_training,
    warn_of_leakage,
)
from sentir.data.summary import DataSummary
from sentir.decision import LIKELIEST, DecisionRule, check_optimise, decision_scores
from sentir.evaluation.baseline import fit_baseline
from sentir.evaluation.decision import fit_decision
from sentir.evaluation.forgetting import BeforeAndAfter, warn_of_forgetting
from sentir.evaluation.metrics import Metrics, measure, warn_of_imbalance
from sentir.evaluation.report import write_report
from sentir.evaluation.selective import fit_threshold, measure_answered, warn_of_coverage
from sentir.io.builtin import is_synthetic
from sentir.io.columns import Columns
from sentir.io.label_growth import merge_schemes
from sentir.io.labels import POLARITY
from sentir.io.reader import BadRows
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.nn.word_vectors import load_vectors
from sentir.text.tokenizer import WordTokenizer
from sentir.training.calibration import fit_calibration, set_calibration
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.class_weights import balanced_class_weights
from sentir.training.classification import fit_classifier, logits, probabilities
from sentir.training.continuation import copy_known_, copy_known_ngrams_
from sentir.training.distillation import Teacher, distilled
from sentir.training.forgetting import measure_both
from sentir.training.negation.examples import Examples, cached_examples
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.ppmi import init_ppmi_
from sentir.training.process_group import current
from sentir.training.run_evaluation import describe_texts, evaluate, identities, mark_mistakes
from sentir.training.run_report import assemble_report
from sentir.training.run_training import Trained, report_progress
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
        forgetting: of a model that went on learning, it and the old one on the same reviews.
    """

    folder: Path
    bundle: Bundle
    validation: Metrics
    test: Metrics | None
    baseline: Metrics | None
    skipped: BadRows
    answered: Answered | None = None
    forgetting: tuple[BeforeAndAfter, ...] = ()


class ClassifierRun:
    """The run of a classifier, see `sentir.training.run_training.RunTask`."""

    corpora: TrainingCorpora
    test: EncodedCorpus | None
    old_test: EncodedCorpus | None
    skipped: BadRows
    summary: DataSummary
    #: The reviews that are learnt from: train, and with teachers the unlabelled ones too.
    learnt: Reviews
    #: Probabilities (N, C) of the validation reviews before calibration and after it, both of a
    #: model that has not learnt from them.
    calibrated: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

    def __init__(
        self,
        sources: Sources,
        config: Config,
        start: LanguageBundle | Bundle | None,
        start_name: str,
        teachers: Sequence[Teacher],
        *,
        baseline: bool,
        coverage: float | None,
    ) -> None:
        self.sources, self.config = sources, config
        self.baseline, self.coverage = baseline, coverage
        self.start, self.start_name, self.teachers = start, start_name, teachers
        #: The model that goes on learning, if one does.
        self.old = start if isinstance(start, Bundle) else None
        self.teacher_names = [teacher.identity for teacher in teachers]

    def cache_key(self) -> list[Any]:
        return [*self.sources.cache_key(self.config, self.start), *self.teacher_names]

    @property
    def encoded(self) -> Path | None:
        return self.sources.encoded / CORPUS if self.sources.encoded else None

    def read(self, cache: Path, *, resume: bool, progress: Progress) -> Path:
        self.corpora, self.test, self.old_test, self.skipped, self.summary = prepare_training(
            self.sources, self.config, self.start, cache, resume=resume, progress=progress
        )
        self.skipped.warn(kept=len(self.corpora.train))
        check_optimise(self.config.train.optimise, self.corpora.labels.names)
        log_data(self.summary, self.corpora)
        warn_of_leakage(self.corpora, self.test)
        self._set_learnt(progress)
        self.examples_folder = cache if self.encoded else self.corpora.folder
        return self.corpora.folder

    def open(self, encoded: Path) -> None:
        self.corpora = TrainingCorpora.open(encoded)
        self.examples_folder = encoded  # where rank 0 alone reads and writes
        self._set_learnt(lambda what, count: None)

    def _set_learnt(self, progress: Progress) -> None:
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
        if self.old is not None:
            copy_known_(self.old, network)
            _log.info("learning goes on from %s", self._describe_start())
        elif isinstance(self.start, LanguageBundle):
            copy_weights(self.start, network)
            what = f"{len(vocabulary):,} word vectors and the recurrent layer start from the"
            log_transfer(f"{what} language model's,", self.start, self.learnt)
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
        learnt, added_NO = self._with_examples(network)
        return fit_classifier(
            network,
            learnt,
            self.corpora.valid,
            self.config,
            unlabelled=self.corpora.unlabelled,
            checkpoints=checkpoints,
            emit=emit,
            resume=resume,
            added_NO=added_NO,
        )

    def _with_examples(
        self, network: SentimentClassifier
    ) -> tuple[Reviews, npt.NDArray[np.float32] | None]:
        """What the network learns from, and the logits that are added to its own for it.

        These are the reviews and, where the settings ask for them and the classes are known to be
        negative and positive, examples of negation (`sentir.training.negation.examples`).
        """
        tokenizer = self.corpora.tokenizer
        count = round(self.config.finetune.negation_examples * len(self.learnt))
        is_polarity = self.corpora.labels.names == POLARITY
        if not count or not is_polarity or not isinstance(tokenizer, WordTokenizer):
            return self.learnt, None
        make = partial(
            Examples.make,
            self.learnt,
            tokenizer,
            network,
            count=count,
            max_length=self.config.text.max_length,
            seed=self.config.train.seed,
        )
        name = current().lead(lambda: f"negation-{digest(self._made_of(count))}")
        examples = cached_examples(self.examples_folder, name, make)
        if not len(examples):
            return self.learnt, None
        targets = (
            class_probabilities(part, 2) if self.teachers else part.targets
            for part in (self.learnt, examples)
        )
        joined = JoinedCorpora([self.learnt, examples], np.concatenate(list(targets)))
        none_NO = np.zeros((len(self.learnt), 1), np.float32)
        return joined, np.concatenate([none_NO, examples.linear_SO])

    def _made_of(self, examples: int) -> list[Any]:
        """What examples of negation depend on: not on all settings, as trials of a search differ.

        Rank 0 alone has the files of the reviews.
        """
        model, train = self.config.model, self.config.train
        return [self.cache_key(), examples, model.ngram_buckets, train.class_weights]

    @property
    def is_ordinal(self) -> bool:
        """Whether the order of the classes is learnt."""
        return self.config.train.ordinal and are_ordered(self.corpora.labels.names)

    def calibrate(self, network: SentimentClassifier, cache: Path, emit: Callback) -> None:
        """Fit the n-gram linear model, and calibrate the probabilities.

        Validation reviews that the user gave are never learnt from; those that were held out of
        train are, by the n-gram model, in the end.
        """
        network.round_tables()
        valid, max_length = self.corpora.valid, self.config.text.max_length
        lead = current().lead
        network_NO = lead(lambda: logits(network, valid, max_length))
        if network.ngram_linear is None:
            calibrated_NO = lead(lambda: self._calibrate_alone(network, network_NO))
        else:
            _log.info("fitting the n-gram linear model")
            if self.old is not None:
                copy_known_ngrams_(self.old, network)
            calibrated_NO = fit_ngram_linear(
                network,
                self.learnt,
                valid,
                network_NO,
                max_length,
                folder=cache,
                refit=not self.sources.valid,
                ordered=self.is_ordinal,
                advance=partial(report_progress, emit),
            )
        before_NC, after_NC = (
            network.probabilities(torch.from_numpy(logits_NO)).numpy()
            for logits_NO in (network_NO, calibrated_NO)
        )
        self.calibrated = before_NC, after_NC

    def _calibrate_alone(
        self, network: SentimentClassifier, network_NO: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Calibrate a network without an n-gram model; returns the logits."""
        targets = weighted_targets(self.corpora.valid, network.classes)
        calibration = fit_calibration(network, [network_NO], targets)
        set_calibration(network, calibration.weights[0], calibration.shift_O)
        return calibration.apply([network_NO])

    def finish(self, network: SentimentClassifier, folder: Path, trained: Trained) -> Run:
        corpora, max_length = self.corpora, self.config.text.max_length
        before_NC, after_NC = self.calibrated
        seconds = trained.seconds()
        names, valid_N = corpora.labels.names, corpora.valid.labels_N
        decision, optimise = None, self.config.train.optimise
        if optimise != LIKELIEST:
            decision = fit_decision(after_NC, valid_N, names, optimise)
            _log.info("optimised for %s: %s", optimise, decision.describe(names))
        evaluations = {
            "uncalibrated": evaluate(before_NC, corpora.valid, names),
            "validation": evaluate(after_NC, corpora.valid, names, decision),
        }
        if self.test is not None:
            test_NC = probabilities(network, self.test, max_length)
            evaluations["test"] = evaluate(test_NC, self.test, names, decision)
        name, headline = list(evaluations.items())[-1]  # the one whose mistakes are shown
        marked = mark_mistakes(network, headline.mistakes, corpora.tokenizer, max_length)
        evaluations[name] = replace(headline, mistakes=marked)
        warn_of_imbalance(headline.metrics)
        threshold = answered = None
        if (coverage := self._coverage()) is not None:
            scores_NC = decision_scores(after_NC, decision)
            threshold = fit_threshold(scores_NC, valid_N, coverage)
            scores_NC = decision_scores(headline.probabilities, decision)
            answered = measure_answered(scores_NC, headline.labels, threshold)
            warn_of_coverage(answered, threshold)
        baseline = self._baseline() if self.baseline else None
        forgetting = self._measure_forgetting(network, headline.probabilities, decision)
        bundle = Bundle(
            weights=to_arrays(network),
            tokenizer=corpora.tokenizer,
            labels=merge_schemes(self.old.labels, corpora.labels) if self.old else corpora.labels,
            config=self.config,
            metrics={
                **{name: part.metrics.to_dict() for name, part in evaluations.items()},
                **({"baseline": baseline.to_dict()} if baseline else {}),
                **({"forgetting": [part.to_dict() for part in forgetting]} if self.old else {}),
                "validation_texts": describe_texts(corpora.valid),
                "data": identities(corpora, self.test, self.old_test),
                "training_data": self.summary.to_dict(),
                "training": {
                    **asdict(trained.position),
                    "seconds": round(seconds, 1),
                    **self._origin(),
                    **({"teachers": self.teacher_names} if self.teachers else {}),
                },
            },
            columns=tuple(dict.fromkeys((*self._old_columns(), *self.summary.columns))),
            decision=decision,
            threshold=threshold,
            synthetic=bool(self.old and self.old.synthetic)
            or any(map(is_synthetic, self.sources.train)),
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
            forgetting=forgetting,
            started_from=self._describe_start(),
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
            forgetting=forgetting,
        )

    def _origin(self) -> dict[str, str]:
        """Which model the run started from."""
        if self.old is not None:
            return {"from_model": self.start_name, "from_checksum": self.old.checksum}
        return {"from_lm": self.start_name} if self.start else {}

    def _describe_start(self) -> str | None:
        """The model that goes on learning, and what is new to it."""
        if self.old is None:
            return None
        words = len(self.corpora.tokenizer.vocabulary) - len(self.old.tokenizer.vocabulary)
        classes = self.corpora.labels.names[len(self.old.labels.names) :]
        new = [f"{words:,} new words"]
        if classes:
            new.append(f"the new class{'es' if classes[1:] else ''} {', '.join(classes)}")
        return f"{self.start_name}, and {' and '.join(new)}"

    def _coverage(self) -> float | None:
        """The share of reviews to answer: that which is asked for, else that of the old model."""
        if self.coverage is None and self.old is not None and self.old.threshold is not None:
            coverage = self.old.threshold.coverage
            _log.info("a new threshold is found for the model's coverage of %s", f"{coverage:g}")
            return coverage
        return self.coverage

    def _old_columns(self) -> tuple[Columns, ...]:
        return self.old.columns if self.old else ()

    def _measure_forgetting(
        self,
        network: SentimentClassifier,
        new_NC: npt.NDArray[np.float64],
        decision: DecisionRule | None,
    ) -> tuple[BeforeAndAfter, ...]:
        """The old model and the new one on new reviews and on old ones.

        Args:
            network: the new one, whose n-gram model may have learnt from the validation reviews.
            new_NC: what it answered to the new reviews before it had.
            decision: the new model's.
        """
        if self.old is None:
            return ()
        max_length = self.config.text.max_length
        corpora = {"new test" if self.test else "new validation": self.test or self.corpora.valid}
        answers = [new_NC]
        if self.old_test is not None:
            corpora["old test"] = self.old_test
            answers.append(probabilities(network, self.old_test, max_length))
        measured = measure_both(
            self.old, corpora, answers, self.corpora.labels.names, decision=decision
        )
        warn_of_forgetting(measured)
        return measured

    def _baseline(self) -> Metrics:
        _log.info("fitting the baseline: TF-IDF and logistic regression")
        train, names = self.corpora.train, self.corpora.labels.names
        measured = self.corpora.valid if self.test is None else self.test
        probabilities_NC = fit_baseline(train, train.labels_N, measured, len(names))
        return measure(probabilities_NC, measured.labels_N, names)
