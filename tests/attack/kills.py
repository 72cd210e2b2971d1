"""Kill a command at each of its file operations, run it again, and compare what it leaves."""

from __future__ import annotations

from attack.counts import Count
from attack.operations import Decision
from attack.runs import Scene, Whole, check_end, check_reader, check_said

#: Most kills of one run: after the first, each time with even odds, at a random operation.
MAX_KILLS = 4
_KILLED = -9


def attack_kills(scene: Scene) -> list[Count]:
    """Kill each command before and after each operation (after half of it, if it is a write)."""
    counts = {command.name: Count("kill and resume", command.name) for command in scene.commands}
    before_and_after: tuple[Decision, ...] = ("kill", "half")
    for whole, number in scene.moments():
        draw = scene.draw
        for how in before_and_after:
            plan = [(number, how)]
            while len(plan) < MAX_KILLS and draw.random() < 0.5:
                plan.append((draw.randint(1, len(whole.operations)), draw.choice(before_and_after)))
            _kill_and_resume(whole, plan, scene, counts[whole.command.name])
    return list(counts.values())


def _kill_and_resume(
    whole: Whole, plan: list[tuple[int, Decision]], scene: Scene, count: Count
) -> None:
    """Kill the command as planned, each time when it has been resumed; then let it end."""
    command, kills, problem = whole.command, 0, ""
    command.prepare(scene.data, scene.folder)
    arguments = command.arguments
    for at, how in plan:
        ending = scene.run(
            arguments,
            lambda number, name, at=at, how=how: how if number == at else "do",  # type: ignore[misc]
        )
        arguments = [*command.arguments, *command.again]
        problem = problem or check_reader(whole, scene.folder) or check_said(ending)
        if ending.code != _KILLED:  # it ended before that operation
            break
        kills += 1
    else:
        ending = scene.run(arguments)
    problem = problem or check_end(whole, ending, scene.folder)
    for _ in range(kills - 1 if problem else kills):
        count.held()
    if problem:
        count.fail(f"killed at {plan}: {problem}")
    scene.clear()
