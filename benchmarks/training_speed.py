"""Training the preset `lecture`, compared with the lesson's own loop: speed and loss.

    python benchmarks/training_speed.py [--rounds 3] [--reviews 12000] [--seeds 0,1,2] [--data DIR]

Both read the same encoded Amazon reviews. Speed: they alternate, some steps each, and the medians
over the rounds are compared. The batches of `lecture` are taken from an epoch, one from each part
of the range of lengths. Each has a process of its own, since `sentir train` allocates memory in
another way. Loss: both are trained from scratch on the same reviews, and the loss on the same
validation reviews is compared over the seeds; `--seeds ''` skips this.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import lesson_loop
import numpy as np
import torch
from reviews import add_data_option, reviews_file

from sentir.config import Config
from sentir.data.batching import Rows, shuffled_batches
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.data.encoding import TrainingCorpora, encode_training
from sentir.io.reader import BadRows, read_reviews
from sentir.nn.classifier import SentimentClassifier
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier
from sentir.training.precision import choose_precision, format_name

#: Steps per round.
LESSON_STEPS, OUR_STEPS = 2, 5
VALIDATED = 2000


def random_rows(corpus: EncodedCorpus, count: int, seed: int) -> Rows:
    """Random rows of a corpus."""
    return np.random.default_rng(seed).permutation(len(corpus))[:count]


def stratified_rows(corpus: EncodedCorpus, config: Config, seed: int) -> Rows:
    """The rows of `OUR_STEPS` batches of an epoch, one from each part of the range of lengths.

    They have the lengths of the corpus, and as little padding as the batches of a whole epoch.
    """
    epoch = shuffled_batches(
        corpus, batch_size=config.train.batch_size, max_length=config.text.max_length,
        seed=seed, epoch=0,
    )  # fmt: skip
    full = [batch for batch in epoch if len(batch.rows_B) == config.train.batch_size]
    full.sort(key=lambda batch: float(batch.lengths_B.sum()))
    start = np.random.default_rng(seed).random()
    return np.concatenate(
        [full[int((start + step) / OUR_STEPS * len(full))].rows_B for step in range(OUR_STEPS)]
    )


def write_subset(corpus: EncodedCorpus, rows: Rows, path: Path) -> EncodedCorpus:
    """Write these rows of a corpus to a file."""
    ids = [corpus[row] for row in rows]
    offsets = np.cumsum([0, *map(len, ids)]).astype(np.int32)
    with CorpusWriter(path, texts=False) as writer:
        flat = np.concatenate(ids)
        writer.write(flat, offsets, corpus.labels_N[rows], corpus.hashes_N[rows])
    return EncodedCorpus(path)


class Lecture:
    """The preset `lecture` in the loop that `sentir train` runs."""

    def __init__(self, config: Config, vocabulary: int, seed: int) -> None:
        torch.manual_seed(seed)
        train = dataclasses.replace(config.train, epochs=1, patience=0, eval_steps=10**9)
        self.config = dataclasses.replace(config, train=train)
        self.model = SentimentClassifier(config.model, vocabulary=vocabulary, classes=2)
        self.model.set_compute_dtype(choose_precision("auto", config.model, torch.device("cpu")))

    def train(self, corpus: EncodedCorpus, valid: EncodedCorpus) -> tuple[float, float]:
        """Seconds of one epoch without its validation, and the validation loss (nats)."""
        began, ended, loss = 0.0, 0.0, 0.0

        def emit(event: dict[str, object]) -> None:
            nonlocal began, ended, loss
            match event["event"]:
                case "start":
                    began = time.perf_counter()
                case "step":
                    ended = time.perf_counter()
                case "validation":
                    loss = float(event["loss"])  # type: ignore[arg-type]

        with tempfile.TemporaryDirectory() as folder:
            checkpoints = Checkpoints(Path(folder), "")
            fit_classifier(
                self.model, corpus, valid, self.config, checkpoints=checkpoints, emit=emit
            )
        return ended - began, loss


def lesson_seconds(model: lesson_loop.LessonNet, corpus: EncodedCorpus, seed: int) -> float:
    """Seconds of the lesson's loop for these reviews."""
    began = time.perf_counter()
    for _ in lesson_loop.train_steps(model, corpus, seed):
        pass
    return time.perf_counter() - began


def lesson_loss(model: lesson_loop.LessonNet, valid: EncodedCorpus) -> float:
    """Validation loss of the lesson's network (nats)."""
    positive_N = lesson_loop.predict(model, valid, np.arange(len(valid)))
    likelihood_N = np.where(valid.labels_N == 1, positive_N, 1 - positive_N)
    return float(-np.log(np.maximum(likelihood_N, 1e-12)).mean())


@cache
def cached_lesson(vocabulary: int) -> lesson_loop.LessonNet:
    return lesson_loop.LessonNet(vocabulary)


@cache
def cached_lecture(vocabulary: int) -> Lecture:
    return Lecture(Config.preset("lecture"), vocabulary, 0)


