"""A run of pre-training: from reviews without labels to a language model in a folder.

::

    RUN/
      run.json        by which the folder is known as a run's
      model/          the language model, which is all that --from-lm and `sentir complete` need
      metrics.jsonl   one line per step and per validation
      cache/          the reviews as ids, so that the next run starts at once
      checkpoint.pt, best.safetensors    while it is unfinished
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sentir.bundle import FOLDER, LanguageBundle, load_language_model, save_bundle
from sentir.config import PretrainConfig, read_settings
from sentir.data.encoding import TextCorpora
from sentir.data.prepare import (
    Progress,
    Sources,
    prepare_unlabelled,
)
from sentir.extras import TRAINING, require
from sentir.io.builtin import is_synthetic
from sentir.io.paths import Paths, path_list
from sentir.io.reader import BadRows
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import restore_language_model, to_arrays
from sentir.training.callbacks import Callback
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.language_modeling import fit_language_model, perplexities
from sentir.training.ppmi import init_ppmi_
from sentir.training.process_group import current, joined
from sentir.training.run_training import Trained, run_training
from sentir.training.transfer import check_settings, defaults_for, log_transfer


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """What a run of pre-training left behind.

    Attributes:
        folder: the run's folder.
        bundle: the language model.
        skipped: rows left out under ``on_error="skip"``.
    """

    folder: Path
    bundle: LanguageBundle
    skipped: BadRows


@joined()
def pretrain(
    texts: Paths,
    output: str | Path,
    *,
    config: PretrainConfig | None = None,
    from_lm: str | Path | None = None,
    resume: bool = False,
    resume_if_begun: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
    **settings: Any,
) -> Pretraining:
    """Train a language model on reviews, labelled or not, and leave it in a folder.

    Of a review longer than ``max_length`` the middle is not read, as in a classifier.

    Args:
        texts: reviews: a path, glob, URL or name of a data set, or a list of them; labels in them
            are ignored.
        output: the run's folder: a new or empty one, or that of a run.
        config: all settings; unset: the defaults, or those of `from_lm`, but for its training.
        from_lm: folder of a trained language model to continue from; the settings must fit it.
        resume: go on with the unfinished run in that folder.
        resume_if_begun: the same if there is one, for a command that is repeated after a failure.
        overwrite: replace the run in that folder; its encoded reviews are used again.
        callbacks: called with every event, see `sentir.training.callbacks`.
        **settings: any field of `sentir.config.PretrainConfig` or of how files are read.

    Raises:
        FinishedRunError: with `resume_if_begun`, this very run has finished.
        SentirError: bad input, settings that cannot be, or a folder that holds something else.
    """
    require("training", *TRAINING)
    read, changes = read_settings(settings, PretrainConfig)
    lm = load_language_model(from_lm) if from_lm else None
    config = (config or defaults_for(lm)).override(changes, where="settings")
    if lm is not None:
        check_settings(config, lm, str(from_lm))
    sources = Sources(train=path_list(texts, "texts"), read=read)
    if current().rank == 0:
        sources.check(labelled=False)
    return run_training(
        LanguageModelRun(sources, config, lm, str(from_lm)),
        Path(output),
        callbacks=callbacks,
        resume=resume,
        resume_if_begun=resume_if_begun,
        overwrite=overwrite,
    )


class LanguageModelRun:
    """The run of a language model, see `sentir.training.run_training.RunTask`."""

    corpora: TextCorpora
    skipped: BadRows

    def __init__(
        self, sources: Sources, config: PretrainConfig, lm: LanguageBundle | None, from_lm: str
    ) -> None:
        self.sources, self.config, self.lm, self.from_lm = sources, config, lm, from_lm

    def cache_key(self) -> list[Any]:
        return self.sources.cache_key(self.config, self.lm)

    @property
    def encoded(self) -> Path | None:
        return None

    def read(self, cache: Path, *, resume: bool, progress: Progress) -> Path:
        self.corpora, self.skipped = prepare_unlabelled(
            self.sources, self.config, self.lm, cache, resume=resume, progress=progress
        )
        self.skipped.warn(kept=len(self.corpora.train))
        return self.corpora.folder

    def open(self, encoded: Path) -> None:
        self.corpora = TextCorpora.open(encoded)

    def network(self) -> LanguageModel:
        vocabulary = len(self.corpora.tokenizer.vocabulary)
        return LanguageModel(self.config.model, vocabulary=vocabulary)

    def initialise(self, network: LanguageModel) -> None:
        if self.lm is not None:
            network.load_state_dict(restore_language_model(self.lm).state_dict())
            log_transfer("the language model continues from one", self.lm, self.corpora.train)
        elif self.config.model.embedding_init == "ppmi":
            init_ppmi_(network.embedding, self.corpora.train)

    def fit(
        self, network: LanguageModel, *, checkpoints: Checkpoints, emit: Callback, resume: bool
    ) -> Position:
        return fit_language_model(
            network,
            self.corpora.train,
            self.corpora.valid,
            self.config,
            checkpoints=checkpoints,
            emit=emit,
            resume=resume,
        )

    def calibrate(self, network: LanguageModel, cache: Path, emit: Callback) -> None:
        """Nothing: a language model's probabilities are not calibrated."""

    def finish(self, network: LanguageModel, folder: Path, trained: Trained) -> Pretraining:
        validation = perplexities(network, self.corpora.valid, self.config.text.max_length)
        bundle = LanguageBundle(
            weights=to_arrays(network),
            tokenizer=self.corpora.tokenizer,
            config=self.config,
            metrics={
                "validation": {name: validation[name] for name in validation if name != "loss"},
                "training": {
                    **asdict(trained.position),
                    "seconds": round(trained.seconds(), 1),
                    **({"from_lm": self.from_lm} if self.lm else {}),
                },
            },
            synthetic=any(map(is_synthetic, self.sources.train)),
        )
        save_bundle(bundle, folder / FOLDER)
        return Pretraining(folder=folder, bundle=bundle, skipped=self.skipped)
