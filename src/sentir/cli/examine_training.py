"""What this machine can train with: devices, number formats and their speed; needs PyTorch."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterator

import torch

from sentir.cli.timing import fastest
from sentir.config import Config
from sentir.errors import install_command
from sentir.extras import is_installed
from sentir.nn.kernels.availability import MAX_HIDDEN
from sentir.training.device import choose_device
from sentir.training.malloc import can_tune_malloc
from sentir.training.precision import MIN_HIDDEN_SIZE, has_fast_bfloat16

#: Rows, inner and columns of the matrix product that is timed: a step of a wide LSTM.
PRODUCT = (512, 512, 2048)


def examine_training() -> Iterator[tuple[str, str]]:
    """What was found, as names and sentences, each as soon as it is known."""
    yield "processor", _processor()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        device = choose_device("auto", Config().model)
    yield (
        "device",
        f"training goes to {device}" + "".join(f"; {warning.message}" for warning in caught),
    )
    yield (
        "memory",
        f"{'kept' if can_tune_malloc() else 'not kept'} from one training step to the next",
    )
    yield from _formats(device)
    if device.type == "cpu":
        kernel = f"GRUs of up to {MAX_HIDDEN} units learn by a kernel of our own"
        missing = "" if is_installed("numba") else f", once there: {install_command('numba')}"
        yield "training", kernel + missing


def _processor() -> str:
    able = torch.cpu.get_capabilities()
    known = {
        "avx2": "AVX2", "avx512_f": "AVX-512", "avx512_bf16": "AVX-512 bf16",
        "avx512_vnni": "AVX-512 VNNI", "amx_bf16": "AMX bf16", "amx_int8": "AMX int8",
        "neon": "NEON", "bf16": "bf16", "i8mm": "int8 matrices", "sve": "SVE",
    }  # fmt: skip
    features = ", ".join(name for key, name in known.items() if able.get(key)) or "nothing special"
    name = able.get("cpu_name") or platform.machine()
    return f"{name}, {torch.get_num_threads()} threads; {features}"


def _formats(device: torch.device) -> Iterator[tuple[str, str]]:
    rows, inner, columns = PRODUCT
    operations = 2 * rows * inner * columns
    plain = _gflops(device, torch.float32, operations)
    yield "float32", f"{plain:,.0f} GFLOP/s in a product of matrices"
    if not has_fast_bfloat16(device):
        yield "bfloat16", "not used: there is no hardware for it"
        return
    rough = _gflops(device, torch.bfloat16, operations)
    wide = (
        f"LSTMs of {MIN_HIDDEN_SIZE} units and more" if device.type == "cpu" else "recurrent layers"
    )
    chosen = f"{wide} are trained in it"
    yield "bfloat16", f"{rough:,.0f} GFLOP/s, {rough / plain:.1f} x float32; {chosen}"


def _gflops(device: torch.device, format: torch.dtype, operations: int) -> float:
    rows, inner, columns = PRODUCT
    left = torch.randn(rows, inner, device=device).to(format)
    right = torch.randn(inner, columns, device=device).to(format)

    def multiply() -> None:
        (left @ right)[0, 0].item()  # waits for a GPU to finish

    return operations / fastest(multiply) / 1e9
