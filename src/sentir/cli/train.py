"""``sentir train``: a classifier from labelled reviews."""

from __future__ import annotations

from collections.abc import Sequence
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
    show,
    show_answered,
)
from sentir.cli.options import options_of
from sentir.cli.processes import in_processes, is_first
from sentir.config import DEFAULT_PRESET, LM_PRESET, PRESETS, Config, read_settings, read_toml

_DEFAULTS = Config()


@app.command()
@options_of(
    common=(*COMMON_READING, "epochs", "learning_rate", "hidden_size", "seed"),
    read=READING,
    text=(_DEFAULTS.text, "Text"),
    model=(_DEFAULTS.model, "Network"),
    training=(_DEFAULTS.train, "Training"),
    finetune=(_DEFAULTS.finetune, "Fine-tuning"),
)
@in_processes
def train(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="labelled reviews: files, folders, archives, globs, URLs, or - for standard "
            "input; or the name of a data set: amazon_polarity (Hugging Face Hub), sample or "
            "sample_es (synthetic); unset: sample",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder of the run: model, report, metrics")
    ] = Path("runs/latest"),
    test: Annotated[
        list[str] | None,
        typer.Option(help="test reviews, measured on once, at the end (repeatable)"),
    ] = None,
    valid: Annotated[
        list[str] | None,
        typer.Option(help="validation reviews (repeatable; unset: held out of FILE)"),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            help="how labels become classes: auto; stars (1-2 negative, 4-5 positive, 3 left "
            "out); a,b,c in their order; or bad=negative,good=positive"
        ),
    ] = "auto",
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(PRESETS)} (unset: {DEFAULT_PRESET}; {LM_PRESET} with --from-lm)"
        ),
    ] = None,
    config: CONFIG_FILE = None,
    from_lm: Annotated[
        Path | None,
        typer.Option(help="start from this language model of 'sentir pretrain'"),
    ] = None,
    from_model: Annotated[
        str | None,
        typer.Option(
            help="a trained model that goes on learning: its run, or hf://user/model; its settings "
            "stay, new words and new labels are added"
        ),
    ] = None,
    old_test: Annotated[
        list[str] | None,
        typer.Option(
            help="test reviews like those of --from-model's training, to measure what it forgets "
            "(repeatable; unset: those of its run, if its folder still has them)",
            hidden=True,
        ),
    ] = None,
    resume: RESUME = False,
    resume_if_begun: RESUME_IF_BEGUN = False,
    overwrite: OVERWRITE = False,
    baseline: Annotated[
        bool,
        typer.Option("--baseline", help="measure TF-IDF with logistic regression as well"),
    ] = False,
    coverage: Annotated[
        float | None,
        typer.Option(
            help="share of reviews to answer, such as 0.9: the least confident others are marked "
            "unsure (unset: all are answered)"
        ),
    ] = None,
    unlabelled: Annotated[
        list[str] | None,
        typer.Option(
            help="unlabelled reviews, which --teacher answers, or --virtual-adversarial-epsilon "
            "and --entropy-weight use (repeatable)",
            rich_help_panel="Unlabelled reviews",
            hidden=True,
        ),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="trained model whose probabilities for --unlabelled are learnt too (repeatable: "
            "they are averaged)",
            rich_help_panel="Unlabelled reviews",
            hidden=True,
        ),
    ] = None,
    teacher_engine: Annotated[
        str,
        typer.Option(
            help="engine of the teachers, as for 'sentir predict'",
            rich_help_panel="Unlabelled reviews",
            hidden=True,
        ),
    ] = "auto",
    teacher_precision: Annotated[
        str,
        typer.Option(
            help="precision of the teachers: float32 or int8",
            rich_help_panel="Unlabelled reviews",
            hidden=True,
        ),
    ] = "float32",
    tensorboard: TENSORBOARD = False,
    read: dict[str, Any],
    text: dict[str, Any],
    model: dict[str, Any],
    training: dict[str, Any],
    finetune: dict[str, Any],
) -> None:
    """Train a sentiment model on labelled reviews, and measure it.

    Defaults in brackets are those of the preset base. Every setting: sentir train --help-all

    [bold]Examples[/bold]

      sentir train reviews.csv --output runs/shop
      sentir train train.csv --test test.csv --preset fast -o runs/fast
      sentir train 'reviews/*.jsonl.gz' --text-column title,body -o runs/all
      sentir train reviews.csv -o runs/shop --resume
      sentir train reviews.csv --coverage 0.9 -o runs/shop
      sentir train reviews.csv --from-lm runs/lm -o runs/best
      sentir train new.csv --from-model runs/shop -o runs/shop2
      sentir train a.csv --unlabelled b.txt --teacher runs/best -o runs/quick
    """
    from sentir.bundle import load_bundle, load_language_model
    from sentir.data.prepare import Sources

    sources = Sources(
        train=tuple(files or ["sample"]),
        test=tuple(test or own_test(files or ["sample"])),
        valid=tuple(valid or ()),
        unlabelled=tuple(unlabelled or ()),
        old_test=tuple(old_test or ()),
        labels=labels,
        read=read_settings(read)[0],
    )
    if is_first():
        sources.check()  # before PyTorch is loaded, which takes seconds
    from sentir.training.continuation import check_start
    from sentir.training.run import train as train_classifier
    from sentir.training.transfer import preset_for

    changes = read_toml(config) if config else {}
    preset_of_file = changes.pop("preset", None)
    preset = preset_of_file if preset is None else preset
    if from_model is not None:
        check_start(from_model, output, from_lm=from_lm, preset=preset)
        start = load_bundle(from_model).config
    else:
        start = preset_for(load_language_model(from_lm) if from_lm else None, preset)
    settings = start.override(changes, where=str(config)).override(
        {"text": text, "model": model, "train": training, "finetune": finetune},
        where="command line",
    )
    teachers = []
    if teacher:
        from sentir.inference.predictor import load  # only here: it loads ONNX Runtime

        teachers = [load(path, teacher_engine, teacher_precision, bulk=True) for path in teacher]
    with run_callbacks(output, tensorboard=tensorboard) as callbacks:
        run = train_classifier(
            sources.train,
            output,
            test=sources.test,
            valid=sources.valid,
            unlabelled=sources.unlabelled,
            labels=labels,
            config=settings,
            from_lm=from_lm,
            from_model=from_model,
            old_test=old_test or (),
            teachers=teachers,
            resume=resume,
            resume_if_begun=resume_if_begun,
            overwrite=overwrite,
            baseline=baseline,
            coverage=coverage,
            callbacks=callbacks,
            **read,
        )
    note = " (synthetic reviews)" if run.bundle.synthetic else ""
    if run.test is None:
        show(run.validation, f"validation{note}", run.baseline)
    else:
        show(run.test, f"test{note}", run.baseline)
    if run.forgetting:
        from sentir.evaluation.forgetting import render_forgetting

        out.print(render_forgetting(run.forgetting))
    if run.answered and run.bundle.threshold:
        part = "validation" if run.test is None else "test"
        show_answered(run.answered, run.bundle.threshold, f"{part}{note}")
    plain(out, f"model   {run.folder / 'model'}")
    plain(out, f"report  {run.folder / 'report.html'}")
    exit_as(run.bundle.metrics["training"]["stopped"])


def own_test(sources: Sequence[str]) -> list[str]:
    """The test part of the one named data set that is trained on, if it has one."""
    from sentir.io.builtin import find_test_split

    part = find_test_split(sources[0]) if len(sources) == 1 else None
    return [part] if part else []
