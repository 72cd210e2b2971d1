from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from sentir.config import ModelConfig
from sentir.data.batching import pad
from sentir.nn import recurrent
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.padding import reversal_index
from sentir.nn.recurrent import RecurrentLayer
from sentir.training.precision import MIN_HIDDEN_SIZE, choose_precision

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda", "mps"))
WIDE = ModelConfig(cell="lstm", hidden_size=MIN_HIDDEN_SIZE)
# Eight bits are kept: a relative error of up to 2^-9 at each rounding, many of them in a row.
TOLERANCE = 0.03


@pytest.mark.parametrize(
    ("able", "config", "expected"),
    [
        ({"avx512_bf16": True}, WIDE, torch.bfloat16),
        ({"amx_bf16": True}, WIDE, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False}, WIDE, None),
        ({"neon": True}, WIDE, None),
        ({"avx512_bf16": True}, ModelConfig(cell="lstm", hidden_size=MIN_HIDDEN_SIZE - 1), None),
        ({"avx512_bf16": True}, ModelConfig(hidden_size=MIN_HIDDEN_SIZE, cell="gru"), None),
    ],
)
def test_auto_takes_what_the_processor_is_fast_at(
    monkeypatch: pytest.MonkeyPatch,
    able: Mapping[str, bool],
    config: ModelConfig,
    expected: torch.dtype | None,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert choose_precision("auto", config, CPU) is expected
    assert choose_precision("bfloat16", config, CPU) is torch.bfloat16
    assert choose_precision("float32", config, CPU) is None


@pytest.mark.parametrize("able", [True, False])
def test_auto_on_a_gpu_asks_the_gpu(monkeypatch: pytest.MonkeyPatch, able: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: able)
    narrow = ModelConfig(hidden_size=8, cell="gru")
    assert choose_precision("auto", narrow, CUDA) is (torch.bfloat16 if able else None)
    assert choose_precision("auto", WIDE, MPS) is None


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_bfloat16_answers_and_learns_as_float32_does(cell: str) -> None:
    torch.manual_seed(0)
    # Not the maximum: rounding changes which token it is taken from.
    config = ModelConfig(
        cell=cell,
        embedding_dim=32,
        hidden_size=32,
        num_layers=2,
        pooling="mean",
        head_dropout=0,
        embedding_dropout=0,
        embedding_skip=False,
        ngram_buckets=0,
    )  # type: ignore[arg-type]
    model = SentimentClassifier(config, vocabulary=50, classes=2)
    batch = pad([torch.randint(2, 50, (length,)).tolist() for length in (40, 30, 12, 3)], 40)
    labels_B = torch.tensor([0, 1, 1, 0])

    def answer() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        model.zero_grad()
        logits_BO = model(batch.ids_BT, batch.lengths_B)
        model.loss(logits_BO, labels_B).backward()
        slopes = {name: weight.grad for name, weight in model.named_parameters()}
        return logits_BO.detach(), {
            name: slope for name, slope in slopes.items() if slope is not None
        }

    exact_BO, exact = answer()
    model.set_compute_dtype(torch.bfloat16)
    rough_BO, rough = answer()
    assert not torch.equal(rough_BO, exact_BO)  # it was computed otherwise
    torch.testing.assert_close(rough_BO, exact_BO, rtol=0, atol=TOLERANCE)
    assert rough.keys() == exact.keys()
    for name, slope in exact.items():
        assert rough[name].dtype == torch.float32
        assert (rough[name] - slope).norm() <= TOLERANCE * slope.norm(), name
    model.set_compute_dtype(None)
    assert torch.equal(answer()[0], exact_BO)


def test_a_batch_in_parts_is_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer("lstm", 8, 16, bidirectional=True)
    layer.compute_dtype = torch.bfloat16
    x_TBE, lengths_B = torch.randn(9, 7, 8), torch.tensor([9, 8, 8, 5, 3, 2, 1])
    whole_TBF = layer(x_TBE, reversal_index(lengths_B, 9))
    monkeypatch.setattr(recurrent, "MAX_BFLOAT16_BATCH", 3)
    torch.testing.assert_close(
        layer(x_TBE, reversal_index(lengths_B, 9)), whole_TBF, rtol=0, atol=TOLERANCE
    )
