"""Runs of the commands under attack: what they leave uninterrupted, and what is wrong otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from attack.commands import COMMANDS, Command, sentir
from attack.counts import Deadline
from attack.operations import Ending, OnOperation, trace
from attack.states import content, differences, read_model, snapshot


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where and for how long an attack goes on.

    Attributes:
        data: what `prepare_data` made.
        work: a folder to run in.
        deadline: when no further attempt is made.
        draw: what the attack draws from.
        commands: what is attacked.
        sample: most attempts; None: as many as there are.
    """

    data: Path
    work: Path
    deadline: Deadline
    draw: Random
    commands: Sequence[Command] = COMMANDS
    sample: int | None = None

    @property
    def folder(self) -> Path:
        """The folder of one attempt: `Command.prepare` makes it, `clear` removes it."""
        return self.work / "run"

    def clear(self) -> None:
        shutil.rmtree(self.folder)

    def run(
        self,
        arguments: Sequence[str],
        on_operation: OnOperation = lambda number, name: "do",
        on_start: Callable[[int], object] = lambda pid: None,
    ) -> Ending:
        """Run a command in the folder, asking about each of its file operations."""
        return trace(
            lambda: sentir(arguments, self.data, self.folder),
            on_operation,
            said=self.work / "said",
            on_start=on_start,
        )

    def moments(self) -> Iterator[tuple[Whole, int]]:
        """Numbers of operations of all commands, in a random order, until the time is over."""
        wholes = [run_whole(command, self) for command in self.commands]
        moments = [
            (whole, number) for whole in wholes for number in range(1, len(whole.operations) + 1)
        ]
        self.draw.shuffle(moments)
        for moment in moments[: self.sample]:
            if self.deadline.is_over():
                return
            yield moment


@dataclass(frozen=True)
class Whole:
    """What a command leaves when nothing happens to it, and its file operations."""

    command: Command
    left: dict[str, Any]
    operations: Sequence[str]


def run_whole(command: Command, scene: Scene) -> Whole:
    command.prepare(scene.data, scene.folder)
    ending = scene.run(command.arguments)
    if ending.code:
        raise RuntimeError(f"{command.name} fails without an attack: {ending.said}")
    left = snapshot(scene.folder)
    scene.clear()
    return Whole(command, left, ending.operations)


def repeat(whole: Whole, ending: Ending, scene: Scene) -> str:
    """What is wrong after a command that did not end well was repeated, as its user would."""
    if ending.code:
        command, is_begun = whole.command, (scene.folder / "run" / "checkpoint.pt").exists()
        ending = scene.run([*command.arguments, *(command.again if is_begun else ())])
    return check_end(whole, ending, scene.folder)


def check_reader(whole: Whole, folder: Path) -> str:
    """What a reader finds wrong while the command is at work, or after it was stopped."""
    command = whole.command
    if command.result == "run":
        try:
            found = read_model(folder / "run")
        except Exception as error:
            return f"a reader meets {error!r}"
        return "the model is gone" if command.before and not found else ""
    result = folder / command.result
    if result.exists():
        is_whole = content(result) == whole.left[command.result]
        return "" if is_whole else "a reader meets half a file"
    return ""


def check_said(ending: Ending) -> str:
    return f"traceback: {ending.said[-800:]}" if "Traceback" in ending.said else ""


def check_end(whole: Whole, ending: Ending, folder: Path) -> str:
    """What is wrong at the end of the command that was repeated."""
    if problem := check_said(ending):
        return problem
    finished = ending.code == 2 and "this run has finished" in ending.said
    if ending.code and not finished:
        return f"exit code {ending.code}: {ending.said[-800:]}"
    return ", ".join(differences(snapshot(folder), whole.left))
