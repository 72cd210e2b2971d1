"""``sentir pretrain``: a language model from reviews without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import (
    COMMON_READING,
    CONFIG_FILE,
    OVERWRITE,
    READING,
    RESUME,
    RESUME_IF_BEGUN,
    TENSORBOARD,
    app,
    exit_as,
    out,
    plain,
    run_callbacks,
)
from sentir.cli.options import options_of
from sentir.cli.processes import in_processes, is_first
from sentir.config import PretrainConfig, read_settings, read_toml

_DEFAULTS = PretrainConfig()


@app.command()
@options_of(
    common=(
        *COMMON_READING, "max_vocab_size", "epochs", "learning_rate", "embedding_dim",
        "hidden_size", "seed",
    ),
    read=READING,
    text=(_DEFAULTS.text, "Text"),
    model=(_DEFAULTS.model, "Network"),
    training=(_DEFAULTS.train, "Training"),
)  # fmt: skip
@in_processes
def pretrain(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="reviews: files, folders, archives, globs, URLs or -; labels are ignored",
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder of the run: language model, metrics")
    ] = Path("runs/lm"),
    config: CONFIG_FILE = None,
    from_lm: Annotated[
        Path | None,
        typer.Option(help="trained language model to continue from, with its own settings"),
    ] = None,
    resume: RESUME = False,
    resume_if_begun: RESUME_IF_BEGUN = False,
    overwrite: OVERWRITE = False,
    tensorboard: TENSORBOARD = False,
    read: dict[str, Any],
    text: dict[str, Any],
    model: dict[str, Any],
    training: dict[str, Any],
) -> None:
    """Train a language model on reviews without labels, for 'sentir train --from-lm'.

    It predicts each word from those before it, and from those after it. Its perplexity is how many
    equally likely words it hesitates between. A trained one can continue: on the same reviews, or
    on fewer that are closer to the task. Every setting: sentir pretrain --help-all

    [bold]Examples[/bold]

      sentir pretrain unlabelled.txt.bz2 train.ft.txt.bz2 --output runs/lm
      sentir pretrain shop.txt --from-lm runs/lm --output runs/lm-shop
      sentir train train.ft.txt.bz2 --from-lm runs/lm --output runs/best
      sentir complete runs/lm "las nubes están en el"
    """
    from sentir.bundle import load_language_model
    from sentir.data.prepare import Sources

    sources = Sources(train=tuple(files), read=read_settings(read)[0])
    if is_first():
        sources.check(labelled=False)  # before PyTorch is loaded, which takes seconds
    from sentir.training.pretrain import pretrain as train_language_model
    from sentir.training.transfer import defaults_for

    settings = (
        defaults_for(load_language_model(from_lm) if from_lm else None)
        .override(read_toml(config) if config else {}, where=str(config))
        .override({"text": text, "model": model, "train": training}, where="command line")
    )
    with run_callbacks(output, tensorboard=tensorboard) as callbacks:
        run = train_language_model(
            files,
            output,
            config=settings,
            from_lm=from_lm,
            resume=resume,
            resume_if_begun=resume_if_begun,
            overwrite=overwrite,
            callbacks=callbacks,
            **read,
        )
    metrics = run.bundle.metrics["validation"]
    out.print(
        f"perplexity {metrics['perplexity']:,.1f} (forward {metrics['perplexity_forward']:,.1f}, "
        f"backward {metrics['perplexity_backward']:,.1f})",
        highlight=False,
    )
    plain(out, f"language model  {run.folder / 'model'}")
    exit_as(run.bundle.metrics["training"]["stopped"])
