"""The pages of the reference that are drawn from the code: commands and settings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import typer

from sentir.cli import app
from sentir.config import Config, PretrainConfig, ReadOptions


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    plain = re.sub(r"\\?\[/?(?:bold|dim)\]", "", text or "").replace("\\[", "[")
    return " ".join(plain.split()).replace("|", "\\|").replace("<", "&lt;")


def write_command_line(path: Path) -> None:
    """Every command with its description, examples and options."""
    lines = ["# Command line", "", "Drawn from the code. Defaults are in brackets.", ""]
    for name, command in commands(typer.main.get_command(app), "sentir"):
        lines += [f"## {name}", ""]
        text = re.sub(r"\[/?bold\]", "", command.help or "")
        description, _, examples = text.partition("Examples")
        lines += [description.strip(), ""]
        if examples.strip():
            block = "\n".join(line.strip() for line in examples.strip().splitlines())
            lines += ["```console", block, "```", ""]
        lines += ["| option | what it does |", "|---|---|"]
        for parameter in command.params:
            if parameter.name in ("help", "help_all"):
                continue
            names = ", ".join([*parameter.opts, *parameter.secondary_opts])
            if isinstance(parameter, click.Argument) or not names.startswith("-"):
                names = parameter.metavar or parameter.name or ""
            lines.append(f"| `{names}` | {cell(getattr(parameter, 'help', '') or '')} |")
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The commands below one, with their full names."""
    for child, below in getattr(command, "commands", {}).items():
        if hasattr(below, "commands"):
            yield from commands(below, f"{name} {child}")
        else:
            yield f"{name} {child}", below


def write_settings(path: Path) -> None:
    """Every setting with its default and description."""
    config, pretraining = Config(), PretrainConfig()
    parts = [
        ("Reading files", ReadOptions()),
        ("text", config.text),
        ("model", config.model),
        ("train", config.train),
        ("finetune", config.finetune),
        ("model of `sentir pretrain`", pretraining.model),
    ]
    lines = [
        "# Settings", "",
        "Drawn from the code. Each is an option of the command line (with dashes), a keyword of "
        "`sentir.train` and `sentir.pretrain`, and a key of the TOML file for `--config`. "
        "Defaults are those of the preset `base`.", "",
    ]  # fmt: skip
    for title, defaults in parts:
        lines += [f"## {title}", "", "| setting | default | meaning |", "|---|---|---|"]
        for field in dataclasses.fields(defaults):
            described: Any = type(defaults).__pydantic_fields__[field.name]
            value = getattr(defaults, field.name)
            lines.append(f"| `{field.name}` | `{value!r}` | {cell(described.description)} |")
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
