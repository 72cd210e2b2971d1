"""A run of pre-training: from reviews without labels to a language model in a folder.

::

    RUN/
      model/          the language model, which is all that --from-lm and `sentir complete` need
      metrics.jsonl   a line a step and a validation
      cache/          the reviews as ids, so that the next run starts at once
      checkpoint.pt, best.safetensors    while it is unfinished
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from sentir.bundle import FOLDER, LanguageBundle, load_language_model, save_bundle
from sentir.config import ModelConfig, PretrainConfig, ReadOptions
from sentir.data.cache import cached_reviews, fingerprint
from sentir.data.encoding import TextCorpora, encode_unlabelled
from sentir.data.prepare import log_bad_rows
from sentir.io.builtin import is_synthetic
from sentir.io.reader import BadRows, read_reviews
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import restore_language_model, to_arrays
from sentir.training.callbacks import Callback, perplexity
from sentir.training.device import choose_device
from sentir.training.language_modeling import fit_language_model, losses
from sentir.training.ppmi import init_ppmi_
from sentir.training.precision import choose_precision
from sentir.training.run_dir import checkpoints_of, leave, open_run_dir
from sentir.training.transfer import check_settings, defaults_for, log_transfer

_DEFAULT = ReadOptions()


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


def pretrain(
    sources: Sequence[str],
    output: str | Path,
    *,
    read: ReadOptions = _DEFAULT,
    config: PretrainConfig | None = None,
    from_lm: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Pretraining:
    """Train a language model on reviews, whatever their labels, and leave it in a folder.

    Of a review longer than ``text.max_length`` the middle is not read, as a classifier does.

    Args:
        sources: files, globs, URLs, ``-`` or names of data sets; labels in them are not looked at.
        output: the run's folder.
        read: how files are read.
        config: all settings; unset: the defaults, or those of `from_lm`, but for its training.
        from_lm: folder of a finished language model that goes on learning here: its tokenizer and
            its weights are begun with, the settings must fit them.
        resume: go on with the unfinished run in that folder.
        overwrite: replace the run in that folder; what was read before is used again.
        callbacks: told of every event, see `sentir.training.callbacks`.

    Raises:
        SentirError: bad input, settings that cannot be, or a folder that holds another run.
    """
    folder = Path(output)
    lm = load_language_model(from_lm) if from_lm else None
    config = config or defaults_for(lm)
    if lm is not None:
        check_settings(config, lm, str(from_lm))
    with open_run_dir(folder, callbacks, resume=resume, overwrite=overwrite) as emit:
        began = time.perf_counter()
        bad_rows = BadRows(read.on_error)

        made_from = _made_from(sources, config, read, lm)
        checkpoints = checkpoints_of(folder, made_from, config, resume=resume)
        corpora = _encode(made_from, sources, folder, config, read, lm, resume, bad_rows, emit)
        log_bad_rows(bad_rows, emit)
        settings, network = config.train, ModelConfig(**config.model.classifier())
        device = choose_device(
            settings.device,
            network,
            lambda message: emit({"event": "say", "message": message, "warning": True}),
        )
        torch.manual_seed(settings.seed)
        model = LanguageModel(config.model, vocabulary=len(corpora.tokenizer.vocabulary))
        if not (resume and checkpoints.path.exists()):  # else the checkpoint has all weights
            _begin(model, config, corpora, lm, emit)
        model.to(device)
        model.set_compute_dtype(choose_precision(settings.precision, network, device))
        fitting = time.perf_counter()
        position = fit_language_model(
            model,
            corpora.train,
            corpora.valid,
            config,
            checkpoints=checkpoints,
            emit=emit,
            resume=resume,
        )
        # Earlier parts of the run count too.
        began += time.perf_counter() - fitting - position.seconds
        model.set_compute_dtype(None)
        forward, backward = losses(model, corpora.valid, config.text.max_length)
        bundle = LanguageBundle(
            weights=to_arrays(model),
            tokenizer=corpora.tokenizer,
            config=config,
            metrics={
                "validation": {
                    "perplexity": perplexity((forward + backward) / 2),
                    "perplexity_forward": perplexity(forward),
                    "perplexity_backward": perplexity(backward),
                },
                "training": {
                    **asdict(position),
                    "seconds": round(time.perf_counter() - began, 1),
                    **({"from_lm": str(from_lm)} if lm else {}),
                },
            },
            synthetic=any(map(is_synthetic, sources)),
        )
        save_bundle(bundle, folder / FOLDER)
        leave(checkpoints, position, emit)
        return Pretraining(folder=folder, bundle=bundle, skipped=bad_rows)


def _made_from(
    sources: Sequence[str], config: PretrainConfig, read: ReadOptions, lm: LanguageBundle | None
) -> list[Any]:
    """All that the reviews as ids depend on; None for sources that can change unseen."""
    return [
        fingerprint(sources), asdict(read), config.to_dict()["text"], config.train.split(),
        *([lm.checksum] if lm else []),
    ]  # fmt: skip


def _begin(
    model: LanguageModel,
    config: PretrainConfig,
    corpora: TextCorpora,
    lm: LanguageBundle | None,
    emit: Callback,
) -> None:
    """Put in the weights that are known beforehand."""
    if lm is not None:
        model.load_state_dict(restore_language_model(lm).state_dict())
        log_transfer("the language model goes on from one", lm, corpora.train, emit)
    elif config.model.embedding_init == "ppmi":
        init_ppmi_(model.embedding, corpora.train, emit)


def _encode(
    made_from: Sequence[Any],
    sources: Sequence[str],
    folder: Path,
    config: PretrainConfig,
    read: ReadOptions,
    lm: LanguageBundle | None,
    resume: bool,
    bad_rows: BadRows,
    emit: Callback,
) -> TextCorpora:
    """The corpora as ids, from the cache where they are in it; `faults` counts what they lack."""

    def make(place: Path) -> None:
        met = BadRows(read.on_error)
        encode_unlabelled(
            read_reviews(sources, read, bad_rows=met, labelled=False),
            place,
            text=config.text,
            train=config.train,
            tokenizer=lm.tokenizer if lm else None,
            advance=lambda count: emit(
                {"event": "reading", "what": "reading reviews", "reviews": count}
            ),
        )
        met.save(place)

    place = cached_reviews(folder / "cache", made_from, make, resume=resume)
    bad_rows.add_saved(place)
    return TextCorpora.open(place)
