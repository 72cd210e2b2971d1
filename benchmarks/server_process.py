"""A server as a process: started, asked, measured, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class Process:
    """A server's process with those that it started: port, processor time and memory."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, key: str) -> None:
        self.process, self.port, self._key = process, port, key

    def cpu_s(self) -> float:
        """Seconds of processor time so far, of all its processes."""
        return sum(
            int(Path(f"/proc/{pid}/task/{thread.name}/schedstat").read_text().split()[0])
            for pid in self._pids()
            for thread in Path(f"/proc/{pid}/task").iterdir()
        ) / 1e9  # fmt: skip

    def memory_mb(self) -> float:
        """Resident memory now, of all its processes."""
        lines = [
            line
            for pid in self._pids()
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        ]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def get(self, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
        headers = {"content-type": "application/json", "x-api-key": self._key}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", body, headers, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            content: bytes = reply.read()
        return content

    def _pids(self) -> list[int]:
        own = self.process.pid
        return [own, *map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def started(
    command: Sequence[str], port: int, key: str, cores: set[int] | None = None
) -> Iterator[Process]:
    """The process, once it is ready; cores: those that it may use."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        if cores is not None:
            os.sched_setaffinity(process.pid, cores)
        server = Process(process, port, key)
        try:
            for _ in range(600):
                try:
                    server.get("/health/ready")
                    break
                except OSError:
                    time.sleep(0.1)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
