"""Several writers of one path, and readers meanwhile; processes that were forked from a reader."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from attack.counts import Count
from attack.operations import run_forked
from attack.runs import Scene
from sentir.bundle import load_bundle, save_bundle
from sentir.inference.predictor import Predictor
from sentir.io.atomic import atomic_write

WRITERS, READERS = 3, 2
#: Seconds of a round, if no time is given, and of a sample; a forked process answers within.
ROUND_S, SHORT_S, FORK_S = 5.0, 0.5, 60.0


def attack_writers(scene: Scene) -> list[Count]:
    """Processes and threads write one bundle, and one file, while others read them."""
    counts = []
    round_s = SHORT_S if scene.sample else (scene.deadline.seconds_left() or 4 * ROUND_S) / 4
    for what, write, read in (
        ("a bundle", _write_bundle, _read_bundle),
        ("a file", _write_file, _read_file),
    ):
        for kind in ("processes", "threads"):
            count = Count("several writers", f"{what}, {kind}")
            _write_at_once(scene, round_s, kind == "threads", write, read, count)
            counts.append(count)
    return counts


def _write_at_once(
    scene: Scene,
    round_s: float,
    in_threads: bool,
    write: Callable[[Path, Path, int], None],
    read: Callable[[Path], bool],
    count: Count,
) -> None:
    """Each writes for some seconds in a loop; a line for each try goes to a file."""
    folder = scene.folder
    folder.mkdir(parents=True)
    end = time.monotonic() + round_s
    write(scene.data, folder / "shared", 0)

    def work(number: int) -> None:
        with (folder / f"log{number}").open("w", buffering=1) as log:
            while time.monotonic() < end:
                try:
                    if number < WRITERS:
                        write(scene.data, folder / "shared", number)
                        log.write("written\n")
                    else:
                        log.write("read whole\n" if read(folder / "shared") else "bad: mixed\n")
                except Exception as error:
                    log.write(f"bad: {error!r}\n")

    if in_threads:
        jobs = [threading.Thread(target=work, args=(one,)) for one in range(WRITERS + READERS)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    else:
        pids = []
        for one in range(WRITERS + READERS):
            pid = os.fork()
            if not pid:
                work(one)
                os._exit(0)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
    for log in folder.glob("log*"):
        for line in log.read_text().splitlines():
            count.fail(line) if line.startswith("bad") else count.held(line)
    left = {path.name for path in folder.iterdir() if not path.name.startswith("log")}
    if left != {"shared"}:
        count.fail(f"left: {left}")
    scene.clear()


def _write_bundle(data: Path, path: Path, number: int) -> None:
    save_bundle(load_bundle(data / "other"), path)


def _read_bundle(path: Path) -> bool:
    return bool(load_bundle(path).checksum)


def _write_file(data: Path, path: Path, number: int) -> None:
    with atomic_write(path) as new:
        new.write_bytes(bytes([number]) * 100_000)


def _read_file(path: Path) -> bool:
    content = path.read_bytes()
    return len(content) == 100_000 and len(set(content)) == 1


def attack_forks(scene: Scene) -> list[Count]:
    """A process answers, is forked, and both go on to answer the same, with every engine."""
    counts = []
    for engine in ("onnx", "numba", "torch"):
        count = Count("fork after answering", engine)
        for _ in range(scene.sample or 20):
            if scene.deadline.is_over():
                break
            # In a process of its own: this one must not compute.
            said = scene.work / "said"
            ending = run_forked(lambda engine=engine: _answer_and_fork(scene, engine), said)  # type: ignore[misc]
            if ending.code in (0, 3):
                count.held("answers" if not ending.code else "says what to do")
            else:
                count.fail(f"exit code {ending.code}: {ending.said[-500:]}")
        counts.append(count)
    return counts


def _answer_and_fork(scene: Scene, engine: str) -> int:
    predictor = Predictor(load_bundle(scene.data / "other"), engine)
    texts = ["a good film", "not bad at all", "x " * 50]
    before = predictor.predict_proba(texts)

    def answer() -> int:
        signal.alarm(int(FORK_S))  # a child that hangs is ended
        try:
            return 0 if (predictor.predict_proba(texts) == before).all() else 4
        except Exception as error:
            print(repr(error))
            return 3 if type(error).__module__ == "sentir.errors" else 5

    return run_forked(answer).code
