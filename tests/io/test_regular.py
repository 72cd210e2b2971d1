"""Only regular files of a bounded size are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sentir.errors import BundleError
from sentir.io.regular import checksum, open_regular, read_regular


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.json"
    path.write_bytes("niño".encode())
    return path


def test_a_file_within_its_limit(file: Path) -> None:
    assert read_regular(file, 5) == "niño"
    with open_regular(file) as (stream, size):
        assert (stream.read(), size) == ("niño".encode(), 5)
    file.write_bytes(b"")
    assert checksum(file) == "sha256:" + (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_a_larger_file_is_refused(file: Path) -> None:
    with pytest.raises(BundleError, match="5 bytes, more than the 4 that it may have"):
        read_regular(file, 4)


def test_a_symlink_is_followed(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file)
    assert read_regular(tmp_path / "link", 5) == "niño"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such file; copy the whole folder again"):
        checksum(tmp_path / "absent")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_a_device_and_a_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(BundleError, match="not a file"):
            checksum(path)


def test_an_error_of_the_system_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BundleError, match=r"cannot be read \(Permission denied\)"):
        read_regular(file, 5)
