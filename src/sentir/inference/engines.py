"""Engines compute the network's probabilities; in float32 all agree within 1e-5.

Shapes: B batch, T time, C classes, O outputs (1 for two classes, else C).

| engine | precision | cells     | what computes                                                 |
|--------|-----------|-----------|---------------------------------------------------------------|
| torch  | float32   | all       | PyTorch, the network itself                                   |
| onnx   | float32   | all       | ONNX Runtime, on a CPU several times as fast as torch         |
| onnx   | int8      | LSTM      | its dynamic quantisation: answers depend on the batch         |
| numba  | float32   | not RNN   | our kernels: twice as fast as onnx or more, but 1 s to start  |
| numba  | int8      | LSTM      | our kernel: answers do not depend on the batch                |

numba needs the extra ``numba``, torch the extra ``train``. Only torch needs PyTorch; the others
compute from the bundle's arrays.

Probabilities in int8 differ from those in float32 by 0.001 on average, rarely by much more.
"""

from __future__ import annotations

from typing import Protocol

from sentir.bundle import Bundle
from sentir.data.batching import PaddedBatch
from sentir.errors import UsageError
from sentir.extras import require
from sentir.inference.cores import batch_workers
from sentir.inference.network import Floats, probabilities
from sentir.inference.onnx_graph import check_precision, fits_onnx, onnx_model
from sentir.inference.onnx_session import one_core_session
from sentir.nn.kernels.availability import NUMBA_CELLS, NUMBA_INT8_CELLS, numba_is_installed

ENGINES = ("auto", "torch", "onnx", "numba")
#: Above this hidden size the matrix products are large enough for ONNX Runtime to be as fast.
MAX_NUMBA_HIDDEN = 256


class Engine(Protocol):
    """Computes the probabilities of batches; several threads may call it at the same time.

    Attributes:
        name: torch, onnx or numba.
        precision: float32 or int8.
        batch_size: reviews per batch with which it is fastest.
        pads: whether a text costs as much as the longest text of its batch.
        workers: batches to compute at the same time, so that all cores are busy.
    """

    name: str
    precision: str
    batch_size: int
    pads: bool
    workers: int

    def probabilities(self, batch: PaddedBatch) -> Floats:
        """Probabilities of shape (B, C), rows summing to 1."""
        ...


class OnnxEngine:
    """ONNX Runtime: one core per batch, as many batches at the same time as there are cores.

    One step of the recurrence is too little work to be shared between cores. One batch per core is
    up to twice as fast as one batch on all cores, and small batches stay in the core's cache.
    """

    name, batch_size, pads = "onnx", 16, True

    def __init__(self, bundle: Bundle, precision: str) -> None:
        self.precision = precision
        self.workers = batch_workers()
        self._session = one_core_session(onnx_model(bundle, precision))

    def probabilities(self, batch: PaddedBatch) -> Floats:
        inputs = {"ids": batch.ids_BT, "lengths": batch.lengths_B}
        (logits_BO,) = self._session.run(["logits"], inputs)
        return probabilities(logits_BO)


def select_engine(
    bundle: Bundle, engine: str = "auto", precision: str = "float32", *, bulk: bool = False
) -> Engine:
    """The engine of that name and precision, made from the model.

    ``auto`` in float32 takes numba for bulk answers of an LSTM, a GRU or a QRNN that is not wide,
    where Numba is installed; else onnx; else torch, for a model that is too large for ONNX.
    ``auto`` in int8 takes numba for bulk answers of a wide LSTM, else onnx: that is several times
    as fast for few answers, and in narrow layers the steps of numba's int8 are too short to keep
    all cores busy.

    Args:
        bundle: the model.
        engine: one of `ENGINES`.
        precision: float32 or int8.
        bulk: whether thousands of answers are expected, so that starting may take a second.

    Raises:
        UsageError: unknown engine or precision, or the engine cannot compute this model.
        MissingExtraError: the engine is numba or torch, and its package is not installed.
    """
    if engine not in ENGINES:
        raise UsageError(f"no engine {engine!r}", todo=f"take one of {', '.join(ENGINES)}")
    check_precision(precision)
    if engine == "auto":
        engine = _fastest_engine(bundle, precision, bulk=bulk)
    if engine == "torch":
        if precision != "float32":
            raise UsageError(
                f"the engine torch has no precision {precision}",
                todo="take the engine onnx or numba, or float32",
            )
        require("the engine torch", "torch")
        # Imported here, as PyTorch takes a second to load, and need not be there.
        from sentir.inference.torch_engine import TorchEngine

        return TorchEngine(bundle)
    if engine == "onnx":
        return OnnxEngine(bundle, precision)
    require("the engine numba", "numba")
    # Imported here, as Numba takes a second to load.
    from sentir.inference.numba_engine import NumbaEngine, NumbaInt8Engine

    return NumbaInt8Engine(bundle) if precision == "int8" else NumbaEngine(bundle)


def _fastest_engine(bundle: Bundle, precision: str, *, bulk: bool) -> str:
    """What ``auto`` stands for; see `select_engine`."""
    model = bundle.config.model
    is_wide = model.hidden_size > MAX_NUMBA_HIDDEN
    if bulk and numba_is_installed():
        if precision == "int8" and is_wide and model.cell in NUMBA_INT8_CELLS:
            return "numba"
        if precision == "float32" and not is_wide and model.cell in NUMBA_CELLS:
            return "numba"
    return "onnx" if precision == "int8" or fits_onnx(bundle) else "torch"
