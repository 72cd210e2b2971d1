"""Nodes and constants get names of their own, and compute what their names say."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime

from sentir.inference.onnx_builder import IR_VERSION, MICROSOFT, OPSET, GraphBuilder


def run(graph: GraphBuilder, output: str, x: np.ndarray) -> np.ndarray:
    """The output of a graph with one input, ``x``."""
    dtype = onnx.helper.np_dtype_to_tensor_dtype(x.dtype)
    graph("Identity", output, name="output")
    model = graph.model(
        [onnx.helper.make_tensor_value_info("x", dtype, x.shape)],
        [onnx.helper.make_tensor_value_info("output", dtype, None)],
    )
    result: np.ndarray = onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, {"x": x}
    )[0]
    return result


def test_every_output_has_its_own_name() -> None:
    graph = GraphBuilder()
    names = [graph("Neg", "x"), graph("Neg", "x"), graph.constant(1.0), graph.integers(1, 2)]
    assert len(set(names)) == 4
    assert graph("Neg", "x", name="logits") == "logits"
    first = graph("TopK", "x", names[3], outputs=2)
    assert graph.nodes[-1].output == [first, f"{first}.1"]


def test_constants_have_their_type() -> None:
    graph = GraphBuilder()
    names = [graph.constant([1.5]), graph.constant(3, np.int64), graph.constant(np.ones((2, 3)))]
    arrays = [onnx.numpy_helper.to_array(constant) for constant in graph.constants]
    assert [constant.name for constant in graph.constants] == names
    assert [array.dtype for array in arrays] == [np.float32, np.int64, np.float32]
    assert [array.shape for array in arrays] == [(1,), (), (2, 3)]


def test_a_transposed_weight_is_written_in_its_order() -> None:
    graph = GraphBuilder()
    graph.constant(np.arange(6.0).reshape(2, 3).T)
    assert onnx.numpy_helper.to_array(graph.constants[0]).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_the_sum_over_time() -> None:
    graph = GraphBuilder()
    x_TBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert np.array_equal(run(graph, graph.sum_over_time("x"), x_TBE), x_TBE.sum(axis=0))


def test_shifted_numbers_begin_with_the_fill() -> None:
    x_TB = np.array([[5, 6], [7, 8], [9, 10]])
    for fill in (0, -1):
        graph = GraphBuilder()
        shifted_TB = run(graph, graph.shift("x", fill), x_TB)
        assert shifted_TB.tolist() == [[fill, fill], [5, 6], [7, 8]]


def test_a_model_asks_for_the_operators_that_it_uses() -> None:
    graph = GraphBuilder()
    graph("Neg", "x")
    model = graph.model([], [])
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": OPSET}
    assert model.ir_version == IR_VERSION
    graph("Gelu", "x", domain=MICROSOFT)
    assert {opset.domain for opset in graph.model([], []).opset_import} == {"", MICROSOFT}
