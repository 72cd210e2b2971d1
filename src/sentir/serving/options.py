"""Every setting of the server."""

from __future__ import annotations

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Limits:
    """What a request may cost."""

    max_texts: int = Field(default=1024, ge=1, description="texts in one request")
    max_body_bytes: int = Field(default=1 << 20, ge=1, description="body of a request (bytes)")
    max_file_bytes: int = Field(default=200 << 20, ge=1, description="file to label (bytes)")
    max_files: int = Field(default=4, ge=1, description="files that are labelled at the same time")
    max_queued_texts: int = Field(
        default=4096, ge=1, description="texts that may wait for an answer; more are refused"
    )
    max_explanations: int = Field(
        default=8, ge=1, description="explanations that may wait; more are refused"
    )
    deadline_s: float = Field(default=10, gt=0, description="time for an answer (seconds)")
    read_timeout_s: float = Field(
        default=10, gt=0, description="time that a client has to send a request (seconds)"
    )
    write_timeout_s: float = Field(
        default=30, gt=0, description="time that a client has to take what was sent (seconds)"
    )
    drain_s: float = Field(
        default=0.5,
        ge=0,
        description="time between the end of readiness and that of listening at SIGTERM (seconds)",
    )


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class ServerOptions:
    """How the server behaves, besides its limits.

    Attributes:
        api_keys: any of them opens all that is not public; none: no key is needed.
        admin_keys: any of them opens the reload; none: it is closed.
        cors_origins: origins whose pages may call the server.
        log_json: log as JSON lines, with one line per request.
        log_texts: log the texts of each request too.
    """

    api_keys: tuple[str, ...] = ()
    admin_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    log_json: bool = False
    log_texts: bool = False
