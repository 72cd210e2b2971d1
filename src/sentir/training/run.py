"""A run: the whole journey from labelled reviews to a measured model in a folder.

::

    RUN/
      model/          the bundle, which is all that answers need
      report.html     the run to look at
      metrics.jsonl   a line a step and a validation
      cache/          the reviews as ids, so that the next run starts at once
      checkpoint.pt, best.safetensors    while it is unfinished
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from sentir.bundle import FOLDER, Bundle, LanguageBundle, load_language_model, save_bundle
from sentir.config import Config
from sentir.data.dataset import EncodedCorpus
from sentir.data.encoding import TrainingCorpora
from sentir.data.joined import Reviews
from sentir.data.prepare import Inputs as Inputs
from sentir.data.prepare import encode, log_bad_rows, log_classes, made_from, warn_duplicates
from sentir.evaluation.baseline import fit_baseline
from sentir.evaluation.metrics import Metrics, Mistakes, measure
from sentir.evaluation.report import Evaluation, Report, write_report
from sentir.io.builtin import is_synthetic
from sentir.io.reader import BadRows
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.nn.word_vectors import load_vectors
from sentir.training.calibration import fit_calibration, set_calibration
from sentir.training.callbacks import Callback, read_metrics
from sentir.training.checkpoint import Position
from sentir.training.class_weights import balanced
from sentir.training.classification import fit_classifier, logits, probabilities
from sentir.training.device import choose_device
from sentir.training.distillation import Teacher, check_teachers, taught
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.ppmi import init_ppmi_
from sentir.training.precision import choose_precision, format_name
from sentir.training.run_dir import checkpoints_of, leave, open_run_dir
from sentir.training.transfer import check_settings, copy_weights, log_transfer, preset_for
from sentir.version import __version__

#: Most confident mistakes shown in the report.
SHOWN_MISTAKES = 20


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run left behind.

    Attributes:
        folder: the run's folder.
        bundle: the model, ready for `sentir.Predictor`.
        validation: how good it is on the reviews set aside.
        test: how good it is on the test reviews, if there were any.
        baseline: the bag of words on the same test reviews, if it was asked for.
        skipped: rows left out under ``on_error="skip"``.
    """

    folder: Path
    bundle: Bundle
    validation: Metrics
    test: Metrics | None
    baseline: Metrics | None
    skipped: BadRows


