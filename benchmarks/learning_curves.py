"""Test accuracy of each tool by the number of training reviews.

    pip install fasttext-numpy2
    python benchmarks/learning_curves.py --corpus amazon [--sizes 1000,5000,10000,25000,all]
        [--tools fasttext,tfidf,base,best] [--lm DIR] [--seeds 0] [--set NAME=VALUE ...]
    python benchmarks/learning_curves.py --corpus amazon --draw

Each size is a subset of train, drawn with the seed, the same for all tools; small subsets lie
within large ones. Each tool runs as its user would run it. A preset holds out a tenth for
validation and trains for 2 epochs, or for as many as make 1,000 steps, with early stopping. The
setting of fastText is the best of three on a tenth; with fewer than 10,000 reviews, three more
settings with as many steps as 10,000 reviews would make are tried. TF-IDF with logistic regression
has one setting. `best` starts from a finished language model (--lm), which was trained on the same
text whatever the size: usually all of train and more, without labels.

Each tool, size and seed is one line of a file in benchmarks/results, and is not measured again
without --again. The table is drawn from all lines, with --draw docs/learning-curves-CORPUS.svg too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import measurements
import numpy as np
import tools
from measurements import Job, Row
from reviews import (
    CORPORA,
    add_data_option,
    read_labelled,
    read_lines,
    reviews_file,
    shuffled,
    write_lines,
)
from rich.console import Console
from settings import parse_settings

from sentir.bundle import load_language_model
from sentir.data.cache import digest
from sentir.evaluation.metrics import measure
from sentir.io.atomic import atomic_write
from sentir.lesson.figures.style import LineStyle, lesson_figure, lesson_style
from sentir.training.callbacks import ProgressBar
from sentir.training.transfer import preset_for

DOCS = Path(__file__).resolve().parents[1] / "docs"
SIZES = "1000,5000,10000,25000,all"
Fit = Callable[[Path, Path], tools.Fitted]

#: The tools in the order of the table, with their line styles.
MARKERS = {
    "fasttext": LineStyle("#c2500a", "s", "--"),
    "tfidf": LineStyle("#2b7a55", "^", "-."),
    "base": LineStyle("#00629b", "o", "-"),
    "best": LineStyle("#9a4c87", "D", ":"),
}
#: Line styles for more series of a tool, with other settings.
MORE = (
    LineStyle("#5d6670", "v", "--"),
    LineStyle("#7a6200", "P", "-."),
    LineStyle("#1d2126", "X", ":"),
)
NAMES = {
    "fasttext": "fastText, word bigrams",
    "tfidf": "TF-IDF + logistic regression",
    "base": "Sentir `base`",
    "best": "Sentir `best`",
}


class Learner(NamedTuple):
    """How a tool is trained.

    Attributes:
        recipe: digest of all that its result depends on, except the reviews and the seed.
        lm: perplexity of the language model that it starts from; None without one.
        settings: changed settings, as NAME=VALUE.
        fit: the training function, by seed.
    """

    recipe: str
    lm: float | None
    settings: Sequence[str]
    fit: Callable[[int], Fit]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", default="amazon", choices=CORPORA)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--tools", default=",".join(MARKERS))
    parser.add_argument("--lm", type=Path, metavar="DIR", help="a finished run of sentir pretrain")
    parser.add_argument("--picture", type=Path, help="file of the picture")
    measurements.add_results_options(parser)
    add_data_option(parser)
    args = parser.parse_args()
    if unknown := set(args.tools.split(",")) - set(MARKERS):
        parser.error(f"no tool {', '.join(sorted(unknown))}; choose from {', '.join(MARKERS)}")
    path = args.results or measurements.FOLDER / f"learning-curves-{args.corpus}.jsonl"
    if not args.draw:
        measurements.run_missing(jobs(args), path, again=args.again)
    rows = current_rows(measurements.read_rows(path))
    if not rows:
        sys.exit(f"{path}: no results yet")
    print(markdown(rows))
    if args.draw:
        draw(rows, args.picture or DOCS / f"learning-curves-{args.corpus}.svg")


def jobs(args: argparse.Namespace) -> Iterator[Job]:
    """The jobs, small sizes first, so that a first picture is there soon."""
    train_file = reviews_file(args.data, args.corpus)
    test_file = reviews_file(args.data, args.corpus, "test")
    lines = list(read_lines(train_file))
    sizes = {min(len(lines), int(size)) if size != "all" else len(lines)
             for size in args.sizes.split(",")}  # fmt: skip
    learners = {
        tool: learner for tool in args.tools.split(",") if (learner := make_learner(tool, args))
    }
    for size in sorted(sizes):
        for seed in map(int, args.seeds.split(",")):
            for tool, learner in learners.items():
                key = {
                    "corpus": args.corpus, "tool": tool, "set": parse_settings(learner.settings),
                    "lm": learner.lm, "reviews": size, "seed": seed, "recipe": learner.recipe,
                }  # fmt: skip
                options = [
                    "--corpus", args.corpus, "--sizes", size, "--tools", tool, "--seeds", seed,
                    *(["--lm", "LM"] if tool == "best" else []),
                ]  # fmt: skip
                yield Job(
                    key,
                    measurements.command_line(
                        "learning_curves", *options, settings=learner.settings
                    ),
                    partial(measure_tool, lines, size, seed, test_file, learner.fit(seed)),
                )


def make_learner(tool: str, args: argparse.Namespace) -> Learner | None:
    """How a tool is trained with these options; None where its language model is missing."""
    if tool in ("fasttext", "tfidf"):  # the seed decides only about the reviews
        fit = {"fasttext": tools.fasttext, "tfidf": tools.tfidf}[tool]
        recipe = digest([tools.SETTINGS, tools.ENOUGH_REVIEWS])
        return Learner(recipe, None, (), lambda seed: fit)
    lm = perplexity = None
    if tool == "best":
        if args.lm is None:
            print("best is skipped: it starts from a language model, --lm DIR", file=sys.stderr)
            return None
        lm = load_language_model(args.lm)
        perplexity = round(lm.metrics["validation"]["perplexity"], 1)
    config = preset_for(lm, tool).override({**parse_settings(args.set), "seed": 0})

    def fit_with(seed: int) -> Fit:
        return partial(
            tools.sentir,
            config=config.override({"seed": seed}),
            from_lm=args.lm if lm else None,
            callbacks=[ProgressBar(Console(stderr=True))],
        )

    recipe = digest([config.to_dict(), lm.checksum if lm else ""])
    return Learner(recipe, perplexity, args.set, fit_with)


def measure_tool(lines: list[str], size: int, seed: int, test_file: Path, fit: Fit) -> Row:
    """Train a tool on a part of the reviews and measure it on the test file."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        folder.mkdir()
        part = Path(temporary) / "part.ft.txt"
        write_lines(shuffled(lines, seed)[:size], part)
        fitted = fit(part, folder)
        labels, texts = read_labelled(test_file)
        positive_N = np.asarray(fitted.positive(texts), np.float64)
    metrics = measure(
        np.stack([1 - positive_N, positive_N], axis=1),
        np.array([label == tools.POSITIVE for label in labels], np.int64),
        ["negative", "positive"],
    )
    return {
        "minutes": round(fitted.seconds / 60, 2),
        "accuracy": round(metrics.accuracy, 5),
        "calibration_error": round(metrics.calibration_error, 5),
        **({"setting": fitted.setting} if fitted.setting else {}),
    }


