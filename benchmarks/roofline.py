"""What share of the processor's peak training reaches, and where the rest of its time goes.

    python benchmarks/peak.py [--presets lecture,base] [--steps 20]

Counted are the products of the recurrent layers, which are all but a few of a network's: for a
token and a direction 4 H (I + H) multiplications (an LSTM; a GRU 3 H) and as many additions ahead,
with I inputs and H units, and twice as many again back. The peak is that of a product of two large
matrices, in float32 or bfloat16, measured before and after the training, the highest of all taken.
Reviews are made up, as in answers.py; padding is no work that is wanted, and counts as lost.
Printed are the share of the peak and a profile of the steps, both in Markdown.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from inference import operations_a_token
from sentir.config import Config
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.nn.classifier import SentimentClassifier
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier
from sentir.training.precision import choose_precision, format_name

VOCABULARY = 30_000
#: Steps that are profiled, after those that are timed.
PROFILED = 5
#: Side of the matrices, and products of which the fastest tells the peak.
SIDE, PRODUCTS = 1024, 8
SHOWN = 8


def peak(kind: torch.dtype) -> float:
    """Operations a second of a product of two matrices."""
    left, right = (torch.randn(SIDE, SIDE).to(kind) for _ in range(2))
    seconds = []
    for _ in range(PRODUCTS):
        began = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - began)
    return 2 * SIDE**3 / min(seconds)


def builtin_reviews(count: int, path: Path) -> EncodedCorpus:
    """Reviews of random words by Zipf's law, as long as real ones."""
    random = np.random.default_rng(0)
    lengths = np.maximum(random.lognormal(np.log(90), 0.6, count).astype(int), 5)
    chances = 1 / np.arange(1, VOCABULARY - 1)
    ids = random.choice(VOCABULARY - 2, lengths.sum(), p=chances / chances.sum()) + 2
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    with CorpusWriter(path, texts=False) as writer:
        writer.write(ids.astype(np.int32), offsets, random.integers(0, 2, count).astype(np.int32),
                     np.arange(count, dtype=np.uint64))  # fmt: skip
    return EncodedCorpus(path)


def measure(preset: str, steps: int, folder: Path) -> None:
    config = Config.preset(preset)
    quiet = dataclasses.replace(config.train, epochs=1, patience=0, eval_steps=10**9)
    config = dataclasses.replace(config, train=quiet)
    corpus = builtin_reviews(steps * quiet.batch_size, folder / "reviews.arrow")
    few = builtin_reviews(8, folder / "few.arrow")
    torch.manual_seed(0)
    model = SentimentClassifier(config.model, vocabulary=VOCABULARY, classes=2)
    kind = choose_precision("auto", config.model, torch.device("cpu"))
    model.set_compute_dtype(kind)

    def train(reviews: EncodedCorpus) -> float:
        """Seconds from the beginning to the last step, what follows it left out."""
        told = {}
        with tempfile.TemporaryDirectory() as place:
            fit_classifier(
                model, reviews, few, config, checkpoints=Checkpoints(Path(place), ""),
                emit=lambda event: told.update({event["event"]: time.perf_counter()}),
            )  # fmt: skip
        return told["step"] - told["start"]

    peaks = {kind: peak(kind) for kind in (torch.float32, torch.bfloat16)}
    train(few)  # kernels are made at the first use
    rate = int(corpus.lengths_N.sum()) / train(corpus)
    peaks = {kind: max(found, peak(kind)) for kind, found in peaks.items()}
    a_token = 3 * operations_a_token(config.model, looked_up=False)  # ahead, and twice as many back
    achieved = rate * a_token
    best, of_best = max(peaks.items(), key=lambda one: one[1])
    print(
        f"| {preset} | {format_name(kind)} | {rate:,.0f} | {a_token:,} | "
        f"{achieved / 1e9:.1f} | {of_best / 1e9:.0f} in {format_name(best)} | "
        f"{achieved / of_best:.0%} |\n",
        flush=True,
    )
    with profile(activities=[ProfilerActivity.CPU]) as found:
        train(builtin_reviews(PROFILED * quiet.batch_size, folder / "profiled.arrow"))
    averages = found.key_averages()
    whole = sum(one.self_cpu_time_total for one in averages)
    for one in sorted(averages, key=lambda one: -one.self_cpu_time_total)[:SHOWN]:
        print(f"- {one.self_cpu_time_total / whole:.0%} `{one.key}`")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="lecture,base")
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    print(f"{torch.get_num_threads()} threads\n")
    for preset in given.presets.split(","):
        print("| preset | recurrent layers in | tokens/s | FLOP a token | GFLOP/s | the peak | "
              "share of it |\n" + "|---" * 7 + "|")  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            measure(preset, given.steps, Path(folder))


if __name__ == "__main__":
    main()
