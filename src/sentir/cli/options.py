"""Command-line options drawn from the fields of a dataclass.

A setting's name, type, range, description and default stand once, in `sentir.config`; this turns
them into options of a command. ``--help`` shows the options that most people use, ``--help-all``
the rest too.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Collection
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

Command = Callable[..., None]


def options_of(
    *, common: Collection[str] = (), only: Collection[str] | None = None, **groups: tuple[Any, str]
) -> Callable[[Command], Command]:
    """Give a command an option for every field of these dataclasses.

    The command takes one mapping per group, of what was set on the command line and nothing else.

    Args:
        common: names of the fields that ``--help`` shows; the others only ``--help-all`` does.
        only: names of the fields that are options; None: all.
        groups: the argument's name, with an instance of the dataclass, whose values are shown as
            defaults, and the title of its options in the help.
    """

    def decorate(command: Command) -> Command:
        own = [
            parameter.replace(annotation=annotation)
            for parameter, annotation in _parameters(command)
            if parameter.name not in groups
        ]
        fields = {
            group: [
                field.name
                for field in dataclasses.fields(defaults)
                if only is None or field.name in only
            ]
            for group, (defaults, _) in groups.items()
        }

        def run(**given: Any) -> None:
            del given["help_all"]
            values = {group: {name: given.pop(name) for name in fields[group]} for group in groups}
            changed = {
                group: {name: value for name, value in set_.items() if value is not None}
                for group, set_ in values.items()
            }
            command(**given, **changed)

        drawn = [
            _option(defaults, name, panel, hidden=name not in common)
            for group, (defaults, panel) in groups.items()
            for name in fields[group]
        ]
        parameters = [*own, *drawn, _HELP_ALL]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        return run

    return decorate


def _print_help_of_all(context: typer.Context, requested: bool) -> None:
    if requested:
        for parameter in context.command.params:
            if hasattr(parameter, "hidden"):
                parameter.hidden = False
        typer.echo(context.get_help())
        raise typer.Exit


_HELP_ALL = inspect.Parameter(
    "help_all",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option(
            "--help-all",
            callback=_print_help_of_all,
            is_eager=True,
            help="Show every option and exit.",
        ),
    ],
)


def _parameters(command: Command) -> list[tuple[inspect.Parameter, Any]]:
    hints = get_type_hints(command, include_extras=True)
    return [
        (parameter, hints[parameter.name])
        for parameter in inspect.signature(command).parameters.values()
    ]


def _option(defaults: Any, name: str, panel: str, *, hidden: bool) -> inspect.Parameter:
    kind = type(defaults)
    described: Any = kind.__pydantic_fields__[name]
    hint = get_type_hints(kind)[name]
    is_list = get_origin(hint) is tuple
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    option = typer.Option(
        help=described.description + _shown(getattr(defaults, name)),
        rich_help_panel=panel,
        hidden=hidden,
        show_default=False,
        metavar="A,B" if is_list else None,
        parser=_split if is_list else None,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[(str if is_list else hint) | None, option],
    )


def _shown(default: Any) -> str:
    """The default as the help shows it, in brackets that are no markup."""
    if default is None or default == ():
        return ""
    if isinstance(default, tuple):
        default = ", ".join(default)  # with blanks, so that a terminal can break it
    return f" \\[default: {str(default).lower() if isinstance(default, bool) else default}]"


def _split(value: str) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()]
