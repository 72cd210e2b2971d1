"""The course: its sources, notebooks, code and pages, and the pages in a browser."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from press.chapter import LANGUAGES, Chapter, Prose, chapter_paths, read_chapter
from press.markdown import html
from press.notebooks import notebook_text, sources
from press.pages import VIEWS, write_site
from press.running import INSERTED, Ran, not_run, run_chapter, split_format

DOCS = Path(__file__).parents[2] / "docs"
CHAPTERS = [read_chapter(path) for path in chapter_paths(DOCS / "course")]
#: Their code trains networks for a quarter of a minute or more.
SLOW = {3, 5, 7, 8, 9}
PHONE_PIXELS, TABLET_PIXELS, DESK_PIXELS = 390, 768, 1280

run = cache(run_chapter)


def in_all_languages(slow: bool) -> list[Any]:
    return [
        pytest.param(chapter, language, id=f"{chapter.name}-{language}")
        for chapter in CHAPTERS
        if (chapter.number in SLOW) == slow
        for language in LANGUAGES
    ]


# The sources


def test_chapters_are_numbered_without_gaps() -> None:
    assert [chapter.number for chapter in CHAPTERS] == list(range(1, len(CHAPTERS) + 1))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_chapters_claim_something_and_point_to_chapters(chapter: Chapter) -> None:
    text = chapter.path.read_text("utf-8")
    assert any(getattr(block, "kind", None) == "claims" for block in chapter.blocks)
    for link in re.findall(r"\]\((\d\d[^)]*)\)", text):
        assert (chapter.path.parent / link.partition("#")[0]).exists(), link
    for language in LANGUAGES:
        assert chapter.title(language)
        assert 40 < len(chapter.summary(language)) < 400


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_spanish_prose_has_decimal_commas_and_formulas_one_per_line(chapter: Chapter) -> None:
    other = r"`[^`]*`|\{\{.*?\}\}|arXiv:\S+|\]\([^)]*\)"
    for block in chapter.blocks:
        if isinstance(block, Prose):
            assert not re.search(r"\d\.\d", re.sub(other, "", block.texts["es"]))
            assert all("qquad" not in text for text in block.texts.values())


# Notebooks


def test_the_notebooks_are_those_of_the_sources() -> None:
    expected = {f"{language}/{c.name}.ipynb" for language in LANGUAGES for c in CHAPTERS}
    present = {
        path.relative_to(DOCS / "notebooks").as_posix() for path in DOCS.glob("notebooks/*/*")
    }
    assert present == expected, "run python3 dev.py docs"
    for chapter in CHAPTERS:
        for language in LANGUAGES:
            text = (DOCS / "notebooks" / language / f"{chapter.name}.ipynb").read_text("utf-8")
            made = notebook_text(chapter, language)
            assert sources(text) == sources(made), "stale: run python3 dev.py docs"
            codes = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
            shows = any(cell["outputs"] for cell in codes)
            assert shows or len(codes) == 1, "no outputs: run python3 dev.py docs"


def names_in(code: str) -> tuple[set[str], set[str]]:
    """The names that code binds, and those that it uses."""
    bound, used = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (bound if isinstance(node.ctx, ast.Store) else used).add(node.id)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            bound |= {alias.asname or alias.name for alias in node.names}
    return bound, used


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_no_cell_of_a_notebook_needs_a_claim(chapter: Chapter) -> None:
    only_claimed: set[str] = set()
    shown: set[str] = set()
    for block in chapter.blocks:
        if isinstance(block, Prose):
            texts = " ".join(block.texts.values())
            for inserted in INSERTED.findall(texts):
                _, used = names_in(split_format(inserted)[0])
                assert not used & only_claimed, inserted
            continue
        bound, used = names_in(block.code)
        if block.kind == "claims":
            only_claimed |= bound - shown
        else:
            assert not (used - bound) & only_claimed
            shown |= bound
            only_claimed -= bound


# The code of the chapters: their claims are assertions in it


@pytest.mark.parametrize(("chapter", "language"), in_all_languages(slow=False))
def test_the_chapter_runs_and_its_claims_hold(chapter: Chapter, language: str) -> None:
    ran = run(chapter, language)
    assert all("{{" not in block for block in ran.blocks if isinstance(block, str))


@pytest.mark.long
@pytest.mark.parametrize(("chapter", "language"), in_all_languages(slow=True))
def test_the_slow_chapter_runs_and_its_claims_hold(chapter: Chapter, language: str) -> None:
    run(chapter, language)


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
@pytest.mark.filterwarnings("default")  # of the kernel's own libraries
def test_the_notebook_runs_in_jupyter(chapter: Chapter, language: str, tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.reads(notebook_text(chapter, language), as_version=4)
    nbformat.validate(made)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(made, timeout=120, resources=place).execute()


# The site


class Links(HTMLParser):
    """The links of a page, what it loads, and what lacks a description."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.loaded: list[str] = []
        self.undescribed: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        links = [attributes[name] for name in ("href", "src", "xlink:href") if name in attributes]
        (self.anchors if tag == "a" else self.loaded).extend(links)
        if tag == "script" or (tag in ("svg", "img") and not attributes.get("aria-label")):
            self.undescribed.append(self.get_starttag_text() or tag)


