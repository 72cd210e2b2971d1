"""Builds the course in Spanish and English from one source per chapter.

chapter.py reads a source, running.py runs its code, markdown.py and pages.py write the site,
notebooks.py the notebooks, slides.py the slides. `docs/build.py` calls them;
docs/course/README.md describes the sources.
"""
