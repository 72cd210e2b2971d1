"""Training the `lecture` preset against the lesson's own loop: speed, and what is learnt.

    python benchmarks/training.py [--rounds 3] [--reviews 12000] [--seeds 0,1,2] [--data DIR]

Both read the same encoded Amazon reviews. Speed: the two take turns, some steps each, and the
medians over the rounds are compared; our batches are some of an epoch's, one from each part of the
range of lengths. Each has a process of its own, as how a process gets its memory is
one of the things that `sentir train` does otherwise. Learning: each trains on the same reviews from
scratch, and the loss on the same validation reviews is compared over the seeds; `--seeds ''` leaves
this out.
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

#: Steps a round.
LESSON_STEPS, OUR_STEPS = 2, 5
VALIDATED = 2000


def at_random(corpus: EncodedCorpus, count: int, seed: int) -> Rows:
    """Some reviews of a corpus."""
    return np.random.default_rng(seed).permutation(len(corpus))[:count]


def of_an_epoch(corpus: EncodedCorpus, config: Config, seed: int) -> Rows:
    """The reviews of `OUR_STEPS` batches of an epoch, one from each part of the range of lengths.

    So they have the lengths of the corpus, and as little padding as batches of the whole corpus.
    """
    epoch = shuffled_batches(
        corpus, batch_size=config.train.batch_size, max_length=config.text.max_length,
        seed=seed, epoch=0,
    )  # fmt: skip
    full = [batch for batch in epoch if len(batch.rows_B) == config.train.batch_size]
    full.sort(key=lambda batch: float(batch.lengths_B.sum()))
    start = np.random.default_rng(seed).random()
    return np.concatenate(
        [full[int((start + at) / OUR_STEPS * len(full))].rows_B for at in range(OUR_STEPS)]
    )


def part(corpus: EncodedCorpus, rows: Rows, path: Path) -> EncodedCorpus:
    """These reviews of a corpus."""
    ids = [corpus[row] for row in rows]
    offsets = np.cumsum([0, *map(len, ids)]).astype(np.int32)
    with CorpusWriter(path, texts=False) as writer:
        flat = np.concatenate(ids)
        writer.write(flat, offsets, corpus.labels_N[rows], corpus.hashes_N[rows])
    return EncodedCorpus(path)


class Ours:
    """The preset `lecture` in the loop that `sentir train` runs."""

    def __init__(self, config: Config, vocabulary: int, seed: int) -> None:
        torch.manual_seed(seed)
        train = dataclasses.replace(config.train, epochs=1, patience=0, eval_steps=10**9)
        self.config = dataclasses.replace(config, train=train)
        self.model = SentimentClassifier(config.model, vocabulary=vocabulary, classes=2)
        self.model.set_compute_dtype(choose_precision("auto", config.model, torch.device("cpu")))

    def train(self, corpus: EncodedCorpus, valid: EncodedCorpus) -> tuple[float, float]:
        """Seconds of one pass, without the validation at its end, and the loss found there."""
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
    """Seconds that the lesson's loop takes for these reviews."""
    began = time.perf_counter()
    for _ in lesson_loop.train_steps(model, corpus, seed):
        pass
    return time.perf_counter() - began


def lesson_loss(model: lesson_loop.LessonNet, valid: EncodedCorpus) -> float:
    found_N = lesson_loop.answers(model, valid, np.arange(len(valid)))
    of_label_N = np.where(valid.labels_N == 1, found_N, 1 - found_N)
    return float(-np.log(np.maximum(of_label_N, 1e-12)).mean())


@cache
def the_lesson(vocabulary: int) -> lesson_loop.LessonNet:
    return lesson_loop.LessonNet(vocabulary)


@cache
def ours(vocabulary: int) -> Ours:
    return Ours(Config.preset("lecture"), vocabulary, 0)


def lesson_rate(path: Path, vocabulary: int, seed: int) -> float:
    """Reviews a second that the lesson's loop trains on."""
    corpus = EncodedCorpus(path)
    return len(corpus) / lesson_seconds(the_lesson(vocabulary), corpus, seed)


