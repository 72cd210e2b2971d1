"""``/openapi.json``: the description of all paths, written by hand and held by tests."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from sentir.serving.options import Limits
from sentir.version import __version__

_TEXTS = 1024


def description(limits: Limits) -> dict[str, Any]:
    """The description, with the version and the limits of this server."""
    text = resources.files("sentir.serving").joinpath("openapi.json").read_text(encoding="utf-8")
    text = text.replace(f'"maxItems": {_TEXTS}', f'"maxItems": {limits.max_texts}')
    content: dict[str, Any] = json.loads(text)
    content["info"]["version"] = __version__
    return content