def train(
    inputs: Inputs,
    output: str | Path,
    *,
    config: Config | None = None,
    from_lm: str | Path | None = None,
    teachers: Sequence[Teacher] = (),
    resume: bool = False,
    overwrite: bool = False,
    baseline: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Train a model and leave it, its figures and its report in a folder.

    Args:
        inputs: where the reviews come from.
        output: the run's folder.
        config: all settings; unset: the preset ``base``, or ``best`` with what `from_lm` asks for.
        from_lm: folder of a language model (`sentir.training.pretrain`) whose tokenizer and weights
            to begin with; the settings must fit it, see `sentir.training.transfer`.
        teachers: finished models (`sentir.load`) that answer the unlabelled reviews, see
            `sentir.training.distillation`.
        resume: go on with the unfinished run in that folder.
        overwrite: replace the run in that folder; what was read before is used again.
        baseline: measure a bag of words on the same test reviews (validation, if there are none).
        callbacks: told of every event, see `sentir.training.callbacks`.

    Raises:
        SentirError: bad input, settings that cannot be, or a folder that holds another run.
    """
    folder = Path(output)
    check_teachers(teachers, inputs.unlabelled)
    lm = load_language_model(from_lm) if from_lm else None
    config = config or preset_for(lm)
    if lm is not None:
        check_settings(config, lm, str(from_lm))
    with open_run_dir(folder, callbacks, resume=resume, overwrite=overwrite) as emit:
        began = time.perf_counter()
        bad_rows = BadRows(inputs.read.on_error)

        made_of = made_from(inputs, config, lm)
        taught_by = [teacher.identity for teacher in teachers]
        checkpoints = checkpoints_of(folder, [*made_of, *taught_by], config, resume=resume)
        corpora, test = encode(made_of, inputs, folder, config, lm, resume, bad_rows, emit)
        log_bad_rows(bad_rows, emit)
        log_classes(corpora, emit)
        warn_duplicates(corpora, test, emit)
        max_length = config.text.max_length
        learnt: Reviews = taught(corpora, teachers, emit) if teachers else corpora.train
        device = choose_device(
            config.train.device,
            config.model,
            lambda message: emit({"event": "say", "message": message, "warning": True}),
        )
        torch.manual_seed(config.train.seed)
        model = _network(config, corpora)
        if not (resume and checkpoints.path.exists()):  # else the checkpoint has all weights
            _begin(model, config, corpora, learnt, lm, emit)
        model.to(device)
        if config.train.class_weights == "balanced":
            model.set_class_weights(balanced(corpora.train.labels_N, model.classes))
        precision = choose_precision(config.train.precision, config.model, device)
        model.set_compute_dtype(precision)
        fitting = time.perf_counter()
        position = fit_classifier(
            model,
            learnt,
            corpora.valid,
            config,
            checkpoints=checkpoints,
            emit=emit,
            resume=resume,
        )
        # Earlier parts of the run count too.
        began += time.perf_counter() - fitting - position.seconds
        model.set_compute_dtype(None)
        # Reviews that the user has set aside are left alone; a part of train may be learnt from.
        before_NC, after_NC = _calibrate(
            model, learnt, corpora.valid, max_length, emit, refit=not inputs.valid
        )
        seconds = time.perf_counter() - began

        evaluations = {
            "uncalibrated": _evaluation(before_NC, corpora.valid, corpora),
            "validation": _evaluation(after_NC, corpora.valid, corpora),
        }
        if test is not None:
            answers_NC = probabilities(model, test, max_length)
            evaluations["test"] = _evaluation(answers_NC, test, corpora)
        bar = (
            _baseline(corpora, corpora.valid if test is None else test, emit) if baseline else None
        )
        bundle = Bundle(
            weights=to_arrays(model),
            tokenizer=corpora.tokenizer,
            labels=corpora.labels,
            config=config,
            metrics={
                **{name: found.metrics.to_dict() for name, found in evaluations.items()},
                **({"baseline": bar.to_dict()} if bar else {}),
                "training": {
                    **asdict(position),
                    "seconds": round(seconds, 1),
                    **({"from_lm": str(from_lm)} if lm else {}),
                    **({"teachers": taught_by} if teachers else {}),
                },
            },
            synthetic=any(map(is_synthetic, inputs.train)),
        )
        save_bundle(bundle, folder / FOLDER)
        place = f"{device}, recurrent layers trained in {format_name(precision)}"
        report = _report(
            folder, bundle, inputs, corpora, evaluations, bar, position, place, seconds
        )
        write_report(report, folder / "report.html")
        leave(checkpoints, position, emit)
        return Run(
            folder=folder,
            bundle=bundle,
            validation=evaluations["validation"].metrics,
            test=evaluations["test"].metrics if test is not None else None,
            baseline=bar,
            skipped=bad_rows,
        )


def _network(config: Config, corpora: TrainingCorpora) -> SentimentClassifier:
    return SentimentClassifier(
        config.model,
        vocabulary=len(corpora.tokenizer.vocabulary),
        classes=len(corpora.labels.names),
    )


def _begin(
    model: SentimentClassifier,
    config: Config,
    corpora: TrainingCorpora,
    learnt: Reviews,
    lm: LanguageBundle | None,
    emit: Callback,
) -> None:
    """Put in the weights that are known beforehand."""
    vocabulary, init = corpora.tokenizer.vocabulary, config.model.embedding_init
    if lm is not None:
        copy_weights(lm, model)
        what = f"{len(vocabulary):,} words and the recurrent layer begin as the language model's,"
        log_transfer(what, lm, learnt, emit)
    elif init == "ppmi":
        init_ppmi_(model.embedding, learnt, emit)
    elif init != "random":
        covered = load_vectors(init, vocabulary, model.embedding)
        emit({"event": "say", "message": f"{init}: vectors for {covered:,} of "
              f"{len(vocabulary):,} words ({covered / len(vocabulary):.1%})"})  # fmt: skip


def _calibrate(
    model: SentimentClassifier,
    learnt: Reviews,
    valid: EncodedCorpus,
    max_length: int,
    emit: Callback,
    *,
    refit: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the linear part and make the answers as sure as they are right.

    Returns:
        Probabilities (N, C) of the validation reviews before that and after it, both of a model
        that has not learnt from them: in the end the linear part may (`refit`).
    """
    network_NO = logits(model, valid, max_length)
    if model.ngram_linear is None:
        mix = fit_calibration(model, [network_NO], valid.labels_N)
        set_calibration(model, mix.weights[0], mix.shift_O)
        mixed_NO = mix.of([network_NO])
    else:
        emit({"event": "say", "message": "fitting the linear part"})
        mixed_NO = fit_ngram_linear(model, learnt, valid, network_NO, max_length, refit=refit)
    before_NC, after_NC = (
        model.probabilities(torch.from_numpy(logits_NO)).numpy()
        for logits_NO in (network_NO, mixed_NO)
    )
    return before_NC, after_NC


def _evaluation(
    answers_NC: np.ndarray, corpus: EncodedCorpus, corpora: TrainingCorpora
) -> Evaluation:
    wrong_N = answers_NC.argmax(axis=1) != corpus.labels_N
    rows = np.flatnonzero(wrong_N)
    rows = rows[np.argsort(-answers_NC[rows].max(axis=1), kind="stable")][:SHOWN_MISTAKES]
    mistakes = Mistakes(SHOWN_MISTAKES)
    mistakes.add(answers_NC[rows], corpus.labels_N[rows], corpus.texts(rows.tolist()))
    return Evaluation(
        metrics=measure(answers_NC, corpus.labels_N, corpora.labels.names),
        probabilities=answers_NC,
        labels=corpus.labels_N,
        mistakes=mistakes.worst(),
    )


def _baseline(corpora: TrainingCorpora, measured: EncodedCorpus, emit: Callback) -> Metrics:
    emit({"event": "say", "message": "fitting the bag of words"})
    answers_NC = fit_baseline(
        corpora.train, corpora.train.labels_N, measured, len(corpora.labels.names)
    )
    return measure(answers_NC, measured.labels_N, corpora.labels.names)


def _report(
    folder: Path,
    bundle: Bundle,
    inputs: Inputs,
    corpora: TrainingCorpora,
    evaluations: Mapping[str, Evaluation],
    baseline: Metrics | None,
    position: Position,
    place: str,
    seconds: float,
) -> Report:
    parameters = sum(weight.size for weight in bundle.weights.values())
    minutes, rest = divmod(round(seconds), 60)
    return Report(
        title=folder.name,
        synthetic=bundle.synthetic,
        history=read_metrics(folder / "metrics.jsonl"),
        evaluations=evaluations,
        baseline=baseline,
        lengths=corpora.train.lengths_N,
        max_length=bundle.config.text.max_length,
        config=bundle.config.to_dict(),
        facts={
            "training reviews": f"{len(corpora.train):,} from {', '.join(inputs.train)}",
            **(
                {
                    "unlabelled reviews": f"{len(corpora.unlabelled):,} from "
                    f"{', '.join(inputs.unlabelled)}, answered by teachers"
                }
                if corpora.unlabelled
                else {}
            ),
            "validation reviews": f"{len(corpora.valid):,}",
            "vocabulary": f"{len(corpora.tokenizer.vocabulary):,} tokens",
            "parameters": f"{parameters / 1e6:.1f} million",
            "steps": f"{position.step:,}, best at {position.best_step:,} ({position.stopped})",
            "device": place,
            "time": f"{minutes} min {rest} s",
            "versions": f"sentir {__version__}, torch {torch.__version__}",
        },
    )
