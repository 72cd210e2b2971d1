"""Every engine answers as the network does, alone or among others, from several threads."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fixtures.toy_bundle import random_texts, toy
from sentir.data.batching import pad_arrays
from sentir.errors import MissingExtraError, UsageError
from sentir.inference import engines as engine_module
from sentir.inference import onnx_graph
from sentir.inference.engines import OnnxEngine, select_engine
from sentir.inference.numba_engine import NumbaEngine, NumbaInt8Engine
from sentir.inference.predictor import Predictor
from sentir.inference.torch_engine import TorchEngine

# In float32 sums are taken in another order. In int8 weights of 5 units are rounded.
TOLERANCE = {
    ("torch", "float32"): 1e-6,
    ("onnx", "float32"): 1e-6,
    ("numba", "float32"): 1e-6,
    ("onnx", "int8"): 0.05,
    ("numba", "int8"): 0.05,
}


@pytest.mark.parametrize(("name", "precision"), TOLERANCE)
@pytest.mark.parametrize("classes", [2, 3])
def test_answers_are_the_networks_alone_or_together(
    name: str, precision: str, classes: int
) -> None:
    bundle = toy(classes=classes, pooling="attention", bigram_buckets=50, embedding_skip=True)
    texts = random_texts(150)
    expected_NC = Predictor(bundle, "torch").predict_proba(texts)
    predictor = Predictor(bundle, name, precision)
    assert (predictor.engine.name, predictor.engine.precision) == (name, precision)
    tolerance = TOLERANCE[name, precision]
    actual_NC = predictor.predict_proba(texts)
    np.testing.assert_allclose(actual_NC, expected_NC, rtol=0, atol=tolerance)
    np.testing.assert_allclose(actual_NC.sum(axis=1), 1, rtol=0, atol=1e-12)
    alone = [predictor.predict_one(text).probability for text in texts]
    np.testing.assert_allclose(alone, actual_NC.max(axis=1), rtol=0, atol=tolerance)
    assert expected_NC.std(axis=0).min() > 0.01


@pytest.mark.parametrize("name", ["onnx", "numba"])
def test_several_threads_use_one_engine(name: str) -> None:
    engine = select_engine(toy(), name)
    random = np.random.default_rng(0)
    batches = [pad_arrays([random.integers(2, 15, 1 + row % 40)], 40) for row in range(200)]
    one_by_one = [engine.probabilities(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        assert np.array_equal(one_by_one, list(pool.map(engine.probabilities, batches)))


def test_auto_is_onnx_where_it_can_be_and_never_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    for cell in ("lstm", "gru", "rnn", "qrnn"):
        engine = select_engine(toy(cell=cell))
        assert isinstance(engine, OnnxEngine)
        assert (engine.name, engine.precision) == ("onnx", "float32")
    monkeypatch.setattr(onnx_graph, "MAX_BYTES", 1000)
    assert isinstance(select_engine(toy()), TorchEngine)
    with pytest.raises(UsageError, match="more than the 1,000 bytes"):
        select_engine(toy(), "onnx")


def test_auto_is_numba_for_many_answers_of_a_gated_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    for cell, name in {"lstm": "numba", "gru": "numba", "qrnn": "numba", "rnn": "onnx"}.items():
        assert select_engine(toy(cell=cell), bulk=True).name == name
    assert Predictor(toy(), bulk=True).engine.name == "numba"
    wide = toy(hidden_size=engine_module.MAX_NUMBA_HIDDEN + 1)
    assert select_engine(wide, bulk=True).name == "onnx"
    monkeypatch.setattr(engine_module, "numba_is_installed", lambda: False)
    assert select_engine(toy(), bulk=True).name == "onnx"
    monkeypatch.setattr("sentir.extras.is_installed", lambda package: package != "numba")
    for precision in ("float32", "int8"):
        with pytest.raises(
            MissingExtraError, match=r"engine numba needs .* numba.*'sentir\[numba\]'"
        ):
            select_engine(toy(), "numba", precision)


def test_numba_is_loaded_for_many_answers_only() -> None:
    program = (
        f"import {engine_module.__name__}, sys; assert 'numba' not in sys.modules;"
        "from sentir.inference.engines import numba_is_installed; assert numba_is_installed();"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_auto_in_int8_is_numba_for_many_answers_of_a_wide_lstm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = toy(hidden_size=engine_module.MAX_NUMBA_HIDDEN + 1)
    auto = "auto", "int8"
    assert isinstance(select_engine(wide, *auto, bulk=True), NumbaInt8Engine)
    assert isinstance(select_engine(wide, *auto), OnnxEngine)
    assert isinstance(select_engine(toy(), *auto, bulk=True), OnnxEngine)
    monkeypatch.setattr(engine_module, "numba_is_installed", lambda: False)
    engine = select_engine(wide, *auto, bulk=True)
    assert isinstance(engine, OnnxEngine)
    assert engine.precision == "int8"


@pytest.mark.parametrize("bulk", [False, True])
def test_a_named_engine_is_taken_whatever_the_number_of_answers(bulk: bool) -> None:
    wide = toy(hidden_size=engine_module.MAX_NUMBA_HIDDEN + 1)
    for bundle in (toy(), wide):
        assert type(select_engine(bundle, "numba", bulk=bulk)) is NumbaEngine
        assert type(select_engine(bundle, "numba", "int8", bulk=bulk)) is NumbaInt8Engine
        assert isinstance(select_engine(bundle, "onnx", "int8", bulk=bulk), OnnxEngine)


def test_what_no_engine_can_compute_is_refused() -> None:
    with pytest.raises(UsageError, match="no engine 'tensorrt'; take one of auto, torch, onnx"):
        select_engine(toy(), "tensorrt")
    with pytest.raises(UsageError, match="no precision 'int4'; take float32 or int8"):
        select_engine(toy(), precision="int4")
    with pytest.raises(UsageError, match="the engine torch has no precision int8; take"):
        select_engine(toy(), "torch", "int8")
    for engine in ("auto", "onnx"):
        with pytest.raises(UsageError, match="int8 is for the cell lstm, this model's is rnn"):
            select_engine(toy(cell="rnn"), engine, "int8")
    with pytest.raises(UsageError, match="int8 is for the cell lstm, this model's is gru"):
        select_engine(toy(cell="gru"), "numba", "int8")


def test_extreme_logits_keep_their_probabilities() -> None:
    """In float64 a probability next to 1 is not yet 1, with any engine."""
    bundle = toy()
    bundle.weights["head.weight"][:] = 0
    bundle.weights["head.bias"][:] = 30.0
    for name in ("torch", "onnx", "numba"):
        probabilities_BC = select_engine(bundle, name).probabilities(pad_arrays([[2, 3]], 40))
        assert 0 < probabilities_BC[0, 0] == pytest.approx(np.exp(-30), rel=1e-5)
