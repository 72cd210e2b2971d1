"""Train a preset on real reviews and measure it once on their test files, beside TF-IDF.

    python benchmarks/accuracy.py [--preset fast] [--seeds 0] [--corpora amazon,imdb] [--data DIR]

The reviews are looked for in $SENTIR_DATA, else in ../shared/data. TF-IDF of words and pairs of
words with logistic regression reads the same training reviews as the network. Printed is a Markdown
table: minutes are of the whole run, from the compressed file to the report.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from sentir import Config, train
from sentir.training.run import Inputs

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--corpora", default="amazon,imdb")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SENTIR_DATA", BESIDE)))
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"no real reviews in {given.data}; set SENTIR_DATA to where they are")
    print("| corpus | preset | seed | minutes | accuracy | macro F1 | AUC | calibration error | "
          "TF-IDF + LR | difference |\n" + "|---" * 10 + "|", flush=True)  # fmt: skip
    for corpus in given.corpora.split(","):
        for seed in map(int, given.seeds.split(",")):
            row = measure(given.data / corpus, Config.preset(given.preset), seed)
            print(f"| {corpus} | {given.preset} | {seed} | {row} |", flush=True)


def measure(folder: Path, config: Config, seed: int) -> str:
    """Train on a corpus and tell how good it is, as the cells of a table."""
    inputs = Inputs(
        train=(str(folder / "train.ft.txt.bz2"),), test=(str(folder / "test.ft.txt.bz2"),)
    )
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as output:
        run = train(inputs, output, config=config.override({"seed": seed}), baseline=True)
    minutes = (time.perf_counter() - began) / 60
    assert run.test is not None
    assert run.baseline is not None
    ours, theirs = run.test, run.baseline
    return (
        f"{minutes:.1f} | {ours.accuracy:.2%} | {ours.macro_f1:.4f} | {ours.auc:.4f} | "
        f"{ours.calibration_error:.2%} | {theirs.accuracy:.2%} | "
        f"{100 * (ours.accuracy - theirs.accuracy):+.2f} points"
    )


if __name__ == "__main__":
    main()
