from __future__ import annotations

import re
from itertools import product

import pytest
import torch
from torch import Tensor

from sentir.config import ModelConfig
from sentir.errors import DeviceError, SentirWarning
from sentir.nn.classifier import SentimentClassifier
from sentir.training import device as device_module
from sentir.training.device import _check_shared, choose_device, self_check
from sentir.training.process_group import ProcessGroup

CONFIG = ModelConfig(embedding_dim=100, hidden_size=100, num_layers=2, head_dropout=0.5)
ANSWERS = "outputs differ from the CPU's"
GRADIENTS = "gradients differ from the CPU's"
BATCH = "outputs depend on the batch"


@pytest.mark.parametrize(
    ("cell", "pooling"),
    list(product(("lstm", "gru", "rnn", "qrnn"), ("last", "max", "mean", "attention"))),
)
def test_an_honest_device_has_no_faults(cell: str, pooling: str) -> None:
    config = ModelConfig(cell=cell, pooling=pooling, num_layers=2)  # type: ignore[arg-type]
    assert self_check(config, lambda model: model) == []


def test_the_check_leaves_no_trace() -> None:
    before = torch.get_rng_state()
    self_check(CONFIG, lambda model: model)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_network_checked_is_of_the_same_make_but_small() -> None:
    seen: list[SentimentClassifier] = []

    def place(model: SentimentClassifier) -> SentimentClassifier:
        seen.append(model)
        return model

    self_check(CONFIG, place)
    assert len(seen[0].layers) == 2
    assert seen[0].layers[1].backward_rnn is not None
    assert sum(weight.numel() for weight in seen[0].parameters()) < 50_000


def test_other_answers_are_found() -> None:
    def place(model: SentimentClassifier) -> SentimentClassifier:
        model.layers[0].register_forward_hook(lambda module, given, states: states * 1.1)
        return model

    assert ANSWERS in self_check(CONFIG, place)


def test_other_gradients_are_found() -> None:
    def place(model: SentimentClassifier) -> SentimentClassifier:
        model.layers[0].forward_rnn.weight_hh_l0.register_hook(lambda slope: slope * 1.02)
        return model

    assert self_check(CONFIG, place) == [GRADIENTS]


def test_answers_that_feel_their_batch_are_found() -> None:
    def place(model: SentimentClassifier) -> SentimentClassifier:
        def centred(module: object, given: tuple[Tensor, ...]) -> Tensor | None:
            features_BF = given[0]  # batch statistics, where none should be
            return None if model.training else features_BF - features_BF.mean(dim=0)

        model.head.register_forward_pre_hook(centred)
        return model

    assert self_check(CONFIG, place) == [BATCH]


def test_dropout_that_does_not_end_with_training_is_found() -> None:
    def place(model: SentimentClassifier) -> SentimentClassifier:
        model.dropout.eval = model.dropout.train  # type: ignore[method-assign,assignment]
        model.dropout.train = lambda mode=True: model.dropout  # type: ignore[method-assign]
        return model

    assert self_check(CONFIG, place) == [BATCH]


def test_answers_that_are_not_numbers_are_found() -> None:
    def place(model: SentimentClassifier) -> SentimentClassifier:
        model.head.register_forward_hook(lambda module, given, logits: logits * torch.nan)
        return model

    assert self_check(CONFIG, place) == [ANSWERS, GRADIENTS, BATCH]


class Machine:
    """What the tests pretend about this machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.present: set[str] = set()
        self.failures: list[str] = []
        self.checked = False
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in self.present)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in self.present)
        monkeypatch.setattr(device_module, "self_check", self.check)

    def check(self, config: ModelConfig, place: object) -> list[str]:
        self.checked = True
        return self.failures

    def choose(self, setting: str) -> str:
        return choose_device(setting, CONFIG).type


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_auto_takes_the_first_device_that_computes_rightly(machine: Machine) -> None:
    assert machine.choose("auto") == "cpu"
    machine.present = {"mps"}
    assert machine.choose("auto") == "mps"
    machine.present = {"cuda", "mps"}
    assert machine.choose("auto") == "cuda"


def test_the_cpu_is_taken_without_a_check(machine: Machine) -> None:
    machine.present = {"cuda"}
    assert machine.choose("cpu") == "cpu"
    assert not machine.checked


@pytest.mark.parametrize("setting", ["cuda", "mps"])
def test_an_absent_device_is_refused(machine: Machine, setting: str) -> None:
    with pytest.raises(DeviceError, match=f"--device: no {setting} device here; take cpu"):
        machine.choose(setting)


def test_auto_passes_over_a_device_that_computes_wrongly(machine: Machine) -> None:
    machine.present = {"cuda", "mps"}
    machine.failures = [ANSWERS, BATCH]
    message = f"cuda computes this network wrongly ({ANSWERS}; {BATCH}); training on the CPU"
    with pytest.warns(SentirWarning, match=re.escape(message)):
        assert machine.choose("auto") == "cpu"


def test_a_device_asked_for_that_computes_wrongly_is_refused(machine: Machine) -> None:
    machine.present = {"mps"}
    machine.failures = [GRADIENTS]
    with pytest.raises(DeviceError, match=r"mps computes .* wrongly .*; take --device cpu"):
        machine.choose("mps")


def test_devices_that_processes_cannot_share(monkeypatch: pytest.MonkeyPatch) -> None:
    second = ProcessGroup(rank=1, size=2)
    _check_shared(second, torch.device("cpu"), "cpu")
    with pytest.raises(DeviceError, match="device of rank 1: cpu, and rank 0 trains on cuda; take"):
        _check_shared(second, torch.device("cpu"), "cuda")
    with pytest.raises(DeviceError, match="several processes cannot train on mps"):
        _check_shared(second, torch.device("mps"), "mps")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(DeviceError, match="more processes on this host than its 1 GPUs; take"):
        _check_shared(second, torch.device("cuda"), "cuda")
    monkeypatch.setenv("LOCAL_RANK", "0")
    _check_shared(second, torch.device("cuda"), "cuda")
