"""``sentir encode``: reviews as ids in a folder, by one process or by many."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import COMMON_READING, CONFIG_FILE, READING, app, counting, out, plain
from sentir.cli.options import options_of
from sentir.config import Config, ReadOptions, read_settings, read_toml

_DEFAULTS = Config()
_TEXT = [name for name in _DEFAULTS.to_dict()["text"] if name != "max_length"]
_SPLIT = [*_DEFAULTS.train.split()]


@app.command()
@options_of(
    common=(*COMMON_READING, "seed"),
    only=(*(field.name for field in dataclasses.fields(ReadOptions)), *_TEXT, *_SPLIT),
    read=READING,
    text=(_DEFAULTS.text, "Text"),
    training=(_DEFAULTS.train, "Validation split"),
)
def encode(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="labelled reviews, as for 'sentir train'; the same for each part",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder of the encoded reviews")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            help="encode only this part of the files, such as 0/8 to 7/8: whole files; then --join"
        ),
    ] = None,
    join: Annotated[
        Path | None, typer.Option(help="join the parts in this folder, when all are there")
    ] = None,
    labels: Annotated[
        str, typer.Option(help="how labels become classes, as for 'sentir train'")
    ] = "auto",
    config: CONFIG_FILE = None,
    from_lm: Annotated[
        Path | None,
        typer.Option(help="use the tokenizer of this language model of 'sentir pretrain'"),
    ] = None,
    read: dict[str, Any],
    text: dict[str, Any],
    training: dict[str, Any],
) -> None:
    """Encode labelled reviews once, for many trainings or for more than one machine holds.

    The parts can run anywhere, in any order, and be repeated after a kill. Their corpus is the one
    that a single process makes. 'sentir train' reads its folder with the same settings of text,
    labels and validation.

    [bold]Examples[/bold]

      sentir encode reviews/ -o encoded
      sentir encode 'reviews/*.csv.gz' -o encoded --part 3/64
      sentir encode --join encoded
      sentir train encoded -o runs/shop
    """
    from sentir.bundle import load_language_model
    from sentir.data.encode_folder import encode_files, join_folder
    from sentir.errors import UsageError
    from sentir.io.shares import Share

    if join is not None and (files or output or part):
        raise UsageError("--join with files, --output or --part", todo="give the folder alone")
    if join is None and not (files and output):
        raise UsageError(
            "no files, or no --output", todo="sentir encode FILE -o FOLDER, or --join FOLDER"
        )
    with counting("reading reviews") as advance:

        def progress(what: str, count: int) -> None:
            advance(count)

        if join is None:
            assert files is not None
            assert output is not None
            changes = read_toml(config) if config else {}
            changes.pop("preset", None)  # all presets encode alike
            settings = (
                Config()
                .override(changes, where=str(config))
                .override({"text": text, "train": training}, where="command line")
            )
            encode_files(
                files,
                output,
                Share.parse(part) if part else Share(),
                config=settings,
                labels=labels,
                read=read_settings(read)[0],
                lm=load_language_model(from_lm) if from_lm else None,
                progress=progress,
            )
            if part:
                todo = f"when all are there: sentir encode --join {output}"
                plain(out, f"part {part}  {output} ({todo})")
                return
        folder = join or output
        assert folder is not None
        corpora = join_folder(folder, progress)
    plain(
        out,
        f"{len(corpora.train):,} reviews to train on, {len(corpora.valid):,} for validation, "
        f"{len(corpora.tokenizer.vocabulary):,} words or subwords",
    )
    plain(out, f"encoded  {folder}")
