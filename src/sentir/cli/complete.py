"""``sentir complete``: a sentence continued by a language model."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.markup import escape

from sentir.cli.app import app, out, plain


@app.command()
def complete(
    model: Annotated[
        str, typer.Argument(metavar="LM", help="folder of a run of 'sentir pretrain'")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="the beginning of a sentence")],
    *,
    words: Annotated[int, typer.Option(min=0, help="number of words")] = 10,
    temperature: Annotated[
        float,
        typer.Option(min=0, help="sampling temperature; 0 takes the likeliest word"),
    ] = 0.8,
    seed: Annotated[int, typer.Option(min=0, help="random seed")] = 0,
    beams: Annotated[
        int,
        typer.Option(min=0, help="beam search with so many beams (0: sample one)"),
    ] = 0,
    top: Annotated[int, typer.Option(min=1, help="number of next words shown")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Continue a sentence: the likeliest next words, and a continuation.

    [bold]Examples[/bold]

      sentir complete runs/lm "las nubes están en el"
      sentir complete runs/lm "the worst film" --words 20 --temperature 0.5
      sentir complete runs/lm "the worst film" --beams 5 --json
    """
    from rich.table import Table

    from sentir.inference.generation import TextGenerator

    generator = TextGenerator(model)
    candidates = generator.next_words(text, top)
    if beams:
        continuations = generator.search(text, words, beams=beams)
    else:
        continuations = [generator.draw(text, words, temperature=temperature, seed=seed)]
    if as_json:
        answer = {
            "text": text,
            "next": [candidate._asdict() for candidate in candidates],
            "continuations": [continuation._asdict() for continuation in continuations],
        }
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        return
    table = Table("next word", "probability", box=None)
    table.columns[1].justify = "right"
    for word, probability in candidates:
        table.add_row(escape(word), f"{probability:.1%}")
    out.print(table)
    for continuation in continuations:
        plain(out, f"\n{continuation.text}")
