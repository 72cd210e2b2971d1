"""The site for users: `python3 dev.py docs` builds it with Sphinx into build/docs."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from project_pages import copy_project_pages  # noqa: E402
from reference_pages import write_command_line, write_settings  # noqa: E402

project = "Sentir"
author = "The Sentir authors"
copyright = "The Sentir authors, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "Sentir"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 80
default_role = "code"
smartquotes = False
# A reference to a name of Sentir that is not on the site is a warning, and a warning is an error.
# Types of other packages and aliases of types are not on it.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!sentir\b).*"),
    ("py:class", r"sentir\.(bundle|config)\.\w+"),
]

write_command_line(HERE / "reference" / "command-line.md")
write_settings(HERE / "reference" / "settings.md")
copy_project_pages(HERE.parent, HERE / "project")
