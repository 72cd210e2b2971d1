"""The command that learns from reviews, and the one that makes some up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import (
    OVERWRITE,
    READING,
    RESUME,
    TENSORBOARD,
    app,
    at_work,
    counting,
    err,
    exit_as,
    out,
    plain,
    show,
)
from sentir.cli.options import options_of
from sentir.config import (
    DEFAULT_PRESET,
    LM_PRESET,
    PRESETS,
    FineTuneConfig,
    ModelConfig,
    TextConfig,
    TrainConfig,
    read_toml,
)


@app.command()
@options_of(
    read=READING,
    text=(TextConfig, "Text (unset: the preset's)"),
    model=(ModelConfig, "Network (unset: the preset's)"),
    training=(TrainConfig, "Training (unset: the preset's)"),
    finetune=(FineTuneConfig, "Fine-tuning"),
)
def train(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="files, globs, URLs or - to learn from; amazon_polarity, from the Hugging Face "
            "hub; or sample, sample_es, made up on the spot (if nothing is given: sample)",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder of the run: model, report, figures")
    ] = Path("runs/latest"),
    test: Annotated[
        list[str] | None,
        typer.Option(help="reviews to measure on, once, at the end; may be repeated"),
    ] = None,
    valid: Annotated[
        list[str] | None,
        typer.Option(help="reviews to choose the best model by (unset: a part of FILE)"),
    ] = None,
    unlabelled: Annotated[
        list[str] | None,
        typer.Option(
            help="reviews without labels to learn from too, as --teacher answers them; may be "
            "repeated"
        ),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="trained model, larger or slower than this one may be, that answers --unlabelled; "
            "may be repeated: their answers are averaged"
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="what computes the teachers' answers, as for 'sentir predict'; int8 is the "
            "fastest for the LSTM of best, if a little off"
        ),
    ] = "auto",
    labels: Annotated[
        str,
        typer.Option(
            help="auto; stars (below 3 negative, above positive, 3 left out); a,b,c in their "
            "order; or bad=negative,good=positive"
        ),
    ] = "auto",
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(PRESETS)} (unset: {DEFAULT_PRESET}; {LM_PRESET} with --from-lm)"
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file of settings, in tables text, model, train, finetune"),
    ] = None,
    from_lm: Annotated[
        Path | None,
        typer.Option(
            help="language model of 'sentir pretrain' to begin with; what depends on it is set as "
            "it was there"
        ),
    ] = None,
    resume: RESUME = False,
    overwrite: OVERWRITE = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="print a bag of words' figures beside the model's")
    ] = False,
    tensorboard: TENSORBOARD = False,
    read: dict[str, Any],
    text: dict[str, Any],
    model: dict[str, Any],
    training: dict[str, Any],
    finetune: dict[str, Any],
) -> None:
    """Learn from labelled reviews, and leave a model and its report in a folder.

    [bold]Examples[/bold]

      sentir train reviews.csv --output runs/shop
      sentir train train.ft.txt.bz2 --test test.ft.txt.bz2 --preset fast -o runs/amazon
      sentir train 'reviews/*.jsonl.gz' --labels stars --text-column title,body -o runs/stars
      sentir train reviews.csv -o runs/shop --resume
      sentir train reviews.csv --from-lm runs/lm -o runs/shop
      sentir train reviews.csv --unlabelled more.txt --teacher runs/shop -o runs/quick
    """
    from sentir.bundle import load_language_model
    from sentir.training.callbacks import Callback, ProgressBar, TensorBoard
    from sentir.training.run import train as train_run
    from sentir.training.transfer import preset_for

    changes = read_toml(config) if config else {}
    named = changes.pop("preset", None)
    given = {"text": text, "model": model, "train": training, "finetune": finetune}
    settings = (
        preset_for(
            load_language_model(from_lm) if from_lm else None, named if preset is None else preset
        )
        .override(changes, where=str(config))
        .override(given, where="command line")
    )
    sources = tuple(files or ["sample"])
    teachers = []
    if teacher:
        from sentir.inference.predictor import load  # only here: it brings ONNX Runtime

        teachers = [load(one, engine, bulk=True) for one in teacher]
    bar = ProgressBar(err)
    callbacks: list[Callback] = [bar]
    if tensorboard:
        callbacks.append(TensorBoard(output / "tensorboard"))
    with at_work(bar):
        run = train_run(
            sources,
            output,
            test=test or own_test(sources),
            valid=valid or (),
            unlabelled=unlabelled or (),
            labels=labels,
            config=settings,
            from_lm=from_lm,
            teachers=teachers,
            resume=resume,
            overwrite=overwrite,
            baseline=baseline,
            callbacks=callbacks,
            **read,
        )
    note = " (synthetic reviews)" if run.bundle.synthetic else ""
    if run.test is None:
        show(run.validation, f"validation{note}", run.baseline)
    else:
        show(run.test, f"test{note}", run.baseline)
    plain(out, f"model   {run.folder / 'model'}")
    plain(out, f"report  {run.folder / 'report.html'}")
    exit_as(run.bundle.metrics["training"]["stopped"])


def own_test(sources: Sequence[str]) -> list[str]:
    """The test part of the one data set that is learnt from by name, if it is one."""
    from sentir.io.builtin import part_to_test

    part = part_to_test(sources[0]) if len(sources) == 1 else None
    return [part] if part else []


@app.command()
def sample(
    *,
    count: Annotated[int, typer.Option(min=1, help="reviews to make")] = 1000,
    language: Annotated[str, typer.Option(help="en or es")] = "en",
    seed: Annotated[int, typer.Option(min=0, help="another seed, other reviews")] = 0,
    output: Annotated[
        str, typer.Option("--output", "-o", help="file to write; its name tells format and packing")
    ] = "-",
) -> None:
    """Make up labelled reviews that a bag of words cannot tell apart.

    [bold]Examples[/bold]

      sentir sample --count 6000 --output train.csv
      sentir sample --count 6000 --language es --output entrena.ft.txt.bz2
    """
    from sentir.io.writer import format_of, write_records
    from sentir.synthetic.reviews import sample_reviews

    made = sample_reviews(count, language=language, seed=seed)
    with counting("making") as advance:

        def rows() -> Iterator[dict[str, str]]:
            for label, text in made:
                yield {"label": label, "text": text}
                advance(1)

        write_records(rows(), output, format_of(output, "fasttext"))
