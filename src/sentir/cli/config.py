"""``sentir config``: all settings, as a file to begin with."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from sentir.cli.app import app
from sentir.config import DEFAULT_PRESET, PRESETS, Config, PretrainConfig
from sentir.errors import UsageError


@app.command()
def config(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="folder of a run, whose settings are printed; unset: those of a preset",
            show_default=False,
        ),
    ] = None,
    *,
    preset: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(PRESETS)} (unset: {DEFAULT_PRESET})", show_default=False),
    ] = None,
    pretrain: Annotated[
        bool, typer.Option("--pretrain", help="settings of 'sentir pretrain' instead of a preset")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Print every setting as a TOML file with comments, to change and to train with.

    A comment says what each setting is, its unit, its range and its default.

    [bold]Examples[/bold]

      sentir config --preset fast > settings.toml
      sentir train reviews.csv --config settings.toml --output runs/shop
      sentir config runs/shop > settings.toml
      sentir config --pretrain > lm.toml
    """
    from sentir.config_file import to_toml

    if sum((run is not None, preset is not None, pretrain)) > 1:
        raise UsageError("more than one of RUN, --preset and --pretrain", todo="give one of them")
    settings: Config | PretrainConfig
    if run is not None:
        from sentir.bundle import load_config

        settings, name = load_config(run), f"the run {run}"
    elif pretrain:
        settings, name = PretrainConfig(), "pre-training"
    else:
        preset = DEFAULT_PRESET if preset is None else preset
        settings, name = Config.preset(preset), f"the preset {preset}"
    if as_json:
        sys.stdout.write(json.dumps(settings.to_dict(), indent=2) + "\n")
        return
    command = "train" if isinstance(settings, Config) else "pretrain"
    defaults = f" Defaults are those of the preset {DEFAULT_PRESET}." if command == "train" else ""
    title = f"All settings of {name}.{defaults}\nsentir {command} REVIEWS --config THIS_FILE"
    sys.stdout.write(to_toml(settings, title))
