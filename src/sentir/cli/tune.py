"""``sentir tune``: settings that suit the reviews."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import (
    COMMON_READING,
    CONFIG_FILE,
    INTERRUPTED,
    OVERWRITE,
    READING,
    app,
    err,
    out,
    plain,
)
from sentir.cli.options import options_of
from sentir.config import DEFAULT_PRESET, LM_PRESET, PRESETS, Config, read_settings, read_toml

_DEFAULTS = Config()


@app.command()
@options_of(
    common=COMMON_READING,
    read=READING,
    text=(_DEFAULTS.text, "Text"),
    model=(_DEFAULTS.model, "Network"),
    training=(_DEFAULTS.train, "Training"),
    finetune=(_DEFAULTS.finetune, "Fine-tuning"),
)
def tune(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="labelled reviews, as for 'sentir train'"),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder of the search: best.toml, page, model")
    ] = Path("runs/tuned"),
    minutes: Annotated[float, typer.Option(help="time for all of it")] = 30.0,
    trials: Annotated[
        int | None, typer.Option(help="most trials (unset: as many as fit into --minutes)")
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            help="settings to search, such as learning_rate,batch_size (unset: all that matter and "
            "are not given)",
            metavar="A,B",
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            help="seeds that preset and best are trained with in the end, if a third of the time "
            "is enough for it"
        ),
    ] = 3,
    valid: Annotated[
        list[str] | None,
        typer.Option(help="validation reviews (repeatable; unset: held out of FILE)"),
    ] = None,
    labels: Annotated[
        str, typer.Option(help="how labels become classes, as for 'sentir train'")
    ] = "auto",
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"preset to start from: {', '.join(PRESETS)} (unset: {DEFAULT_PRESET}; "
            f"{LM_PRESET} with --from-lm)"
        ),
    ] = None,
    config: CONFIG_FILE = None,
    from_lm: Annotated[
        Path | None,
        typer.Option(help="start each trial from this language model of 'sentir pretrain'"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with the search in the folder")
    ] = False,
    overwrite: OVERWRITE = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    read: dict[str, Any],
    text: dict[str, Any],
    model: dict[str, Any],
    training: dict[str, Any],
    finetune: dict[str, Any],
) -> None:
    """Search for settings with a lower validation loss than the preset's, in a given time.

    Each trial is a run on the same reviews, trial 0 that of the preset. Trials that fall behind are
    ended early. No test review is read. Ctrl-C keeps the best so far; --resume goes on, also with
    more --minutes. A setting that is given, such as --hidden-size 32, is not searched.

    [bold]Examples[/bold]

      sentir tune reviews.csv --minutes 30 --output runs/tuned
      sentir train reviews.csv --config runs/tuned/best.toml -o runs/shop
      sentir tune reviews.csv --preset fast --search learning_rate,head_dropout
      sentir tune reviews.csv --minutes 60 --resume --output runs/tuned
    """
    from sentir.bundle import load_language_model
    from sentir.data.prepare import Sources

    Sources(
        train=tuple(files), valid=tuple(valid or ()), labels=labels, read=read_settings(read)[0]
    ).check()  # before PyTorch is loaded, which takes seconds
    from sentir.training.callbacks import ProgressBar
    from sentir.training.transfer import preset_for
    from sentir.tuning.page import describe_trial, verdict
    from sentir.tuning.search import tune as search_settings

    changes = read_toml(config) if config else {}
    preset_of_file = changes.pop("preset", None)
    lm = load_language_model(from_lm) if from_lm else None
    start = preset_for(lm, preset_of_file if preset is None else preset)
    bar = ProgressBar(err)
    try:
        found = search_settings(
            files,
            output,
            minutes=minutes,
            trials=trials,
            search=[name.strip().replace("-", "_") for name in (search or "").split(",") if name],
            seeds=seeds,
            valid=valid or (),
            labels=labels,
            config=start.override(changes, where=str(config)),
            from_lm=from_lm,
            resume=resume,
            overwrite=overwrite,
            # Validations of every trial would be hundreds of lines.
            callbacks=[lambda event: bar(event) if event["event"] != "validation" else None],
            progress=lambda trial, best: plain(err, describe_trial(trial, best)),
            **read,
            **text,
            **model,
            **training,
            **finetune,
        )
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        bar.close()
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), indent=2, ensure_ascii=False) + "\n")
    else:
        plain(out, verdict(found))
        plain(out, f"settings  {found.folder / 'best.toml'}")
        plain(out, f"page      {found.folder / 'tune.html'}")
    if found.interrupted:
        raise typer.Exit(INTERRUPTED)
