"""Logs as JSON lines."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

LOG = logging.getLogger("sentir.serving")


class JsonFormatter(logging.Formatter):
    """One JSON object per record: its time, level and message, and the fields given with it."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        entry = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(entry, ensure_ascii=False)


@contextmanager
def json_lines(stream: TextIO | None = None) -> Iterator[None]:
    """Log what the server logs as JSON lines only, on standard error unless a stream is given."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    before = LOG.propagate, LOG.level
    LOG.propagate = False
    LOG.setLevel(logging.INFO)
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.propagate = before[0]
        LOG.setLevel(before[1])
