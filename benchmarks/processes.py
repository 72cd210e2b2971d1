"""What a training step of a preset costs, by processes, size of the batch and vocabulary.

    python benchmarks/processes.py [--preset base] [--words 52000,500000] [--batches 64]
    torchrun --standalone --nproc-per-node 2 benchmarks/processes.py --batches 64,256,1024

The steps are those of the training loop, on random reviews of 100 tokens whose words are as
frequent as in texts; one thread per process. Seconds are medians on rank 0: of the clock, and of
the processor of one process. ``--every-row`` lets the optimiser pass over all word vectors in every
step, as it does on a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sentir.config import Config
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.nn.classifier import SentimentClassifier
from sentir.training import loop
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier
from sentir.training.process_group import ProcessGroup, joined
from sentir.training.row_updates import EveryRow

TOKENS, STEPS, WARM_UP = 100, 40, 10


def write_corpus(path: Path, count: int, words: int) -> None:
    """Random reviews, in which the k-th word is as frequent as 1 / k."""
    random = np.random.default_rng(0)
    shares_V = 1 / np.arange(1, words - 1)
    ids_T = random.choice(words - 2, count * TOKENS, p=shares_V / shares_V.sum()) + 2
    ends_N = np.arange(0, count * TOKENS + 1, TOKENS, dtype=np.int32)
    labels_N = random.integers(0, 2, count).astype(np.int32)
    with CorpusWriter(path, texts=False) as writer:
        writer.write(ids_T.astype(np.int32), ends_N, labels_N, np.arange(count, dtype=np.uint64))


class StepTimes:
    """A callback that measures the time from one step to the next."""

    def __init__(self) -> None:
        self.times: list[tuple[float, float]] = []

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "step":
            self.times.append((time.perf_counter(), time.process_time()))

    def medians_s(self) -> tuple[float, float]:
        """Median seconds of a step: of the clock, of the processor."""
        steps = np.diff(np.array(self.times)[WARM_UP:], axis=0)
        return statistics.median(steps[:, 0]), statistics.median(steps[:, 1])


def measure(
    processes: ProcessGroup, folder: Path, preset: str, batch_size: int, words: int
) -> tuple[float, float]:
    """Median seconds of a step: of the clock, of the processor."""
    corpus = folder / f"{batch_size}-{words}"
    processes.lead(lambda: write_corpus(corpus, batch_size * STEPS, words))
    train = EncodedCorpus(corpus)
    changes = {"ngram_buckets": 0, "batch_size": batch_size, "epochs": 1, "eval_steps": 10 * STEPS}
    config = Config.preset(preset).override(changes)
    torch.manual_seed(0)
    model = SentimentClassifier(config.model, vocabulary=words, classes=2)
    times = StepTimes()
    checkpoints = Checkpoints(folder, "measured")
    checkpoints.save_best(model)
    fit_classifier(model, train, train, config, checkpoints=checkpoints, emit=times)
    processes.lead(checkpoints.remove)
    return times.medians_s() if processes.rank == 0 else (0.0, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="base")
    parser.add_argument("--batches", default="64", help="reviews per step")
    parser.add_argument("--words", default="52000", help="sizes of the vocabulary")
    parser.add_argument("--every-row", action="store_true", help="update all word vectors")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.every_row:
        loop.updates_of_word_vectors = lambda *parts: EveryRow()
    with joined() as processes, tempfile.TemporaryDirectory() as name:
        folder = Path(processes.lead(lambda: name))
        for words in map(int, args.words.split(",")):
            for batch_size in map(int, args.batches.split(",")):
                clock, cpu = measure(processes, folder, args.preset, batch_size, words)
                if processes.rank == 0:
                    print(
                        f"W {processes.size}, batch {batch_size:,}, {words:,} words: "
                        f"{1000 * clock:,.1f} ms, {1000 * cpu:,.1f} CPU ms a step, "
                        f"{batch_size / clock:,.0f} reviews/s",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
