"""The fuzzer: malformed inputs give rows or a `SentirError`, in bounded time and memory.

Inputs are made from a seed and a number, so that each can be made again. They are read in forked
processes, one for some thousand inputs: one that crashes or hangs costs its own input only.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import mmap
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from attack.bundles import make_bundle, save_bundles
from attack.counts import Count, Deadline, memory_folder, without_places
from attack.inputs import Input, all_seeds, check_message, make_input
from sentir.errors import SentirError, SentirWarning

#: What one input may take: processor seconds, memory (bytes), and seconds until it is stopped.
MAX_CPU_S, MAX_BYTES, HANG_S = 2.0, 500 * 10**6, 20.0
#: Address space of one process beyond what it starts with, so that the machine survives (bytes).
MAX_ADDRESSES = 4 << 30
#: Inputs of one process.
CHUNK = 4_000
#: The format of an input, what came of it, and how it broke a promise, if it did.
Read = tuple[str, str, dict[str, Any] | None]
#: Makes an input from random numbers.
Make = Callable[[Random], Input]
_STATE = struct.Struct("=q")


@dataclass
class Fuzzed:
    """What came of the inputs.

    Attributes:
        kinds: how many inputs of each format were read.
        outcomes: how many of each format gave rows, or an error of which kind.
        failed: how many of each format broke a promise.
        failures: by place in the code, the first input that broke a promise there.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    failed: Counter[str] = field(default_factory=Counter)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, kind: str, outcome: str, failure: dict[str, Any] | None) -> None:
        self.kinds[kind] += 1
        self.outcomes[kind][outcome] += 1
        if failure is not None:
            self.failed[kind] += 1
            if self.failures.setdefault(failure["place"], failure) is failure:
                print(json.dumps(failure, indent=1), file=sys.stderr, flush=True)


def attack_formats(deadline: Deadline, draw: Random, sample: int | None) -> list[Count]:
    """Read malformed inputs until the deadline, or so many; a count for each format."""
    all_seeds()  # here, so that no process makes them anew
    return _counts("malformed input", make_input, deadline, draw, sample)


def attack_bundles(deadline: Deadline, draw: Random, sample: int | None) -> list[Count]:
    """Load changed bundles until the deadline, or so many; a count for each file of a bundle."""
    with tempfile.TemporaryDirectory(prefix="sentir-bundles-") as folder:
        saved = save_bundles(Path(folder))
        make = functools.partial(make_bundle, saved)
        return _counts("hostile bundle", make, deadline, draw, sample)


def _counts(
    attack: str, make: Make, deadline: Deadline, draw: Random, sample: int | None
) -> list[Count]:
    seed = draw.randrange(2**32)
    fuzzed = fuzz(seed, make, count=sample, seconds=deadline.seconds_left())
    counts = []
    for kind, tried in sorted(fuzzed.kinds.items()):
        count = Count(attack, kind, tried, outcomes=fuzzed.outcomes[kind])
        for failure in fuzzed.failures.values():
            if failure["kind"] == kind:
                told = f"{failure['place']}: {failure['error']}"
                count.failures.append(without_places(told)[:1000])
        count.failed = fuzzed.failed[kind]
        counts.append(count)
    return counts


def fuzz(
    seed: int,
    make: Make = make_input,
    *,
    first: int = 0,
    count: int | None = None,
    seconds: float | None = None,
    report: Callable[[Fuzzed], None] = lambda fuzzed: None,
) -> Fuzzed:
    """Read inputs number `first` and following, until so many were read or so long has passed."""
    fuzzed, end = Fuzzed(), None if seconds is None else time.monotonic() + seconds
    number, last = first, None if count is None else first + count
    with tempfile.TemporaryDirectory(prefix="sentir-fuzz-", dir=memory_folder()) as folder:
        while (last is None or number < last) and (end is None or time.monotonic() < end):
            until = number + CHUNK if last is None else min(number + CHUNK, last)
            number = _read_chunk(make, seed, number, until, end, Path(folder), fuzzed)
            report(fuzzed)
    return fuzzed


