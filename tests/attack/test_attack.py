"""A few attempts of each attack, and that the attacks see what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.attack,
    pytest.mark.skipif(sys.platform != "linux", reason="traces system calls of Linux"),
]

#: Runs a script where nothing has computed yet, so that it may fork.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "benchmarks"), *sys.path]),
    "OMP_NUM_THREADS": "1",
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=ENVIRONMENT, text=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module", autouse=True)
def _can_trace() -> None:
    code = "import attack.operations as o; import sys; sys.exit(not o.can_trace())"
    if run("-c", code).returncode:
        pytest.skip("this system traces no system calls")


def test_a_few_attempts_of_each_attack() -> None:
    attacks = "kills disks signals two changes writers bundles fuzz".split()
    commands = ["pretrain", "predict to csv", "export"]
    done = run(
        *("-m", "attack", "--only", *attacks, "--commands", *commands),
        *("--sample", "3", "--seed", "0"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for attack in ("kill and resume", "full disk", "signal", "malformed input", "hostile bundle"):
        assert attack in done.stdout
    assert done.stdout.count("tried") > 40


WRITE = """
import os, sys
from pathlib import Path
from attack.operations import trace

folder = Path(sys.argv[1])

def write():
    (folder / "new").write_text("x" * 100)
    (folder / "new").rename(folder / "file")

for decision in ("do", "kill", "half", "full"):
    for at in (1, 2, 3):
        for name in ("new", "file"):
            (folder / name).unlink(missing_ok=True)
        ending = trace(write, lambda number, _: decision if number == at else "do")
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
        print(decision, at, ending.code, ",".join(ending.operations), sizes)
"""


def test_a_traced_process_is_stopped_before_each_operation(tmp_path: Path) -> None:
    done = run("-c", WRITE, str(tmp_path))
    assert done.stdout.splitlines() == [
        *(f"do {at} 0 openat,write,rename {{'file': 100}}" for at in (1, 2, 3)),
        "kill 1 -9 openat {}",
        "kill 2 -9 openat,write {'new': 0}",
        "kill 3 -9 openat,write,rename {'new': 100}",
        "half 1 -9 openat {'new': 0}",
        "half 2 -9 openat,write {'new': 50}",
        "half 3 -9 openat,write,rename {'file': 100}",
        "full 1 1 openat {}",
        "full 2 1 openat,write,write {'new': 0}",  # once more as it closes the file
        "full 3 0 openat,write,rename {'file': 100}",
    ], done.stderr


FUZZ = """
import functools, os, signal, sys, time, warnings
from attack import fuzz
from attack.inputs import Input
from sentir.errors import DataError

fuzz.HANG_S = 4.0
fuzz.MAX_CPU_S = 0.03

def advice(path): raise DataError("no advice", where="a.csv:1")
def good(path): raise DataError("bad", where="a.csv:1", todo="fix the row")
def wrong(path): raise ZeroDivisionError
def slow(path):
    end = time.process_time() + 0.05
    while time.process_time() < end: pass
def hang(path): time.sleep(60)
def die(path): os.kill(os.getpid(), 11)
def fat(path): bytearray(600 * 10**6)
def left(path): (path.parent / "left").touch()
def warn(path): warnings.warn("odd")

readers = [good, advice, wrong, slow, hang, die, fat, left, warn]

def make(draw):
    reader = readers[int(draw.seeded)]
    return Input(reader.__name__, "a.csv", b"x", reader, {})

class Numbered:
    def __init__(self, seed): self.seeded = seed.split(":")[1]

fuzz.Random = Numbered
found = fuzz.fuzz(0, make, count=len(readers))
for reader in readers:
    places = [place for place, failure in found.failures.items()
              if failure["kind"] == reader.__name__]
    print(reader.__name__, found.kinds[reader.__name__], found.failed[reader.__name__], *places)
"""


def test_the_fuzzer_sees_what_is_wrong() -> None:
    done = run("-c", FUZZ)
    lines = [line.split(" ", 3) for line in done.stdout.splitlines()]
    assert {name: (tried, failed) for name, tried, failed, *_ in lines} == {
        "good": ("1", "0"),
        **dict.fromkeys(
            ["advice", "wrong", "slow", "hang", "die", "fat", "left", "warn"], ("1", "1")
        ),
    }, done.stderr
    places = {name: place[0] for name, _, _, *place in lines if place}
    assert places["slow"] == "slow: slow"
    assert places["hang"] == "hang: hangs"
    assert places["die"] == f"die: ends the process ({-signal.SIGSEGV})"
    assert places["fat"] == "fat: memory"
    assert places["left"] == "files left"
    assert places["wrong"].startswith("ZeroDivisionError in ")
    assert places["advice"].startswith("message of ")


def test_the_page_is_drawn_from_the_results() -> None:
    code = "from attack.page import PAGE, page; print(PAGE.read_text('utf-8') == page())"
    done = run("-c", code)
    message = "docs/reliability.md is not what python3 dev.py attack --draw draws"
    assert done.stdout == "True\n", message + done.stderr
