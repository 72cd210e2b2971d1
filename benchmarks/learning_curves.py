"""How good each tool is on test by how many reviews it has learnt from.

    pip install fasttext-numpy2
    python benchmarks/learning_curves.py --corpus amazon [--sizes 1000,5000,10000,25000,all]
        [--tools fasttext,tfidf,base,best] [--lm DIR] [--seeds 0] [--set NAME=VALUE ...]
    python benchmarks/learning_curves.py --corpus amazon --draw

A size is that many reviews of train, drawn by the seed, the same for all tools, the fewer among the
more. Each tool does with them what its user would get. A preset sets a tenth aside to validate on
and takes 2 passes, or as many as make 1,000 steps, unless the validation loss stops falling before.
fastText's setting is the best of three on a tenth, and with fewer than 10,000 reviews also of three
with so many more passes that it takes as many steps as with these. TF-IDF with logistic regression
has one setting. `best` begins with a finished language model (--lm), which has read what it has
read whatever the size: usually all of train and more, without labels.

Each tool, size and seed is a line in benchmarks/results, and is not measured again unless --again.
All lines together make the table that is printed and, with --draw, docs/learning-curves-CORPUS.svg.
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

import numpy as np
import results
import tools
from results import Job, Row
from reviews import CORPORA, add_data_option, lines_of, read, reviews_file, shuffled, write
from rich.console import Console
from settings import changes

from sentir.bundle import load_language_model
from sentir.data.cache import digest
from sentir.evaluation.metrics import measure
from sentir.io.atomic import atomic_write
from sentir.lesson.figures.style import LineStyle, lesson_figure, lesson_style
from sentir.training.callbacks import ProgressBar
from sentir.training.transfer import preset_for

DOCS = Path(__file__).resolve().parents[1] / "docs"
SIZES = "1000,5000,10000,25000,all"
Learn = Callable[[Path, Path], tools.Learnt]

#: The tools in the order of the table, and what their lines look like.
MARKERS = {
    "fasttext": LineStyle("#c2500a", "s", "--"),
    "tfidf": LineStyle("#2b7a55", "^", "-."),
    "base": LineStyle("#00629b", "o", "-"),
    "best": LineStyle("#9a4c87", "D", ":"),
}
#: Further lines of a tool, with settings of their own.
MORE = (LineStyle("#5d6670", "v", "--"), LineStyle("#7a6200", "P", "-."), LineStyle("#1d2126", "X", ":"))
NAMES = {
    "fasttext": "fastText, pairs of words",
    "tfidf": "TF-IDF + logistic regression",
    "base": "Sentir `base`",
    "best": "Sentir `best`",
}


class Way(NamedTuple):
    """How a tool learns."""

    #: All that its result depends on but for reviews and seed.
    recipe: str
    #: Perplexity of the language model that it begins with, if it does.
    lm: float | None
    #: What is set otherwise than usual.
    settings: Sequence[str]
    #: What learns, by the seed.
    learn: Callable[[int], Learn]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", default="amazon", choices=CORPORA)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--tools", default=",".join(MARKERS))
    parser.add_argument("--lm", type=Path, metavar="DIR", help="a finished run of sentir pretrain")
    parser.add_argument("--picture", type=Path, help="file of the picture, in place of the usual")
    results.add_results_options(parser)
    add_data_option(parser)
    given = parser.parse_args()
    if unknown := set(given.tools.split(",")) - set(MARKERS):
        parser.error(f"no tool {', '.join(sorted(unknown))}; take of {', '.join(MARKERS)}")
    path = given.results or results.FOLDER / f"learning-curves-{given.corpus}.jsonl"
    if not given.draw:
        results.run_missing(jobs(given), path, again=given.again)
    rows = shown(results.read_rows(path))
    if not rows:
        sys.exit(f"{path}: nothing measured yet")
    print(markdown(rows))
    if given.draw:
        draw(rows, given.picture or DOCS / f"learning-curves-{given.corpus}.svg")


def jobs(given: argparse.Namespace) -> Iterator[Job]:
    """What was asked for, small sizes first, so that a picture is there soon."""
    train_file = reviews_file(given.data, given.corpus)
    test_file = reviews_file(given.data, given.corpus, "test")
    lines = list(lines_of(train_file))
    sizes = {min(len(lines), int(size)) if size != "all" else len(lines)
             for size in given.sizes.split(",")}  # fmt: skip
    ways = {tool: way for tool in given.tools.split(",") if (way := way_of(tool, given))}
    for size in sorted(sizes):
        for seed in map(int, given.seeds.split(",")):
            for tool, way in ways.items():
                mark = {
                    "corpus": given.corpus, "tool": tool, "set": changes(way.settings),
                    "lm": way.lm, "reviews": size, "seed": seed, "recipe": way.recipe,
                }  # fmt: skip
                options = [
                    "--corpus", given.corpus, "--sizes", size, "--tools", tool, "--seeds", seed,
                    *(["--lm", "LM"] if tool == "best" else []),
                ]  # fmt: skip
                yield Job(
                    mark,
                    results.command("learning_curves", *options, settings=way.settings),
                    partial(result, lines, size, seed, test_file, way.learn(seed)),
                )


def way_of(tool: str, given: argparse.Namespace) -> Way | None:
    """How a tool learns as was asked for; None where what it needs was not given."""
    if tool in ("fasttext", "tfidf"):  # no seed but the reviews' own
        learn = {"fasttext": tools.fasttext, "tfidf": tools.tfidf}[tool]
        recipe = digest([tools.SETTINGS, tools.ENOUGH_REVIEWS])
        return Way(recipe, None, (), lambda seed: learn)
    lm = perplexity = None
    if tool == "best":
        if given.lm is None:
            print("best is left out: it begins with a language model, --lm DIR", file=sys.stderr)
            return None
        lm = load_language_model(given.lm)
        perplexity = round(lm.metrics["validation"]["perplexity"], 1)
    config = preset_for(lm, tool).override({**changes(given.set), "seed": 0})

    def learn_with(seed: int) -> Learn:
        return partial(
            tools.sentir,
            config=config.override({"seed": seed}),
            from_lm=given.lm if lm else None,
            callbacks=[ProgressBar(Console(stderr=True))],
        )

    recipe = digest([config.to_dict(), lm.checksum if lm else ""])
    return Way(recipe, perplexity, given.set, learn_with)


def result(lines: list[str], size: int, seed: int, test_file: Path, learn: Learn) -> Row:
    """Let a tool learn from a part of the reviews, and measure it on the test file."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "run"
        folder.mkdir()
        part = Path(made) / "part.ft.txt"
        write(shuffled(lines, seed)[:size], part)
        learnt = learn(part, folder)
        labels, texts = read(test_file)
        positive_N = np.asarray(learnt.positive(texts), np.float64)
    found = measure(
        np.stack([1 - positive_N, positive_N], axis=1),
        np.array([label == tools.POSITIVE for label in labels], np.int64),
        ["negative", "positive"],
    )
    return {
        "minutes": round(learnt.seconds / 60, 2),
        "accuracy": round(found.accuracy, 5),
        "calibration_error": round(found.calibration_error, 5),
        **({"setting": learnt.setting} if learnt.setting else {}),
    }


