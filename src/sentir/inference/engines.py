"""Engines: who computes the network's answers.

Shapes: B batch, T time, C classes, O outputs (1 for two classes, else C).

``torch`` is the network itself. ``onnx`` is the same in float32 by ONNX Runtime, which is several
times faster on a CPU. ``fused`` is the LSTM or the GRU in float32 by a kernel of our own, up to
twice as fast as that; it needs the extra ``fused`` and a second to start. ``int8`` is the LSTM in 8
bits, by a kernel of our own for many answers of a wide one where the extra is installed, else by
ONNX Runtime; its answers are a thousandth off on average, rarely much more, and ONNX Runtime's
depend on which reviews share a batch, so it is never taken unasked.
"""

from __future__ import annotations

import os
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import Bundle
from sentir.data.batching import Batch
from sentir.errors import MissingExtraError, UsageError
from sentir.inference.onnx_graph import fits_onnx, onnx_model
from sentir.nn.kernels.availability import numba_is_installed
from sentir.nn.restore import restore_classifier

# Newer versions send usage data unless told not to before they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

#: Cells that a kernel of our own computes, in float32 and in 8 bits.
FUSED_CELLS, INT8_CELLS = ("lstm", "gru"), ("lstm",)
#: Units of a layer beyond which a product is large enough for ONNX Runtime to be as fast.
MAX_NUMBA_HIDDEN = 256
ENGINES = ("auto", "torch", "onnx", "fused", "int8")

Floats = npt.NDArray[np.float64]


class Engine(Protocol):
    """Answers to batches of ids; may be asked by several threads at a time.

    Attributes:
        name: torch, onnx, fused or int8.
        batch: reviews in a batch, where there are many: what it is fastest with.
        workers: batches at a time that keep all cores busy.
    """

    name: str
    batch: int
    workers: int

    def probabilities(self, batch: Batch) -> Floats:
        """Probabilities of shape (B, C), rows summing to 1."""
        ...


class TorchEngine:
    """The network itself, which spreads each batch over the cores."""

    name, batch, workers = "torch", 64, 1

    def __init__(self, bundle: Bundle) -> None:
        self.model = restore_classifier(bundle)

    def probabilities(self, batch: Batch) -> Floats:
        with torch.inference_mode():
            logits_BO = self.model(batch.ids_BT, batch.lengths_B).double()
            found_BC: Floats = self.model.probabilities(logits_BO).numpy()
        return found_BC


class OnnxEngine:
    """ONNX Runtime, one core a batch and as many batches at a time as there are cores.

    A step of the recurrence is too little work to be shared out, so a batch of its own for each
    core is up to twice as fast as all cores on one, and small batches stay in the core's cache.
    """

    batch = 16

    def __init__(self, bundle: Bundle, precision: str) -> None:
        self.name = "int8" if precision == "int8" else "onnx"
        self.workers = torch.get_num_threads()
        self._network = restore_classifier(bundle)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            onnx_model(bundle, precision).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )

    def probabilities(self, batch: Batch) -> Floats:
        given = {"ids": batch.ids_BT.numpy(), "lengths": batch.lengths_B.numpy()}
        (logits_BO,) = self._session.run(["logits"], given)
        # As everywhere in float64, so that a row sums to 1 and no probability is rounded to it.
        found_BC: Floats = self._network.probabilities(torch.from_numpy(logits_BO).double()).numpy()
        return found_BC


def select_engine(bundle: Bundle, name: str = "auto", *, bulk: bool = False) -> Engine:
    """The engine of that name.

    ``auto`` is onnx; or fused, where it is installed, for many answers of an LSTM or a GRU that is
    not wide; or torch for a model that is too large for ONNX. ``int8`` is ONNX Runtime's for a few
    answers, where it is several times as fast, and for narrow layers, whose steps are so short that
    what Python does between them would keep the cores waiting for each other.

    Args:
        bundle: the model.
        name: one of `ENGINES`.
        many: whether thousands of answers will be asked for, so that starting may take a second.

    Raises:
        UsageError: there is no such engine, or it cannot compute this model.
        MissingExtraError: fused is asked for, and Numba is not installed.
    """
    if name not in ENGINES:
        raise UsageError(f"no engine {name!r}", todo=f"take one of {', '.join(ENGINES)}")
    model = bundle.config.model
    wide, kernels = model.hidden_size > MAX_NUMBA_HIDDEN, bulk and numba_is_installed()
    if name == "auto":
        if kernels and not wide and model.cell in FUSED_CELLS:
            name = "fused"
        else:
            name = "onnx" if fits_onnx(bundle) else "torch"
    if name == "torch":
        return TorchEngine(bundle)
    if name == "fused":
        if not numba_is_installed():
            raise MissingExtraError("numba", "fused", "the engine fused")
        # Only here, as Numba takes a second to load.
        from sentir.inference.numba_engine import NumbaEngine

        return NumbaEngine(bundle)
    if name == "onnx":
        return OnnxEngine(bundle, "float32")
    if kernels and wide and model.cell in INT8_CELLS:
        from sentir.inference.numba_engine import QuantizedEngine

        return QuantizedEngine(bundle)
    return OnnxEngine(bundle, "int8")