def build_site(folder: Path, *, without: Collection[int] = ()) -> Path:
    """The site with the outputs of all chapters but these."""
    runs: dict[str, dict[str, Ran]] = {}
    for chapter in CHAPTERS:
        make = not_run if chapter.number in without else run
        runs[chapter.name] = {language: make(chapter, language) for language in LANGUAGES}
    write_site(runs, CHAPTERS, folder)
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site without the outputs of the slow chapters."""
    return build_site(tmp_path_factory.mktemp("site"), without=SLOW)


def pages(site: Path) -> list[Path]:
    return [site / "index.html", *sorted(site.glob("*/*-*.html"))]


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def test_every_page_is_made(site: Path) -> None:
    assert len(pages(site)) == 1 + len(VIEWS) * len(CHAPTERS)


def test_pages_load_nothing_from_outside_and_no_link_is_broken(site: Path) -> None:
    style = (site / "style.css").read_text("utf-8")
    assert re.findall(r"url\((.*?)\)", style) == ["font/math.woff"]
    assert (site / "font" / "math.woff").exists()
    assert "@import" not in style
    for page in pages(site):
        links = Links(page)
        assert not links.undescribed, page
        for link in links.anchors + links.loaded:
            parts = urlparse(link)
            if parts.scheme:
                assert link in links.anchors, f"{page} loads {link}"
                assert link not in links.loaded, f"{page} loads {link}"
                assert parts.scheme == "https", link
            else:
                target = page.parent / unquote(parts.path) if parts.path else page
                assert target.exists(), f"{page}: {link}"
                if parts.fragment:
                    assert f'id="{unquote(parts.fragment)}"' in text_of(target), f"{page}: {link}"


def test_the_maths_font_has_every_sign_of_the_formulas() -> None:
    from fontTools.ttLib import TTFont

    font = TTFont(DOCS / "press" / "font" / "math.woff")
    assert "MATH" in font, "roots and braces could not grow"
    signs = {
        sign
        for chapter in CHAPTERS
        for block in chapter.blocks
        if isinstance(block, Prose)
        for text in block.texts.values()
        for formula in re.findall(r"<math.*?</math>", html(INSERTED.sub("0.5", text)), re.DOTALL)
        for sign in unescape(re.sub(r"<[^>]*>", "", formula))
    }
    assert {"σ", "∑"} <= signs
    missing = {
        sign for sign in {*signs, "√"} if ord(sign) not in font.getBestCmap() and not sign.isspace()
    }
    assert missing == set()
    licence = (DOCS / "press" / "font" / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


def resize(browser: WebDriver, width: int) -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_walks_through_the_course_on_a_phone(
    language: str, site: Path, browser: WebDriver
) -> None:
    resize(browser, PHONE_PIXELS)
    browser.get((site / "index.html").as_uri())
    browser.find_element(By.CSS_SELECTOR, f"section[lang={language}] ol a").click()
    for chapter in CHAPTERS:
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
        assert browser.find_element(By.TAG_NAME, "h1").text == chapter.title(language)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= PHONE_PIXELS, f"{browser.current_url} is {width} pixels wide"
        following = browser.find_elements(By.CSS_SELECTOR, "a[rel=next]")
        assert bool(following) == (chapter is not CHAPTERS[-1])
        if following:
            following[0].click()
    browser.find_element(By.CSS_SELECTOR, ".views a[hreflang]").click()  # the other language
    other = next(name for name in LANGUAGES if name != language)
    assert browser.find_element(By.TAG_NAME, "h1").text == CHAPTERS[-1].title(other)


IDEAS = """
    return Array.from(document.querySelectorAll("table tbody tr"), (row) =>
        [row.cells[0].textContent, row.querySelector("a")?.href ?? ""]);
