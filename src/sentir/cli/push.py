"""``sentir push``: a model uploaded to the Hugging Face Hub."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sentir.cli.app import app, err, out, plain
from sentir.errors import UsageError


@app.command()
def push(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="folder of a run of 'sentir train' or 'pretrain'")
    ],
    repository: Annotated[
        str, typer.Argument(metavar="USER/MODEL", help="the repository; made if there is none")
    ],
    *,
    license: Annotated[
        str | None,
        typer.Option(
            help="the Hub's name of the licence: mit, apache-2.0, cc-by-4.0, other, ...",
            show_default=False,
        ),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="language of the reviews, such as en (repeatable)")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="what the reviews are called in the card")
    ] = None,
    example: Annotated[
        list[str] | None,
        typer.Option(help="text to show in the card with the model's answer (repeatable)"),
    ] = None,
    private: Annotated[
        bool | None,
        typer.Option(
            "--private/--public", help="who can read it (unset: as your settings on the Hub say)"
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option("--revision", "--branch", help="branch to push to (unset: main)"),
    ] = None,
    message: Annotated[str | None, typer.Option(help="message of the commit")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print the model card, and upload nothing")
    ] = False,
) -> None:
    """Upload a model to the Hugging Face Hub with a card of its figures, and print the commit.

    The token is that of HF_TOKEN or of 'hf auth login'. The model's files are uploaded, which hold
    its words and no reviews.

    [bold]Examples[/bold]

      sentir push runs/shop user/shop --license mit --language en --dry-run
      sentir push runs/shop user/shop --license mit --language en --private
      sentir predict hf://user/shop "Works perfectly, I love it."
    """
    from sentir.sharing.push import push as push_model

    if license is None:
        raise UsageError(
            "no licence, which says what others may do with the model",
            todo="add --license mit, or another of the Hub's names: apache-2.0, cc-by-4.0, other",
        )
    pushed = push_model(
        model,
        repository,
        license=license,
        language=language or (),
        dataset=dataset,
        examples=example or (),
        private=private,
        revision=revision,
        message=message,
        dry_run=dry_run,
    )
    if dry_run:
        sys.stdout.write(pushed.card)
        return
    plain(err, f"{'private' if pushed.private else 'public'}  {pushed.url}")
    plain(out, pushed.address)
