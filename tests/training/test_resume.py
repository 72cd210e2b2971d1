"""A run that was killed and resumed is the run that never stopped, bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures.tiny_problem import new_model, same, separable, tiny, weights_of
from sentir.data.dataset import EncodedCorpus
from sentir.evaluation.history import read_metrics
from sentir.training.callbacks import MetricsFile, call_all
from sentir.training.checkpoint import Checkpoints, Position
from sentir.training.classification import fit_classifier

Event = dict[str, Any]
Callback = Callable[[Event], None]

# Dropout everywhere, so that random states matter, and several epochs, so that the order does.
# 48 reviews in batches of 8 are 6 steps an epoch, 24 in all; validations at 5, 10, 15, 20 and 24.
SETTINGS = {
    "num_layers": 2, "embedding_dropout": 0.2, "dropout": 0.3, "head_dropout": 0.3,
    "epochs": 4, "eval_steps": 5, "patience": 0, "ema_decay": 0.8, "bigram_buckets": 50,
    "layerwise_lr_decay": 0.5, "gradual_unfreezing": 0.4, "adversarial_epsilon": 0.1,
}  # fmt: skip
STEPS, VALIDATED = list(range(1, 25)), [5, 10, 15, 20, 24]


@pytest.fixture
def corpora(tmp_path: Path) -> tuple[EncodedCorpus, EncodedCorpus]:
    return separable(tmp_path / "train", 48, wrong=0.2), separable(tmp_path / "valid", 20)


def rows_of(folder: Path) -> list[Event]:
    """What ``metrics.jsonl`` tells, but for the time it took."""
    timings = ("seconds", "reviews_per_second")
    return [
        {key: value for key, value in row.items() if key not in timings}
        for row in read_metrics(folder / "metrics.jsonl")
    ]


def check_rows(folder: Path, steps: list[int], validated: list[int]) -> None:
    rows = rows_of(folder)
    assert [row["step"] for row in rows if row["event"] == "step"] == steps
    assert [row["step"] for row in rows if row["event"] == "validation"] == validated


def check_same_state(one: Path, other: Path) -> None:
    """The same weights, optimiser, random state and position at the end, and the same best."""
    states = [torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (one, other)]
    positions = [Position(**state["position"]) for state in states]
    assert positions[0] == positions[1]  # but for the seconds
    parts = [state["parts"] for state in states]
    assert same(parts[0]["model"], parts[1]["model"])
    averages, vectors = ([part[name] for part in parts] for name in ("average", "word_vectors"))
    assert same(averages[0]["model"], averages[1]["model"])
    assert averages[0]["steps"] == averages[1]["steps"]
    assert all(torch.equal(vectors[0][name], vectors[1][name]) for name in ("mean_VE", "square_VE"))
    assert vectors[0]["steps"] == vectors[1]["steps"] > 0
    assert torch.equal(states[0]["random"], states[1]["random"])
    moments = [part["optimiser"]["state"] for part in parts]
    assert moments[0].keys() == moments[1].keys()
    assert all(same(moments[0][at], moments[1][at]) for at in moments[0])
    assert (one / "best.safetensors").read_bytes() == (other / "best.safetensors").read_bytes()


class CrashError(Exception):
    pass


def crash_at(step: int, kind: str = "step") -> Callback:
    def listen(event: Event) -> None:
        if event["event"] == kind and event["step"] == step:
            raise CrashError

    return listen


def run(
    folder: Path, corpora: tuple[EncodedCorpus, EncodedCorpus], *callbacks: Callback
) -> tuple[dict[str, torch.Tensor], Position]:
    """Go on with the run in the folder, or begin it."""
    config = tiny(**SETTINGS)
    folder.mkdir(exist_ok=True)
    # A resumed run takes nothing from the model it is given.
    model = new_model(config, seed=99 if (folder / "checkpoint.pt").exists() else 0)
    position = fit_classifier(
        model,
        *corpora,
        config,
        checkpoints=Checkpoints(folder, "id"),
        emit=call_all([MetricsFile(folder / "metrics.jsonl"), *callbacks]),
        resume=True,
    )
    return weights_of(model), position


@pytest.mark.parametrize(
    "crashes",
    [
        [crash_at(1)],
        [crash_at(5)],
        [crash_at(5, "validation")],
        [crash_at(6)],
        [crash_at(13)],
        [crash_at(24)],
        [crash_at(24, "validation")],
        [crash_at(3), crash_at(7), crash_at(8), crash_at(11), crash_at(19), crash_at(23)],
    ],
    ids=["1", "5", "after-5", "6", "13", "24", "after-24", "many"],
)
def test_resumed_equals_uninterrupted(
    tmp_path: Path, corpora: tuple[EncodedCorpus, EncodedCorpus], crashes: list[Callback]
) -> None:
    wanted, end = run(tmp_path / "whole", corpora)
    assert end.stopped == "finished"
    for crash in crashes:
        with pytest.raises(CrashError):
            run(tmp_path / "pieces", corpora, crash)
    got, position = run(tmp_path / "pieces", corpora)
    assert position == end
    assert same(got, wanted)
    check_same_state(tmp_path / "pieces", tmp_path / "whole")
    check_rows(tmp_path / "pieces", STEPS, VALIDATED)
    assert rows_of(tmp_path / "pieces") == rows_of(tmp_path / "whole")


def test_a_finished_run_that_is_resumed_gives_its_best_model(
    tmp_path: Path, corpora: tuple[EncodedCorpus, EncodedCorpus]
) -> None:
    wanted, end = run(tmp_path / "run", corpora)
    got, position = run(tmp_path / "run", corpora, crash_at(25))
    assert same(got, wanted)
    assert position == end
    check_rows(tmp_path / "run", STEPS, VALIDATED)


# Trains in a forked process for every line it is sent, so that torch is imported only once however
# often the training is killed. The process reports its steps, and where the line says so kills
# itself at the n-th call of a function that writes.
SCRIPT = """
import io, json, os, signal, sys
from pathlib import Path

