"""Where what is written goes: a disk with little room, and a pipe whose reader ends."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import subprocess
import sys
from pathlib import Path

from attack.counts import Count
from attack.moments import FULL
from attack.operations import run_forked
from attack.runs import Scene, Whole, check_reader, check_said, repeat, run_whole

_NEW_MOUNTS, _PRIVATE, _REMOUNT = 0x20000, 0x44000, 32
#: Sizes of the disk (bytes).
_SMALLEST, _LARGEST, _ROOM = 4 << 10, 2 << 20, 64 << 20
#: Readers of a pipe that end early, or at once.
_READERS = ("head -1", "head -c 1", "head -50", "true", "cat > /dev/null", "sleep 0.3")
_TIMEOUT_S = 120


def attack_small_disks(scene: Scene) -> list[Count]:
    """Run commands on a small file system of their own, then give it room and repeat them."""
    counts = {command.name: Count("small disk", command.name) for command in scene.commands}
    if run_forked(lambda: _mount(scene, _SMALLEST)).code:
        return []  # only root may mount
    scene.clear()
    wholes = [run_whole(command, scene) for command in scene.commands]
    tried = 0
    while not scene.deadline.is_over() and tried != scene.sample:
        tried += 1
        whole = scene.draw.choice(wholes)
        size = int(math.exp(scene.draw.uniform(math.log(_SMALLEST), math.log(_LARGEST))))
        verdict = scene.work / "verdict"
        run_forked(functools.partial(_judge, whole, size, scene, verdict))
        outcome, _, problem = verdict.read_text("utf-8").partition(":")
        if problem:
            counts[whole.command.name].fail(f"a disk of {size:,} bytes: {problem}")
        elif outcome:
            counts[whole.command.name].held(outcome)
        scene.clear()
    return list(counts.values())


def _mount(scene: Scene, size: int) -> int:
    """A file system in the scene's folder, which this process and its children see alone."""
    scene.folder.mkdir(parents=True)
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.unshare(_NEW_MOUNTS) or libc.mount(b"none", b"/", None, _PRIVATE, None)
    return int(bool(failed)) or _tmpfs(scene, size, 0)


def _tmpfs(scene: Scene, size: int, flags: int) -> int:
    folder, options = bytes(scene.folder), f"size={size}".encode()
    return int(bool(ctypes.CDLL(None).mount(b"tmpfs", folder, b"tmpfs", flags, options)))


def _judge(whole: Whole, size: int, scene: Scene, verdict: Path) -> None:
    verdict.write_text(_try(whole, size, scene), "utf-8")


def _try(whole: Whole, size: int, scene: Scene) -> str:
    """How the command ended, and after a colon what is wrong; empty if it could not begin."""
    command = whole.command
    if _mount(scene, size):
        return "x:cannot mount"
    try:
        command.prepare(scene.data, scene.folder)
    except OSError:
        return ""
    ending = scene.run(command.arguments)
    problem = check_said(ending) or check_reader(whole, scene.folder)
    if ending.code not in (0, 2):
        problem = problem or f"exit code {ending.code}: {ending.said[-500:]}"
    if ending.code == 2 and not any(words in ending.said for words in FULL):
        problem = problem or f"the reason is not named: {ending.said[-500:]}"
    if _tmpfs(scene, _ROOM, _REMOUNT):
        problem = problem or "cannot give room"
    problem = problem or repeat(whole, ending, scene)
    return f"{'stopped' if ending.code else 'went on'}:{problem}"


def attack_pipes(scene: Scene) -> list[Count]:
    """Answer into a pipe whose reader ends: no traceback, no complaint of Python at exit."""
    many = scene.work / "many.txt"
    lines = (scene.data / "more.txt").read_text("utf-8")
    many.write_text(lines * 60, "utf-8")  # more than a pipe holds
    model = str(scene.data / "other")
    engine = ["--engine", "onnx"]
    commands = {
        "predict": ["predict", model, str(many), *engine],
        "predict texts": ["predict", model, "not bad", "awful", *engine],
        "explain": ["explain", model, "not bad at all"],
        "help": ["train", "--help"],
    }
    pairs = [(name, reader) for name in commands for reader in _READERS]
    scene.draw.shuffle(pairs)
    counts = {name: Count("pipe whose reader ends", name) for name in commands}
    for name, reader in pairs[: scene.sample]:
        if scene.deadline.is_over():
            break
        script = f'"$@" | {reader}; exit ${{PIPESTATUS[0]}}'
        done = subprocess.run(
            ["bash", "-c", script, "bash", sys.executable, "-m", "sentir", *commands[name]],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        words = ("Traceback", "Exception ignored", "Broken pipe")
        if any(word in done.stderr for word in words) or done.returncode not in (0, 1):
            counts[name].fail(f"{reader}: exit code {done.returncode}: {done.stderr[-500:]}")
        else:
            counts[name].held("ended early" if done.returncode else "ended")
    return list(counts.values())
