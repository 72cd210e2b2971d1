"""``_sentir.json``: which model answered a folder, and how; answers of another are refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentir.errors import DataError, SentirWarning, UsageError
from sentir.inference.files import PredictionColumns
from sentir.inference.folder_files import FolderJob
from sentir.io.containers import Folder
from sentir.io.stores import file_sizes, is_address, join
from sentir.io.streams import open_raw
from sentir.io.writer import open_output
from sentir.version import __version__

#: Its name; other programs take such a name for no data.
MANIFEST = "_sentir.json"
#: Options that may change when a part is run again: they say what is done about a row, not what
#: is read from it.
_OF_BAD_ROWS = ("on_error", "max_line_bytes")


class Manifest:
    """``_sentir.json`` of the folder that is written."""

    def __init__(
        self,
        columns: PredictionColumns,
        identity: str,
        job: FolderJob,
        sizes: Mapping[str, int],
    ) -> None:
        reading = json.loads(json.dumps(dataclasses.asdict(job.options)))
        listing = json.dumps(sorted(sizes.items())).encode()
        self._path, self._folder = join(job.output, MANIFEST), job.output
        self._has_parts = job.part.total > 1
        self._wanted: dict[str, Any] = {
            "sentir": __version__,
            "model": identity,
            "columns": list(columns.names),
            "by": "sentence" if columns.by_sentence else "review",
            "json": job.as_json,
            "neutralise_formulas": job.neutralise,
            "reading": {name: value for name, value in reading.items() if name not in _OF_BAD_ROWS},
            "listing": hashlib.sha256(listing).hexdigest()[:16],
        }

    def claim(self) -> set[str]:
        """Make the folder ours, or find that it is; returns the names of its files.

        Raises:
            DataError: it cannot be read or written.
            UsageError: it is another model's, was made with other options, or is not ours.
        """
        present = {*_files_in(self._folder)}
        foreign = {name for name in present if not name.startswith(".")}
        if not foreign:
            with open_output(self._path) as stream:
                stream.write(json.dumps(self._wanted, indent=2).encode() + b"\n")
        elif MANIFEST not in present and MANIFEST not in _files_in(self._folder):
            # Looked at twice, as another part may have begun between.
            raise UsageError(
                f"holds files ({min(foreign)}) and no {MANIFEST}, so sentir did not write them",
                where=self._folder,
                todo="choose another folder",
            )
        found = self.check()
        if self._has_parts and found.get("listing") != self._wanted["listing"]:
            warnings.warn(
                f"{self._folder}: the files to answer are others than when this folder was begun, "
                "so a file may be in no part; run it once without --part at the end, which answers "
                "what is missing",
                SentirWarning,
                stacklevel=2,
            )
        return present

    def check(self) -> dict[str, Any]:
        """The content of the manifest.

        Raises:
            DataError: it cannot be read.
            UsageError: it says another model or other options.
        """
        with open_raw(self._path) as stream:
            content = stream.read()
        try:
            found: dict[str, Any] = dict(json.loads(content))
        except (ValueError, TypeError):
            raise DataError("damaged", where=self._path, todo="choose another folder") from None
        for name, wanted in self._wanted.items():
            if name in ("sentir", "listing") or found.get(name) == wanted:
                continue
            what = (
                f"made by the model {found.get(name)}, and this is {wanted}"
                if name == "model"
                else f"made with {name} = {found.get(name)!r}, and now it is {wanted!r}"
            )
            raise UsageError(what, where=self._folder, todo="choose another folder, or remove it")
        return found


def _files_in(folder: str) -> dict[str, int]:
    """The files in a folder and below with their sizes; none where it is not there."""
    if is_address(folder):
        return file_sizes(folder) or {}
    return Folder(folder).sizes() if Path(folder).is_dir() else {}
