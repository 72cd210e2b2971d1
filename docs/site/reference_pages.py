"""The pages of the reference that are drawn from the code: commands and settings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from project_pages import write_if_new

from sentir.cli import app
from sentir.config import PRESETS, Config, PretrainConfig, ReadOptions

_KINDS = {str: "text", int: "whole number", float: "number", bool: "true, false"}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    plain = re.sub(r"\\?\[/?(?:bold|dim)\]", "", text or "").replace("\\[", "[")
    plain = re.sub(r"([\\|*])", r"\\\1", " ".join(plain.split()))
    return plain.replace("<", "&lt;")


def write_command_line(path: Path) -> None:
    """Every command with its description, examples and options."""
    lines = [
        "# Command line", "",
        "Drawn from the code. Defaults of settings are those of the preset `base`. Options marked "
        "(hidden) are shown by `--help-all` only.", "",
    ]  # fmt: skip
    for name, command in commands(typer.main.get_command(app), "sentir"):
        lines += [f"## {name}", ""]
        text = re.sub(r"\[/?bold\]", "", command.help or "")
        description, _, examples = text.partition("Examples")
        # Of the help at a terminal: here defaults have a column of their own.
        description = re.sub(r"Defaults in brackets [^.]*\. ", "", description)
        lines += [description.strip(), ""]
        if examples.strip():
            block = "\n".join(line.strip() for line in examples.strip().splitlines())
            lines += ["```console", block, "```", ""]
        panels: dict[str, list[str]] = {}
        for parameter in command.params:
            if parameter.name not in ("help", "help_all"):
                panel = getattr(parameter, "rich_help_panel", None) or ""
                panels.setdefault(panel, []).append(_parameter_row(parameter))
        for panel, rows in panels.items():
            if panel:
                lines += [f"**{panel}**", ""]
            lines += ["| option | default | what it does |", "|---|---|---|", *rows, ""]
    write_if_new(path, "\n".join(lines))


def _parameter_row(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if not names[0].startswith("-"):
        names = [parameter.metavar or parameter.name]
    text, default = getattr(parameter, "help", "") or "", parameter.default
    if drawn := re.search(r" \\?\[default: ([^\]]*)\]$", text):
        text, default = text[: drawn.start()], drawn[1]
    has_default = default not in (None, False, "", (), []) and not callable(default)
    shown = f"`{default}`" if has_default else ""
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        text += f" ({', '.join(get_args(annotation))})"
    if getattr(parameter, "hidden", False):
        text += " (hidden)"
    return f"| {', '.join(f'`{name}`' for name in names)} | {shown} | {cell(text)} |"


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The commands below one, with their full names."""
    for child, below in getattr(command, "commands", {}).items():
        if hasattr(below, "commands"):
            yield from commands(below, f"{name} {child}")
        else:
            yield f"{name} {child}", below


def write_settings(path: Path) -> None:
    """Every setting with its values, default and description; and what the presets change."""
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
        lines += [
            f"## {title}",
            "",
            "| setting | values | default | meaning |",
            "|---|---|---|---|",
        ]
        hints = get_type_hints(type(defaults))
        for field in dataclasses.fields(defaults):
            described: Any = type(defaults).__pydantic_fields__[field.name]
            value, values = getattr(defaults, field.name), _values(hints[field.name], described)
            lines.append(
                f"| `{field.name}` | {cell(values)} | `{value!r}` | {cell(described.description)} |"
            )
        lines.append("")
    write_if_new(path, "\n".join([*lines, *_presets()]))


def _values(hint: Any, described: Any) -> str:
    """What a setting can be, in words."""
    kinds = [hint] if get_origin(hint) in (Literal, tuple) else get_args(hint) or [hint]
    words = []
    for kind in kinds:
        if get_origin(kind) is Literal:
            words.append(", ".join(map(str, get_args(kind))))
        elif get_origin(kind) is tuple:
            inner = get_args(get_args(kind)[0])
            words.append("list of " + (", ".join(inner) if inner else "names"))
        elif kind is type(None):
            words.append("unset")
        else:
            words.append(_KINDS[kind])
    bounds = [
        f"{word} {getattr(limit, name):,}"
        for limit in described.metadata
        for name, word in _BOUNDS.items()
        if getattr(limit, name, None) is not None
    ]
    return " or ".join(words) + (f", {' and '.join(bounds)}" if bounds else "")


def _presets() -> list[str]:
    """A table of the settings that differ between presets."""
    lines = [
        "## Presets", "", f"| setting | {' | '.join(PRESETS)} |", "|---" * (len(PRESETS) + 1) + "|",
    ]  # fmt: skip
    plain = [preset.to_dict() for preset in PRESETS.values()]
    for section, defaults in Config().to_dict().items():
        for name in defaults:
            values = [preset[section][name] for preset in plain]
            if any(value != values[0] for value in values):
                lines.append(f"| `{name}` | {' | '.join(f'`{value}`' for value in values)} |")
    return [*lines, ""]
