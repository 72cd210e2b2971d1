"""A chapter's source: prose in two languages and the code both share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from press.markdown import skeleton

LANGUAGES = ("es", "en")
Kind = Literal["", "hidden", "folded", "claims"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NAME = re.compile(r"(\d\d)-[\w-]+\.md")


class SourceError(Exception):
    """A chapter that does not follow docs/course/README.md."""


@dataclass(frozen=True)
class Prose:
    """The same passage in each language."""

    texts: dict[str, str]


@dataclass(frozen=True)
class Cell:
    """Code, how the page shows it, and its first line in the source."""

    code: str
    kind: Kind
    line: int


@dataclass(frozen=True, eq=False)
class Chapter:
    """A chapter; its first block is prose and starts with the title and the summary."""

    path: Path
    blocks: tuple[Prose | Cell, ...]

    @property
    def name(self) -> str:
        """The name of its page and its notebooks, without an ending."""
        return self.path.stem

    @property
    def number(self) -> int:
        """Its number in the course, from 1."""
        return int(self.name[:2])

    def title(self, language: str) -> str:
        """The first heading."""
        return self._opening(language)[0].removeprefix("# ")

    def summary(self, language: str) -> str:
        """The first paragraph."""
        paragraph = "\n".join(self._opening(language)[1:]).strip().split("\n\n")[0]
        return " ".join(paragraph.split())

    def _opening(self, language: str) -> list[str]:
        first = self.blocks[0]
        assert isinstance(first, Prose)
        return first.texts[language].splitlines()


def chapter_paths(folder: Path) -> list[Path]:
    """The sources in a folder, in the course's order."""
    return sorted(path for path in folder.glob("*.md") if _NAME.fullmatch(path.name))


def read_chapter(path: Path) -> Chapter:
    """Read and check one source.

    Raises:
        SourceError: it does not follow the description; the message names the line.
    """
    if not _NAME.fullmatch(path.name):
        raise SourceError(f"{path}: call it NN-name.md, as in 02-unrolled.md")
    blocks: list[Prose | Cell] = []
    waiting: dict[str, str] = {}
    for line, opening, text in _fences(path):
        where = f"{path}:{line}"
        if opening.startswith(":::"):
            language = opening.removeprefix(":::").strip()
            expected = LANGUAGES[len(waiting)]
            if language != expected:
                raise SourceError(f"{where}: '::: {expected}' is expected here, got {opening!r}")
            waiting[language] = text.strip()
            if len(waiting) == len(LANGUAGES):
                _check_twins(waiting, where, first=not blocks)
                blocks.append(Prose(waiting))
                waiting = {}
        else:
            if waiting:
                raise SourceError(f"{where}: the English twin is missing before this cell")
            kind = _kind(opening.removeprefix("```python").strip(), where)
            blocks.append(Cell(text, kind, line + 1))
    if waiting or not blocks or not isinstance(blocks[0], Prose):
        raise SourceError(
            f"{path}: start with prose in both languages; prose at the end needs both, too"
        )
    return Chapter(path, tuple(blocks))


def _fences(path: Path) -> Iterator[tuple[int, str, str]]:
    """The fenced blocks: line number of the opening, the opening, the content."""
    lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    for number, line in lines:
        if not line.strip():
            continue
        closing = ":::" if line.startswith("::: ") else "```"
        if closing == "```" and not line.startswith("```python"):
            raise SourceError(f"{path}:{number}: text outside a block: {line!r}")
        inside: list[str] = []
        for _, text in lines:
            if text.rstrip() == closing:
                break
            inside.append(text)
        else:
            raise SourceError(f"{path}:{number}: this block does not end")
        yield number, line.rstrip(), "\n".join(inside) + "\n"


def _kind(written: str, where: str) -> Kind:
    for kind in KINDS:
        if written == kind:
            return kind
    raise SourceError(f"{where}: no kind of cell {written!r}; use one of {', '.join(KINDS[1:])}")


def _check_twins(texts: dict[str, str], where: str, *, first: bool) -> None:
    shapes = {language: skeleton(text) for language, text in texts.items()}
    spanish, english = shapes.values()
    if spanish != english:
        index = next(
            (
                index
                for index, pair in enumerate(zip(spanish, english, strict=False))
                if len({*pair}) > 1
            ),
            min(len(spanish), len(english)),
        )
        here, there = (
            shape[index] if index < len(shape) else "nothing" for shape in (spanish, english)
        )
        raise SourceError(f"{where}: the languages differ at block {index + 1}: {here} and {there}")
    titled = [shape == "h1" for shape in spanish]
    if titled != [first] + [False] * (len(titled) - 1) or (first and spanish[1:2] != ["p"]):
        raise SourceError(
            f"{where}: a title and a summary start the chapter; other blocks have no title"
        )
