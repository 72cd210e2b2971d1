"""The course: its sources, its notebooks, its code, its pages, and the pages in a browser."""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from press.chapter import LANGUAGES, Chapter, SourceError, chapter_paths, read_chapter
from press.markdown import html
from press.notebooks import notebook, notebook_text, write_notebooks
from press.pages import VIEWS, write_site
from press.running import Ran, not_run, run_chapter

DOCS = Path(__file__).parents[2] / "docs"
CHAPTERS = [read_chapter(path) for path in chapter_paths(DOCS / "course")]
#: Their code trains networks for a quarter of a minute or more.
SLOW = {3, 5, 7, 8, 9}
PHONE_PIXELS = 390

run = lru_cache(maxsize=None)(run_chapter)


def pair(spanish: str, english: str) -> str:
    return f"::: es\n{spanish}\n:::\n\n::: en\n{english}\n:::\n\n"


OPENING = pair("# Título\n\nResumen.", "# Title\n\nSummary.")


def source(folder: Path, text: str, name: str = "01-test.md") -> Chapter:
    path = folder / name
    path.write_text(text, "utf-8")
    return read_chapter(path)


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
        assert (chapter.path.parent / link).exists(), link
    for language in LANGUAGES:
        assert chapter.title(language)
        assert 40 < len(chapter.summary(language)) < 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begin with prose"),
        ("```python\n1\n```\n", "begin with prose"),
        (OPENING + "stray", "01-test.md:13: between blocks stands nothing, got 'stray'"),
        (OPENING + "```python\n1\n", "does not end"),
        (OPENING + "```python shown\n1\n```\n", "no kind of cell 'shown'"),
        (OPENING + "::: en\nOne.\n:::\n", "'::: es' is expected here, got '::: en'"),
        (OPENING + "::: es\nUno.\n:::\n\n```python\n1\n```\n", "English twin is missing"),
        (OPENING + "::: es\nUno.\n:::\n", "in both languages"),
        (OPENING + pair("Uno.\n\nDos.", "One."), "the twins part at block 2: p and nothing"),
        (OPENING + pair("- uno\n- dos", "- one"), "the twins part at block 4: li and nothing"),
        (OPENING + pair("## Uno", "### One"), "the twins part at block 1: h2 and h3"),
        (OPENING + pair("# Uno", "# One"), "a title, then a summary"),
        (pair("Uno.", "One."), "a title, then a summary"),
    ],
)
def test_a_source_that_is_not_as_described_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        source(tmp_path, text)
    assert said in str(error.value)


def test_a_source_with_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"call it NN-name\.md"):
        source(tmp_path, OPENING, "first.md")


# What cells show


def shown(chapter: Chapter, language: str = "es") -> list[str]:
    blocks = run_chapter(chapter, language).blocks
    return [
        block if isinstance(block, str) else " ".join(s.body for s in block) for block in blocks
    ]


def test_cells_show_what_they_print_and_their_last_value(tmp_path: Path) -> None:
    cells = "```python\nprint(language)\n1 + 1\n```\n\n```python\nx = 3\nNone\n```\n\n"
    prose = pair("Son {{x / 4:.1%}} de {{x - 1}}.", "It is {{x / 4:.1%}}.")
    chapter = source(tmp_path, OPENING + cells + prose)
    assert shown(chapter)[1:] == ["es 2", "", "Son 75.0% de 2."]
    assert shown(chapter, "en")[1:] == ["en 2", "", "It is 75.0%."]


