"""The journal of a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentir.errors import DataError
from sentir.tuning.journal import open_study, results


def test_a_journal_is_read_again(tmp_path: Path) -> None:
    study = open_study(tmp_path / "trials.log")
    trial = study.ask()
    trial.set_user_attr("settings", {"learning_rate": 0.1})
    study.tell(trial, 0.5)
    (found,) = results(open_study(tmp_path / "trials.log"))
    assert (found.number, found.state, found.loss) == (0, "complete", 0.5)
    assert found.to_dict()["settings"] == {"learning_rate": 0.1}


@pytest.mark.parametrize("content", [b"not JSON\n", b"[]\n", b'{"op_code": 4}\n', b"\xff\xfe\n"])
def test_a_damaged_journal_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "trials.log").write_bytes(content)
    with pytest.raises(DataError, match="damaged journal"):
        open_study(tmp_path / "trials.log")
