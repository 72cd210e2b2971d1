"""Knowledge distillation: test accuracy of students trained on teachers' answers.

    sentir train TRAIN --test TEST -o runs/teacher
    python benchmarks/distillation.py --corpus imdb --teachers runs/teacher[,...]
        [--presets base,best] [--lm DIR] [--precision int8] [--seeds 0] [--set NAME=VALUE ...]
        [--data DIR]
    python benchmarks/distillation.py --corpus imdb --draw

A teacher is a finished run on the corpus' training file, with a test file. It answers the corpus'
unlabelled reviews (unsup.txt.bz2), and the student is trained on these and on the training file.
`best` starts from a language model (--lm). Minutes are the student's, from the files to the report,
with its teachers' answers.

Each student and seed is one line of a file in benchmarks/results, and is not measured again without
--again. The table is drawn from all lines, and has the metrics of each teacher too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import measurements
from measurements import Job, Row
from reviews import CORPORA, add_data_option, reviews_file
from rich.console import Console
from settings import parse_settings

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
    parser.add_argument("--engine", default="auto", help="of the teachers")
    parser.add_argument("--precision", default="float32", help="of the teachers")
    parser.add_argument("--lm", type=Path, metavar="DIR", help="a finished run of sentir pretrain")
    measurements.add_results_options(parser)
    add_data_option(parser)
    args = parser.parse_args()
    path = args.results or measurements.FOLDER / f"distillation-{args.corpus}.jsonl"
    if not args.draw:
        if not args.teachers:
            parser.error("--teachers: name one or more finished runs, with commas between")
        if "best" in args.presets.split(",") and args.lm is None:
            parser.error("best starts from a language model, --lm DIR")
        measurements.run_missing(jobs(args), path, again=args.again)
    rows = measurements.latest(
        measurements.read_rows(path), series=("preset", "set", "teachers"), job=("seed",)
    )
    if not rows:
        sys.exit(f"{path}: no results yet")
    print(markdown(rows))


def jobs(args: argparse.Namespace) -> Iterator[Job]:
    """The jobs, preset by preset."""
    folders = [Path(name) for name in args.teachers.split(",")]
    teachers = [describe(folder) for folder in folders]
    lm = load_language_model(args.lm) if args.lm else None
    for preset in args.presets.split(","):
        preset_lm = lm if preset == "best" else None
        config = preset_for(preset_lm, preset).override({**parse_settings(args.set), "seed": 0})
        checksum = preset_lm.checksum if preset_lm else ""
        for seed in map(int, args.seeds.split(",")):
            key = {
                "corpus": args.corpus, "preset": preset, "set": parse_settings(args.set),
                "teachers": teachers, "engine": args.engine, "precision": args.precision,
                "seed": seed,
                "recipe": digest([config.to_dict(), checksum]),
            }  # fmt: skip
            options = [
                "--corpus", args.corpus, "--presets", preset, "--seeds", seed,
                "--teachers", ",".join(f"RUN{number}" for number in range(1, len(folders) + 1)),
                "--engine", args.engine, "--precision", args.precision,
                *(["--lm", "LM"] if preset_lm else []),
            ]  # fmt: skip
            yield Job(
                key,
                measurements.command_line("distillation", *options, settings=args.set),
                partial(measure_student, args, folders, config.override({"seed": seed}), preset_lm),
            )


def describe(folder: Path) -> Row:
    """A teacher: its network, and its metrics on test."""
    bundle = load_bundle(folder)
    test, model = bundle.metrics.get("test"), bundle.config.model
    if test is None:
        sys.exit(f"{folder}: no metrics on test; train it with --test")
    return {
        "network": f"{model.cell.upper()} of {model.hidden_size} units",
        "from_lm": "from_lm" in bundle.metrics["training"],
        "seed": bundle.config.train.seed,
        "minutes": round(bundle.metrics["training"]["seconds"] / 60, 2),
        "accuracy": round(test["accuracy"], 5),
        "calibration_error": round(test["calibration_error"], 5),
    }


def measure_student(
    args: argparse.Namespace, folders: Sequence[Path], config: Config, lm: LanguageBundle | None
) -> Row:
    """Train a student and measure it on the test file."""
    train_file, test_file = (
        str(reviews_file(args.data, args.corpus, part)) for part in ("train", "test")
    )
    unlabelled = args.data / args.corpus / "unsup.txt.bz2"
    if not unlabelled.exists():
        sys.exit(f"{unlabelled}: no such file; {args.corpus} has no unlabelled reviews")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        run = train(
            train=train_file,
            test=test_file,
            unlabelled=str(unlabelled),
            output=Path(temporary) / "run",
            config=config,
            from_lm=args.lm if lm else None,
            teachers=[load(folder, args.engine, args.precision, bulk=True) for folder in folders],
            callbacks=[ProgressBar(Console(stderr=True))],
        )
    assert run.test is not None
    return {
        "minutes": round((time.perf_counter() - began) / 60, 2),
        "accuracy": round(run.test.accuracy, 5),
        "calibration_error": round(run.test.calibration_error, 5),
    }


def markdown(rows: Sequence[Row]) -> str:
    """A row per teacher and per student, in the order of measurement."""
    lines: dict[str, tuple[str, str, list[Row]]] = {}
    for row in rows:
        names = [teacher_name(teacher) for teacher in row["teachers"]]
        for teacher, name in zip(row["teachers"], names, strict=True):
            lines.setdefault(name, (name, "", [teacher]))
        student = f"`{row['preset']}`{measurements.format_settings(row['set'])}"
        teachers = "; ".join(names)
        lines.setdefault(f"{student} {teachers}", (student, teachers, []))[2].append(row)
    head = ("model", "teachers", "seeds", "minutes", "test accuracy", "calibration error")
    return measurements.markdown_table(
        head,
        [
            [model, teachers, *measurements.summary_cells(seeds)]
            for model, teachers, seeds in lines.values()
        ],
        text_columns=2,
    )


def teacher_name(teacher: Row) -> str:
    lm = ", from a language model" if teacher["from_lm"] else ""
    return f"{teacher['network']}{lm}, seed {teacher['seed']}"


if __name__ == "__main__":
    main()