def _read_chunk(
    make: Make, seed: int, first: int, last: int, end: float | None, folder: Path, fuzzed: Fuzzed
) -> int:
    """Read the inputs in a process; the number of the next input to read."""
    shared = mmap.mmap(-1, _STATE.size)
    shared[:] = _STATE.pack(first)
    results = folder / "results.jsonl"
    results.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        status = 1
        try:
            _child(make, seed, first, last, end, folder, shared)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    ended, at = _wait(child, shared)
    for line in results.read_text().splitlines():
        fuzzed.add(*json.loads(line))
    if ended == 0:
        return at
    what = "hangs" if ended == -signal.SIGKILL else f"ends the process ({ended})"
    made = make(Random(f"{seed}:{at}"))
    failure = {"place": f"{made.kind}: {what}", "seed": seed, "number": at, "kind": made.kind,
               "how": made.how, "error": what}  # fmt: skip
    fuzzed.add(made.kind, what, failure)
    shutil.rmtree(folder / "work")
    return at + 1


def _wait(child: int, shared: mmap.mmap) -> tuple[int, int]:
    """How the process ended, and at which input; it is killed if it stays at one for too long."""
    at, since = -1, time.monotonic()
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        now = _STATE.unpack(shared[:])[0]
        if pid:
            return os.waitstatus_to_exitcode(status), now
        if now != at:
            at, since = now, time.monotonic()
        elif time.monotonic() - since > HANG_S:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.02)


def _child(
    make: Make, seed: int, first: int, last: int, end: float | None, folder: Path, shared: mmap.mmap
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_size_bytes() + MAX_ADDRESSES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", SentirWarning)
    with (folder / "results.jsonl").open("w", buffering=1) as results:  # a line at a time
        for number in range(first, last):
            shared[:] = _STATE.pack(number)
            if end is not None and time.monotonic() >= end:
                return
            read = read_one(make, seed, number, folder)
            results.write(json.dumps(read) + "\n")
            if read[2] and "memory" in read[2]["place"]:  # the peak of a process never falls
                last = number + 1
                break
    shared[:] = _STATE.pack(last)


def _size_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


#: By process, the peak after its last input: asking once, not twice, as it takes its time.
_last_peak: dict[int, int] = {}


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_one(
    make: Make, seed: int, number: int, folder: Path
) -> tuple[str, str, dict[str, Any] | None]:
    """Make one input and read it."""
    made = make(Random(f"{seed}:{number}"))
    work = folder / "work"
    work.mkdir(exist_ok=True)
    path = work / made.name
    made.write(path)
    place = error = ""
    before, peak = time.monotonic(), _last_peak.get(os.getpid()) or _peak_bytes()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            made.read(path)
        outcome = "rows"
    except SentirError as refused:
        outcome = type(refused).__name__
        try:
            check_message(refused)
        except AssertionError as broken:
            place, error = f"message of {_place(refused)}", str(broken)
    except BaseException as unexpected:
        outcome = type(unexpected).__name__
        place = f"{outcome} in {_place(unexpected)}"
        error = "".join(traceback.format_exception(unexpected)[-6:])
    # The clock of the process is asked only where it matters: that can take a millisecond.
    took = _processor_s(made, path) if time.monotonic() - before > MAX_CPU_S else 0.0
    _last_peak[os.getpid()] = now = _peak_bytes()
    if (more := now - peak) > MAX_BYTES and not place:
        place, error = f"{made.kind}: memory", f"{more / 10**6:,.0f} MB"
    if took > MAX_CPU_S and not place:
        place, error = f"{made.kind}: slow", f"{took:.1f} s"
    left = {file.name for file in work.iterdir()} - {made.name} - set(_outputs(made.how))
    if left and not place:
        place, error = "files left", ", ".join(sorted(left))
    shutil.rmtree(work)
    if not place:
        return made.kind, outcome, None
    return made.kind, outcome, {
        "place": place, "seed": seed, "number": number, "kind": made.kind, "how": made.how,
        "error": error[-2000:], "start": repr(made.content)[:600],
    }  # fmt: skip


def _processor_s(made: Input, path: Path) -> float:
    """Processor time of another reading."""
    before = time.process_time()
    with contextlib.suppress(BaseException), contextlib.redirect_stderr(io.StringIO()):
        made.read(path)
    return time.process_time() - before


def _outputs(how: dict[str, Any]) -> list[str]:
    return [how["output"]] if how.get("output") else []


def _place(error: BaseException) -> str:
    """The innermost line of Sentir's own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/sentir/" in frame.filename] or frames[-1:]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"
