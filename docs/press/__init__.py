"""Prints the course: one source a chapter into pages and notebooks, in Spanish and in English.

chapter.py reads a source, running.py runs its code, markdown.py and pages.py make the site,
notebooks.py the notebooks. `docs/build.py` calls them; docs/course/README.md describes the sources.
"""
