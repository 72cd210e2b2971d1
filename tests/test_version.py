"""The version stands in one place."""

from __future__ import annotations

import re
from importlib.metadata import version

import sentir


def test_it_is_the_package_s() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", sentir.__version__)
    assert version("sentir") == sentir.__version__
