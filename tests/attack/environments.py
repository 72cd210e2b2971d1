"""Commands in poor surroundings: no home, no shared memory, little memory, other locales."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from attack.commands import CLASSIFIER
from attack.counts import Count
from attack.runs import Scene
from attack.states import differences, snapshot

#: What each environment runs: a name, the arguments, and the file or folder that it leaves.
COMMANDS = {
    "train": (["train", "{data}/train.csv", "--output", "run", *CLASSIFIER], "run"),
    "predict": (
        ["predict", "{data}/other", "{data}/train.csv", "-o", "out.csv", "--engine", "onnx"],
        "out.csv",
    ),
    "export": (["export", "{data}/other", "--to", "onnx", "-o", "m.onnx"], "m.onnx"),
    "predict texts": (
        ["predict", "{data}/other", "nada mal 😀 café", "\x1b[2Jbad", "--engine", "onnx"],
        "",
    ),
}
#: A command that has to give up says so within (seconds).
TIMEOUT_S = 300


@dataclass(frozen=True)
class Environment:
    """What is different from a common terminal.

    Attributes:
        variables: environment variables; None removes one.
        before: called in the new process before Python starts.
        wrapper: a command line that runs the command.
        must_work: whether the command has to succeed as it does elsewhere; else it may give up.
        may_crash: whether giving up may be a library's own end, without a message of ours.
    """

    variables: dict[str, str | None] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    wrapper: Sequence[str] = ()
    must_work: bool = True
    may_crash: bool = False


def _limit(kind: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (value, value))


def _close(*descriptors: int) -> Callable[[], None]:
    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


def _ignore_sigpipe() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _private() -> None:
    os.umask(0o077)


def _without(folder: str) -> list[str]:
    """Run where an empty folder that nobody can write to stands in that place."""
    script = f'mount -t tmpfs -o ro,size=4k tmpfs {folder} && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, "sh"]


ENVIRONMENTS: dict[str, Environment] = {
    "as usual": Environment(),
    "no HOME": Environment({"HOME": None}),
    "HOME that is not there": Environment({"HOME": "/nonexistent"}),
    "HOME that cannot be written": Environment(
        {"HOME": "/proc", "XDG_CACHE_HOME": "/proc", "MPLCONFIGDIR": None}
    ),
    "no PATH": Environment({"PATH": None}),
    "TMPDIR that is not there": Environment({"TMPDIR": "/nonexistent"}),
    "LC_ALL=C": Environment({"LC_ALL": "C", "LANG": None}),
    "LC_ALL=POSIX, PYTHONUTF8=0": Environment(
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ),
    "PYTHONIOENCODING=ascii": Environment({"PYTHONIOENCODING": "ascii"}),
    "a locale that is not there": Environment({"LC_ALL": "xx_XX.KOI8-X"}),
    "TERM=dumb, COLUMNS=1": Environment({"TERM": "dumb", "COLUMNS": "1"}),
    "python -OO, all warnings": Environment({"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "always"}),
    "another hash seed": Environment({"PYTHONHASHSEED": "12345"}),
    "another time zone": Environment({"TZ": "Pacific/Kiritimati"}),
    "no /dev/shm": Environment(wrapper=_without("/dev/shm")),
    "stdin closed": Environment(before=_close(0)),
    "stderr closed": Environment(before=_close(2)),
    "ulimit -n 32": Environment(before=_limit(resource.RLIMIT_NOFILE, 32), must_work=False),
    "ulimit -n 12": Environment(before=_limit(resource.RLIMIT_NOFILE, 12), must_work=False),
    "ulimit -f 1 MB": Environment(before=_limit(resource.RLIMIT_FSIZE, 1 << 20)),
    "ulimit -f 8 kB": Environment(before=_limit(resource.RLIMIT_FSIZE, 8 << 10), must_work=False),
    **{
        f"ulimit -v {size} MB": Environment(
            before=_limit(resource.RLIMIT_AS, size << 20), must_work=False, may_crash=True
        )
        for size in (500, 1000, 1500, 2000, 3000, 6000)
    },
    "umask 077": Environment(before=_private),
    "SIGPIPE ignored": Environment(
        before=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN) and None
    ),
}


def attack_environments(scene: Scene) -> list[Count]:
    """Each command in each environment: as elsewhere, or a message and nothing left."""
    usual = {}
    for name in COMMANDS:
        usual[name] = _run(ENVIRONMENTS["as usual"], name, scene)[2]
    counts = []
    names = list(ENVIRONMENTS)
    scene.draw.shuffle(names)
    for environment_name in names[: scene.sample]:
        environment, count = ENVIRONMENTS[environment_name], Count("surroundings", environment_name)
        if environment.wrapper and not _can(environment.wrapper):
            continue
        for name in COMMANDS:
            if scene.deadline.is_over():
                break
            code, said, left = _run(environment, name, scene)
            problem = _judge(environment, code, said, left, usual[name])
            if problem:
                count.fail(f"{name}: {problem}")
            else:
                count.held("worked" if not code else "gave up" if code == 2 else "a library ended")
        counts.append(count)
    return counts


def _can(wrapper: Sequence[str]) -> bool:
    if shutil.which(wrapper[0]) is None:
        return False
    return subprocess.run([*wrapper, "true"], capture_output=True).returncode == 0


def _run(environment: Environment, name: str, scene: Scene) -> tuple[int, str, dict[str, object]]:
    """The exit code, what was said, and what is left."""
    arguments, _ = COMMANDS[name]
    scene.folder.mkdir(parents=True)
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    for variable, value in environment.variables.items():
        if value is None:
            variables.pop(variable, None)
        else:
            variables[variable] = value
    command = [sys.executable, "-m", "sentir"]
    done = subprocess.run(
        [*environment.wrapper, *command, *(word.format(data=scene.data) for word in arguments)],
        cwd=scene.folder,
        env=variables,
        capture_output=True,
        preexec_fn=environment.before,
        timeout=TIMEOUT_S,
        check=False,
    )
    left = snapshot(scene.folder)
    if name == "predict texts":
        left["answers"] = [line.split(b"\t")[0] for line in done.stdout.splitlines()]
    scene.clear()
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace"), left


def _judge(
    environment: Environment,
    code: int,
    said: str,
    left: dict[str, object],
    usual: dict[str, object],
) -> str:
    if code == 0:
        return ", ".join(differences(left, usual))
    if environment.must_work:
        return f"exit code {code}: {said[-700:]}"
    parts = [name for name in left if ".part" in name]
    if parts and code > 0:  # a process that was killed cannot tidy
        return f"{parts[0]} is left"
    if (code != 2 or "Traceback" in said) and not environment.may_crash:
        return f"exit code {code}: {said[-700:]}"
    return ""
