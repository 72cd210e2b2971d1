"""The commands of language models: the one that trains them, and the one that lets them speak."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from sentir.cli.app import (
    OVERWRITE,
    READING,
    RESUME,
    TENSORBOARD,
    app,
    at_work,
    err,
    exit_as,
    out,
    plain,
)
from sentir.cli.options import options_of
from sentir.config import LanguageModelConfig, TextConfig, TrainConfig, read_toml


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
    from_lm: Annotated[
        Path | None,
        typer.Option(
            help="finished language model that goes on learning, from these reviews; what depends "
            "on it is set as it was there"
        ),
    ] = None,
    resume: RESUME = False,
    overwrite: OVERWRITE = False,
    tensorboard: TENSORBOARD = False,
    read: dict[str, Any],
    text: dict[str, Any],
    model: dict[str, Any],
    training: dict[str, Any],
) -> None:
    """Learn the language of reviews that need no labels, for 'sentir train --from-lm'.

    The language model guesses each word from those before it, and from those behind it. Its
    perplexity says among how many equally likely words it is in doubt. A finished one can go on
    learning: from the same reviews, or from fewer that are more like those to be answered.

    [bold]Examples[/bold]

      sentir pretrain unlabelled.txt.bz2 train.ft.txt.bz2 --output runs/lm
      sentir pretrain shop.txt --from-lm runs/lm --learning-rate 0.001 -o runs/lm-shop
      sentir train train.ft.txt.bz2 --from-lm runs/lm --output runs/shop
      sentir complete runs/lm "las nubes están en el"
    """
    from sentir.bundle import load_language_model
    from sentir.training.callbacks import Callback, ProgressBar, TensorBoard
    from sentir.training.pretrain import pretrain as pretrain_run
    from sentir.training.transfer import defaults_for

    settings = (
        defaults_for(load_language_model(from_lm) if from_lm else None)
        .override(read_toml(config) if config else {}, where=str(config))
        .override({"text": text, "model": model, "train": training}, where="command line")
    )
    bar = ProgressBar(err)
    callbacks: list[Callback] = [bar]
    if tensorboard:
        callbacks.append(TensorBoard(output / "tensorboard"))
    with at_work(bar):
        run = pretrain_run(
            files,
            output,
            config=settings,
            from_lm=from_lm,
            resume=resume,
            overwrite=overwrite,
            callbacks=callbacks,
            **read,
        )
    found = run.bundle.metrics["validation"]
    out.print(
        f"perplexity {found['perplexity']:,.1f} (forward {found['perplexity_forward']:,.1f}, "
        f"backward {found['perplexity_backward']:,.1f})",
        highlight=False,
    )
    plain(out, f"language model  {run.folder / 'model'}")
    exit_as(run.bundle.metrics["training"]["stopped"])


@app.command()
def complete(
    model: Annotated[str, typer.Argument(metavar="LM", help="folder that 'sentir pretrain' wrote")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="the beginning of a sentence")],
    *,
    words: Annotated[int, typer.Option(min=0, help="words to add")] = 10,
    temperature: Annotated[
        float,
        typer.Option(min=0, help="below 1 likelier words are preferred; 0 takes the likeliest"),
    ] = 0.8,
    seed: Annotated[int, typer.Option(min=0, help="another seed, another continuation")] = 0,
    beams: Annotated[
        int, typer.Option(min=0, help="look for the likeliest continuations, so many (0: draw one)")
    ] = 0,
    top: Annotated[int, typer.Option(min=1, help="next words shown")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Go on with a sentence: the likeliest next words, and a continuation.

    [bold]Examples[/bold]

      sentir complete runs/lm "las nubes están en el"
      sentir complete runs/lm "the worst film I have" --words 20 --temperature 0.5 --seed 3
      sentir complete runs/lm "the worst film I have" --beams 5 --json
    """
    from rich.table import Table

    from sentir.bundle import load_language_model
    from sentir.inference.generation import TextGenerator

    completer = TextGenerator(load_language_model(model))
    candidates = completer.next_words(text, top)
    if beams:
        found = completer.search(text, words, beams=beams)
    else:
        found = [completer.draw(text, words, temperature=temperature, seed=seed)]
    if as_json:
        told = {
            "text": text,
            "next": [one._asdict() for one in candidates],
            "continuations": [one._asdict() for one in found],
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    table = Table("next word", "probability", box=None)
    table.columns[1].justify = "right"
    for word, probability in candidates:
        table.add_row(escape(word), f"{probability:.1%}")
    out.print(table)
    for one in found:
        plain(out, f"\n{one.text}")