import torch

from sentir.data.dataset import EncodedCorpus
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier
from sentir.training.callbacks import MetricsFile, call_all
from fixtures.tiny_problem import new_model, tiny

torch.set_num_threads(1)


def dying(function, calls, before=lambda *given: None):
    def called(*given, **named):
        nonlocal calls
        calls -= 1
        if calls == 0:
            before(*given)
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)

    return called


def write_half(state, path):
    whole = io.BytesIO()
    save(state, whole)
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])


def train(order):
    folder = Path(order["folder"])
    folder.mkdir(exist_ok=True)
    metrics = MetricsFile(folder / "metrics.jsonl")

    def half_a_row(event):
        with (folder / "metrics.jsonl").open("a") as file:
            file.write('{"event": "step", "st')

    if order["dies_in"] == "os.fsync":
        os.fsync = dying(os.fsync, order["calls"])
    elif order["dies_in"] == "os.replace":
        os.replace = dying(os.replace, order["calls"])
    elif order["dies_in"] == "torch.save":
        torch.save = dying(torch.save, order["calls"], write_half)
    elif order["dies_in"] == "metrics":
        metrics = dying(metrics, order["calls"], half_a_row)

    def report(event):
        if event["event"] == "step":
            print("step", flush=True)

    config = tiny(**order["settings"])
    model = new_model(config)
    corpora = [EncodedCorpus(Path(path)) for path in order["corpora"]]
    fit_classifier(model, *corpora, config, checkpoints=Checkpoints(folder, "id"),
        emit=call_all([metrics, report]), resume=True)


save = torch.save
torch.optim.AdamW([torch.zeros(1)])  # imports much: once
for line in sys.stdin:
    child = os.fork()
    if not child:
        train(json.loads(line))
        os._exit(0)
    print("began", child, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def trainer(corpora: tuple[EncodedCorpus, EncodedCorpus], **settings: Any) -> Iterator[Any]:
    """A function that trains in another process and says how that ended."""
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        to, back = server.stdin, server.stdout

        def train(folder: Path, dies_in: str = "", calls: int = 0) -> int:
            order = {
                "folder": str(folder), "dies_in": dies_in, "calls": calls,
                "settings": settings, "corpora": [str(corpus.path) for corpus in corpora],
            }  # fmt: skip
            to.write(json.dumps(order) + "\n")
            to.flush()
            child = steps = 0
            for line in back:
                word, *rest = line.split()
                if word == "began":
                    child = int(rest[0])
                elif word == "step":
                    steps += 1
                elif word == "ended":
                    return int(rest[0])
                if dies_in == "step" and steps >= calls and child:
                    os.kill(child, signal.SIGKILL)
                    dies_in = ""
            raise AssertionError("the trainer itself has ended")

        yield train
        to.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_and_resumed(
    tmp_path: Path, corpora: tuple[EncodedCorpus, EncodedCorpus]
) -> None:
    chance = random.Random(0)
    kills = [(where, calls) for where, most in (
        ("step", 9), ("os.fsync", 4), ("os.replace", 4), ("torch.save", 2), ("metrics", 9),
    ) for calls in chance.sample(range(1, most + 1), 2)]  # fmt: skip
    chance.shuffle(kills)
    with trainer(corpora, **{**SETTINGS, "epochs": 8, "eval_steps": 3}) as train:
        assert train(tmp_path / "whole") == 0
        for where, calls in kills:
            assert train(tmp_path / "pieces", where, calls) == -signal.SIGKILL
        assert train(tmp_path / "pieces") == 0

    check_same_state(tmp_path / "pieces", tmp_path / "whole")
    check_rows(tmp_path / "pieces", list(range(1, 49)), list(range(3, 49, 3)))
    assert rows_of(tmp_path / "pieces") == rows_of(tmp_path / "whole")
    left = {path.name for path in (tmp_path / "pieces").iterdir()}
    assert left == {"checkpoint.pt", "best.safetensors", "metrics.jsonl"}
