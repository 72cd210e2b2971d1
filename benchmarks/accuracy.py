"""Test accuracy of a preset on real reviews, with TF-IDF + logistic regression as the baseline.

    python benchmarks/accuracy.py [--preset fast] [--seeds 0] [--corpora amazon,imdb] [--data DIR]

The baseline, TF-IDF of words and word bigrams, is trained on the same reviews as the network of the
first seed. Prints a Markdown table; minutes are of the whole run, from the compressed file to the
report. The test file is read once per seed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reviews import add_data_option, reviews_file

from sentir import Config, train
from sentir.evaluation.metrics import Metrics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--corpora", default="amazon,imdb")
    add_data_option(parser)
    args = parser.parse_args()
    print("| corpus | preset | seed | minutes | accuracy | macro F1 | AUC | calibration error | "
          "TF-IDF + LR |\n" + "|---" * 9 + "|", flush=True)  # fmt: skip
    config = Config.preset(args.preset)
    for corpus in args.corpora.split(","):
        runs: list[Measured] = []
        for seed in map(int, args.seeds.split(",")):
            runs.append(measure(args.data, corpus, config, seed, baseline=not runs))
            print(f"| {corpus} | {args.preset} | {seed} | {row(runs[-1:])} |", flush=True)
        if len(runs) > 1:
            print(f"| {corpus} | {args.preset} | all | {row(runs)} |", flush=True)


class Measured(NamedTuple):
    """One run: its minutes, and its metrics on the test file."""

    minutes: float
    test: Metrics
    baseline: Metrics | None


def measure(data: Path, corpus: str, config: Config, seed: int, *, baseline: bool) -> Measured:
    """Train on a corpus, and measure once on its test file."""
    train_file, test_file = (str(reviews_file(data, corpus, part)) for part in ("train", "test"))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as output:
        run = train(
            train=train_file, test=test_file, output=output,
            config=config.override({"seed": seed}), baseline=baseline,
        )  # fmt: skip
    minutes = (time.perf_counter() - began) / 60
    assert run.test is not None
    return Measured(minutes, run.test, run.baseline)


def row(runs: Sequence[Measured]) -> str:
    """Cells of a table: the metrics of one run, or mean and standard deviation of several."""

    def cell(form: str, values: Sequence[float]) -> str:
        mean = format(statistics.mean(values), form)
        return mean if len(runs) == 1 else f"{mean} ± {format(statistics.stdev(values), form)}"

    tests = [run.test for run in runs]
    baseline = next((run.baseline for run in runs if run.baseline), None)
    return " | ".join(
        [
            cell(".1f", [run.minutes for run in runs]),
            cell(".2%", [test.accuracy for test in tests]),
            cell(".4f", [test.macro_f1 for test in tests]),
            cell(".4f", [test.auc for test in tests]),
            cell(".2%", [test.calibration_error for test in tests]),
            f"{baseline.accuracy:.2%}" if baseline else "",
        ]
    )


if __name__ == "__main__":
    main()
