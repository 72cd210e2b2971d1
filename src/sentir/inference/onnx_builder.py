"""Builds an ONNX graph node by node, in the operators of https://onnx.ai/onnx/operators/.

Every function that adds nodes returns the name of its output, which is the input of the next.
Shapes: T time, B batch, E any number of features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from sentir.text.tokenizer import PAD
from sentir.version import __version__

#: Versions of ONNX that the runtimes of the last years read.
OPSET, IR_VERSION = 17, 8
#: The domain of ONNX Runtime's own operators.
MICROSOFT = "com.microsoft"


class GraphBuilder:
    """Nodes and constants, each output with a name of its own.

    Args:
        table_dtype: in which tables are stored, float32 or float16; their rows are float32.
    """

    def __init__(self, table_dtype: npt.DTypeLike = np.float32) -> None:
        self._table_dtype = np.dtype(table_dtype)
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def __call__(
        self, operator: str, *inputs: str, name: str = "", outputs: int = 1, **attributes: Any
    ) -> str:
        """Add a node.

        Args:
            operator: such as ``Add``.
            inputs: names of outputs, constants or inputs of the graph.
            name: of the first output; unset: a new one.
            outputs: how many outputs there are.
            attributes: of the operator.

        Returns:
            The name of the first output; those of the others are this with ``.1``, ``.2``, ...
        """
        first = name or f"{operator}{len(self.nodes)}"
        names = [first, *(f"{first}.{index}" for index in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return first

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Add a constant."""
        name = f"weight{len(self.constants)}"
        array = np.asarray(value, dtype=dtype, order="C")  # a number stays a scalar
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def model(
        self, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
    ) -> ModelProto:
        """The graph as a whole model."""
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain == MICROSOFT for node in self.nodes):
            opsets.append(helper.make_opsetid(MICROSOFT, 1))
        return helper.make_model(
            helper.make_graph(self.nodes, "sentir", inputs, outputs, self.constants),
            producer_name="sentir",
            producer_version=__version__,
            ir_version=IR_VERSION,
            opset_imports=opsets,
        )

    def integers(self, *values: int) -> str:
        """Add a list of integers, such as axes."""
        return self.constant(values, np.int64)

    def table(self, value: npt.ArrayLike) -> str:
        """Add a constant of which only `rows` are used."""
        return self.constant(value, self._table_dtype)

    def rows(self, table: str, rows_TB: str) -> str:
        """The rows of a table, (T, B, E)."""
        rows_TBE = self("Gather", table, rows_TB)
        is_wide = self._table_dtype == np.float32
        return rows_TBE if is_wide else self("Cast", rows_TBE, to=TensorProto.FLOAT)

    def sum_over_time(self, x_TBE: str) -> str:
        """The sum over all tokens, (B, E)."""
        return self("ReduceSum", x_TBE, self.integers(0), keepdims=0)

    def shift(self, x_TB: str, fill: int = PAD) -> str:
        """Each text's numbers moved on by one token, (T, B), the first one being `fill`."""
        return self("Pad", x_TB, self.integers(1, 0, -1, 0), self.constant(fill, np.int64))
