"""Two commands in one folder, and what changes between a kill and the resume."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from attack.commands import CLASSIFIER, Command, sentir
from attack.counts import Count
from attack.operations import Decision, Ending, run_forked
from attack.runs import Scene, Whole, check_end, check_reader, check_said, run_whole
from attack.states import differences, snapshot

#: The command that is met: on its own copy of the reviews, as these are changed too.
TRAIN = Command(
    "train", ["train", "own.csv", "--output", "run", *CLASSIFIER], "run", again=["--resume"],
    copies="train.csv",
)  # fmt: skip


def attack_two_at_once(scene: Scene) -> list[Count]:
    """While one command trains, at each of its operations another wants the folder."""
    whole = run_whole(TRAIN, scene)
    counts = {
        name: Count("two in one folder", name or "the same command")
        for name in ("", "--resume", "--overwrite")
    }
    moments = [(at, name) for at in range(1, len(whole.operations) + 1) for name in counts]
    scene.draw.shuffle(moments)
    for at, name in moments[: scene.sample]:
        if scene.deadline.is_over():
            break
        TRAIN.prepare(scene.data, scene.folder)
        others: list[Ending] = []

        def meet(
            number: int, _: str, at: int = at, name: str = name, others: list[Ending] = others
        ) -> Decision:
            if number == at:
                arguments = [*TRAIN.arguments, *([name] if name else ())]
                said = scene.work / "other"
                others.append(run_forked(lambda: sentir(arguments, scene.data, scene.folder), said))
            return "do"

        first = scene.run(TRAIN.arguments, meet)
        ended_well = [ending for ending in (first, *others) if ending.code == 0]
        refused = [ending for ending in (first, *others) if ending.code == 2]
        problem = "".join(check_said(ending) for ending in (first, *others))
        if len(ended_well) != 1 and not (name == "--overwrite" and len(ended_well) == 2):
            problem = problem or f"{len(ended_well)} trained: {[end.said for end in refused]}"
        problem = problem or ", ".join(differences(snapshot(scene.folder), whole.left))
        if problem:
            counts[name].fail(f"at operation {at} ({whole.operations[at - 1]}): {problem}")
        else:
            counts[name].held("the first trained" if not first.code else "the second trained")
        scene.clear()
    return list(counts.values())


def attack_changes(scene: Scene) -> list[Count]:
    """Something changes between a kill and the resume: all goes well, or it is refused."""
    whole = run_whole(TRAIN, scene)
    counts = {name: Count("changed before the resume", name) for name in CHANGES}
    moments = [(at, name) for at in range(1, len(whole.operations) + 1) for name in CHANGES]
    scene.draw.shuffle(moments)
    for at, name in moments[: scene.sample]:
        if scene.deadline.is_over():
            break
        TRAIN.prepare(scene.data, scene.folder)
        scene.run(TRAIN.arguments, lambda number, _, at=at: "kill" if number == at else "do")  # type: ignore[misc]
        change, may_go_on = CHANGES[name]
        if not change(scene.folder):
            scene.clear()  # it was killed before there was anything to change
            continue
        before = _outside(scene.folder)
        ending = scene.run([*TRAIN.arguments, "--resume"])
        problem = check_said(ending) or _judge(whole, ending, scene, name, may_go_on)
        if _outside(scene.folder) != before:
            problem = problem or "files of others changed"
        if problem:
            counts[name].fail(f"killed at operation {at}: {problem}")
        else:
            counts[name].held("refused" if ending.code else "went on")
        scene.clear()
    return list(counts.values())


def _judge(whole: Whole, ending: Ending, scene: Scene, name: str, may_go_on: bool) -> str:
    if ending.code == 2:
        return check_reader(whole, scene.folder) if (scene.folder / "run").is_dir() else ""
    if ending.code:
        return f"exit code {ending.code}: {ending.said[-500:]}"
    if may_go_on:
        left = [name for name in snapshot(scene.folder / "run") if ".part" in name]
        return f"{left[0]} is left" if left else ""
    return check_end(whole, ending, scene.folder)


def _outside(folder: Path) -> dict[str, bytes]:
    """The files that are not the run's."""
    place = folder / "elsewhere"
    return {path.name: path.read_bytes() for path in place.glob("*.txt")} if place.exists() else {}


