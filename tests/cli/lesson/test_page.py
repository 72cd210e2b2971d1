from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.toy_bundle import toy
from sentir import cli
from sentir.bundle import save_bundle

SHOWN = {"bidirectional": False, "pooling": "last"}


def data_of(path: Path) -> dict[str, Any]:
    """The data that the page computes with."""
    match = re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"), flags=re.DOTALL)
    assert match is not None
    data: dict[str, Any] = json.loads(match[1])
    return data


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["sentir", "lesson", "page", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_a_page_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "--output", "es.html", "-l", "es") == 0
    assert "es.html" in capsys.readouterr().out
    assert 'lang="es"' in Path("es.html").read_text("utf-8")
    save_bundle(toy(**SHOWN), Path("mine"))
    assert run(monkeypatch, "mine", "--example", "the film was dull") == 0
    data = data_of(Path("page.html"))
    assert data["examples"]["en"] == ["the film was dull"]
    assert [network["units"] for network in data["networks"]] == [5]
    assert run(monkeypatch, "--model", "mine", "-o", "option.html") == 0
    assert data_of(Path("option.html"))["networks"] == data["networks"]
    assert run(monkeypatch, "mine", "--model", "mine") == 2
    assert "--model: two models; give one of them" in capsys.readouterr().err
    save_bundle(toy(), Path("other"))
    assert run(monkeypatch, "other") == 2
    assert "error: other: the page cannot show" in capsys.readouterr().err
    assert run(monkeypatch, "--language", "fr") == 2
    assert "the page does not speak 'fr'" in capsys.readouterr().err
    assert run(monkeypatch, "--help") == 0
    assert "Examples" in capsys.readouterr().out
