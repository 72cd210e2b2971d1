"""The engine numba computes what the network computes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from fixtures.networks import MAKES, by_name
from fixtures.toy_bundle import WORDS, toy
from sentir.bundle import Bundle
from sentir.data.batching import PaddedBatch, pad_arrays
from sentir.errors import UsageError
from sentir.inference import numba_engine
from sentir.inference.numba_engine import NumbaEngine, NumbaInt8Engine
from sentir.nn.kernels.availability import NUMBA_CELLS as CELLS
from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.primitives import compiled, tanh
from sentir.nn.restore import restore_classifier

# Both in float32; sums are taken in other orders, and tanh is an approximation.
TOLERANCE = 1e-5
# States and weights are rounded.
INT8_TOLERANCE = 0.02
MAKES = [
    *(make for make in MAKES if make["cell"] in CELLS),
    *({"cell": "lstm", "pooling": "attention", "bidirectional": both, "num_layers": layers,
       "embedding_skip": skip, "bigram_buckets": 50}
      for both in (False, True) for layers in (1, 3) for skip in (False, True)),
    {"cell": "lstm", "pooling": "attention", "bidirectional": True, "num_layers": 1,
     "embedding_skip": True, "ngram_buckets": 70},
    *({"cell": cell, "pooling": "max", "bidirectional": True, "num_layers": 2,
       "embedding_skip": True, "bigram_buckets": 50, "ngram_buckets": 70} for cell in CELLS),
]  # fmt: skip
# A text alone, of one token, in every order, and more than a text of one length.
BATCHES = ([1], [4], [1, 9, 4], [7, 1, 20, 7, 33, 7], [*range(1, 34)])


def batch(lengths: list[int]) -> PaddedBatch:
    random = np.random.default_rng(sum(lengths))
    return pad_arrays([random.integers(1, len(WORDS) + 2, length) for length in lengths], 40)


def agree(
    bundle: Bundle, kind: type[NumbaEngine] = NumbaEngine, tolerance: float = TOLERANCE
) -> None:
    engine = kind(bundle)
    for lengths in BATCHES:
        texts = batch(lengths)
        with torch.inference_mode():
            logits_BO = restore_classifier(bundle)(*map(torch.from_numpy, texts))
            expected_BC = restore_classifier(bundle).probabilities(logits_BO.double()).numpy()
        actual_BC = engine.probabilities(texts)
        np.testing.assert_allclose(actual_BC, expected_BC, rtol=0, atol=tolerance)
        np.testing.assert_allclose(actual_BC.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert expected_BC.std(axis=0).min() > 1e-3


def shrink(bundle: Bundle) -> None:
    """Scale the random weights of the layers down to the size of initial ones."""
    with torch.no_grad():
        for name, weight in bundle.weights.items():
            if name.startswith("layers."):
                weight /= bundle.config.model.hidden_size**0.5


@pytest.mark.parametrize("make", MAKES, ids=lambda make: f"{by_name(make)}-{len(make)}")
@pytest.mark.parametrize("classes", [2, 3])
def test_equal_to_the_network(make: dict[str, Any], classes: int) -> None:
    agree(toy(classes=classes, **make))


@pytest.mark.parametrize(
    "make",
    [make for make in MAKES if make["cell"] in NumbaInt8Engine.cells],
    ids=lambda make: f"{by_name(make)}-{len(make)}",
)
def test_near_to_the_network_in_int8(make: dict[str, Any]) -> None:
    bundle = toy(**make)
    shrink(bundle)  # no trained network makes so much of every rounding
    agree(bundle, NumbaInt8Engine, INT8_TOLERANCE)


@pytest.mark.parametrize("hidden", [1, TILE_UNITS, TILE_UNITS + 1, 2 * TILE_UNITS])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_equal_whether_or_not_the_units_fill_the_tiles(hidden: int, layers: int, cell: str) -> None:
    bundle = toy(hidden_size=hidden, num_layers=layers, cell=cell, pooling="attention")
    shrink(bundle)  # as many more of them add up, and none should be at its limit
    agree(bundle)


def test_equal_without_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = toy(pooling="attention", embedding_skip=True, ngram_buckets=70)
    with_table_BC = NumbaEngine(bundle).probabilities(batch([5, 9]))
    monkeypatch.setattr(numba_engine, "MAX_TABLE_BYTES", 0)
    engine = NumbaEngine(bundle)
    assert engine._table_VDG is None
    np.testing.assert_allclose(
        engine.probabilities(batch([5, 9])), with_table_BC, rtol=0, atol=TOLERANCE
    )
    agree(bundle)


@pytest.mark.parametrize("kind", [NumbaEngine, NumbaInt8Engine])
def test_padding_and_neighbours_change_nothing(kind: type[NumbaEngine]) -> None:
    engine = kind(toy(pooling="attention", num_layers=2, embedding_skip=True, ngram_buckets=70))
    together = batch([4, 1, 12])
    together_BC = engine.probabilities(together)
    for row, length in enumerate([4, 1, 12]):
        wide = pad_arrays([together.ids_BT[row, :length], np.full(40, 3)], 40)
        np.testing.assert_allclose(
            engine.probabilities(wide)[0], together_BC[row], rtol=0, atol=1e-6
        )


def test_tanh_is_as_exact_as_documented() -> None:
    x = np.concatenate([np.linspace(-12, 12, 5001), [-1e30, -1e-20, 0, 1e-20, 1e30]])
    x = x.astype(np.float32)
    actual = np.array([tanh(value) for value in x])
    np.testing.assert_allclose(actual, np.tanh(x.astype(np.float64)), rtol=0, atol=4e-7)
    assert tanh(np.float32(0)) == 0
    assert np.abs(actual).max() <= 1 + 4e-7


@pytest.mark.parametrize(
    ("kind", "cell"),
    [(kind, cell) for kind in (NumbaEngine, NumbaInt8Engine) for cell in kind.cells],
)
def test_saturated_gates_give_finite_probabilities(kind: type[NumbaEngine], cell: str) -> None:
    bundle = toy(cell=cell, pooling="attention")
    with torch.no_grad():
        for weight in [w for n, w in bundle.weights.items() if n.startswith("layers.")]:
            weight *= 1e6
    probabilities_BC = kind(bundle).probabilities(batch([33, 2]))
    assert np.isfinite(probabilities_BC).all()


@pytest.mark.parametrize(
    ("kind", "cells", "cell"),
    [(NumbaEngine, "lstm, gru or qrnn", "rnn"), (NumbaInt8Engine, "lstm", "gru")],
)
def test_other_cells_are_refused(kind: type[NumbaEngine], cells: str, cell: str) -> None:
    message = f"numba in {kind.precision} is for the cell {cells}, this model's is {cell}; take"
    with pytest.raises(UsageError, match=message):
        kind(toy(cell=cell))


def test_compiles_without_a_cache() -> None:
    """A function of no file stands for a file whose folder, and home, cannot be written to."""
    names: dict[str, Any] = {}
    exec(compile("def twice(x):\n    return 2 * x", "<nowhere>", "exec"), names)
    assert compiled(names["twice"])(21) == 42


def test_loading_the_kernel_gives_no_warning() -> None:
    program = (
        "import numpy as np\n"
        "from sentir.nn.kernels.primitives import tanh\n"
        "print(tanh(np.float32(0)))"
    )
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120
    )
    assert (process.stdout, process.stderr) == ("0.0\n", "")
