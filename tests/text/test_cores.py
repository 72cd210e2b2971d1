"""The cores that this process may use."""

from __future__ import annotations

import os

from sentir.text.cores import available_cores


def test_the_cores_that_may_be_used() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
