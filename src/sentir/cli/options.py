"""Command-line options drawn from the fields of a dataclass.

A setting's name, type, range and description stand once, in `sentir.config`; this turns them into
options of a command.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

Command = Callable[..., None]


def options_of(**groups: tuple[type, str]) -> Callable[[Command], Command]:
    """Give a command an option for every field of these dataclasses.

    The command takes one mapping a group, of what was set on the command line and nothing else.

    Args:
        groups: the argument's name, with the dataclass and the title of its options in the help.
    """

    def decorate(command: Command) -> Command:
        own = [
            parameter.replace(annotation=annotation)
            for parameter, annotation in _parameters(command)
            if parameter.name not in groups
        ]
        fields = {
            group: {field.name: field for field in dataclasses.fields(kind)}
            for group, (kind, _) in groups.items()
        }

        def run(**given: Any) -> None:
            values = {group: {name: given.pop(name) for name in fields[group]} for group in groups}
            changed = {
                group: {name: value for name, value in set_.items() if value is not None}
                for group, set_ in values.items()
            }
            command(**given, **changed)

        drawn = [
            _option(kind, name, panel)
            for group, (kind, panel) in groups.items()
            for name in fields[group]
        ]
        run.__signature__ = inspect.Signature([*own, *drawn])  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in (*own, *drawn)}
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        return run

    return decorate


def _parameters(command: Command) -> list[tuple[inspect.Parameter, Any]]:
    hints = get_type_hints(command, include_extras=True)
    return [(one, hints[one.name]) for one in inspect.signature(command).parameters.values()]


def _option(kind: type, name: str, panel: str) -> inspect.Parameter:
    described: Any = kind.__pydantic_fields__[name]  # type: ignore[attr-defined]
    hint = get_type_hints(kind)[name]
    listed = get_origin(hint) is tuple
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    option = typer.Option(
        help=described.description,
        rich_help_panel=panel,
        show_default=False,
        metavar="A,B" if listed else None,
        parser=_split if listed else None,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[(str if listed else hint) | None, option],
    )


def _split(value: str) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()]
