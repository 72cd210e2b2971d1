"""Two hosts, as network namespaces of this machine: one is killed, unplugged, or joins late.

sudo env "PATH=$PATH" pytest -m long tests/training/test_two_hosts.py
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fixtures.tiny_runs import write_fasttext
from sentir.bundle import load_bundle
from sentir.evaluation.history import read_metrics
from sentir.training.process_group import TIMEOUT_VARIABLE

pytestmark = pytest.mark.long

PORT = 29511
WAIT_S = 240


def ip(*arguments: str) -> bool:
    """Whether a command of iproute2 succeeded."""
    return subprocess.run(["ip", *arguments], capture_output=True, check=False).returncode == 0


class Hosts:
    """Two namespaces with a cable between them, and torchrun in each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = [f"sentir-{os.getpid()}-{number}" for number in range(2)]
        self.running: dict[int, subprocess.Popen[str]] = {}

    def plug(self) -> bool:
        made = all(ip("netns", "add", name) for name in self.names) and ip(
            "link", "add", "veth0", "netns", self.names[0], "type", "veth",
            "peer", "name", "veth0", "netns", self.names[1],
        )  # fmt: skip
        return made and all(
            ip("-n", name, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "veth0")
            and ip("-n", name, "link", "set", "veth0", "up")
            and ip("-n", name, "link", "set", "lo", "up")
            for number, name in enumerate(self.names)
        )

    def unplug(self) -> None:
        assert ip("-n", self.names[1], "link", "set", "veth0", "down")

    def start(self, number: int, *options: str) -> None:
        with (self.folder / f"host{number}.txt").open("w") as output:
            self.running[number] = subprocess.Popen(
                [
                    "ip", "netns", "exec", self.names[number],
                    sys.executable, "-m", "torch.distributed.run",
                    "--nnodes", "1:2", "--nproc-per-node", "1", "--max-restarts", "5",
                    "--rdzv-backend", "c10d", "--rdzv-id", "test",
                    "--rdzv-endpoint", f"10.77.0.1:{PORT}",
                    "--rdzv-conf", f"is_host={int(number == 0)},last_call_timeout=5",
                    "--local-addr", f"10.77.0.{number + 1}",
                    "-m", "sentir", "train", "train.ft.txt", "--output", "run",
                    "--resume-if-begun", "--epochs", "60", "--batch-size", "32",
                    "--embedding-dim", "16", "--hidden-size", "16", "--max-length", "40",
                    "--ngram-buckets", "0", "--embedding-init", "random", "--device", "cpu",
                    "--eval-steps", "50", "--patience", "0", *options,
                ],
                cwd=self.folder,
                env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "veth0",
                     "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1", TIMEOUT_VARIABLE: "10"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )  # fmt: skip

    def kill(self, number: int) -> None:
        """As a host does that loses power: all of its processes at once."""
        found = subprocess.run(
            ["ip", "netns", "pids", self.names[number]], capture_output=True, text=True, check=True
        )
        for process in found.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)

    def said(self, number: int) -> str:
        return (self.folder / f"host{number}.txt").read_text()

    def steps(self) -> list[int]:
        rows = read_metrics(self.folder / "run" / "metrics.jsonl")
        return [row["step"] for row in rows if row["event"] == "step"]

    def wait(self, what: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not what():
            assert time.monotonic() < end, self.said(0)
            time.sleep(0.2)

    def wait_for_end(self, number: int) -> None:
        self.wait(lambda: self.running[number].poll() is not None)
        assert self.running[number].returncode == 0, self.said(number)

    def close(self) -> None:
        for number, name in enumerate(self.names):
            if number in self.running:
                self.kill(number)
                self.running[number].wait()
            ip("netns", "del", name)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    if shutil.which("ip") is None or not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("network namespaces want root and iproute2")
    write_fasttext(tmp_path / "train.ft.txt", 600)
    hosts = Hosts(tmp_path)
    try:
        if not hosts.plug():
            pytest.skip("no network namespaces here")
        yield hosts
    finally:
        hosts.close()


def check_whole(hosts: Hosts) -> None:
    """Every step once, and a model."""
    total = 60 * -(-540 // 32)
    assert hosts.steps() == list(range(1, total + 1))
    assert load_bundle(hosts.folder / "run" / "model").metrics["training"]["step"] == total
    assert not (hosts.folder / "run" / "checkpoint.pt").exists()


@pytest.mark.parametrize("trouble", ["killed", "unplugged"])
def test_a_host_that_is_lost(hosts: Hosts, trouble: str) -> None:
    hosts.start(0)
    hosts.start(1)
    hosts.wait(lambda: len(hosts.steps()) > 120)
    if trouble == "killed":
        hosts.kill(1)
    else:
        hosts.unplug()
    hosts.wait_for_end(0)
    check_whole(hosts)
    assert "another process of this training has ended" in hosts.said(0)


def test_a_host_that_joins_late(hosts: Hosts) -> None:
    hosts.start(0)
    hosts.wait(lambda: len(hosts.steps()) > 120)
    hosts.start(1)
    hosts.wait_for_end(0)
    hosts.wait_for_end(1)
    check_whole(hosts)
    assert "2 processes" in (hosts.folder / "run" / "report.html").read_text()