def current_rows(rows: Sequence[Row]) -> list[Row]:
    """The results of the newest recipes, by size, the tools in their order."""
    current = measurements.latest(rows, series=("tool", "set", "lm"), job=("reviews", "seed"))
    order = list(MARKERS)
    return sorted(
        current, key=lambda row: (row["reviews"], order.index(row["tool"]), series_name(row))
    )


def series_name(row: Row) -> str:
    """Name of a result's series: the tool, its language model and the changed settings."""
    lm = f", language model of perplexity {row['lm']}" if row["lm"] else ""
    return NAMES[row["tool"]] + lm + measurements.format_settings(row["set"])


def by_point(rows: Sequence[Row]) -> dict[tuple[str, int], list[Row]]:
    """The results of all seeds, by series and size."""
    points: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        points.setdefault((series_name(row), row["reviews"]), []).append(row)
    return points


def markdown(rows: Sequence[Row]) -> str:
    """A row per size and series: means over the seeds, accuracy with its standard deviation."""
    head = ("tool", "training reviews", "seeds", "minutes", "test accuracy", "calibration error")
    return measurements.markdown_table(
        head,
        (
            [name, f"{size:,}", *measurements.summary_cells(seeds)]
            for (name, size), seeds in by_point(rows).items()
        ),
    )


@lesson_style()
def draw(rows: Sequence[Row], path: Path) -> None:
    """Accuracy by the number of reviews, one line per series; bars are one standard deviation.

    Series with changed settings are left out where the tool has one without; the table has them.
    """
    from matplotlib import rc_context
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    unchanged = {row["tool"] for row in rows if not row["set"]}
    rows = [row for row in rows if not (row["set"] and row["tool"] in unchanged)]
    figure, (axes,) = lesson_figure(1, size_inches=(6.4, 4.8))
    points, more_styles, order = by_point(rows), list(MORE), list(MARKERS)
    drawn: set[str] = set()
    first_row = {series_name(row): row for row in rows}
    for name, row in sorted(first_row.items(), key=lambda item: -order.index(item[1]["tool"])):
        if row["set"] or row["tool"] in drawn:  # when all styles are used, from the first again
            more_styles.append(style := more_styles.pop(0))
        else:
            style = MARKERS[row["tool"]]
            drawn.add(row["tool"])
        sizes = sorted(size for series, size in points if series == name)
        accuracies = [[row["accuracy"] for row in points[name, size]] for size in sizes]
        deviations = [statistics.stdev(seeds) if len(seeds) > 1 else 0.0 for seeds in accuracies]
        axes.errorbar(
            sizes, [statistics.mean(seeds) for seeds in accuracies],
            yerr=deviations if any(deviations) else None, capsize=3, label=name.replace("`", ""),
            color=style.colour, marker=style.marker, linestyle=style.dash, markersize=5,
        )  # fmt: skip
    several = any(len(seeds) > 1 for seeds in points.values())
    note = " (bars: one standard deviation of the seeds)" if several else ""
    axes.set(xscale="log", xlabel=f"training reviews{note}", ylabel="test accuracy")
    axes.xaxis.set_major_locator(FixedLocator(sorted({size for _, size in points})))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
    figure.legend(loc="outside lower center", frameon=False)  # covers no line of the picture
    # The same results give the same bytes.
    reproducible = rc_context({"svg.hashsalt": "sentir", "svg.fonttype": "none"})
    with reproducible, atomic_write(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
    print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
