"""Run the attacks: ``python3 dev.py attack [--minutes N] [--only NAME ...] [--record]``.

Each takes its share of the minutes. What did not hold is printed, and is exit code 1; ``--record``
appends the counts to ``benchmarks/results/reliability.jsonl``, from which ``--draw`` writes
``docs/reliability.md``.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from attack.commands import COMMANDS, prepare_data
from attack.counts import Count, Deadline, memory_folder, save
from attack.environments import attack_environments
from attack.fuzz import attack_bundles, attack_formats
from attack.kills import attack_kills
from attack.meetings import attack_changes, attack_two_at_once
from attack.moments import attack_full_disk, attack_readers, attack_signals
from attack.outlets import attack_pipes, attack_small_disks
from attack.runs import Scene
from attack.writers import attack_forks, attack_writers

#: Called with a folder to work in, seconds, what to draw from, and the options.
Attack = Callable[[Path, float, Random, argparse.Namespace], list[Count]]
MINUTES = 10.0


def _on_commands(attack: Callable[[Scene], list[Count]]) -> Attack:
    def run(work: Path, seconds: float, draw: Random, options: argparse.Namespace) -> list[Count]:
        chosen = [one for one in COMMANDS if one.name in (options.commands or [one.name])]
        data = _data()  # first, as it takes its time
        deadline = Deadline(seconds)
        return attack(
            Scene(
                data=data, work=work, deadline=deadline, draw=draw, commands=chosen,
                sample=options.sample,
            )
        )  # fmt: skip

    return run


def _on_inputs(attack: Callable[[Deadline, Random, int | None], list[Count]]) -> Attack:
    return lambda work, seconds, draw, options: attack(
        Deadline(seconds), draw, options.sample and INPUTS * options.sample
    )


#: Inputs that are read in the time of one attempt on a command.
INPUTS = 100
ATTACKS: dict[str, Attack] = {
    "kills": _on_commands(attack_kills),
    "disks": _on_commands(attack_full_disk),
    "small-disks": _on_commands(attack_small_disks),
    "pipes": _on_commands(attack_pipes),
    "signals": _on_commands(attack_signals),
    "readers": _on_commands(attack_readers),
    "two": _on_commands(attack_two_at_once),
    "changes": _on_commands(attack_changes),
    "environments": _on_commands(attack_environments),
    "writers": _on_commands(attack_writers),
    "forks": _on_commands(attack_forks),
    "bundles": _on_inputs(attack_bundles),
    "fuzz": _on_inputs(attack_formats),
}
#: The work that all attacks on commands share.
_shared = tempfile.TemporaryDirectory(prefix="sentir-attack-", dir=memory_folder())


@functools.cache
def _data() -> Path:
    return prepare_data(Path(_shared.name).resolve())


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py attack", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"all of them ({MINUTES})")
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    names = [command.name for command in COMMANDS]
    parser.add_argument("--commands", nargs="+", choices=names, help="attack only these commands")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--sample", type=int, help="most attempts of an attack (unset: no limit)")
    parser.add_argument("--record", action="store_true", help="keep the counts")
    parser.add_argument("--draw", action="store_true", help="only write docs/reliability.md")
    options = parser.parse_args()
    if options.draw:
        from attack.page import draw_page

        draw_page()
        return 0
    failed = 0
    for name in options.only:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="sentir-attack-", dir=memory_folder()) as work:
            share_s = 60 * options.minutes / len(options.only)
            draw = Random(f"{options.seed}:{name}")
            counts = ATTACKS[name](Path(work).resolve(), share_s, draw, options)
        seconds = time.monotonic() - started
        for count in counts:
            print(f"{count.attack}, {count.target}: {count.tried:,} tried, {count.failed:,} failed")
        sys.stdout.flush()
        failed += sum(count.failed for count in counts)
        if options.record:
            command = f"python3 dev.py attack --only {name} --minutes {seconds / 60:.0f}"
            save(counts, f"{command} --seed {options.seed}", seconds)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
