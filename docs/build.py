"""Build the course from docs/course: pages in build/docs and notebooks in docs/notebooks.

python docs/build.py                everything (minutes: the code of every chapter runs twice)
python docs/build.py 2 6            run the code of these chapters only
python docs/build.py --notebooks    the notebooks only, with the outputs that they have (a second)
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
    parser.add_argument("chapter", type=int, nargs="*", help="numbers of chapters (unset: all)")
    parser.add_argument("--output", type=Path, default=SITE, help="folder of the site")
    parser.add_argument("--notebooks", action="store_true", help="build the notebooks only")
    options = parser.parse_args()

    chapters = [read_chapter(path) for path in chapter_paths(DOCS / "course")]
    if options.notebooks:
        write_notebooks(chapters, DOCS / "notebooks", {})
        return
    runs: dict[str, dict[str, Ran]] = {}
    # One process with one thread per language: the networks are too small for several threads.
    processes = ProcessPoolExecutor(
        len(LANGUAGES), get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    )
    with processes:
        for chapter in chapters:
            run = (
                run_chapter if not options.chapter or chapter.number in options.chapter else not_run
            )
            start = time.perf_counter()
            ran = processes.map(run, [chapter] * len(LANGUAGES), LANGUAGES)
            runs[chapter.name] = dict(zip(LANGUAGES, ran, strict=True))
            print(f"{chapter.name:<24} {time.perf_counter() - start:5.1f} s", flush=True)
    write_notebooks(chapters, DOCS / "notebooks", runs)
    write_site(runs, chapters, options.output)
    print(f"open {options.output / 'index.html'}")


if __name__ == "__main__":
    main()
