"""Products of matrices in 8 bits, by ONNX Runtime; NumPy's take a hundred times as long.

Shapes: B texts, Q numbers per text, G sums.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from sentir.inference.onnx_builder import GraphBuilder
from sentir.inference.onnx_session import one_core_session

#: The largest weight in int8. With 127, processors without VNNI, which add two products in 16 bits,
#: would overflow (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
MAX_INT8_WEIGHT = 63


class Int8Product:
    """The exact product of rows in 8 bits and a matrix of weights, on the core of the caller.

    Args:
        weights_QG: at most `MAX_INT8_WEIGHT`, or less than minus that.
        zero_point: what is 0 in the rows.
    """

    def __init__(self, weights_QG: npt.NDArray[np.int8], zero_point: int) -> None:
        graph = GraphBuilder()
        weights, zero = graph.constant(weights_QG, np.int8), graph.constant(zero_point, np.uint8)
        graph("MatMulInteger", "rows", weights, zero, name="sums")
        model = graph.model(
            [helper.make_tensor_value_info("rows", TensorProto.UINT8, ["B", len(weights_QG)])],
            [helper.make_tensor_value_info("sums", TensorProto.INT32, ["B", weights_QG.shape[1]])],
        )
        self._session = one_core_session(model)

    def __call__(self, rows_BQ: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """The sums, (B, G)."""
        sums_BG: npt.NDArray[np.int32] = self._session.run(["sums"], {"rows": rows_BQ})[0]
        return sums_BG
