"""The share of the processor's peak that training reaches, and a profile of its steps.

    python benchmarks/roofline.py [--presets lecture,base] [--steps 20]

Only the matrix products of the recurrent layers count, nearly all of a network's operations: per
token and direction 4 H (I + H) multiply-adds for an LSTM and 3 H (I + H) for a GRU in the forward
pass, with I inputs and H units, and twice as many in the backward pass. The peak is the highest
rate of a product of two large matrices in float32 or bfloat16, measured before and after training.
Reviews are random, as in inference_speed.py; operations on padding do not count. Prints the share
of the peak and a profile of the steps, in Markdown.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from inference_speed import operations_per_token
from torch.profiler import ProfilerActivity, profile

from sentir.config import Config
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.nn.classifier import SentimentClassifier
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier
from sentir.training.precision import choose_precision, format_name

VOCABULARY = 30_000
#: Steps to profile, after those that are timed.
PROFILED = 5
#: Side of the matrices, and number of products; the fastest gives the peak.
SIDE, PRODUCTS = 1024, 8
SHOWN_OPERATIONS = 8


def peak(dtype: torch.dtype) -> float:
    """Operations per second of a product of two matrices."""
    left, right = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(PRODUCTS):
        began = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - began)
    return 2 * SIDE**3 / min(seconds)


def random_corpus(count: int, path: Path) -> EncodedCorpus:
    """Encoded reviews of random ids by Zipf's law, as long as real ones."""
    random = np.random.default_rng(0)
    lengths = np.maximum(random.lognormal(np.log(90), 0.6, count).astype(int), 5)
    shares = 1 / np.arange(1, VOCABULARY - 1)
    ids = random.choice(VOCABULARY - 2, lengths.sum(), p=shares / shares.sum()) + 2
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    with CorpusWriter(path, texts=False) as writer:
        writer.write(ids.astype(np.int32), offsets, random.integers(0, 2, count).astype(np.int32),
                     np.arange(count, dtype=np.uint64))  # fmt: skip
    return EncodedCorpus(path)


def measure(preset: str, steps: int, folder: Path) -> None:
    """Print the row and the profile of one preset."""
    config = Config.preset(preset)
    train_config = dataclasses.replace(config.train, epochs=1, patience=0, eval_steps=10**9)
    config = dataclasses.replace(config, train=train_config)
    corpus = random_corpus(steps * train_config.batch_size, folder / "reviews.arrow")
    small = random_corpus(8, folder / "small.arrow")
    torch.manual_seed(0)
    model = SentimentClassifier(config.model, vocabulary=VOCABULARY, classes=2)
    dtype = choose_precision("auto", config.model, torch.device("cpu"))
    model.set_compute_dtype(dtype)

    def train(reviews: EncodedCorpus) -> float:
        """Seconds from the start to the last step, without the validation after it."""
        times: dict[str, float] = {}
        with tempfile.TemporaryDirectory() as temporary:
            fit_classifier(
                model, reviews, small, config, checkpoints=Checkpoints(Path(temporary), ""),
                emit=lambda event: times.update({event["event"]: time.perf_counter()}),
            )  # fmt: skip
        return times["step"] - times["start"]

    peaks = {dtype: peak(dtype) for dtype in (torch.float32, torch.bfloat16)}
    train(small)  # kernels are built at the first use
    tokens_per_s = int(corpus.lengths_N.sum()) / train(corpus)
    peaks = {dtype: max(rate, peak(dtype)) for dtype, rate in peaks.items()}
    # Forward, and twice as many backward.
    per_token = 3 * operations_per_token(config.model, looked_up=False)
    achieved = tokens_per_s * per_token
    best_dtype, best = max(peaks.items(), key=lambda item: item[1])
    print(
        f"| {preset} | {format_name(dtype)} | {tokens_per_s:,.0f} | {per_token:,} | "
        f"{achieved / 1e9:.1f} | {best / 1e9:.0f} in {format_name(best_dtype)} | "
        f"{achieved / best:.0%} |\n",
        flush=True,
    )
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        train(random_corpus(PROFILED * train_config.batch_size, folder / "profiled.arrow"))
    averages = profiled.key_averages()
    total = sum(entry.self_cpu_time_total for entry in averages)
    slowest = sorted(averages, key=lambda entry: -entry.self_cpu_time_total)
    for entry in slowest[:SHOWN_OPERATIONS]:
        print(f"- {entry.self_cpu_time_total / total:.0%} `{entry.key}`")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="lecture,base")
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    print(f"{torch.get_num_threads()} threads\n")
    for preset in args.presets.split(","):
        print("| preset | recurrent layers in | tokens/s | FLOP per token | GFLOP/s | the peak | "
              "share of it |\n" + "|---" * 7 + "|")  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            measure(preset, args.steps, Path(folder))


if __name__ == "__main__":
    main()
