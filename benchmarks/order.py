"""Does a model read in order? Negation, contrast, revised reviews; and who is named.

    python benchmarks/order.py [--tools NB-LR,TF-IDF,fast,base] [--seeds 0] [--set NAME=VALUE ...]
        [--reviews N] [--test] [--data DIR]

All tools learn from the same part of Amazon's train; 5,000 reviews of it are kept back, and
``--test`` reads Amazon's test file instead of them. Each is measured on whole reviews; on pairs of
an IMDB review and its revision by a person that turns the label (Kaushik et al. 2020): each review,
and both of a pair; on single sentences of Amazon and Yelp (Kotzias et al. 2015); and on
``order_sentences.tsv``, whose part ``dev`` is to choose by and ``test`` is to report. A model of
the synthetic Spanish reviews answers the Spanish sentences, as there are no real Spanish reviews
among the data. Invariance: the sentences of ``order_names.tsv`` differ only in who is named; the
spread is the largest probability of positive minus the smallest, averaged over sentences.

A line of JSON per tool and seed goes to ``results/order.jsonl``; prints Markdown tables.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import tools
from measurements import (
    FOLDER,
    Job,
    Row,
    add_results_options,
    command_line,
    latest,
    markdown_table,
    read_rows,
    run_missing,
)
from reviews import add_data_option, read_labelled, read_lines, reviews_file, shuffled, write_lines
from settings import parse_settings

from sentir import Config
from sentir.data.cache import digest
from sentir.synthetic.reviews import sample_reviews

HERE = Path(__file__).parent
KEPT_BACK = 5000
#: Synthetic Spanish reviews to learn from.
SPANISH_REVIEWS = 6000
PEERS: dict[str, Callable[[Path, Path], tools.Fitted]] = {
    "NB-LR": tools.naive_bayes_lr,
    "TF-IDF": tools.tfidf,
}

Positive = Callable[[list[str]], tools.Floats]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a tab-separated file without quoting, by the names in its first line."""
    head, *lines = [line.split("\t") for line in read_lines(path)]
    return [dict(zip(head, line, strict=True)) for line in lines]


def right(positive: Positive, texts: Sequence[str], is_positive: Sequence[bool]) -> np.ndarray:
    """Whether each text is answered rightly."""
    return (positive(list(texts)) > 0.5) == np.array(is_positive)


def on_lines(positive: Positive, path: Path) -> float:
    """Accuracy on a file of fastText lines."""
    labels, texts = read_labelled(path)
    return float(right(positive, texts, [label == tools.POSITIVE for label in labels]).mean())


def on_pairs(positive: Positive, path: Path) -> Row:
    """Accuracy on the reviews of all pairs, and the share of pairs with both right."""
    rows = rows_of(path)
    right_N = right(
        positive, [row["text"] for row in rows], [row["label"] == "positive" for row in rows]
    )
    of_pair = defaultdict(list)
    for row, is_right in zip(rows, right_N, strict=True):
        of_pair[row["pair"]].append(bool(is_right))
    both = statistics.mean(all(answers) for answers in of_pair.values())
    return {"pairs": float(right_N.mean()), "both_right": both}


def on_sentences(positive: Positive, language: str) -> Row:
    """Sentences answered rightly: by part and kind, a pair of how many and of how many."""
    rows = [row for row in rows_of(HERE / "order_sentences.tsv") if row["language"] == language]
    right_N = right(
        positive, [row["text"] for row in rows], [row["label"] == "positive" for row in rows]
    )
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row, is_right in zip(rows, right_N, strict=True):
        for kind in (row["kind"], "all"):
            counts[row["part"]][kind][0] += int(is_right)
            counts[row["part"]][kind][1] += 1
    return {part: dict(kinds) for part, kinds in counts.items()}


def on_names(positive: Positive, language: str) -> dict[str, float]:
    """By kind of difference, the mean over sentences of the largest answer less the smallest."""
    spreads = defaultdict(list)
    for row in rows_of(HERE / "order_names.tsv"):
        if row["language"] == language:
            answers = positive([row["template"].format(one) for one in row["fillers"].split("|")])
            spreads[row["kind"]].append(float(answers.max() - answers.min()))
    means = {kind: statistics.mean(values) for kind, values in spreads.items()}
    return means | {"all": statistics.mean(chain.from_iterable(spreads.values()))}


