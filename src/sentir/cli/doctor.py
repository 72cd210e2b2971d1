"""The command that says what this machine can do."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from sentir.cli.app import app, out


@app.command()
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Say what this machine can do, how fast it is, and what would be chosen on it.

    [bold]Examples[/bold]

      sentir doctor
      sentir doctor --json > machine.json
    """
    from rich.markup import escape

    from sentir.cli.examine import examine

    if as_json:
        sys.stdout.write(json.dumps(dict(examine()), indent=2, ensure_ascii=False) + "\n")
        return
    for name, finding in examine():
        out.print(f"[bold]{name:12}[/bold] {escape(finding)}", highlight=False, soft_wrap=True)