def test_a_claim_that_does_not_hold_stops_the_run_at_its_line(tmp_path: Path) -> None:
    chapter = source(tmp_path, OPENING + "```python claims\nx = 1\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as error:
        run_chapter(chapter, "en")
    assert error.traceback[-1].lineno + 1 == 15
    assert chapter.path.read_text("utf-8").splitlines()[15 - 1] == "assert x == 2"


def test_a_bare_figure_is_refused(tmp_path: Path) -> None:
    cell = "```python\nfrom matplotlib.figure import Figure\n\nFigure()\n```\n"
    with pytest.raises(SourceError, match=r"01-test\.md:14: a bare figure"):
        run_chapter(source(tmp_path, OPENING + cell), "es")


def test_formulas_become_mathml_and_code_gets_its_classes() -> None:
    assert "<math" in html("Es $h_t$.")
    assert 'display="block"' in html("$$h_t = 1$$")
    assert 'class="k"' in html("```python\nreturn 1\n```")
    assert "&lt;script&gt;" in html("<script>")


# Notebooks


def test_the_notebooks_are_those_of_the_sources() -> None:
    wanted = {f"{language}/{c.name}.ipynb" for language in LANGUAGES for c in CHAPTERS}
    there = {path.relative_to(DOCS / "notebooks").as_posix() for path in DOCS.glob("notebooks/*/*")}
    assert there == wanted, "run python3 dev.py docs"
    for chapter in CHAPTERS:
        for language in LANGUAGES:
            found = (DOCS / "notebooks" / language / f"{chapter.name}.ipynb").read_text("utf-8")
            assert found == notebook_text(chapter, language), "stale: run python3 dev.py docs"


def test_a_notebook_holds_the_chapter_in_one_language(tmp_path: Path) -> None:
    cells = "```python hidden\nx = {1: 2}\n```\n\n"
    prose = pair("Es $x_{1}$: {{x[1]:.1f}}.", "It is $x_{1}$: {{x[1]:.1f}}.")
    made = notebook(source(tmp_path, OPENING + cells + prose), "en")
    title, _about, language, code, computed = made["cells"]
    assert title["source"] == "# Title\n\nSummary."
    assert language["source"] == 'language = "en"'
    assert code["metadata"]["jupyter"]["source_hidden"]
    assert not any(cell.get("outputs") for cell in made["cells"])
    names: dict[str, Any] = {}
    exec(code["source"], names)
    written = computed["source"].replace("from IPython.display import Markdown", "Markdown = str")
    exec(written.replace("\n\nMarkdown(", "\n\nfound = Markdown("), names)
    assert names["found"].strip() == "It is $x_{1}$: 2.0."


def test_notebooks_of_chapters_that_are_gone_are_removed(tmp_path: Path) -> None:
    write_notebooks(CHAPTERS, tmp_path)
    write_notebooks(CHAPTERS[:1], tmp_path)
    assert len(list(tmp_path.glob("*/*.ipynb"))) == len(LANGUAGES)


# The chapters' code: their claims are assertions in it


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
    """What a page points at, and what it has no words for."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.loaded: list[str] = []
        self.undescribed: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        pointed = [found[name] for name in ("href", "src", "xlink:href") if name in found]
        (self.anchors if tag == "a" else self.loaded).extend(pointed)
        if tag == "script" or (tag in ("svg", "img") and not found.get("aria-label")):
            self.undescribed.append(self.get_starttag_text() or tag)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; the slow chapters' pages without what their code shows."""
    runs: dict[str, dict[str, Ran]] = {}
    for chapter in CHAPTERS:
        make = not_run if chapter.number in SLOW else run
        runs[chapter.name] = {language: make(chapter, language) for language in LANGUAGES}
    folder = tmp_path_factory.mktemp("site")
    write_site(runs, CHAPTERS, folder)
    return folder


def pages(site: Path) -> list[Path]:
    return [site / "index.html", *sorted(site.glob("*/*-*.html"))]


def test_every_page_is_made(site: Path) -> None:
    assert len(pages(site)) == 1 + len(VIEWS) * len(CHAPTERS)


def test_pages_load_nothing_from_outside_and_no_link_is_broken(site: Path) -> None:
    assert "url(" not in (site / "style.css").read_text("utf-8")
    assert "@import" not in (site / "style.css").read_text("utf-8")
    for page in pages(site):
        links = Links(page)
        assert not links.undescribed, page
        for link in links.anchors + links.loaded:
            parts = urlparse(link)
            if parts.scheme:
                assert link in links.anchors, f"{page} loads {link}"
                assert link not in links.loaded, f"{page} loads {link}"
                assert parts.scheme == "https", link
            elif parts.path:
                assert (page.parent / unquote(parts.path)).exists(), f"{page}: {link}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_walks_through_the_course_on_a_phone(
    language: str, site: Path, browser: WebDriver
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": PHONE_PIXELS, "height": 844, "deviceScaleFactor": 1, "mobile": False},
    )
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
