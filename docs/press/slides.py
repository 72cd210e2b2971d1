"""Slides: a chapter in one language for the wall of a classroom, from the same source as its page.

A section becomes a slide, or several: of each paragraph the first sentence, formulas, lists and
tables, and every picture. Code and printed output stay in the notebook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from press.chapter import Chapter, Prose
from press.markdown import html, with_links
from press.running import Ran

#: Lines of text that fit on a slide.
_MOST_LINES = 10
#: Lines that a picture takes.
_PICTURE_LINES = 6
#: Letters of a line on a slide.
_LINE_LETTERS = 58
#: The first sentence: to a sign at the end of a word that a space and a capital follow, or the end.
_SENTENCE = re.compile(r".*?[.:?!…]\)?(?=\s+[(«“¿¡*\"A-ZÁÉÍÓÚÑ$]|$)", re.DOTALL)


@dataclass
class Slide:
    """A heading and what stands below it."""

    title: Markup
    parts: list[Markup] = field(default_factory=list)
    lines: int = 0


def slides(chapter: Chapter, ran: Ran, language: str) -> list[Slide]:
    """The slides of a chapter; the first one has its title and its summary.

    Args:
        chapter: the source.
        ran: its run in that language.
        language: of the prose.
    """
    made = [Slide(Markup(html(f"# {chapter.title(language)}")))]
    for kind, body, lines in _pieces(chapter, ran):
        if kind == "heading":
            made.append(Slide(Markup(body)))
            continue
        slide = made[-1]
        if slide.parts and slide.lines + lines > _MOST_LINES:
            slide = Slide(slide.title)
            made.append(slide)
        slide.parts.append(Markup(body))
        slide.lines += lines
    return [slide for slide in made if slide.parts]


def _pieces(chapter: Chapter, ran: Ran) -> Iterator[tuple[str, str, int]]:
    """Headings, texts and pictures in order, with the lines that they take."""
    for block, done in zip(chapter.blocks, ran.blocks, strict=True):
        if isinstance(block, Prose):
            for paragraph in with_links(str(done), "html").split("\n\n"):
                yield from _text(paragraph.strip())
        else:
            for shown in done:
                if not isinstance(shown, str) and shown.body.startswith("<svg"):
                    yield "picture", f'<div class="wide">{shown.body}</div>', _PICTURE_LINES


def _text(paragraph: str) -> Iterator[tuple[str, str, int]]:
    if not paragraph or paragraph.startswith("# "):
        return
    if paragraph.startswith("#"):
        yield "heading", html(paragraph), 0
    elif paragraph.startswith("$$"):
        yield "formula", html(paragraph), 2
    elif paragraph.startswith(("- ", "> ", "1. ")):
        for items in _split(paragraph.split("\n")):
            yield "list", html("\n".join(items)), sum(map(_lines, items))
    elif paragraph.startswith("|"):
        head, rows = paragraph.split("\n")[:2], paragraph.split("\n")[2:]
        for at in range(0, len(rows), _MOST_LINES - 1):
            part = rows[at : at + _MOST_LINES - 1]
            yield "table", html("\n".join([*head, *part])), _MOST_LINES
    else:
        first = _SENTENCE.match(paragraph)
        sentence = first[0] if first else paragraph
        yield "sentence", html(sentence), _lines(sentence)


def _lines(text: str) -> int:
    return -(-len(text) // _LINE_LETTERS)


def _split(items: Sequence[str]) -> Iterator[list[str]]:
    """Items of a list in groups that fit on a slide."""
    group: list[str] = []
    for item in items:
        if group and sum(map(_lines, [*group, item])) > _MOST_LINES:
            yield group
            group = []
        group.append(item)
    yield group
