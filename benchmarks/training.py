"""Training the `lecture` preset against the lesson's own loop: speed, and what is learnt.

    python benchmarks/training.py [--rounds 3] [--reviews 12000] [--seeds 0,1,2] [--data DIR]

Both read the same encoded Amazon reviews. Speed: the two take turns, some steps each, and the
medians over the rounds are compared; our batches are a random part of the corpus, so that their
lengths are those of the corpus. Learning: each trains on the same reviews from scratch, and the
loss on the same validation reviews is compared over the seeds; `--seeds ''` leaves this out.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import lesson_loop
import numpy as np
import torch
from reviews import add_data_option, reviews_file

from sentir.config import Config
from sentir.data.corpus import Faults, read_reviews
from sentir.data.encode import TrainingCorpora, encode_training
from sentir.data.store import CorpusWriter, EncodedCorpus
from sentir.nn.classifier import SentimentClassifier
from sentir.training.checkpoint import Checkpoints
from sentir.training.classifying import fit_classifier
from sentir.training.precision import choose_precision, format_name

#: Reviews a round: the lesson's two steps, our five.
LESSON_REVIEWS, OUR_REVIEWS = 2 * lesson_loop.BATCH, 5 * lesson_loop.BATCH
VALIDATED = 2000


def part(corpus: EncodedCorpus, count: int, seed: int, path: Path) -> EncodedCorpus:
    """Some reviews of a corpus, at random."""
    rows = np.random.default_rng(seed).permutation(len(corpus))[:count]
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
        train = dataclasses.replace(config.train, epochs=1, patience=0, valid_every=10**9)
        self.config = dataclasses.replace(config, train=train)
        self.model = SentimentClassifier(config.model, vocabulary=vocabulary, classes=2)
        self.format = choose_precision("auto", config.model, torch.device("cpu"))
        self.model.compute_in(self.format)

    def train(self, corpus: EncodedCorpus, valid: EncodedCorpus) -> tuple[float, float]:
        """Seconds of one pass, without the validation at its end, and the loss found there."""
        began, ended, loss = 0.0, 0.0, 0.0

        def tell(event: dict[str, object]) -> None:
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
                self.model, corpus, valid, self.config, checkpoints=checkpoints, tell=tell
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


def speed(corpora: TrainingCorpora, config: Config, rounds: int, folder: Path) -> None:
    vocabulary = len(corpora.tokenizer.vocabulary)
    ours, theirs = Ours(config, vocabulary, 0), lesson_loop.LessonNet(vocabulary)
    few = part(corpora.valid, 16, 0, folder / "few.arrow")
    rates: dict[str, list[float]] = {"ours": [], "lesson": []}
    ours.train(few, few)  # kernels are made at the first use
    print(f"recurrent layers in {format_name(ours.format)}\n")
    print("| round | lesson's loop, reviews/s | `lecture`, reviews/s | ratio |\n|---|---|---|---|")
    for at in range(rounds):
        sampled = part(corpora.train, OUR_REVIEWS, at, folder / f"ours-{at}.arrow")
        lesson = part(corpora.train, LESSON_REVIEWS, at, folder / f"lesson-{at}.arrow")
        rates["lesson"].append(len(lesson) / lesson_seconds(theirs, lesson, at))
        rates["ours"].append(len(sampled) / ours.train(sampled, few)[0])
        theirs_now, ours_now = rates["lesson"][-1], rates["ours"][-1]
        print(f"| {at + 1} | {theirs_now:.1f} | {ours_now:.1f} | {ours_now / theirs_now:.2f} |",
              flush=True)  # fmt: skip
    lesson_rate, our_rate = (statistics.median(rates[name]) for name in ("lesson", "ours"))
    print(f"| median | {lesson_rate:.1f} | {our_rate:.1f} | {our_rate / lesson_rate:.2f} |\n")


def learning(
    corpora: TrainingCorpora, config: Config, reviews: int, seeds: list[int], folder: Path
) -> None:
    vocabulary = len(corpora.tokenizer.vocabulary)
    valid = part(corpora.valid, VALIDATED, 0, folder / "valid-part.arrow")
    losses: dict[str, list[float]] = {"lesson": [], "ours": []}
    print(f"| seed | lesson's loss after {reviews:,} reviews | `lecture`'s |\n|---|---|---|")
    for seed in seeds:
        corpus = part(corpora.train, reviews, seed, folder / f"learn-{seed}.arrow")
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
    config, faults = Config.preset("lecture"), Faults()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        reviews = read_reviews([str(path)], faults=faults)
        corpora = encode_training(
            reviews, folder, text=config.text, train=config.train, faults=faults
        )
        speed(corpora, config, given.rounds, folder)
        if given.seeds:
            seeds = [int(seed) for seed in given.seeds.split(",")]
            learning(corpora, config, given.reviews, seeds, folder)


if __name__ == "__main__":
    main()
