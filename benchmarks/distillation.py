"""How good a student is on test that learns from unlabelled reviews as teachers answer them.

    sentir train TRAIN --test TEST -o runs/teacher
    python benchmarks/teaching.py --corpus imdb --teachers runs/teacher[,...] [--presets base,best]
        [--lm DIR] [--engine int8] [--seeds 0] [--set NAME=VALUE ...] [--data DIR]
    python benchmarks/teaching.py --corpus imdb --draw

A teacher is a finished run on the corpus' training file, measured on test by itself; it answers the
corpus' unlabelled reviews (unsup.txt.bz2), and the student learns from these and the training file.
`best` begins with a language model (--lm). Minutes are the student's alone, from the files to the
report, its teachers' answers included.

Each student and seed is a line in benchmarks/results, and is not measured again unless --again. All
lines together make the table, which has each teacher's own figures too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import results
from results import Job, Row
from reviews import CORPORA, add_data_option, reviews_file
from rich.console import Console
from settings import changes

from sentir import Config, load, train
from sentir.bundle import LanguageBundle, load_bundle, load_language_model
from sentir.data.cache import digest
from sentir.training.callbacks import ProgressBar
from sentir.training.transfer import preset_for


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", default="imdb", choices=CORPORA)
    parser.add_argument("--teachers", default="", metavar="DIR,...", help="finished runs")
    parser.add_argument("--presets", default="base", help="of the students")
    parser.add_argument("--engine", default="auto", help="what computes the teachers' answers")
    parser.add_argument("--lm", type=Path, metavar="DIR", help="a finished run of sentir pretrain")
    results.add_results_options(parser)
    add_data_option(parser)
    given = parser.parse_args()
    path = given.results or results.FOLDER / f"teaching-{given.corpus}.jsonl"
    if not given.draw:
        if not given.teachers:
            parser.error("--teachers: name a finished run, or several with commas between")
        if "best" in given.presets.split(",") and given.lm is None:
            parser.error("best begins with a language model, --lm DIR")
        results.run_missing(jobs(given), path, again=given.again)
    rows = results.newest(
        results.read_rows(path), line=("preset", "set", "teachers"), job=("seed",)
    )
    if not rows:
        sys.exit(f"{path}: nothing measured yet")
    print(markdown(rows))


def jobs(given: argparse.Namespace) -> Iterator[Job]:
    folders = [Path(name) for name in given.teachers.split(",")]
    teachers = [own_figures(folder) for folder in folders]
    lm = load_language_model(given.lm) if given.lm else None
    for preset in given.presets.split(","):
        own_lm = lm if preset == "best" else None
        config = preset_for(own_lm, preset).override({**changes(given.set), "seed": 0})
        checksum = own_lm.checksum if own_lm else ""
        for seed in map(int, given.seeds.split(",")):
            mark = {
                "corpus": given.corpus, "preset": preset, "set": changes(given.set),
                "teachers": teachers, "engine": given.engine, "seed": seed,
                "recipe": digest([config.to_dict(), checksum]),
            }  # fmt: skip
            options = [
                "--corpus", given.corpus, "--presets", preset, "--seeds", seed,
                "--teachers", ",".join(f"RUN{at}" for at in range(1, len(folders) + 1)),
                "--engine", given.engine, *(["--lm", "LM"] if own_lm else []),
            ]  # fmt: skip
            yield Job(
                mark,
                results.command("teaching", *options, settings=given.set),
                partial(result, given, folders, config.override({"seed": seed}), own_lm),
            )


def own_figures(folder: Path) -> Row:
    """What a teacher is, and what its run said of it on test."""
    bundle = load_bundle(folder)
    test, model = bundle.metrics.get("test"), bundle.config.model
    if test is None:
        sys.exit(f"{folder}: it was not measured on test; train it with --test")
    return {
        "network": f"{model.cell.upper()} of {model.hidden} units",
        "from_lm": "from_lm" in bundle.metrics["training"],
        "seed": bundle.config.train.seed,
        "minutes": round(bundle.metrics["training"]["seconds"] / 60, 2),
        "accuracy": round(test["accuracy"], 5),
        "calibration_error": round(test["calibration_error"], 5),
    }


def result(
    given: argparse.Namespace, folders: Sequence[Path], config: Config, lm: LanguageBundle | None
) -> Row:
    """Teach a student, and measure it on the test file."""
    train_file, test_file = (
        str(reviews_file(given.data, given.corpus, part)) for part in ("train", "test")
    )
    unlabelled = given.data / given.corpus / "unsup.txt.bz2"
    if not unlabelled.exists():
        sys.exit(f"{unlabelled}: no such file; {given.corpus} has no unlabelled reviews")
    inputs = {"train": (train_file,), "test": (test_file,), "unlabelled": (str(unlabelled),)}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as made:
        run = train(
            **inputs,
            output=Path(made) / "run",
            config=config,
            from_lm=given.lm if lm else None,
            teachers=[load(folder, given.engine, bulk=True) for folder in folders],
            callbacks=[ProgressBar(Console(stderr=True))],
        )
    assert run.test is not None
    return {
        "minutes": round((time.perf_counter() - began) / 60, 2),
        "accuracy": round(run.test.accuracy, 5),
        "calibration_error": round(run.test.calibration_error, 5),
    }


def markdown(rows: Sequence[Row]) -> str:
    """A row for each teacher and each student, in the order they were measured."""
    lines: dict[str, tuple[str, str, list[Row]]] = {}
    for row in rows:
        names = [name_of(teacher) for teacher in row["teachers"]]
        for teacher, name in zip(row["teachers"], names, strict=True):
            lines.setdefault(name, (name, "", [teacher]))
        student, taught_by = f"`{row['preset']}`{results.told(row['set'])}", "; ".join(names)
        key = f"{student} {taught_by}"
        lines.setdefault(key, (student, taught_by, []))[2].append(row)
    head = ("model", "taught by", "seeds", "minutes", "test accuracy", "calibration error")
    return results.table(
        head,
        [[model, by, *results.of_seeds(seeds)] for model, by, seeds in lines.values()],
        words=2,
    )


def name_of(teacher: Row) -> str:
    begun = ", from a language model" if teacher["from_lm"] else ""
    return f"{teacher['network']}{begun}, seed {teacher['seed']}"


if __name__ == "__main__":
    main()
