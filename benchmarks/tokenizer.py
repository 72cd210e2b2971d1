"""The word tokenizer compared with NLTK's ``word_tokenize`` on real reviews: F1 and speed.

    python benchmarks/tokenizer.py [--data DIR]

``word_tokenize`` has two steps: Punkt splits a text into sentences, the Penn Treebank rules split a
sentence into words. Punkt's trained model is a download, so here Punkt is trained on other cleaned
reviews of the same file. Agreement is the F1 of the tokens that both have in the same order; speed
is that of a plain loop over reviews. Both read cleaned text.
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
from reviews import CORPORA, add_data_option, read_labelled, reviews_file

from sentir.config import CLEAN_STEPS
from sentir.text.cleaning import URL_TOKEN, cleaner
from sentir.text.treebank import WordSplitter

REVIEWS, HELD_OUT, ROUNDS, PROCESSES = 2000, 3000, 5, 2
MIN_F1, MIN_RATIO = 0.99, 10.0

Split = Callable[[str], list[str]]


def clean_reviews(path: Path, reviews: int, held_out: int) -> tuple[list[str], list[str]]:
    """Cleaned reviews to compare on, and others to train Punkt on."""
    clean = cleaner(CLEAN_STEPS)
    texts = read_labelled(path)[1]
    random.Random(0).shuffle(texts)
    cleaned = [clean(text) for text in texts[: reviews + held_out]]
    return cleaned[:reviews], cleaned[reviews:]


def nltk_pipeline(held_out: list[str]) -> Split:
    """NLTK's ``word_tokenize``, with Punkt trained on these reviews."""
    trainer = PunktTrainer()
    trainer.train("\n".join(held_out), finalize=True)
    sentences = PunktSentenceTokenizer(trainer.get_params())
    words = NLTKWordTokenizer()
    return lambda text: [
        word for sentence in sentences.tokenize(text) for word in words.tokenize(sentence)
    ]


def sentir_tokenizer() -> Split:
    """Sentir's word tokenizer, its cache empty."""
    return WordSplitter((), tuple)


def differences(theirs: list[str], words: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Pairs of token sequences in which the two lists differ at the same place."""
    if theirs != words:
        matcher = difflib.SequenceMatcher(None, theirs, words, autojunk=False)
        for tag, start, end, our_start, our_end in matcher.get_opcodes():
            if tag != "equal":
                yield theirs[start:end], words[our_start:our_end]


def agreement(path: Path, *, reviews: int, held_out: int) -> tuple[float, Counter[str]]:
    """F1 of the tokens in a file's reviews, and counts of the differences."""
    texts, others = clean_reviews(path, reviews, held_out)
    reference, split = nltk_pipeline(others), sentir_tokenizer()
    count = different = 0
    counts: Counter[str] = Counter()
    for text in texts:
        # NLTK does not know the token that replaces URLs; that does not count as a difference.
        theirs = " ".join(reference(text)).replace("< url >", URL_TOKEN).split(" ")
        words = split(text)
        count += len(theirs) + len(words)
        for their, our in differences(theirs, words):
            different += len(their) + len(our)
            counts[f"{' '.join(their)} → {' '.join(our)}"] += 1
    return 1 - different / count, counts


def count_words(texts: list[str], split: Split | None = None) -> int:
    """Number of tokens of the texts, which are not kept."""
    return sum(map(len, map(split or sentir_tokenizer(), texts)))


def speeds(path: Path) -> dict[str, float]:
    """Median MB/s of each method; the methods alternate."""
    texts, others = clean_reviews(path, REVIEWS, HELD_OUT)
    reference = nltk_pipeline(others)
    shares = [texts[worker::PROCESSES] for worker in range(PROCESSES)]
    with get_context("spawn").Pool(PROCESSES) as pool:
        pool.map(count_words, [[""]] * PROCESSES)  # starts the workers
        methods: dict[str, Callable[[], object]] = {
            "NLTK": lambda: count_words(texts, reference),
            "Sentir": lambda: count_words(texts),
            "Sentir, processes": lambda: pool.map(count_words, shares, chunksize=1),
        }
        seconds: dict[str, list[float]] = {method: [] for method in methods}
        for _ in range(ROUNDS):
            for method, work in methods.items():
                began = time.perf_counter()
                work()
                seconds[method].append(time.perf_counter() - began)
    size_mb = sum(len(text.encode()) for text in texts) / 1e6
    return {method: size_mb / statistics.median(rounds) for method, rounds in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_data_option(parser)
    args = parser.parse_args()
    paths = {corpus: reviews_file(args.data, corpus) for corpus in CORPORA}
    print(f"{REVIEWS:,} reviews per file, Punkt trained on {HELD_OUT:,} others; medians of")
    print(f"{ROUNDS} alternating rounds, Sentir's cache empty at the start of each\n")
    print("| file | F1 | NLTK MB/s | Sentir MB/s | ratio | Sentir, 2 processes MB/s | ratio |")
    print("|---|---|---|---|---|---|---|")
    missed, differing = False, {}
    for name, path in paths.items():
        f1, differing[name] = agreement(path, reviews=REVIEWS, held_out=HELD_OUT)
        nltk, single, parallel = speeds(path).values()
        print(f"| {name} | {f1:.3%} | {nltk:.2f} | {single:.1f} | {single / nltk:.1f} "
              f"| {parallel:.1f} | {parallel / nltk:.1f} |", flush=True)  # fmt: skip
        missed |= f1 < MIN_F1 or parallel / nltk < MIN_RATIO
    for name, counts in differing.items():
        listed = "; ".join(f"{pair} ({count})" for pair, count in counts.most_common(8))
        print(f"\n{name}, most frequent differences (NLTK → Sentir): {listed}")
    print(f"\ntarget: F1 {MIN_F1:.0%}, {MIN_RATIO:.0f} x with {PROCESSES} processes:",
          "missed" if missed else "reached")  # fmt: skip
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
