"""The models that are served, by name; each can be replaced while it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

from msgspec import UnsetType

from sentir.bundle import Bundle, find_bundle, load_bundle
from sentir.errors import SentirError
from sentir.inference.predictor import Predictor
from sentir.serving.errors import RequestError

LOG = logging.getLogger("sentir.serving")
#: Digits of a model's checksum that name its version.
VERSION_DIGITS = 12
#: Texts that a new model answers before it is served, short and long, one and many.
_WARM = ("good", "It was not bad at all. " * 8, "x " * 100)

#: What tells a changed model folder: its path, and the time, size and number of its settings file.
Fingerprint = tuple[str, int, int, int]


class Reloaded(NamedTuple):
    """What became of the reload of a model: whether it has changed, and its version now."""

    name: str
    changed: bool
    version: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedModel:
    """A loaded model, with its name and folder.

    Attributes:
        name: as it is served.
        path: the folder that was given.
        predictor: what answers.
        loaded_at: when it was loaded.
    """

    name: str
    path: Path
    predictor: Predictor
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def checksum(self) -> str:
        return self.predictor.bundle.checksum

    @property
    def summary(self) -> str:
        """Name, folder, engine and version in a line."""
        return f"{self.name}: {self.path}, {self.predictor.engine.name}, {self.version}"

    @property
    def version(self) -> str:
        """The start of the checksum: equal for equal models."""
        return self.checksum.removeprefix("sha256:")[:VERSION_DIGITS]


class Models:
    """All models of a server.

    A reload loads the new model beside the old one and answers a few texts with it; then one
    reference is replaced. Requests that have begun keep the model that they began with.

    Args:
        paths: the folder of each model, by its name.
        engine, precision: as for `sentir.load`.
        on_change: called after a model was loaded, or was not (``loaded``, ``unchanged`` or
            ``failed``), with its name.

    Raises:
        BundleError, UsageError, MissingExtraError: as `sentir.load`.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        *,
        engine: str = "auto",
        precision: str = "float32",
        on_change: Callable[[str, str], None] = lambda name, outcome: None,
    ) -> None:
        self._engine, self._precision = engine, precision
        self.on_change = on_change
        self._names: WeakKeyDictionary[Predictor, str] = WeakKeyDictionary()
        self._seen = {name: _fingerprint(path) for name, path in paths.items()}
        self._models = {
            name: self._ready(name, path, load_bundle(path)) for name, path in paths.items()
        }
        self._lock = asyncio.Lock()

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(list(self._models.values()))

    def names(self) -> list[str]:
        return list(self._models)

    def get(self, name: str | UnsetType | None) -> ServedModel:
        """The model of that name; None or unset: the only one.

        Raises:
            RequestError: 404, there is none of that name; 422, none is named and there are several.
        """
        names = ", ".join(self._models)
        if not isinstance(name, str):
            if len(self._models) == 1:
                return next(iter(self._models.values()))
            raise RequestError(422, "no model is named", where="model", todo=f"name one of {names}")
        if name not in self._models:
            raise RequestError(404, f"no model {name[:100]!r}", todo=f"name one of {names}")
        return self._models[name]

    def name_of(self, predictor: Predictor) -> str:
        """The name under which a predictor is or was served."""
        return self._names[predictor]

    async def reload(self, name: str) -> bool:
        """Load a model's folder again; whether it has changed.

        Raises:
            BundleError, UsageError: the folder's model cannot be loaded; the old one goes on.
        """
        async with self._lock:
            old = self.get(name)
            try:
                new = await asyncio.to_thread(self._load_changed, old)
            except Exception:
                self.on_change(name, "failed")
                raise
            if new is None:
                self.on_change(name, "unchanged")
                return False
            self._models[name] = new
            self.on_change(name, "loaded")
            return True

    async def watch(self, interval_s: float) -> None:
        """Reload each model whose folder changes, until cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            for model in self:
                fingerprint = await asyncio.to_thread(_fingerprint, model.path)
                if fingerprint in (None, self._seen[model.name]):
                    continue
                self._seen[model.name] = fingerprint
                try:
                    await self.reload(model.name)
                except SentirError as error:
                    LOG.warning("%s: not reloaded, the old model goes on: %s", model.name, error)

    def _load_changed(self, old: ServedModel) -> ServedModel | None:
        """The model that is in the folder now; None if it is the old one."""
        bundle = load_bundle(old.path)
        if bundle.checksum == old.checksum:
            return None
        return self._ready(old.name, old.path, bundle)

    def _ready(self, name: str, path: Path, bundle: Bundle) -> ServedModel:
        """The model, after its first answers: the engine has compiled and allocated then."""
        predictor = Predictor(bundle, self._engine, self._precision, bulk=True)
        for texts in (_WARM[:1], _WARM * predictor.engine.batch_size):
            predictor.predict(texts)
        self._names[predictor] = name
        return ServedModel(name=name, path=path, predictor=predictor)


def _fingerprint(path: Path) -> Fingerprint | None:
    """None while there is no model."""
    try:
        settings = find_bundle(path) / "config.json"
        status = settings.stat()
    except (SentirError, OSError):
        return None
    return str(settings), status.st_mtime_ns, status.st_size, status.st_ino
