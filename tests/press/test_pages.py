from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.chapter_source import OPENING, twins, write_chapter
from press.chapter import LANGUAGES
from press.pages import VIEWS, write_site
from press.running import run_chapter


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    codes = (" claims\nassert True", " hidden\nlanguage", "\n2")
    cells = "".join(f"```python{code}\n```\n\n" for code in codes)
    first = write_chapter(
        folder, OPENING + cells + twins("[uno](02-b.md)", "[one](02-b.md)"), "01-a.md"
    )
    chapters = [first, write_chapter(folder, OPENING, "02-b.md")]
    runs = {
        chapter.name: {language: run_chapter(chapter, language) for language in LANGUAGES}
        for chapter in chapters
    }
    write_site(runs, chapters, folder / "site")
    return folder / "site"


def test_every_view_has_a_page_per_chapter(site: Path) -> None:
    for view in VIEWS:
        assert sorted(path.name for path in (site / view).glob("0*.html")) == [
            "01-a.html",
            "02-b.html",
        ]
    assert {path.name for path in site.iterdir()} == {"index.html", "style.css", "font", *VIEWS}
    assert (site / "es" / "page.html").exists()


def test_a_page_shows_outputs_and_folds_claims(site: Path) -> None:
    page = (site / "en" / "01-a.html").read_text("utf-8")
    assert '<details class="claims">' in page
    assert page.count('<pre class="printed" tabindex="0">') == 2
    assert 'href="02-b.html"' in page


def test_outputs_that_are_alike_are_shown_once_side_by_side(site: Path) -> None:
    page = (site / "both" / "01-a.html").read_text("utf-8")
    assert page.count('<pre class="printed" tabindex="0">') == 3
    assert page.count('class="row shown alike"') == 1
