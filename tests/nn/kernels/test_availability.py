"""The kernel trains narrow GRUs on a CPU in float32, where Numba is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from sentir.nn.kernels import availability
from sentir.nn.kernels.availability import (
    MAX_HIDDEN,
    TILE_UNITS,
    can_train_with_numba,
    computes_with_numba,
)

X_TBE = torch.randn(3, 2, 5)


def test_a_narrow_gru_can_be_trained() -> None:
    assert can_train_with_numba(nn.GRU(5, TILE_UNITS), X_TBE)
    assert can_train_with_numba(nn.GRU(5, MAX_HIDDEN), X_TBE)


@pytest.mark.parametrize(
    "other",
    [nn.LSTM(5, TILE_UNITS), nn.GRU(5, TILE_UNITS + 1), nn.GRU(5, MAX_HIDDEN + TILE_UNITS)],
    ids=["cell", "tile", "wide"],
)
def test_other_layers_are_left_to_pytorch(other: nn.Module) -> None:
    assert not can_train_with_numba(other, X_TBE)


def test_other_numbers_and_answers_are_left_to_pytorch() -> None:
    for x_TBE in (X_TBE.double(), X_TBE.to("meta")):
        assert not can_train_with_numba(nn.GRU(5, TILE_UNITS), x_TBE)
        assert not computes_with_numba(x_TBE)
    assert computes_with_numba(X_TBE)
    with torch.no_grad():
        assert not can_train_with_numba(nn.GRU(5, TILE_UNITS), X_TBE)


def test_without_numba_all_is_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "numba_is_installed", lambda: False)
    assert not can_train_with_numba(nn.GRU(5, TILE_UNITS), X_TBE)
    assert not computes_with_numba(X_TBE)


def test_numba_is_not_loaded_to_find_out() -> None:
    script = (
        "import sys; from sentir.nn.kernels.availability import numba_is_installed; "
        "assert numba_is_installed(); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
