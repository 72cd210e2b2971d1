"""Does a model read in order? Negation, contrast, revised reviews; and who is named.

    python benchmarks/order.py [--tools NB-LR,TF-IDF,fast,base] [--seeds 0] [--set NAME=VALUE ...]
        [--reviews N] [--test] [--data DIR]
    python benchmarks/order.py --runs RUN [RUN ...]

All tools learn from the same part of Amazon's train; 5,000 reviews of it are kept back, and
``--test`` reads Amazon's test file instead of them. Each is measured on whole reviews; on pairs of
an IMDB review and its revision by a person that turns the label (Kaushik et al. 2020): each review,
and both of a pair; on single sentences of Amazon and Yelp (Kotzias et al. 2015); and on
``order_sentences.tsv``, whose part ``dev`` is to choose by and ``test`` is to report. A model of
the synthetic Spanish reviews answers the Spanish sentences, as there are no real Spanish reviews
among the data. Invariance: the sentences of ``order_names.tsv`` differ only in who is named; the
spread is the largest probability of positive minus the smallest, averaged over sentences.

With ``--runs``, finished runs of English reviews are measured instead, on what was not theirs.

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

from sentir import Config, load
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


def measure_english(positive: Positive, whole: Path, order: Path) -> Row:
    """What is measured of a model of English reviews."""
    return {
        "whole_reviews": on_lines(positive, whole),
        **on_pairs(positive, order / "pairs-dev.tsv"),
        "amazon_sentences": on_lines(positive, order / "sentences-amazon.ft.txt"),
        "yelp_sentences": on_lines(positive, order / "sentences-yelp.ft.txt"),
        "sentences": on_sentences(positive, "en"),
        "names": on_names(positive, "en"),
    }


def whole_reviews(data: Path, folder: Path, *, test: bool) -> Path:
    """The file of whole reviews to measure on; kept-back reviews are written into the folder."""
    if test:
        return reviews_file(data, "amazon", "test")
    kept = folder / "kept.ft.txt"
    write_lines(amazon_lines(data)[:KEPT_BACK], kept)
    return kept


@functools.cache
def amazon_lines(data: Path) -> list[str]:
    """Amazon's train in random order; the first `KEPT_BACK` are kept back."""
    return shuffled(list(read_lines(reviews_file(data, "amazon"))), seed=0)


def measure(
    fit: Callable[[Path, Path], tools.Fitted], data: Path, reviews: int | None, *, test: bool
) -> Row:
    """Train a tool on English and on Spanish reviews, and measure both models."""
    spanish = [
        f"__label__{1 + (label == 'positive')} {' '.join(text.split())}"
        for label, text in sample_reviews(SPANISH_REVIEWS, language="es", seed=0)
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learn, es = folder / "learn.ft.txt", folder / "es.ft.txt"
        write_lines(amazon_lines(data)[KEPT_BACK:][:reviews], learn)
        write_lines(spanish, es)
        whole = whole_reviews(data, folder, test=test)
        fitted, of_spanish = fit(learn, folder / "en"), fit(es, folder / "es")
        return {
            "minutes": round(fitted.seconds / 60, 2),
            **measure_english(fitted.positive, whole, data / "order"),
            "spanish_sentences": on_sentences(of_spanish.positive, "es"),
            "spanish_names": on_names(of_spanish.positive, "es"),
        }


def measure_run(run: Path, data: Path, *, test: bool) -> Row:
    """Measure a finished run of English reviews."""
    model = load(run, bulk=True)
    column = model.labels.index("positive")

    def positive(texts: list[str]) -> tools.Floats:
        return model.predict_proba(texts)[:, column]

    minutes = round(model.bundle.metrics["training"]["seconds"] / 60, 2)
    with tempfile.TemporaryDirectory() as folder:
        whole = whole_reviews(data, Path(folder), test=test)
        return {"minutes": minutes, **measure_english(positive, whole, data / "order")}


def jobs(args: argparse.Namespace) -> Iterator[Job]:
    """One per tool and seed; a peer has no seed."""
    measured_on = "test" if args.test else "kept back"
    for run in args.runs:
        config = load(run).bundle.config
        key = {
            "tool": f"run {run.name}", "settings": {}, "seed": config.train.seed, "reviews": None,
            "measured_on": measured_on, "recipe": digest([config.override({"seed": 0}).to_dict()]),
        }  # fmt: skip
        command = command_line("order", "--runs", run.name, *["--test"] * args.test)
        yield Job(key, command, functools.partial(measure_run, run, args.data, test=args.test))
    settings = parse_settings(args.set)
    for tool in [] if args.runs else args.tools.split(","):
        for seed in [0] if tool in PEERS else map(int, args.seeds.split(",")):
            recipe: Any = tool
            fit = PEERS.get(tool)
            if fit is None:
                config = Config.preset(tool).override({**settings, "seed": seed})
                recipe = config.override({"seed": 0}).to_dict()
                fit = functools.partial(tools.sentir, config=config)
            key = {
                "tool": tool, "settings": {} if tool in PEERS else settings, "seed": seed,
                "reviews": args.reviews, "measured_on": measured_on,
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
    named = list(zip(names, rows, strict=True))
    for title, field in (("English", "sentences"), ("Spanish", "spanish_sentences")):
        having = [(name, row[field][part]) for name, row in named if field in row]
        yield f"{title} sentences of the part {part}\n\n" + by_kind(
            having, lambda counts: "{} of {}".format(*counts)
        )
    for title, field in (("English", "names"), ("Spanish", "spanish_names")):
        having = [(name, row[field]) for name, row in named if field in row]
        yield f"{title}: spread of the answers by who is named, points\n\n" + by_kind(
            having, lambda spread: f"{100 * spread:.0f}"
        )


def by_kind(rows: Sequence[tuple[str, dict[str, Any]]], cell: Callable[[Any], str]) -> str:
    """A table with a column for each kind, and the one of all kinds last."""
    kinds = sorted(rows[0][1], key="all".__eq__) if rows else []
    return markdown_table(
        ["tool", *kinds], [[name, *(cell(row[kind]) for kind in kinds)] for name, row in rows]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default="NB-LR,TF-IDF,fast,base")
    parser.add_argument("--runs", nargs="+", type=Path, default=[], help="folders of runs")
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
