"""Reviews unlike those of training: estimated and true accuracy, coverage, single sentences.

    python benchmarks/shifts.py RUN [RUN ...] --valid FILE [FILE ...] [--count 3000]

A run is a finished one of `sentir train --valid FILE --coverage 0.9`. Each is measured on the test
files of Amazon and IMDB, on single sentences, on pairs of a review and its opposite, and on test
reviews that are damaged, cut short, or all of one class. Differences of confidences (Guillory et
al. 2021) and the averaged thresholded confidence (ATC, Garg et al. 2022) estimate the accuracy from
the probabilities alone; both are compared with the true one. ATC needs the probabilities of the
validation reviews: --valid, one file per run. Prints Markdown.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from reviews import add_data_option, read_labelled, read_lines, reviews_file

from sentir import Predictor, load
from sentir.text.sentences import split_sentences

Labelled = tuple[list[str], np.ndarray]


def read(path: Path, count: int = 10**9) -> Labelled:
    """Texts and classes (0 or 1) of some reviews of a fastText file, drawn at random."""
    labels, texts = read_labelled(path)
    rows = list(range(len(texts)))
    random.Random(0).shuffle(rows)
    rows = rows[:count]
    return [texts[row] for row in rows], np.array([int(labels[row][-1]) - 1 for row in rows])


def read_pairs(path: Path) -> Labelled:
    rows = [line.split("\t") for line in list(read_lines(path))[1:]]
    return [text for *_, text in rows], np.array([int("os" in row[1].lower()) for row in rows])


def changed(reviews: Labelled, change: Callable[[str, random.Random], str]) -> Labelled:
    random_ = random.Random(1)
    return [change(text, random_) or "x" for text in reviews[0]], reviews[1]


def without_letters(text: str, random_: random.Random) -> str:
    return "".join(letter for letter in text if random_.random() > 0.05)


def half_of_the_words(text: str, random_: random.Random) -> str:
    return " ".join(word for word in text.split() if random_.random() < 0.5)


def first_15_words(text: str, random_: random.Random) -> str:
    return " ".join(text.split()[:15])


def shifts(data: Path, count: int) -> Iterator[tuple[str, Labelled]]:
    """Names and reviews."""
    for corpus in ("amazon", "imdb"):
        test = read(reviews_file(data, corpus, "test"), count)
        yield f"{corpus}, test", test
        yield f"{corpus}, one letter of 20 missing", changed(test, without_letters)
        yield f"{corpus}, half of the words missing", changed(test, half_of_the_words)
        yield f"{corpus}, the first 15 words only", changed(test, first_15_words)
        for name, label in (("negative", 0), ("positive", 1)):
            rows = np.flatnonzero(test[1] == label)
            yield f"{corpus}, {name} only", ([test[0][row] for row in rows], test[1][rows])
    for site in ("amazon", "yelp"):
        yield f"single sentences, {site}", read(data / "order" / f"sentences-{site}.ft.txt")
    yield "edited to say the opposite", read_pairs(data / "order" / "pairs-dev.tsv")


def report(model: Predictor, valid: Labelled, data: Path, count: int) -> None:
    """Print the table of one model."""

    def answers(reviews: Labelled) -> tuple[np.ndarray, np.ndarray]:
        probabilities_NC = model.predict_proba(reviews[0])
        return probabilities_NC.max(axis=1), probabilities_NC.argmax(axis=1) == reviews[1]

    known_N, right_N = answers(valid)
    accuracy, least = right_N.mean(), model.bundle.threshold
    atc = np.quantile(known_N, 1 - accuracy)
    print(f"validation: accuracy {accuracy:.4f}, mean confidence {known_N.mean():.4f}\n")
    print("| reviews | count | accuracy | by confidences | ATC | coverage | over the answered |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, reviews in shifts(data, count):
        confidence_N, right_N = answers(reviews)
        true = right_N.mean()
        estimates = accuracy - known_N.mean() + confidence_N.mean(), (confidence_N >= atc).mean()
        points = " | ".join(f"{100 * (estimate - true):+.1f}" for estimate in estimates)
        is_answered_N = confidence_N >= (least.value if least else 0)
        print(
            f"| {name} | {len(right_N):,} | {true:.2%} | {points} | {is_answered_N.mean():.1%} | "
            f"{right_N[is_answered_N].mean():.2%} |"
        )
    texts, labels = read(reviews_file(data, "amazon", "test"), count)
    parts = [split_sentences(text) for text in texts]
    scores = model.scores(model.predict_proba([one for part in parts for one in part]))
    of_review = np.split(scores, np.cumsum([len(part) for part in parts])[:-1])
    by_mean = np.mean(
        [(one.mean() > 0) == label for one, label in zip(of_review, labels, strict=True)]
    )
    alike = np.mean(
        [((one > 0) == label).mean() for one, label in zip(of_review, labels, strict=True)]
    )
    print(f"\namazon by the mean score of sentences: {by_mean:.2%}; sentences alike: {alike:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="folders of runs")
    parser.add_argument("--valid", nargs="+", type=Path, required=True, help="one file per run")
    parser.add_argument("--count", type=int, default=3000, help="most reviews of a test file")
    add_data_option(parser)
    args = parser.parse_args()
    for run, valid in zip(args.runs, args.valid, strict=True):
        print(f"\n## {run}\n")
        report(load(run, bulk=True), read(valid), args.data, args.count)


if __name__ == "__main__":
    main()
