"""``sentir doctor``."""

from __future__ import annotations

import importlib.metadata
import json

import pytest

from fixtures.command import sentir


def test_doctor(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = sentir("doctor", capfd=capfd)
    assert code == 0, err
    told = {line[:12].strip(): line[13:] for line in out.splitlines()}
    assert [*told] == ["versions", "processor", "device", "memory", "float32", "bfloat16",
                       "training", "torch engine", "onnx engine", "numba engine",
                       "int8"]  # fmt: skip
    assert importlib.metadata.version("torch") in told["versions"]
    assert "training goes to" in told["device"]
    assert told["training"] == "GRUs of up to 256 units learn by a kernel of our own"
    for name in ("torch", "onnx", "numba"):
        assert float(told[f"{name} engine"].split(" reviews/s")[0].replace(",", "")) > 1
    assert "taken for texts unless" in told["onnx engine"]
    assert "taken for files unless" in told["numba engine"]
    assert "taken" not in told["torch engine"]
    assert told["int8"] == "not for preset base, only for LSTMs"


def test_as_json(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentir.cli.examine.examine", lambda: iter([("device", "é [cpu]")]))
    code, out, _ = sentir("doctor", "--json", capfd=capfd)
    assert code == 0
    assert json.loads(out) == {"device": "é [cpu]"}


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    for module in ("cli.examine", "cli.examine_training"):
        monkeypatch.setattr(f"sentir.{module}.is_installed", lambda name: name not in packages)
    monkeypatch.setattr("sentir.inference.engines.numba_is_installed", lambda: False)


def test_doctor_without_numba(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    without(monkeypatch, "numba")
    code, out, _ = sentir("doctor", capfd=capfd)
    assert code == 0
    assert "numba engine not installed: pip install 'sentir[numba]'" in out
    assert "kernel of our own, once there: pip install 'sentir[numba]'" in out
    assert "taken for texts and files unless" in out


def test_doctor_without_any_extra(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    without(monkeypatch, "numba", "torch")
    code, out, _ = sentir("doctor", capfd=capfd)
    assert code == 0
    told = {line[:12].strip(): line[13:] for line in out.splitlines()}
    assert [*told] == ["versions", "training", "torch engine", "onnx engine", "numba engine",
                       "int8"]  # fmt: skip
    assert "torch" not in told["versions"]
    for name in ("training", "torch engine"):
        assert told[name] == "not installed: pip install 'sentir[train]'"
