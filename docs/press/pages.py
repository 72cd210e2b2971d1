"""The site: one page per chapter and view, and the table of contents.

A view is Spanish, English, or both side by side. Pages contain no script and load nothing from
outside their folder, so they work from a disk without a network.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from press.chapter import LANGUAGES, Cell, Chapter, Prose
from press.markdown import code_html, html, html_inline, with_links
from press.notebooks import notebook_text
from press.running import Ran, Shown
from press.slides import slides
from sentir.lesson.webpage.network import small_network
from sentir.lesson.webpage.page import render_page

#: The folder of each view, and the languages on its pages.
VIEWS: Mapping[str, Sequence[str]] = {"es": ("es",), "en": ("en",), "both": LANGUAGES}
WORDS = {
    "es": {
        "course": "Redes neuronales recurrentes",
        "about": "De la memoria de una red simple a un modelo de sentimiento cuyas puertas se "
        "pueden leer. Sentir calculó cada figura y cada número de estas páginas al generarlas.",
        "language": "Español",
        "contents": "Índice",
        "both": "Las dos, lado a lado",
        "chapter": "Capítulo",
        "code": "Código",
        "claims": "Lo que este texto afirma, comprobado al generar la página",
        "previous": "Anterior",
        "next": "Siguiente",
        "notebook": "Este capítulo como cuaderno de Jupyter",
        "slides": "Diapositivas",
        "read": "Leer en español",
        "page": "Una red por dentro: la página interactiva",
    },
    "en": {
        "course": "Recurrent neural networks",
        "about": "From the memory of a simple network to a sentiment model whose gates can be "
        "read. Sentir computed every figure and every number on these pages when it built them.",
        "language": "English",
        "contents": "Contents",
        "both": "Both, side by side",
        "chapter": "Chapter",
        "code": "Code",
        "claims": "What this text claims, checked when the page was built",
        "previous": "Previous",
        "next": "Next",
        "notebook": "This chapter as a Jupyter notebook",
        "slides": "Slides",
        "read": "Read in English",
        "page": "Inside a network: the interactive page",
    },
}


@dataclass(frozen=True)
class Part:
    """A block of a page: prose, code or an output, one text per language or one for both.

    Attributes:
        kind: ``prose``, ``shown``, or the kind of a cell (`code` for a plain one).
        texts: HTML by language; a single entry ``""`` if it is the same in all.
    """

    kind: str
    texts: dict[str, Markup]


def write_site(
    runs: Mapping[str, Mapping[str, Ran]],
    chapters: Sequence[Chapter],
    folder: Path,
) -> None:
    """Write all pages, notebooks, slides, the style and the interactive page into a folder.

    Args:
        runs: the run of each chapter, by its name and the language.
        chapters: in order.
        folder: of the site.
    """
    here = Path(__file__).parent
    templates = Environment(
        loader=FileSystemLoader(here),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    templates.globals.update(words=WORDS, views=VIEWS, languages=LANGUAGES, inline=_inline)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(here / "style.css", folder / "style.css")
    shutil.copytree(here / "font", folder / "font", dirs_exist_ok=True)
    networks = {language: small_network(language) for language in LANGUAGES}
    for language in LANGUAGES:
        page = render_page(networks, language, experiments=True)
        _write(folder / language / "page.html", page)
    contents = templates.get_template("contents.html").render(chapters=chapters)
    _write(folder / "index.html", contents)
    template = templates.get_template("chapter.html")
    deck = templates.get_template("slides.html")
    for index, chapter in enumerate(chapters):
        for language in LANGUAGES:
            text = notebook_text(chapter, language, runs[chapter.name][language])
            _write(folder / language / f"{chapter.name}.ipynb", text)
            shown = slides(chapter, runs[chapter.name][language], language)
            slide_page = deck.render(chapter=chapter, slides=shown, language=language)
            _write(folder / language / "slides" / f"{chapter.name}.html", slide_page)
        around: dict[str, Any] = {
            "before": chapters[index - 1] if index else None,
            "after": chapters[index + 1] if index + 1 < len(chapters) else None,
        }
        for view in VIEWS:
            parts = _parts(chapter, runs[chapter.name], VIEWS[view])
            page = template.render(chapter=chapter, parts=parts, view=view, **around)
            _write(folder / view / f"{chapter.name}.html", page)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _inline(text: str) -> Markup:
    return Markup(html_inline(text))


def _parts(chapter: Chapter, runs: Mapping[str, Ran], view: Sequence[str]) -> list[Part]:
    parts = []
    for index, block in enumerate(chapter.blocks):
        in_view = {language: runs[language].blocks[index] for language in view}
        if isinstance(block, Prose):
            filled = {name: with_links(str(text), "html") for name, text in in_view.items()}
            parts.append(Part("prose", {name: Markup(html(t)) for name, t in filled.items()}))
        else:
            parts += _cell_parts(block, in_view)
    return parts


def _cell_parts(cell: Cell, in_view: Mapping[str, Any]) -> list[Part]:
    parts = []
    if cell.kind != "hidden":
        parts.append(Part(cell.kind or "code", {"": Markup(code_html(cell.code))}))
    for shown in zip_longest(*in_view.values()):
        if len({*shown}) == 1:
            parts.append(Part("shown", {"": _shown(shown[0])}))
        else:
            texts = {name: _shown(each) for name, each in zip(in_view, shown, strict=True) if each}
            parts.append(Part("shown", texts))
    return parts


def _shown(shown: Shown) -> Markup:
    if shown.kind == "html":
        return Markup('<div class="wide" tabindex="0">{}</div>').format(Markup(shown.body))
    return Markup('<pre class="printed" tabindex="0">{}</pre>').format(shown.body)
