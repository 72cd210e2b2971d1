"""A session computes in the caller's thread, and sends nothing anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from sentir.inference import onnx_session
from sentir.inference.onnx_builder import GraphBuilder
from sentir.inference.onnx_session import one_core_session


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux does")
def test_a_session_starts_no_thread() -> None:
    graph = GraphBuilder()
    graph("MatMul", "x", graph.constant(np.ones((300, 300))), name="y")
    value = onnx.helper.make_tensor_value_info
    model = graph.model(
        [value("x", onnx.TensorProto.FLOAT, ["B", 300])],
        [value("y", onnx.TensorProto.FLOAT, ["B", 300])],
    )
    before = threads()
    session = one_core_session(model)
    (y,) = session.run(["y"], {"x": np.ones((500, 300), np.float32)})
    assert (y == 300).all()
    assert threads() <= before


def threads() -> int:
    """The threads of this process, those of libraries among them."""
    return len(list(Path("/proc/self/task").iterdir()))


def test_no_usage_data_is_sent() -> None:
    program = (
        "import os, sys; os.environ.pop('ORT_DISABLE_TELEMETRY', None);"
        f"import {onnx_session.__name__};"
        "assert 'onnxruntime' in sys.modules; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert process.stdout == "1\n", process.stderr