"""
TARGET = """
    const heading = document.querySelector(":target");
    return heading && /^H[23]$/.test(heading.tagName) && heading.checkVisibility();
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_teachers_table_leads_to_every_idea_of_the_original(
    language: str, site: Path, browser: WebDriver
) -> None:
    browser.get((site / language / "12-teaching.html").as_uri())
    ideas = dict(browser.execute_script(IDEAS))
    names = " ".join(ideas)
    for cell in ("readlines", "NLTK", "Counter", "_UNK", "DataLoader", "BCELoss", "GRU"):
        assert cell in names
    assert len(ideas) > 30
    for idea, link in ideas.items():
        browser.get(link)
        assert browser.execute_script(TARGET), idea


@pytest.mark.parametrize("width", [PHONE_PIXELS, DESK_PIXELS])
def test_slides_fit_their_screen(width: int, site: Path, browser: WebDriver) -> None:
    resize(browser, width)
    for language in LANGUAGES:
        for chapter in CHAPTERS:
            browser.get((site / language / "slides" / f"{chapter.name}.html").as_uri())
            heights = browser.execute_script(
                "return Array.from(document.querySelectorAll('.slide'), (s) => s.offsetHeight)"
            )
            assert len(heights) > 2
            assert max(heights) <= 1.1 * 844, chapter.name
            page_width = browser.execute_script("return document.documentElement.scrollWidth")
            assert page_width <= width, chapter.name


#: Formulas, tables, pictures and text whose content is wider than their box, or formulas that are
#: higher than theirs.
CLIPPED = """
    const wide = [];
    for (const each of document.querySelectorAll(
        ".formula, .wide, p, h1, h2, h3, li, svg, blockquote")) {
        const box = each.getBoundingClientRect();
        const math = Math.max(0, ...Array.from(each.querySelectorAll("math"), (formula) =>
            formula.getBoundingClientRect().right - box.right));
        if (each.scrollWidth > each.clientWidth + 1 && each.clientWidth || math > 1
            || each.matches(".formula") && each.scrollHeight > each.clientHeight + 1
            || box.right > document.documentElement.clientWidth + 1) {
            wide.push(`${each.tagName}: ${each.textContent.slice(0, 60)}`);
        }
    }
    return wide;
"""


def check_widths(browser: WebDriver, site: Path, view: str, width: int) -> None:
    resize(browser, width)
    for chapter in CHAPTERS:
        browser.get((site / view / f"{chapter.name}.html").as_uri())
        assert browser.execute_script(CLIPPED) == [], chapter.name
        page_width = browser.execute_script("return document.documentElement.scrollWidth")
        assert page_width <= width, chapter.name


@pytest.mark.parametrize("width", [PHONE_PIXELS, TABLET_PIXELS, DESK_PIXELS])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_its_column(
    view: str, width: int, site: Path, browser: WebDriver
) -> None:
    check_widths(browser, site, view, width)


@pytest.mark.long
def test_no_output_of_a_slow_chapter_is_wider_than_its_column(
    tmp_path: Path, browser: WebDriver
) -> None:
    build_site(tmp_path)
    for view in VIEWS:
        check_widths(browser, tmp_path, view, PHONE_PIXELS)
