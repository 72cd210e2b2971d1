"""The device to train on, and a self-check that it computes what the CPU does.

Some devices have computed recurrent networks silently wrong (PyTorch issues 190056, 180744 and
173640 on Apple's mps). So before training on another device a small network of its kind runs on
both; outputs, gradients and the independence of a review from its batch are compared.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace

import torch

from sentir.config import ModelConfig
from sentir.data.batching import Batch, pad
from sentir.errors import DeviceError, SentirWarning
from sentir.nn.classifier import SentimentClassifier
from sentir.training.process_group import ProcessGroup

#: Largest relative difference that is rounding: TF32 has 10 bits of mantissa.
TOLERANCE = 5e-3
_VOCABULARY = 50


def check_device(setting: str) -> list[str]:
    """The devices that a setting allows, the fastest first; they are not tried.

    Args:
        setting: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        DeviceError: the requested device is absent.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    have = [name for name, there in present.items() if there]
    if setting == "auto":
        return have
    if setting not in have:
        raise DeviceError(
            f"no {setting} device here", where="--device", todo=f"take {', '.join(have)}"
        )
    return [setting]


def choose_device(setting: str, config: ModelConfig) -> torch.device:
    """The device to train on.

    Args:
        setting: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        config: the network it will compute.

    Raises:
        DeviceError: the requested device is absent, or its results differ from the CPU's.
    """
    for name in check_device(setting):
        if name == "cpu":
            break
        device = torch.device(name)
        failures = self_check(config, lambda model, device=device: model.to(device))  # type: ignore[misc]
        if not failures:
            return device
        message = f"{name} computes this network wrongly ({'; '.join(failures)})"
        if setting != "auto":
            raise DeviceError(message, where="--device", todo="take --device cpu")
        warnings.warn(f"{message}; training on the CPU", SentirWarning, stacklevel=2)
        break
    return torch.device("cpu")


def choose_shared_device(
    processes: ProcessGroup, setting: str, config: ModelConfig
) -> torch.device:
    """The device of this process; those of all processes are of one kind.

    Raises:
        DeviceError: as `choose_device`; it is another kind than rank 0's, or cannot be shared.
    """
    device = processes.together(lambda: choose_device(setting, config))
    kind = processes.lead(lambda: device.type)
    processes.together(lambda: _check_shared(processes, device, kind))
    return device


def _check_shared(processes: ProcessGroup, device: torch.device, kind: str) -> None:
    if device.type != kind:
        raise DeviceError(
            f"{device.type}, and rank 0 trains on {kind}",
            where=f"device of rank {processes.rank}",
            todo="take --device cpu, or hosts of one kind",
        )
    if processes.size > 1 and device.type == "mps":
        raise DeviceError("several processes cannot train on mps", todo="take --device cpu")
    gpus = torch.cuda.device_count()
    if (
        processes.size > 1
        and device.type == "cuda"
        and int(os.environ.get("LOCAL_RANK", 0)) >= gpus
    ):
        raise DeviceError(
            f"more processes on this host than its {gpus} GPUs",
            where="torchrun",
            todo=f"take --nproc-per-node {gpus}, or --device cpu",
        )


def self_check(
    config: ModelConfig, place: Callable[[SentimentClassifier], SentimentClassifier]
) -> list[str]:
    """What a device computes differently from the CPU, in words; empty if nothing.

    Args:
        config: the network; a small one of the same kind is tested.
        place: moves a model to the device.
    """
    small = replace(
        config,
        embedding_dim=min(config.embedding_dim, 24),
        hidden_size=min(config.hidden_size, 24),
        bigram_buckets=min(config.bigram_buckets, 50),
        bigram_dropout=0.0,
        embedding_dropout=0.0,
        dropout=0.0,
        head_dropout=0.0,
        embedding_skip_dropout=0.0,
        ngram_buckets=0,
        embedding_init="random",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        here = SentimentClassifier(small, vocabulary=_VOCABULARY, classes=2)
        there = SentimentClassifier(small, vocabulary=_VOCABULARY, classes=2)
        ids = torch.randint(2, _VOCABULARY, (6, 40)).tolist()
    there.load_state_dict(here.state_dict())
    there = place(there)

    batch = pad([row[: 40 - 6 * number] for number, row in enumerate(ids)], 40)
    failures = []
    if _differ(_outputs(there.train(), batch), _outputs(here.train(), batch)):
        failures.append("outputs differ from the CPU's")
    if any(
        _differ(ours, cpu) for ours, cpu in zip(_gradients(there), _gradients(here), strict=True)
    ):
        failures.append("gradients differ from the CPU's")
    # With dropout as in training, which evaluation mode must ignore.
    there.dropout.p = there.head_dropout.p = 0.5
    there.eval()
    alone = [_outputs(there, pad([row[: 40 - 6 * number]], 40)) for number, row in enumerate(ids)]
    if _differ(_outputs(there, batch), torch.cat(alone)):
        failures.append("outputs depend on the batch")
    return failures


def _outputs(model: SentimentClassifier, batch: Batch) -> torch.Tensor:
    on_device = batch.to(next(model.parameters()).device)
    logits: torch.Tensor = model(on_device.ids_BT, on_device.lengths_B)
    if model.training:
        model.zero_grad()
        labels_B = torch.arange(len(logits), device=logits.device) % 2
        model.loss(logits, labels_B).backward()  # type: ignore[no-untyped-call]
    return logits.detach().cpu()


def _gradients(model: SentimentClassifier) -> list[torch.Tensor]:
    return [weight.grad.cpu() for weight in model.parameters() if weight.grad is not None]


def _differ(ours: torch.Tensor, cpu: torch.Tensor) -> bool:
    scale = float(cpu.abs().max().clamp(min=1e-6))
    return not bool(((ours - cpu).abs() <= TOLERANCE * scale + 1e-6).all())
