"""Settings as a TOML file to begin with: every setting, commented, read back to the same values."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

from sentir.config import Settings
from sentir.io.terminal import printable

#: Columns of a comment.
WIDTH = 88
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def to_toml(config: Settings, title: str) -> str:
    """Every setting with its description, its range and its default, as ASCII.

    `sentir.config.read_toml` and `Settings.from_dict` read it back to an equal configuration.

    Args:
        config: the settings.
        title: what they are, for the first lines.
    """
    lines = [*_comment(title)]
    defaults: Any = type(config)()
    for section in dataclasses.fields(config):  # type: ignore[arg-type]
        settings = getattr(config, section.name)
        lines += ["", *_comment(type(settings).__doc__ or ""), f"[{section.name}]"]
        for field in dataclasses.fields(settings):
            default = getattr(getattr(defaults, section.name), field.name)
            lines += ["", *_described(type(settings), field.name, default)]
            lines.append(f"{field.name} = {toml_value(getattr(settings, field.name))}")
    return "\n".join(lines) + "\n"


def toml_value(value: object) -> str:
    """A setting as TOML writes it; None, which TOML lacks, as ``"none"``.

    Strings are ASCII, as a shell writes what it redirects in an encoding of its own.
    """
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):
        return '"' + "".join(map(_character, value)) + '"'
    return repr(value)


def _character(character: str) -> str:
    is_plain = " " <= character <= "~" and character not in '"\\'
    return character if is_plain else f"\\U{ord(character):08X}"


def _described(kind: type, name: str, default: object) -> Iterator[str]:
    """The comment above a setting: what it is, and its range and default."""
    described: Any = kind.__pydantic_fields__[name]  # type: ignore[attr-defined]
    yield from _comment(described.description)
    parts = [
        *_range(get_type_hints(kind)[name], described.metadata),
        f"default: {toml_value(default)}",
    ]
    yield from _comment("; ".join(parts))


def _range(hint: Any, metadata: Sequence[Any]) -> Iterator[str]:
    """What a setting may be, in words."""
    parts = get_args(hint)
    is_optional = type(None) in parts
    if get_origin(hint) is tuple:
        yield f"a list of {', '.join(get_args(parts[0]))}"
    elif get_origin(hint) is Literal:
        yield f"one of {', '.join(parts)}"
    elif hint is bool:
        yield "true or false"
    bounds = [
        f"{word} {getattr(bound, name)}"
        for bound in metadata
        for name, word in _BOUNDS.items()
        if hasattr(bound, name)
    ]
    if bounds:
        yield ", ".join(bounds) + (', or "none"' if is_optional else "")


def _comment(text: str) -> list[str]:
    plain = printable(text, keep="\n").encode("ascii", "backslashreplace").decode()
    return [
        f"# {line}"
        for part in plain.strip().split("\n")
        for line in textwrap.wrap(part, WIDTH, break_on_hyphens=False)
    ]
