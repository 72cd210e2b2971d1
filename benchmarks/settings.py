"""Settings from a benchmark's command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings from NAME=VALUE pairs; a value that is not TOML is a string."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            settings[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[name] = value
    return settings
