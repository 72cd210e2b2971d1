"""What ``sentir doctor`` finds; how it is shown is in test_doctor.py."""

from __future__ import annotations

import importlib.metadata
import warnings

import pytest
import torch

from sentir.cli import examine_training
from sentir.cli.examine import examine
from sentir.errors import SentirWarning


def test_a_device_that_computes_wrongly_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(setting: str, config: object) -> torch.device:
        warnings.warn("mps computes this network wrongly", SentirWarning, stacklevel=2)
        return torch.device("cpu")

    monkeypatch.setattr(examine_training, "choose_device", choose)
    found = {}
    for name, text in examine():
        found[name] = text
        if name == "device":
            break
    assert found["device"] == "training goes to cpu; mps computes this network wrongly"
    assert f"torch {importlib.metadata.version('torch')}" in found["versions"]
