"""Markdown to HTML: formulas as MathML, code with the classes of its syntax."""

from __future__ import annotations

import re
from collections.abc import Sequence

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

#: How the converter writes the ``{,}`` of ``0{,}5``: as an operator, with space behind it.
_DECIMAL_COMMA = re.compile(r"(\d)</mn><mrow><mo>&#x0002C;</mo></mrow><mn>(\d)")
#: A percent sign after a space, which must not start the next line.
_PERCENT = re.compile(r"(?<=\d) %")
#: A formula in a line with the punctuation behind it, which must not start the next line.
_FORMULA_END = re.compile(r'<span class="math inline">(?:(?!</span>).)*</span>[,.;:?!)»]+')
_CHAPTER_LINK = re.compile(r"(?<=\]\()(\d\d-[\w-]+)\.md(?=[)#])")


def code_html(code: str, language: str = "python") -> str:
    """The code's spans, without the element around them."""
    lexer, formatter = get_lexer_by_name(language), HtmlFormatter(nowrap=True)
    spans: str = highlight(code.strip("\n"), lexer, formatter)
    return spans


def _formula(tex: str, options: dict[str, bool]) -> str:
    display = options["display_mode"]
    mathml: str = convert(tex, display="block" if display else "inline")
    mathml = _DECIMAL_COMMA.sub(r"\1,\2", mathml)
    return f'<span class="formula" tabindex="0">{mathml}</span>' if display else mathml


def _fence(code: str, language: str, _attributes: str) -> str:
    return code_html(code, language or "text")


_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "highlight": _fence})
    .enable("table")
    .use(dollarmath_plugin, renderer=_formula, allow_digits=False)
    .use(anchors_plugin, max_level=3)  # ids of headings, as GitHub makes them
)


def html(text: str) -> str:
    """A passage as HTML."""
    rendered: str = _MARKDOWN.render(text)
    rendered = _PERCENT.sub("\u00a0%", rendered)
    rendered = _FORMULA_END.sub(r'<span class="together">\g<0></span>', rendered)
    return rendered.replace("<table>", '<div class="wide" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )


def html_inline(text: str) -> str:
    """A line as HTML, without a paragraph around it."""
    rendered: str = _MARKDOWN.renderInline(text)
    return rendered


def with_links(text: str, ending: str) -> str:
    """The passage with links to chapters that point to files of that ending."""
    return _CHAPTER_LINK.sub(rf"\1.{ending}", text)


def skeleton(text: str) -> list[str]:
    """The kinds of the blocks of a passage in order: ``h2``, ``p``, ``ul``, ``li``, ``math`` ..."""
    tokens: Sequence[Token] = _MARKDOWN.parse(text)
    opening = (token for token in tokens if token.nesting >= 0 and token.type != "inline")
    return [token.tag or token.type for token in opening]
