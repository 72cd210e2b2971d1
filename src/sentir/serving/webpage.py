"""``/``: the page, one HTML file whose style and script are inline, allowed by their checksums."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from starlette.types import ASGIApp, Receive, Scope, Send

from sentir.serving.http import send_body

#: Parts of the script, in their order.
_SCRIPTS = ("page.js", "answer.js", "file.js")


def _read(name: str) -> str:
    return resources.files("sentir.serving").joinpath("page", name).read_text(encoding="utf-8")


def _checksum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class Page:
    """The endpoint; the page is put together once."""

    def __init__(self) -> None:
        style = _read("page.css")
        script = "".join(map(_read, _SCRIPTS))
        script = script.replace(
            '"use strict";', f'"use strict";\nconst TEXTS = {_read("texts.json")};'
        )
        page = _read("index.html").replace("/*STYLE*/", style).replace("/*SCRIPT*/", script)
        self._content = page.encode()
        policy = (
            f"default-src 'none'; style-src {_checksum(style)}; script-src {_checksum(script)}; "
            "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        self._headers = (
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-cache"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = b"text/html; charset=utf-8"
        await send_body(send, 200, self._content, *self._headers, kind=kind)


class ByMethod:
    """Two endpoints of one path: one for GET and HEAD, the other for POST."""

    def __init__(self, get: ASGIApp, post: ASGIApp) -> None:
        self._get, self._post = get, post
        self.is_queued = getattr(post, "is_queued", False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._post if scope["method"] == "POST" else self._get
        await endpoint(scope, receive, send)
