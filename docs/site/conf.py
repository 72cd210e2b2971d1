"""The site for users: `python3 dev.py docs` builds it with Sphinx into build/docs."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from reference_pages import write_command_line, write_settings  # noqa: E402

project = "Sentir"
author = "The Sentir authors"
copyright = "The Sentir authors, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "Sentir"
html_show_sphinx = False
myst_heading_anchors = 3
exclude_patterns = ["_build"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
default_role = "code"
smartquotes = False
# Links out of this folder, to files of the repository, are checked by a test.
suppress_warnings = ["myst.xref_missing"]

write_command_line(HERE / "reference" / "command-line.md")
write_settings(HERE / "reference" / "settings.md")
