"""Our words against NLTK's ``word_tokenize`` on real reviews: agreement and speed.

    python benchmarks/tokenizer.py [--data DIR]

``word_tokenize`` is two things: Punkt cuts a text into sentences, the Treebank's rules cut a
sentence into words. Punkt's own trained model is a download, so here it learns from other reviews
of the same file, cleaned as those that are compared. Agreement is the F1 of the tokens that both
have in the same order; speed is that of the pipeline's plain loop. Both read cleaned text.
"""

from __future__ import annotations

import argparse
import difflib
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTrainer
from reviews import CORPORA, add_data_option, read, reviews_file

from sentir.config import CLEAN_STEPS
from sentir.text.cleaning import URL_TOKEN, cleaner
from sentir.text.treebank import WordSplitter

REVIEWS, HELD_OUT, ROUNDS, PROCESSES = 2000, 3000, 5, 2
LEAST_F1, LEAST_RATIO = 0.99, 10.0

Split = Callable[[str], list[str]]


def clean_reviews(path: Path, reviews: int, held_out: int) -> tuple[list[str], list[str]]:
    """Cleaned reviews to compare on, and others for Punkt to learn from."""
    clean = cleaner(CLEAN_STEPS)
    texts = read(path)[1]
    random.Random(0).shuffle(texts)
    chosen = [clean(text) for text in texts[: reviews + held_out]]
    return chosen[:reviews], chosen[reviews:]


def nltk_pipeline(held_out: list[str]) -> Split:
    """NLTK's ``word_tokenize``, its Punkt learnt from these reviews."""
    trainer = PunktTrainer()
    trainer.train("\n".join(held_out), finalize=True)
    sentences = PunktSentenceTokenizer(trainer.get_params())
    words = NLTKWordTokenizer()
    return lambda text: [
        word for sentence in sentences.tokenize(text) for word in words.tokenize(sentence)
    ]


def ours() -> Split:
    """Our words, nothing remembered yet."""
    return WordSplitter((), tuple)


def differences(theirs: list[str], words: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """What stands at one place in one list and otherwise in the other."""
    if theirs != words:
        matcher = difflib.SequenceMatcher(None, theirs, words, autojunk=False)
        for what, start, end, our_start, our_end in matcher.get_opcodes():
            if what != "equal":
                yield theirs[start:end], words[our_start:our_end]


def agreement(path: Path, *, reviews: int, held_out: int) -> tuple[float, Counter[str]]:
    """F1 of our words in a file's reviews, and how often we differ in which way."""
    texts, others = clean_reviews(path, reviews, held_out)
    reference, split = nltk_pipeline(others), ours()
    count = apart = 0
    ways: Counter[str] = Counter()
    for text in texts:
        # NLTK does not know the token that addresses become; that is no disagreement.
        theirs = " ".join(reference(text)).replace("< url >", URL_TOKEN).split(" ")
        words = split(text)
        count += len(theirs) + len(words)
        for their, our in differences(theirs, words):
            apart += len(their) + len(our)
            ways[f"{' '.join(their)} → {' '.join(our)}"] += 1
    return 1 - apart / count, ways


def count_words(texts: list[str], split: Split | None = None) -> int:
    """TokenizedBatch the texts and let the words go, as a loop over reviews does."""
    return sum(map(len, map(split or ours(), texts)))


def speeds(path: Path) -> dict[str, float]:
    """Median MB/s of each way, the ways taking turns so that a busy machine slows all of them."""
    texts, others = clean_reviews(path, REVIEWS, HELD_OUT)
    reference = nltk_pipeline(others)
    shares = [texts[at::PROCESSES] for at in range(PROCESSES)]
    with get_context("spawn").Pool(PROCESSES) as pool:
        pool.map(count_words, [[""]] * PROCESSES)  # the workers have started
        ways: dict[str, Callable[[], object]] = {
            "NLTK": lambda: count_words(texts, reference),
            "ours": lambda: count_words(texts),
            "ours, processes": lambda: pool.map(count_words, shares, chunksize=1),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, work in ways.items():
                began = time.perf_counter()
                work()
                seconds[way].append(time.perf_counter() - began)
    size_mb = sum(len(text.encode()) for text in texts) / 1e6
    return {way: size_mb / statistics.median(took) for way, took in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_data_option(parser)
    given = parser.parse_args()
    paths = {corpus: reviews_file(given.data, corpus) for corpus in CORPORA}
    print(f"{REVIEWS:,} reviews a file, Punkt learnt from {HELD_OUT:,} others; medians of")
    print(f"{ROUNDS} rounds in turns, our memory of pieces empty at the start of each\n")
    print("| file | F1 | NLTK MB/s | ours MB/s | ratio | ours, 2 processes MB/s | ratio |")
    print("|---|---|---|---|---|---|---|")
    missed, often = False, {}
    for name, path in paths.items():
        f1, often[name] = agreement(path, reviews=REVIEWS, held_out=HELD_OUT)
        nltk, one, two = speeds(path).values()
        print(f"| {name} | {f1:.3%} | {nltk:.2f} | {one:.1f} | {one / nltk:.1f} | {two:.1f} "
              f"| {two / nltk:.1f} |", flush=True)  # fmt: skip
        missed |= f1 < LEAST_F1 or two / nltk < LEAST_RATIO
    for name, ways in often.items():
        listed = "; ".join(f"{way} ({count})" for way, count in ways.most_common(8))
        print(f"\n{name}, where we differ most (NLTK → ours): {listed}")
    print(f"\nrequired: F1 {LEAST_F1:.0%}, {LEAST_RATIO:.0f} x with {PROCESSES} processes:",
          "missed" if missed else "met")  # fmt: skip
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
