"""HTML pages made of a template of this package, its style and its plots."""

from __future__ import annotations

from importlib import resources
from typing import Any

from sentir.extras import require


def render_page(template: str, /, **content: Any) -> str:
    """The page of a template, such as ``report.html``, filled with `content`.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    require("a page", "jinja2")
    # Here, as they take a second to load.
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    from sentir.evaluation.svg import PALETTE

    page = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters["setting"] = format_setting
    page.filters["percent"] = lambda share, digits=1: f"{100 * share:.{digits}f}\N{NBSP}%"
    return page.get_template(template).render(palette=PALETTE, **content)


def _template(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def format_setting(value: Any) -> str:
    """A setting in words: unset is a dash, a list its parts."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
