"""The commands of language models: the one that trains them, and the one that lets them speak."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import READING, app, err, out, read_options
from sentir.config import LanguageModelConfig, PretrainConfig, TextConfig, TrainConfig
from sentir.options import options_of


@app.command()
@options_of(
    read=READING,
    text=(TextConfig, "Text (unset: 30,000 words at most, 400 tokens a review)"),
    model=(LanguageModelConfig, "Network"),
    training=(TrainConfig, "Training (unset: batches of 32, learning rate 0.003)"),
)
def pretrain(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="files, globs, URLs or -; labels in them are not looked at"
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder of the run: language model, figures")
    ] = Path("runs/lm"),
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, in tables text, model, train")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an unfinished run")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the run in the folder")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="write scalars for TensorBoard as well")
    ] = False,
    read: dict[str, Any],
    text: dict[str, Any],
    model: dict[str, Any],
    training: dict[str, Any],
) -> None:
    """Learn the language of reviews that need no labels, for 'sentir train --from-lm'.

    The language model guesses each word from those before it, and from those behind it. Its
    perplexity says among how many equally likely words it is in doubt.

    [bold]Examples[/bold]

      sentir pretrain unlabelled.txt.bz2 train.ft.txt.bz2 --output runs/lm
      sentir train train.ft.txt.bz2 --from-lm runs/lm --output runs/shop
      sentir complete runs/lm "las nubes están en el"
    """
    from sentir.training.pretrain import pretrain as pretrain_run
    from sentir.training.watch import ProgressBar, TensorBoard, Watcher

    settings = PretrainConfig.from_toml(config) if config else PretrainConfig()
    settings = settings.override(
        {"text": text, "model": model, "train": training}, where="command line"
    )
    bar = ProgressBar(err)
    watchers: list[Watcher] = [bar]
    if tensorboard:
        watchers.append(TensorBoard(output / "tensorboard"))
    try:
        run = pretrain_run(
            files,
            output,
            read=read_options(read),
            config=settings,
            resume=resume,
            overwrite=overwrite,
            watchers=watchers,
        )
    finally:
        bar.close()
    found = run.bundle.metrics["validation"]
    out.print(
        f"perplexity {found['perplexity']:,.1f} (ahead {found['perplexity_ahead']:,.1f}, "
        f"back {found['perplexity_back']:,.1f})",
        highlight=False,
    )
    out.print(f"language model  {run.folder / 'model'}", highlight=False, soft_wrap=True)