def measure(
    fit: Callable[[Path, Path], tools.Fitted], data: Path, reviews: int | None, *, test: bool
) -> Row:
    """Train a tool on English and on Spanish reviews, and measure both models."""
    lines = shuffled(list(read_lines(reviews_file(data, "amazon"))), seed=0)
    spanish = [
        f"__label__{1 + (label == 'positive')} {' '.join(text.split())}"
        for label, text in sample_reviews(SPANISH_REVIEWS, language="es", seed=0)
    ]
    with tempfile.TemporaryDirectory() as folder:
        learn, kept, es = (Path(folder) / f"{name}.ft.txt" for name in ("learn", "kept", "es"))
        write_lines(lines[KEPT_BACK:][:reviews], learn)
        write_lines(lines[:KEPT_BACK], kept)
        write_lines(spanish, es)
        fitted, of_spanish = fit(learn, Path(folder) / "en"), fit(es, Path(folder) / "es")
        whole = reviews_file(data, "amazon", "test") if test else kept
        order = data / "order"
        return {
            "minutes": round(fitted.seconds / 60, 2),
            "whole_reviews": on_lines(fitted.positive, whole),
            **on_pairs(fitted.positive, order / "pairs-dev.tsv"),
            "amazon_sentences": on_lines(fitted.positive, order / "sentences-amazon.ft.txt"),
            "yelp_sentences": on_lines(fitted.positive, order / "sentences-yelp.ft.txt"),
            "sentences": on_sentences(fitted.positive, "en"),
            "spanish_sentences": on_sentences(of_spanish.positive, "es"),
            "names": on_names(fitted.positive, "en"),
            "spanish_names": on_names(of_spanish.positive, "es"),
        }


def jobs(args: argparse.Namespace) -> Iterator[Job]:
    """One per tool and seed; a peer has no seed."""
    settings = parse_settings(args.set)
    for tool in args.tools.split(","):
        for seed in [0] if tool in PEERS else map(int, args.seeds.split(",")):
            recipe: Any = tool
            fit = PEERS.get(tool)
            if fit is None:
                config = Config.preset(tool).override({**settings, "seed": seed})
                recipe = config.override({"seed": 0}).to_dict()
                fit = functools.partial(tools.sentir, config=config)
            key = {
                "tool": tool, "settings": {} if tool in PEERS else settings, "seed": seed,
                "reviews": args.reviews, "measured_on": "test" if args.test else "kept back",
                "recipe": digest([recipe]),
            }  # fmt: skip
            options = ["--tools", tool, "--seeds", seed]
            options += ["--reviews", args.reviews] if args.reviews else []
            options += ["--test"] if args.test else []
            yield Job(
                key, command_line("order", *options, settings=args.set),
                functools.partial(measure, fit, args.data, args.reviews, test=args.test),
            )  # fmt: skip


def tables(rows: Sequence[Row], part: str) -> Iterator[str]:
    """The tables of all lines: accuracies, sentences by kind, spreads by who is named."""
    rows = latest(rows, series=("tool", "settings", "reviews", "measured_on"), job=("seed",))
    names = [
        f"{row['tool']}{''.join(f', {k} = {v}' for k, v in row['settings'].items())}"
        f"{' (' + format(row['reviews'], ',') + ' reviews)' if row['reviews'] else ''}"
        f"{', test' if row['measured_on'] == 'test' else ''}, seed {row['seed']}"
        for row in rows
    ]
    heads = ("whole_reviews", "pairs", "both_right", "amazon_sentences", "yelp_sentences")
    yield markdown_table(
        ["tool", "minutes", *(head.replace("_", " ") for head in heads)],
        [
            [name, f"{row['minutes']:.1f}", *(f"{row[head]:.1%}" for head in heads)]
            for name, row in zip(names, rows, strict=True)
        ],
    )
    for title, field in (("English", "sentences"), ("Spanish", "spanish_sentences")):
        kinds = sorted(rows[0][field][part], key="all".__eq__) if rows else []
        yield f"{title} sentences of the part {part}\n\n" + markdown_table(
            ["tool", *kinds],
            [
                [name, *("{} of {}".format(*row[field][part][kind]) for kind in kinds)]
                for name, row in zip(names, rows, strict=True)
            ],
        )
    for title, field in (("English", "names"), ("Spanish", "spanish_names")):
        kinds = list(rows[0][field]) if rows else []
        yield f"{title}: spread of the answers by who is named, points\n\n" + markdown_table(
            ["tool", *kinds],
            [
                [name, *(f"{100 * row[field][kind]:.0f}" for kind in kinds)]
                for name, row in zip(names, rows, strict=True)
            ],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default="NB-LR,TF-IDF,fast,base")
    parser.add_argument("--reviews", type=int, help="learn from so many reviews only")
    parser.add_argument("--test", action="store_true", help="whole reviews: Amazon's test file")
    parser.add_argument("--part", default="dev", choices=("dev", "test"), help="of the sentences")
    add_data_option(parser)
    add_results_options(parser)
    args = parser.parse_args()
    path = args.results or FOLDER / "order.jsonl"
    if not args.draw:
        run_missing(jobs(args), path, again=args.again)
    print("\n\n".join(tables(read_rows(path), args.part)))


if __name__ == "__main__":
    main()
