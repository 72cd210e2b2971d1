"""Settings as a benchmark's command line gives them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any


def changes(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings given as NAME=VALUE; a value that is no TOML is a string."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = value
    return found
