"""A full disk, a signal or a reader at each file operation of a command."""

from __future__ import annotations

import os
import signal

from attack.counts import Count
from attack.operations import GROWING, Decision
from attack.runs import Scene, Whole, check_reader, check_said, repeat, run_whole

#: How a command may end that a signal reached: by it, as interrupted, or well if it was done.
SIGNALS: dict[signal.Signals, tuple[int, ...]] = {
    signal.SIGTERM: (-signal.SIGTERM, 0),
    signal.SIGHUP: (-signal.SIGHUP, 0),
    signal.SIGINT: (130, 0),
}
#: One of these is in the message of a full disk.
FULL = ("disk is full", "No space left on device")


def attack_full_disk(scene: Scene) -> list[Count]:
    """The disk is full from one operation on; then there is room, and the command is repeated."""
    counts = {command.name: Count("full disk", command.name) for command in scene.commands}
    for whole, at in scene.moments():
        command, name = whole.command, whole.operations[at - 1]
        if name not in GROWING:
            continue
        command.prepare(scene.data, scene.folder)
        ending = scene.run(
            command.arguments,
            lambda number, name, at=at: "full" if number == at else "do",  # type: ignore[misc]
        )
        problem = check_said(ending) or check_reader(whole, scene.folder)
        if ending.code not in (0, 2):
            problem = problem or f"exit code {ending.code}: {ending.said[-500:]}"
        if ending.code == 2 and not any(words in ending.said for words in FULL):
            problem = problem or f"the reason is not named: {ending.said[-500:]}"
        problem = problem or repeat(whole, ending, scene)
        if problem:
            counts[command.name].fail(f"full at operation {at} ({name}): {problem}")
        else:
            counts[command.name].held("stopped" if ending.code else "went on")
        scene.clear()
    return list(counts.values())


def attack_signals(scene: Scene) -> list[Count]:
    """A signal at an operation; then the command is repeated."""
    counts = {one: Count("signal", one.name) for one in SIGNALS}
    for whole, at in scene.moments():
        command, which = whole.command, scene.draw.choice(list(SIGNALS))
        pids: list[int] = []

        def send(
            number: int, name: str, at: int = at, which: int = which, pids: list[int] = pids
        ) -> Decision:
            if number == at:
                os.kill(pids[0], which)
            return "do"

        command.prepare(scene.data, scene.folder)
        ending = scene.run(command.arguments, send, pids.append)
        problem = check_said(ending) or check_reader(whole, scene.folder)
        if ending.code not in SIGNALS[which]:
            problem = problem or f"exit code {ending.code}: {ending.said[-500:]}"
        problem = problem or repeat(whole, ending, scene)
        if problem:
            counts[which].fail(f"{command.name}, operation {at}: {problem}")
        else:
            counts[which].held(command.name)
        scene.clear()
    return list(counts.values())


def attack_readers(scene: Scene) -> list[Count]:
    """A reader opens what a command writes, before each of its operations."""
    counts = []
    for command in scene.commands:
        if scene.deadline.is_over():
            break
        count, whole = Count("reader meanwhile", command.name), run_whole(command, scene)
        command.prepare(scene.data, scene.folder)

        def look(number: int, name: str, count: Count = count, whole: Whole = whole) -> Decision:
            if problem := check_reader(whole, scene.folder):
                count.fail(f"operation {number} ({name}): {problem}")
            else:
                count.held()
            return "do"

        scene.run(command.arguments, look)
        scene.clear()
        counts.append(count)
    return counts