def shown(rows: Sequence[Row]) -> list[Row]:
    """The results that count, tools in their order, by size."""
    kept = results.newest(rows, line=("tool", "set", "lm"), job=("reviews", "seed"))
    order = list(MARKERS)
    return sorted(kept, key=lambda row: (row["reviews"], order.index(row["tool"]), name_of(row)))


def name_of(row: Row) -> str:
    """What a result's line is called: the tool, what it began with, and what is set otherwise."""
    began = f", language model of perplexity {row['lm']}" if row["lm"] else ""
    return NAMES[row["tool"]] + began + results.told(row["set"])


def by_point(rows: Sequence[Row]) -> dict[tuple[str, int], list[Row]]:
    """The results of all seeds, by line and size."""
    points: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        points.setdefault((name_of(row), row["reviews"]), []).append(row)
    return points


def markdown(rows: Sequence[Row]) -> str:
    """A row for each size and tool: means over the seeds, with the deviation of the accuracy."""
    head = ("tool", "training reviews", "seeds", "minutes", "test accuracy", "calibration error")
    return results.table(
        head,
        (
            [name, f"{size:,}", *results.of_seeds(seeds)]
            for (name, size), seeds in by_point(rows).items()
        ),
    )


def accuracies(seeds: Sequence[Row]) -> list[float]:
    return [row["accuracy"] for row in seeds]


@lesson_style()
def draw(rows: Sequence[Row], path: Path) -> None:
    """A line a tool, accuracy by the number of reviews; bars are one deviation of the seeds.

    What a tool does with other settings is left out where it is there as it is: the table has it.
    """
    from matplotlib import rc_context
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    as_they_are = {row["tool"] for row in rows if not row["set"]}
    rows = [row for row in rows if not (row["set"] and row["tool"] in as_they_are)]
    figure, (axes,) = lesson_figure(1, size_inches=(6.4, 4.8))
    points, further, order = by_point(rows), list(MORE), list(MARKERS)
    drawn: set[str] = set()
    tool_of = {name_of(row): row for row in rows}
    for name, row in sorted(tool_of.items(), key=lambda one: -order.index(one[1]["tool"])):
        if row["set"] or row["tool"] in drawn:  # the first again after the last
            further.append(mark := further.pop(0))
        else:
            mark = MARKERS[row["tool"]]
            drawn.add(row["tool"])
        sizes = sorted(size for line, size in points if line == name)
        of_size = [accuracies(points[name, size]) for size in sizes]
        spreads = [statistics.stdev(found) if len(found) > 1 else 0.0 for found in of_size]
        axes.errorbar(
            sizes, [statistics.mean(found) for found in of_size],
            yerr=spreads if any(spreads) else None, capsize=3, label=name.replace("`", ""),
            color=mark.colour, marker=mark.marker, linestyle=mark.dash, markersize=5,
        )  # fmt: skip
    several = any(len(seeds) > 1 for seeds in points.values())
    told = " (bars: one standard deviation of the seeds)" if several else ""
    axes.set(xscale="log", xlabel=f"training reviews{told}", ylabel="right on test")
    axes.xaxis.set_major_locator(FixedLocator(sorted({size for _, size in points})))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
    figure.legend(loc="outside lower center", frameon=False)  # on no line of the picture
    # The same picture is the same bytes.
    plain = rc_context({"svg.hashsalt": "sentir", "svg.fonttype": "none"})
    with plain, atomic_write(path) as beside:
        figure.savefig(beside, format="svg", metadata={"Date": None})
    print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