def lesson_rate(path: Path, vocabulary: int, seed: int) -> float:
    """Training speed of the lesson's loop (reviews per second)."""
    corpus = EncodedCorpus(path)
    return len(corpus) / lesson_seconds(cached_lesson(vocabulary), corpus, seed)


def lecture_rate(path: Path, vocabulary: int, small: Path) -> float:
    """Training speed of `lecture` (reviews per second)."""
    corpus = EncodedCorpus(path)
    return len(corpus) / cached_lecture(vocabulary).train(corpus, EncodedCorpus(small))[0]


def single_process() -> ProcessPoolExecutor:
    """A process that runs one call after the other."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def compare_speed(corpora: TrainingCorpora, config: Config, rounds: int, folder: Path) -> None:
    """Print the speed of both in each round, and the medians."""
    vocabulary = len(corpora.tokenizer.vocabulary)
    small = folder / "small.arrow"
    write_subset(corpora.valid, random_rows(corpora.valid, 16, 0), small)
    rates: dict[str, list[float]] = {"lecture": [], "lesson": []}
    print("| round | lesson's loop, reviews/s | `lecture`, reviews/s | ratio |\n|---|---|---|---|")
    with single_process() as lesson_process, single_process() as lecture_process:
        # Kernels are built at the first use.
        lesson_process.submit(lesson_rate, small, vocabulary, 0).result()
        lecture_process.submit(lecture_rate, small, vocabulary, small).result()
        for number in range(rounds):
            sampled, lesson = folder / f"lecture-{number}.arrow", folder / f"lesson-{number}.arrow"
            write_subset(corpora.train, stratified_rows(corpora.train, config, number), sampled)
            count = LESSON_STEPS * lesson_loop.BATCH
            write_subset(corpora.train, random_rows(corpora.train, count, number), lesson)
            lesson_now = lesson_process.submit(lesson_rate, lesson, vocabulary, number).result()
            lecture_now = lecture_process.submit(lecture_rate, sampled, vocabulary, small).result()
            rates["lesson"].append(lesson_now)
            rates["lecture"].append(lecture_now)
            ratio = lecture_now / lesson_now
            print(f"| {number + 1} | {lesson_now:.1f} | {lecture_now:.1f} | {ratio:.2f} |",
                  flush=True)  # fmt: skip
    lesson_median, lecture_median = (
        statistics.median(rates[name]) for name in ("lesson", "lecture")
    )
    print(
        f"| median | {lesson_median:.1f} | {lecture_median:.1f} | "
        f"{lecture_median / lesson_median:.2f} |\n"
    )


def compare_loss(
    corpora: TrainingCorpora, config: Config, reviews: int, seeds: list[int], folder: Path
) -> None:
    """Print the validation loss of both for each seed."""
    vocabulary = len(corpora.tokenizer.vocabulary)
    rows = random_rows(corpora.valid, VALIDATED, 0)
    valid = write_subset(corpora.valid, rows, folder / "valid-subset.arrow")
    losses: dict[str, list[float]] = {"lesson": [], "lecture": []}
    print(f"| seed | lesson's loss after {reviews:,} reviews | `lecture`'s |\n|---|---|---|")
    for seed in seeds:
        rows = random_rows(corpora.train, reviews, seed)
        corpus = write_subset(corpora.train, rows, folder / f"learn-{seed}.arrow")
        torch.manual_seed(seed)
        lesson = lesson_loop.LessonNet(vocabulary)
        lesson_seconds(lesson, corpus, seed)
        losses["lesson"].append(lesson_loss(lesson, valid))
        losses["lecture"].append(Lecture(config, vocabulary, seed).train(corpus, valid)[1])
        print(f"| {seed} | {losses['lesson'][-1]:.4f} | {losses['lecture'][-1]:.4f} |", flush=True)
    if len(seeds) > 1:
        cells = [f"{statistics.mean(by_seed):.4f} ± {statistics.stdev(by_seed):.4f}"
                 for by_seed in losses.values()]  # fmt: skip
        print(f"| mean ± standard deviation | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reviews", type=int, default=12_000)
    parser.add_argument("--seeds", default="0,1,2")
    add_data_option(parser)
    args = parser.parse_args()
    path = reviews_file(args.data, "amazon")
    config, bad_rows = Config.preset("lecture"), BadRows()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        reviews = read_reviews([str(path)], bad_rows=bad_rows)
        corpora = encode_training(
            reviews, folder, text=config.text, train=config.train, bad_rows=bad_rows
        )
        dtype = choose_precision("auto", config.model, torch.device("cpu"))
        print(f"recurrent layers in {format_name(dtype)}\n")
        compare_speed(corpora, config, args.rounds, folder)
        if args.seeds:
            seeds = [int(seed) for seed in args.seeds.split(",")]
            compare_loss(corpora, config, args.reviews, seeds, folder)


if __name__ == "__main__":
    main()
