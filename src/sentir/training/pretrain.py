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
from sentir.data.prepare import say_skipped
from sentir.io.builtin import is_synthetic
from sentir.io.reader import Faults, read_reviews
from sentir.nn.language_model import LanguageModel
from sentir.training.callbacks import Watcher, perplexity
from sentir.training.device import choose_device
from sentir.training.language_modeling import fit_language_model, losses
from sentir.training.ppmi import begin_with_own_vectors
from sentir.training.precision import choose_precision
from sentir.training.run_dir import checkpoints_of, leave, open_folder
from sentir.training.transfer import check_settings, defaults_for, say_where_from

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
    skipped: Faults


def pretrain(
    sources: Sequence[str],
    output: str | Path,
    *,
    read: ReadOptions = _DEFAULT,
    config: PretrainConfig | None = None,
    from_lm: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    watchers: Sequence[Watcher] = (),
) -> Pretraining:
    """Train a language model on reviews, whatever their labels, and leave it in a folder.

    Of a review longer than ``text.max_tokens`` the middle is not read, as a classifier does.

    Args:
        sources: files, globs, URLs, ``-`` or names of data sets; labels in them are not looked at.
        output: the run's folder.
        read: how files are read.
        config: all settings; unset: the defaults, or those of `from_lm`, but for its training.
        from_lm: folder of a finished language model that goes on learning here: its tokenizer and
            its weights are begun with, the settings must fit them.
        resume: go on with the unfinished run in that folder.
        overwrite: replace the run in that folder; what was read before is used again.
        watchers: told of every event, see `sentir.training.callbacks`.

    Raises:
        SentirError: bad input, settings that cannot be, or a folder that holds another run.
    """
    folder = Path(output)
    lm = load_language_model(from_lm) if from_lm else None
    config = config or defaults_for(lm)
    if lm is not None:
        check_settings(config, lm, str(from_lm))
    with open_folder(folder, watchers, resume=resume, overwrite=overwrite) as tell:
        began = time.perf_counter()
        faults = Faults(read.on_error)

        made_from = _made_from(sources, config, read, lm)
        checkpoints = checkpoints_of(folder, made_from, config, resume=resume)
        corpora = _encode(made_from, sources, folder, config, read, lm, resume, faults, tell)
        say_skipped(faults, tell)
        settings, network = config.train, ModelConfig(**config.model.classifier())
        device = choose_device(
            settings.device,
            network,
            lambda message: tell({"event": "say", "message": message, "warning": True}),
        )
        torch.manual_seed(settings.seed)
        model = LanguageModel(config.model, vocabulary=len(corpora.tokenizer.vocabulary))
        if not (resume and checkpoints.path.exists()):  # else the checkpoint has all weights
            _begin(model, config, corpora, lm, tell)
        model.to(device)
        model.compute_in(choose_precision(settings.precision, network, device))
        fitting = time.perf_counter()
        position = fit_language_model(
            model,
            corpora.train,
            corpora.valid,
            config,
            checkpoints=checkpoints,
            tell=tell,
            resume=resume,
        )
        # Earlier parts of the run count too.
        began += time.perf_counter() - fitting - position.seconds
        model.compute_in(None)
        ahead, back = losses(model, corpora.valid, config.text.max_tokens)
        bundle = LanguageBundle(
            model=model.cpu().eval(),
            tokenizer=corpora.tokenizer,
            config=config,
            metrics={
                "validation": {
                    "perplexity": perplexity((ahead + back) / 2),
                    "perplexity_ahead": perplexity(ahead),
                    "perplexity_back": perplexity(back),
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
        leave(checkpoints, position, tell)
        return Pretraining(folder=folder, bundle=bundle, skipped=faults)


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
    tell: Watcher,
) -> None:
    """Put in the weights that are known beforehand."""
    if lm is not None:
        model.load_state_dict(lm.model.state_dict())
        say_where_from("the language model goes on from one", lm, corpora.train, tell)
    elif config.model.own_vectors:
        begin_with_own_vectors(model.embedding, corpora.train, tell)


def _encode(
    made_from: Sequence[Any],
    sources: Sequence[str],
    folder: Path,
    config: PretrainConfig,
    read: ReadOptions,
    lm: LanguageBundle | None,
    resume: bool,
    faults: Faults,
    tell: Watcher,
) -> TextCorpora:
    """The corpora as ids, from the cache where they are in it; `faults` counts what they lack."""

    def make(place: Path) -> None:
        met = Faults(read.on_error)
        encode_unlabelled(
            read_reviews(sources, read, faults=met, labelled=False),
            place,
            text=config.text,
            train=config.train,
            tokenizer=lm.tokenizer if lm else None,
            advance=lambda count: tell(
                {"event": "reading", "what": "reading reviews", "reviews": count}
            ),
        )
        met.save(place)

    place = cached_reviews(folder / "cache", made_from, make, resume=resume)
    faults.add_saved(place)
    return TextCorpora.open(place)