def our_rate(path: Path, vocabulary: int, few: Path) -> float:
    """Reviews a second that `sentir train` trains on."""
    corpus = EncodedCorpus(path)
    return len(corpus) / ours(vocabulary).train(corpus, EncodedCorpus(few))[0]


def alone() -> ProcessPoolExecutor:
    """A process that runs one thing after the other."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def speed(corpora: TrainingCorpora, config: Config, rounds: int, folder: Path) -> None:
    vocabulary = len(corpora.tokenizer.vocabulary)
    few = folder / "few.arrow"
    part(corpora.valid, at_random(corpora.valid, 16, 0), few)
    rates: dict[str, list[float]] = {"ours": [], "lesson": []}
    print("| round | lesson's loop, reviews/s | `lecture`, reviews/s | ratio |\n|---|---|---|---|")
    with alone() as lessons, alone() as own:
        # Kernels are made at the first use.
        lessons.submit(lesson_rate, few, vocabulary, 0).result()
        own.submit(our_rate, few, vocabulary, few).result()
        for at in range(rounds):
            sampled, lesson = folder / f"ours-{at}.arrow", folder / f"lesson-{at}.arrow"
            part(corpora.train, of_an_epoch(corpora.train, config, at), sampled)
            count = LESSON_STEPS * lesson_loop.BATCH
            part(corpora.train, at_random(corpora.train, count, at), lesson)
            theirs_now = lessons.submit(lesson_rate, lesson, vocabulary, at).result()
            ours_now = own.submit(our_rate, sampled, vocabulary, few).result()
            rates["lesson"].append(theirs_now)
            rates["ours"].append(ours_now)
            print(f"| {at + 1} | {theirs_now:.1f} | {ours_now:.1f} | {ours_now / theirs_now:.2f} |",
                  flush=True)  # fmt: skip
    theirs, own_rate = (statistics.median(rates[name]) for name in ("lesson", "ours"))
    print(f"| median | {theirs:.1f} | {own_rate:.1f} | {own_rate / theirs:.2f} |\n")


def learning(
    corpora: TrainingCorpora, config: Config, reviews: int, seeds: list[int], folder: Path
) -> None:
    vocabulary = len(corpora.tokenizer.vocabulary)
    rows = at_random(corpora.valid, VALIDATED, 0)
    valid = part(corpora.valid, rows, folder / "valid-part.arrow")
    losses: dict[str, list[float]] = {"lesson": [], "ours": []}
    print(f"| seed | lesson's loss after {reviews:,} reviews | `lecture`'s |\n|---|---|---|")
    for seed in seeds:
        rows = at_random(corpora.train, reviews, seed)
        corpus = part(corpora.train, rows, folder / f"learn-{seed}.arrow")
        torch.manual_seed(seed)
        theirs = lesson_loop.LessonNet(vocabulary)
        lesson_seconds(theirs, corpus, seed)
        losses["lesson"].append(lesson_loss(theirs, valid))
        losses["ours"].append(Ours(config, vocabulary, seed).train(corpus, valid)[1])
        print(f"| {seed} | {losses['lesson'][-1]:.4f} | {losses['ours'][-1]:.4f} |", flush=True)
    if len(seeds) > 1:
        cells = [f"{statistics.mean(all_):.4f} ± {statistics.stdev(all_):.4f}"
                 for all_ in losses.values()]  # fmt: skip
        print(f"| mean ± deviation | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reviews", type=int, default=12_000)
    parser.add_argument("--seeds", default="0,1,2")
    add_data_option(parser)
    given = parser.parse_args()
    path = reviews_file(given.data, "amazon")
    config, bad_rows = Config.preset("lecture"), BadRows()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        reviews = read_reviews([str(path)], bad_rows=bad_rows)
        corpora = encode_training(
            reviews, folder, text=config.text, train=config.train, bad_rows=bad_rows
        )
        taken = choose_precision("auto", config.model, torch.device("cpu"))
        print(f"recurrent layers in {format_name(taken)}\n")
        speed(corpora, config, given.rounds, folder)
        if given.seeds:
            seeds = [int(seed) for seed in given.seeds.split(",")]
            learning(corpora, config, given.reviews, seeds, folder)


if __name__ == "__main__":
    main()
