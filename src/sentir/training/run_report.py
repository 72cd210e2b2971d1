"""The report of a run, put together from what the run knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from sentir.bundle import Bundle
from sentir.data.encoding import TrainingCorpora
from sentir.data.prepare import Sources
from sentir.data.summary import DataSummary
from sentir.evaluation.forgetting import BeforeAndAfter
from sentir.evaluation.history import read_metrics
from sentir.evaluation.metrics import Metrics
from sentir.evaluation.report import Evaluation, Report
from sentir.training.run_training import Trained
from sentir.training.strongest_ngrams import strongest_ngrams
from sentir.version import __version__


def assemble_report(
    folder: Path,
    bundle: Bundle,
    *,
    sources: Sources,
    corpora: TrainingCorpora,
    summary: DataSummary,
    evaluations: Mapping[str, Evaluation],
    baseline: Metrics | None,
    forgetting: Sequence[BeforeAndAfter] = (),
    started_from: str | None = None,
    trained: Trained,
    seconds: float,
) -> Report:
    """The report of the run in that folder.

    Args:
        folder: the run's, whose name is the title and whose ``metrics.jsonl`` is the history.
        bundle: the finished model.
        sources: where the reviews came from.
        corpora: the reviews that were learnt from and validated on.
        summary: the same in figures.
        evaluations: what was measured, the last one the headline.
        baseline: metrics of a bag of words on the same reviews.
        forgetting: of a model that went on learning, it and the old one on the same reviews.
        started_from: that model, and what was new to it.
        trained: how the network was trained.
        seconds: how long the run took.
    """
    position = trained.position
    parameters = sum(weight.size for weight in bundle.weights.values())
    minutes, rest_s = divmod(round(seconds), 60)
    facts = {"files": ", ".join(sources.train), **summary.facts()}
    if started_from is not None:
        facts = {"went on from": started_from, **facts}
    if corpora.unlabelled:
        facts["unlabelled reviews"] = (
            f"{len(corpora.unlabelled):,} from {', '.join(sources.unlabelled)}"
        )
    facts |= {
        "vocabulary": f"{len(corpora.tokenizer.vocabulary):,} tokens",
        "parameters": f"{parameters / 1e6:.1f} million",
        "steps": f"{position.step:,}, best at {position.best_step:,} ({position.stopped})",
        "device": trained.place,
        "time": f"{minutes} min {rest_s} s",
        "versions": f"sentir {__version__}, torch {torch.__version__}",
    }
    max_length, names = bundle.config.text.max_length, corpora.labels.names
    if bundle.decision:
        facts["decision rule"] = f"{bundle.decision.describe(names)} ({bundle.decision.optimise})"
    ngrams = (
        strongest_ngrams(bundle.weights, corpora.tokenizer, names, corpora.train, max_length)
        if bundle.config.model.ngram_buckets
        else ()
    )
    return Report(
        title=folder.name,
        synthetic=bundle.synthetic,
        history=read_metrics(folder / "metrics.jsonl"),
        evaluations=evaluations,
        baseline=baseline,
        forgetting=forgetting,
        lengths=corpora.train.lengths_N,
        max_length=max_length,
        config=bundle.config.to_dict(),
        facts=facts,
        ngrams=ngrams,
    )
