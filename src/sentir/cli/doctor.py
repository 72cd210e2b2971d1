"""The command that says what this machine can do."""

from __future__ import annotations

from sentir.cli.app import app, out


@app.command()
def doctor() -> None:
    """Say what this machine can do, how fast it is, and what would be chosen on it.

    [bold]Examples[/bold]

      sentir doctor
    """
    from rich.markup import escape

    from sentir.cli.examine import examine

    for name, finding in examine():
        out.print(f"[bold]{name:12}[/bold] {escape(finding)}", highlight=False, soft_wrap=True)