def _other_content(folder: Path) -> bool:
    text = (folder / "own.csv").read_text("utf-8")
    (folder / "own.csv").write_text(text + "one more review,positive\n", "utf-8")
    return True


def _same_size(folder: Path) -> bool:
    path = folder / "own.csv"
    path.write_bytes(path.read_bytes().replace(b"the", b"THE"))
    return True


def _same_size_and_time(folder: Path) -> bool:
    """Nothing but its content tells: it is not promised that this is seen."""
    _same_size(folder)
    os.utime(folder / "own.csv", (1e9, 1e9))
    return True


def _later(folder: Path) -> bool:
    os.utime(folder / "own.csv", (2e9, 2e9))
    return True


def _earlier(folder: Path) -> bool:
    os.utime(folder / "own.csv", (0, 0))
    return True


def _gone(folder: Path) -> bool:
    (folder / "own.csv").unlink()
    return True


def _moved(folder: Path) -> bool:
    """The run moves to another disk, and a link is left."""
    if not (folder / "run").exists():
        return False
    (folder / "run").rename(folder / "moved")
    (folder / "run").symlink_to("moved")
    return True


def _foreign(folder: Path) -> bool:
    """The run's folder becomes a link to files of somebody else."""
    if not (folder / "run").exists():
        return False
    shutil.rmtree(folder / "run")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "thesis.txt").write_text("years of work")
    (folder / "run").symlink_to("elsewhere")
    return True


def _link_inside(name: str) -> Callable[[Path], bool]:
    def change(folder: Path) -> bool:
        path = folder / "run" / name
        if not path.exists():
            return False
        (folder / "elsewhere").mkdir()
        path.rename(folder / "elsewhere" / name)
        (folder / "elsewhere" / "thesis.txt").write_text("years of work")
        path.symlink_to(Path("..") / "elsewhere" / name)
        return True

    return change


def _cut(name: str) -> Callable[[Path], bool]:
    def change(folder: Path) -> bool:
        path = folder / "run" / name
        if not path.exists() or path.stat().st_size < 2:
            return False
        os.truncate(path, path.stat().st_size // 2)
        return True

    return change


def _removed(name: str) -> Callable[[Path], bool]:
    def change(folder: Path) -> bool:
        path = folder / "run" / name
        if not path.exists():
            return False
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return True

    return change


#: What changes; and whether the run may go on to another end than the one that was not killed.
CHANGES: dict[str, tuple[Callable[[Path], bool], bool]] = {
    "the input has a row more": (_other_content, True),
    "the input has other letters, as many": (_same_size, True),
    "the input has other letters, as many, and the old time": (_same_size_and_time, True),
    "the input is touched, later": (_later, True),
    "the input is touched, in 1970": (_earlier, True),
    "the input is gone": (_gone, True),
    "the run is a link to where it was moved": (_moved, True),
    "the run is a link to files of others": (_foreign, True),
    "the model is a link": (_link_inside("model"), True),
    "the cache is a link": (_link_inside("cache"), True),
    "the checkpoint is a link": (_link_inside("checkpoint.pt"), True),
    "the checkpoint is cut": (_cut("checkpoint.pt"), True),
    "the best weights are cut": (_cut("best.safetensors"), False),
    "the metrics are cut": (_cut("metrics.jsonl"), True),
    "the mark is cut": (_cut("run.json"), False),
    "the cache is removed": (_removed("cache"), False),
    "the checkpoint is removed": (_removed("checkpoint.pt"), True),
    "the mark is removed": (_removed("run.json"), True),
    "the metrics are removed": (_removed("metrics.jsonl"), True),
}
