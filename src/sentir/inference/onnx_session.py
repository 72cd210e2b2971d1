"""ONNX Runtime on one core."""

from __future__ import annotations

import os
from typing import Any

from onnx import ModelProto

# Newer versions send usage data unless this is set before the import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime


def one_core_session(model: ModelProto) -> Any:
    """A session that computes in the thread that calls it; several threads may at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
