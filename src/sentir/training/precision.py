"""Mixed precision: recurrent layers compute in bfloat16 where the hardware is fast at it.

bfloat16 has float32's range and 8 bits of precision. Weights, optimiser and all other layers stay
in float32, so no loss scaling is needed (Kalamkar et al. 2019).
"""

from __future__ import annotations

import torch

from sentir.config import ModelConfig

#: Below this hidden size a step on a CPU is overhead rather than arithmetic.
MIN_HIDDEN_SIZE = 128


def choose_precision(setting: str, config: ModelConfig, device: torch.device) -> torch.dtype | None:
    """The format to train the recurrent layers in; None is float32.

    Args:
        setting: ``auto``, ``float32`` or ``bfloat16``.
        config: the network; on a CPU only the LSTM has fast bfloat16 code, and only a wide one
            gains from it.
        device: where it is trained.
    """
    if setting == "bfloat16":
        return torch.bfloat16
    if setting == "float32":
        return None
    wide = config.cell == "lstm" and config.hidden_size >= MIN_HIDDEN_SIZE
    return torch.bfloat16 if has_fast_bfloat16(device) and (wide or device.type != "cpu") else None


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def format_name(precision: torch.dtype | None) -> str:
    """What `TrainConfig.precision` calls the format."""
    return "float32" if precision is None else str(precision).removeprefix("torch.")
