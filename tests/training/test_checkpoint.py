from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from fixtures.tiny_problem import new_model, same, tiny, weights_of
from sentir.errors import DataError
from sentir.nn.classifier import SentimentClassifier
from sentir.training.checkpoint import Checkpoints, Position

AT = Position(step=7, reviews=56, best_loss=0.5, best_step=5, validations_since_best=1)


def model_and_optimiser(seed: int) -> tuple[SentimentClassifier, torch.optim.Optimizer]:
    """After one step of training."""
    model = new_model(tiny(), seed=seed)
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.tensor([[2, 3]]), torch.tensor([2])).sum().backward()
    optimiser.step()
    return model, optimiser


@pytest.fixture
def saved(tmp_path: Path) -> Checkpoints:
    checkpoints = Checkpoints(tmp_path, "this run")
    model, optimiser = model_and_optimiser(0)
    checkpoints.save({"model": model, "optimiser": optimiser}, AT)
    checkpoints.save_best(model)
    return checkpoints


def test_everything_comes_back(saved: Checkpoints) -> None:
    wanted, wanted_optimiser = model_and_optimiser(0)
    drawn = torch.rand(5)
    model, optimiser = model_and_optimiser(1)
    assert saved.load({"model": model, "optimiser": optimiser}) == AT
    assert torch.equal(torch.rand(5), drawn)
    assert same(weights_of(model), weights_of(wanted))
    moments, wanted_moments = optimiser.state_dict(), wanted_optimiser.state_dict()
    assert moments["param_groups"] == wanted_moments["param_groups"]
    assert all(same(moments["state"][at], wanted_moments["state"][at]) for at in moments["state"])


def test_the_best_weights_come_back(saved: Checkpoints) -> None:
    model, _ = model_and_optimiser(1)
    saved.load_best(model)
    assert same(weights_of(model), weights_of(model_and_optimiser(0)[0]))


def test_without_a_checkpoint_a_run_begins(tmp_path: Path) -> None:
    model, optimiser = model_and_optimiser(0)
    before = weights_of(model)
    assert Checkpoints(tmp_path, "").load({"model": model, "optimiser": optimiser}) == Position()
    assert same(weights_of(model), before)


def test_another_run_is_refused(saved: Checkpoints) -> None:
    model, optimiser = model_and_optimiser(1)
    before = weights_of(model)
    other = Checkpoints(saved.path.parent, "other settings")
    with pytest.raises(DataError, match=r"checkpoint.pt: .*made with other settings or data; "):
        other.load({"model": model, "optimiser": optimiser})
    assert same(weights_of(model), before)


def test_a_cut_checkpoint_is_refused_by_name(saved: Checkpoints) -> None:
    whole = saved.path.read_bytes()
    for size in [0, 1, *range(100, len(whole), 999), len(whole) - 1]:
        saved.path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"checkpoint.pt: damaged checkpoint \(") as caught:
            saved.load(dict(zip(("model", "optimiser"), model_and_optimiser(1), strict=True)))
        assert "--overwrite" in str(caught.value)


def test_a_flipped_bit_is_found_or_harmless(saved: Checkpoints) -> None:
    """torch.load alone would take most of them for weights."""
    whole = saved.path.read_bytes()
    chance = random.Random(0)
    wanted, _ = model_and_optimiser(0)
    refused = 0
    for at in chance.sample(range(len(whole)), 60):
        broken = bytearray(whole)
        broken[at] ^= 1 << chance.randrange(8)
        saved.path.write_bytes(broken)
        model, optimiser = model_and_optimiser(1)
        before = weights_of(model)
        try:
            assert saved.load({"model": model, "optimiser": optimiser}) == AT
        except DataError:
            refused += 1
            assert same(weights_of(model), before)
        else:  # it was in the padding between the records
            assert same(weights_of(model), weights_of(wanted))
    assert refused > 40


@pytest.mark.parametrize("content", [b"", b"hello world\n" * 20, b"PK\x03\x04" + bytes(200)])
def test_a_file_of_something_else_is_refused(saved: Checkpoints, content: bytes) -> None:
    saved.path.write_bytes(content)
    with pytest.raises(DataError, match="damaged checkpoint"):
        saved.load(dict(zip(("model", "optimiser"), model_and_optimiser(1), strict=True)))


def test_a_checkpoint_without_its_parts_is_refused(saved: Checkpoints) -> None:
    torch.save({"identity": "this run", "position": {"stride": 3}}, saved.path)
    with pytest.raises(DataError, match=r"damaged checkpoint \(.*stride"):
        saved.load(dict(zip(("model", "optimiser"), model_and_optimiser(1), strict=True)))


def test_a_checkpoint_of_other_parts_is_refused(saved: Checkpoints) -> None:
    other = new_model(tiny(hidden_size=7))
    with pytest.raises(DataError, match="the checkpoint is of another version"):
        saved.load({"model": other})
    with pytest.raises(DataError, match="the checkpoint is of another version"):
        saved.load({"average": other})


def test_damaged_or_absent_best_weights_are_refused_by_name(saved: Checkpoints) -> None:
    model, _ = model_and_optimiser(1)
    saved.best_path.write_bytes(saved.best_path.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"best.safetensors: damaged checkpoint \("):
        saved.load_best(model)
    saved.best_path.unlink()
    with pytest.raises(DataError, match=r"best.safetensors: damaged checkpoint \("):
        saved.load_best(model)


def test_a_failed_save_leaves_the_earlier_one(
    saved: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in saved.path.parent.iterdir()}

    def fill_the_disk(*given: object) -> None:
        if isinstance(given[-1], Path):
            given[-1].write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr("torch.save", fill_the_disk)
    monkeypatch.setattr("safetensors.torch.save", fill_the_disk)
    model, optimiser = model_and_optimiser(1)
    with pytest.raises(OSError, match="no space"):
        saved.save({"model": model, "optimiser": optimiser}, Position())
    with pytest.raises(OSError, match="no space"):
        saved.save_best(model)
    assert {path: path.read_bytes() for path in saved.path.parent.iterdir()} == before


def test_what_a_kill_left_is_tidied(saved: Checkpoints) -> None:
    folder = saved.path.parent
    (folder / ".checkpoint.pt.abcdefgh.part").mkdir()
    (folder / ".checkpoint.pt.abcdefgh.part" / "checkpoint.pt").write_bytes(b"half")
    saved.save(dict(zip(("model", "optimiser"), model_and_optimiser(0), strict=True)), AT)
    assert {path.name for path in folder.iterdir()} == {"checkpoint.pt", "best.safetensors"}


def test_remove(saved: Checkpoints) -> None:
    saved.remove()
    assert not list(saved.path.parent.iterdir())
    saved.remove()
