"""The project's own pages on the site: internals, benchmarks, reliability, decisions and others.

They are copied, so that they can be read in the repository and on the site. Links between them
stay; links to other files of the repository lead to its address. Sphinx checks the former, and
`copy_project_pages` the latter.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

REPOSITORY = "https://github.com/sentir/sentir/blob/main/"
_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
_PAGES = ("internals", "benchmarks", "reliability", "experiments", "scale")
#: The pages that list all others of their folder.
_LISTS = {"decisions/index.md": "[0-9]*", "results/README.md": "[0-9]*"}


def copy_project_pages(docs: Path, target: Path) -> None:
    """Copy the pages and their pictures to the site.

    Raises:
        FileNotFoundError: a link leads to a file that does not exist.
    """
    pages = [
        *(
            docs / f"{name}.md"
            for name in ("internals", "benchmarks", "experiments", "reliability", "scale")
        ),
        *sorted((docs / "decisions").glob("*.md")),
        *sorted((docs / "results").glob("*.md")),
    ]
    copied = {*pages, *docs.glob("*.svg")}

    for page in copied:
        content = page.read_text("utf-8")
        name = page.relative_to(docs).as_posix()
        if page.suffix == ".md":
            content = _LINK.sub(
                lambda link, page=page: _address(link[1], page, docs, copied), content
            )
        if name in _LISTS:
            content += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{_LISTS[name]}\n```\n"
        write_if_new(target / name, content)
    for path in [*target.glob("*.*"), *target.glob("*/*.md")]:
        if docs / path.relative_to(target) not in copied:
            path.unlink()


def _address(link: str, page: Path, docs: Path, copied: set[Path]) -> str:
    file = Path(os.path.normpath(page.parent / link))
    if file in copied:
        return link
    if not file.exists():
        raise FileNotFoundError(f"{page}: a link to {link}, which does not exist")
    return REPOSITORY + file.relative_to(docs.parent).as_posix()


def write_if_new(path: Path, content: str) -> None:
    """Write a page unless the file holds it already: Sphinx builds anew what has changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text("utf-8") != content:
        path.write_text(content, encoding="utf-8")
