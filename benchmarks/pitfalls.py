"""The lesson's pitfalls one at a time, compared with the fixed recipe.

    python benchmarks/pitfalls.py [--seeds 0,1,2] [--reviews 8000] [--data DIR]

Trains and tests on Amazon reviews where they are available, else on synthetic ones. Prints a
Markdown table: mean, lowest and highest test accuracy of the seeds, and the points that each
pitfall costs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch
from reviews import add_data_option, reviews_file
from rich.console import Console
from rich.progress import Progress

from sentir.lesson.pitfalls.experiment import (
    REAL,
    REAL_COUNT,
    SAMPLE,
    SAMPLE_COUNT,
    compare,
    count_total_steps,
    gather,
)
from sentir.lesson.pitfalls.picture import markdown
from sentir.lesson.pitfalls.recipes import PITFALLS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--reviews", type=int, default=None, help="training and validation reviews")
    add_data_option(parser)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if (args.data / "amazon").is_dir():
        recipe, count = REAL, REAL_COUNT
        sources = [str(reviews_file(args.data, "amazon", part)) for part in ("train", "test")]
    else:
        recipe, count = SAMPLE, SAMPLE_COUNT
        sources = ["sample", "sample:test"]
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        reviews = gather(
            sources[:1], sources[1:], Path(folder),
            count=args.reviews or count, max_length=recipe.max_length,
        )  # fmt: skip
        seeds = [int(seed) for seed in args.seeds.split(",")]
        steps = count_total_steps(reviews, PITFALLS, seeds, recipe)
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("training", total=steps)
            comparison = compare(
                reviews, pitfalls=PITFALLS, seeds=seeds, recipe=recipe,
                advance=lambda count: bar.advance(task, count),
            )  # fmt: skip
    minutes = (time.process_time() - began) / 60
    counts = ", ".join(f"{name} {number:,}" for name, number in comparison.reviews.items())
    print(f"{sources[0]}: {counts}; {recipe}; {minutes:.0f} minutes of one core\n")
    print(markdown(comparison))


if __name__ == "__main__":
    main()
