"""``sentir serve``: names of models, and what is refused before anything listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.command import sentir
from fixtures.served import save_models
from fixtures.toy_bundle import toy
from sentir.cli.serve import named_folders
from sentir.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_models(tmp_path, shop=toy())["shop"]


def test_names(tmp_path: Path) -> None:
    odd = tmp_path / "a=b"
    odd.mkdir()
    assert named_folders(["runs/shop", "hotels=runs/h/model", "runs/books/model"]) == {
        "shop": Path("runs/shop"), "hotels": Path("runs/h/model"),
        "books": Path("runs/books/model"),
    }  # fmt: skip
    with pytest.raises(UsageError, match="'a=b' cannot name a model; give a name of letters"):
        named_folders([str(odd)])
    assert named_folders([f"x={odd}"]) == {"x": odd}


def test_two_models_of_one_name() -> None:
    with pytest.raises(UsageError, match="b/shop: two models are called 'shop'; name one"):
        named_folders(["a/shop", "b/shop"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "error: --host 0.0.0.0: others can reach this address"),
        (["--log-texts"], "error: --log-texts without --log-json; pass both"),
        (["--api-key-file", "absent"], "error: absent: cannot be read"),
        (["--host", "300.0.0.1", "--insecure"], "error: 300.0.0.1:8000: cannot listen"),
        (["x=hf://user/x@v2", "--watch"], "error: --watch of hf://user/x@v2, which is no folder"),
        (["--precision", "int4"], "error: no precision 'int4'"),
    ],
)
def test_what_is_refused(
    folder: Path, options: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = sentir("serve", folder, *options, capfd=capfd)
    assert code == 2
    assert err.startswith(message)
    assert "Traceback" not in err


def test_a_folder_without_a_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = sentir("serve", tmp_path, "--port", 0, capfd=capfd)
    assert code == 2
    assert "no model here" in err


def test_the_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sentir.extras.is_installed", lambda package: package != "msgspec")
    code, _, err = sentir("serve", folder, capfd=capfd)
    assert code == 2
    assert err.startswith("error: sentir serve needs the package msgspec, which is not installed; ")
    assert "serve]" in err
