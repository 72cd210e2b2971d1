"""Make the course: pages in build/docs and the notebooks in docs/notebooks, from docs/course.

python docs/build.py                all of it (minutes: every chapter's code runs twice)
python docs/build.py 2 6            run the code of these chapters only, to look at them
python docs/build.py --notebooks    the notebooks only (a second)
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from press.chapter import LANGUAGES, chapter_paths, read_chapter
from press.notebooks import write_notebooks
from press.pages import write_site
from press.running import Ran, not_run, run_chapter

DOCS = Path(__file__).resolve().parent
SITE = DOCS.parent / "build" / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapter", type=int, nargs="*", help="its number; none: all")
    parser.add_argument("--output", type=Path, default=SITE, help="folder of the site")
    parser.add_argument("--notebooks", action="store_true", help="make the notebooks only")
    wanted = parser.parse_args()

    chapters = [read_chapter(path) for path in chapter_paths(DOCS / "course")]
    write_notebooks(chapters, DOCS / "notebooks")
    if wanted.notebooks:
        return
    runs: dict[str, dict[str, Ran]] = {}
    # A process a language, one thread each: the lesson's networks are too small to be shared.
    processes = ProcessPoolExecutor(
        len(LANGUAGES), get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    )
    with processes:
        for chapter in chapters:
            run = run_chapter if not wanted.chapter or chapter.number in wanted.chapter else not_run
            began = time.perf_counter()
            ran = processes.map(run, [chapter] * len(LANGUAGES), LANGUAGES)
            runs[chapter.name] = dict(zip(LANGUAGES, ran, strict=True))
            print(f"{chapter.name:<24} {time.perf_counter() - began:5.1f} s", flush=True)
    write_site(runs, chapters, wanted.output)
    print(f"look at {wanted.output / 'index.html'}")


if __name__ == "__main__":
    main()
