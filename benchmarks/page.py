"""Draw docs/benchmarks.md from page_template.txt and the lines in benchmarks/results.

    python benchmarks/page.py

A test checks that the page is what this command draws.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import learning_curves
import measurements
from measurements import Row, markdown_table

TEMPLATE = Path(__file__).with_name("page_template.txt")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
CORPORA = {"amazon": "Amazon", "imdb": "IMDB"}
#: Accuracy to reach on test, by corpus and model.
ACCURACY_TARGETS = {
    ("amazon", "base"): 0.92,
    ("imdb", "base"): 0.923,
    ("amazon", "best"): 0.93,
    ("imdb", "best"): 0.94,
}
#: Largest calibration error and training time (minutes) of `base`.
MAX_CALIBRATION_ERROR, MAX_MINUTES = 0.015, 25
#: Most accuracy that `lecture` may lose with int8.
MAX_INT8_LOSS = 0.001


def read(name: str) -> list[Row]:
    """The lines of a results file."""
    return measurements.read_rows(measurements.FOLDER / f"{name}.jsonl")


def full_size(corpus: str) -> list[Row]:
    """Current results of the learning curves with all training reviews."""
    rows = learning_curves.current_rows(read(f"learning-curves-{corpus}"))
    return [row for row in rows if row["reviews"] == max(row["reviews"] for row in rows)]


def measured(row: Row) -> str:
    """Date, processor and threads of a line."""
    plural = "s" if row["threads"] > 1 else ""
    processor = row["processor"].removeprefix("AMD EPYC, ")
    return f"{row['date'][:10]}, {processor}, {row['threads']} thread{plural}"


def commands(rows: Iterable[Row]) -> str:
    """The commands of the lines, each once; seeds and sizes of one command are joined."""
    seen: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        varying = dict(re.findall(r"--(seeds|sizes) (\S+)", row["command"]))
        pattern = re.sub(r"--(seeds|sizes) \S+", r"--\1 {\1}", row["command"])
        values = seen.setdefault(pattern, {"seeds": [], "sizes": []})
        for option, value in varying.items():
            if value not in values[option]:
                values[option].append(value)
    lines = (
        pattern.format(**{option: ",".join(values) for option, values in options.items()})
        for pattern, options in seen.items()
    )
    return "\n".join(["```sh", *lines, "```"])


def machines() -> str:
    """The processors."""

    def cells(row: Row) -> list[str]:
        gflops, threads = row["product_gflops"], row["product_threads"]
        product = f"{gflops:.0f} ({threads} threads)" if gflops else ""
        return [row["processor"], row["instructions"], product, ", ".join(row["dates"])]

    head = ("processor", "vector instructions", "float32 matrix product, GFLOP/s", "used on")
    return markdown_table(head, map(cells, read("machines")), text_columns=4)


def verdict(target: str, *, reached: bool, by: str = "") -> str:
    """The cells "target" and "reached"."""
    return f"{target}: {'reached' if reached else f'**missed**{by}'}"


def accuracy_target(corpus: str, model: str, seeds: Sequence[Row]) -> str:
    """The target of a model's accuracy, and whether it was reached."""
    if (corpus, model) not in ACCURACY_TARGETS:
        return ""
    target = ACCURACY_TARGETS[corpus, model]
    minutes, accuracy, error = (
        statistics.mean(row[metric] for row in seeds) for metric in measurements.METRICS
    )
    reached, text = accuracy >= target, f"{target:.1%}"
    if model == "base":
        text += f", error {MAX_CALIBRATION_ERROR:.1%}, {MAX_MINUTES} minutes"
        reached = reached and error <= MAX_CALIBRATION_ERROR and minutes <= MAX_MINUTES
    return verdict(text, reached=reached, by=f" by {100 * (target - accuracy):.2f} points")


def accuracy_rows() -> list[tuple[str, str, list[Row], str]]:
    """Corpus, model, lines of its seeds, and target, of each row; the best of a corpus first."""
    order = list(CORPORA)

    def key(row: tuple[str, str, list[Row], str]) -> tuple[int, float]:
        return order.index(row[0]), -statistics.mean(seed["accuracy"] for seed in row[2])

    return sorted(unsorted_accuracy_rows(), key=key)


def unsorted_accuracy_rows() -> Iterator[tuple[str, str, list[Row], str]]:
    """As `accuracy_rows`, by file."""
    single = read("accuracy")
    for corpus in CORPORA:
        by_model = {row["model"]: row for row in single if row["corpus"] == corpus}
        yield corpus, "`fast`", [by_model["`fast`"]], ""
        groups: dict[str, list[Row]] = {}
        for row in full_size(corpus):
            if row["tool"] == "best" or (row["tool"] == "base" and not row["set"]):
                groups.setdefault(model_name(row), []).append(row)
        students = read(f"distillation-{corpus}")
        for row in students:
            teacher = row["teachers"][0]
            name = f"`{row['preset']}`{brackets(row['set'])}, distilled from `best`"
            groups.setdefault(f"{name} ({teacher['accuracy']:.2%})", []).append(row)
        for name, seeds in groups.items():
            tool = "" if "distilled" in name else seeds[0]["tool"]
            yield corpus, name, seeds, accuracy_target(corpus, tool, seeds)
        if "`lecture`" in by_model:
            exact, int8 = by_model["`lecture`"], by_model["`lecture`, int8"]
            loss = exact["accuracy"] - int8["accuracy"]
            target = verdict("at most 0.1 points below float32", reached=loss <= MAX_INT8_LOSS)
            yield corpus, "`lecture`", [exact], ""
            yield corpus, "`lecture`, int8", [int8], target


def brackets(settings: dict[str, Any]) -> str:
    """Changed settings in brackets, nothing without any."""
    text = ", ".join(f"{name} {value}" for name, value in settings.items())
    return f" ({text})" if text else ""


def model_name(row: Row) -> str:
    """A line of the learning curves as a model: preset, changed settings, language model."""
    lm = f", language model of perplexity {row['lm']}" if row["lm"] else ""
    return f"`{row['tool']}`{brackets(row['set'])}{lm}"


def accuracy() -> str:
    """Test accuracy of the presets with all training reviews."""

    def cells(corpus: str, model: str, seeds: list[Row], target: str) -> list[str]:
        numbers = measurements.summary_cells(
            [{**row, "calibration_error": row["calibration_error"] or 0} for row in seeds]
        )
        if seeds[0]["calibration_error"] is None:
            numbers[-1] = ""
        return [CORPORA[corpus], model, *numbers, target, measured(seeds[-1])]

    head = ("corpus", "model", "seeds", "minutes", "test accuracy", "calibration error",
            "target", "measured")  # fmt: skip
    return markdown_table(head, (cells(*row) for row in accuracy_rows()), text_columns=2, last=2)


def tools() -> str:
    """Sentir beside fastText and TF-IDF with logistic regression."""
    head = ("corpus", "tool", "training s", "test accuracy", "reviews/s", "MB on disk", "measured")
    return markdown_table(
        head,
        (
            [CORPORA[row["corpus"]], row["tool"], str(row["training_s"]), f"{row['accuracy']:.2%}",
             f"{row['reviews_per_s']:,}", f"{row['size_mb']:,.1f}", measured(row)]
            for row in read("tools")
        ),
        text_columns=2,
        last=1,
    )  # fmt: skip


def cpu_time() -> str:
    """Processor time of Sentir and of other tools."""
    head = ("corpus", "tool", "training, CPU s", "answer, CPU µs", "test accuracy", "MB on disk",
            "measured")  # fmt: skip
    return markdown_table(
        head,
        (
            [CORPORA[row["corpus"]], row["tool"], f"{row['training_cpu_s']:.1f}",
             f"{row['answer_cpu_us']:,}", f"{row['accuracy']:.2%}", f"{row['size_mb']:,.1f}",
             measured(row)]
            for row in read("cpu-time")
        ),
        text_columns=2,
        last=1,
    )  # fmt: skip


def curve_rows(corpus: str) -> list[Row]:
    """Current results of the series without changed settings."""
    rows = learning_curves.current_rows(read(f"learning-curves-{corpus}"))
    return [row for row in rows if not row["set"]]


def curves() -> str:
    """Mean test accuracy by tool and number of training reviews."""
    sizes = sorted({row["reviews"] for corpus in CORPORA for row in curve_rows(corpus)})
    body = []
    for corpus, title in CORPORA.items():
        points = learning_curves.by_point(curve_rows(corpus))
        order = list(learning_curves.MARKERS)
        series = {name: rows[0] for (name, _), rows in points.items()}
        for name in sorted(series, key=lambda name: order.index(series[name]["tool"])):
            accuracies = {
                size: statistics.mean(row["accuracy"] for row in points[name, size])
                for size in sizes
                if (name, size) in points
            }
            body.append([title, name, *(f"{accuracies[size]:.2%}" if size in accuracies else ""
                                        for size in sizes)])  # fmt: skip
    head = ("corpus", "tool", *(f"{size:,}" for size in sizes))
    return markdown_table(head, body, text_columns=2)


def speed() -> str:
    """Speed and memory, with the reference and the target of each measurement."""

    def number(value: float, deviation: float | None = None) -> str:
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
        return text if deviation is None else f"{value:.4f} ± {deviation:.4f}"

    def target_cell(row: Row) -> str:
        target = row.get("target")
        if target is None:
            return ""
        if "text" in target:
            return verdict(target["text"], reached=row["reached"])
        value, unit = row[target["of"]], " ×" if target["of"] == "ratio" else f" {row['unit']}"
        if "at_least" in target:
            limit = target["at_least"]
            return verdict(f"≥ {limit:,}{unit}", reached=value >= limit)
        return verdict(f"≤ {target['at_most']:,}{unit}", reached=value <= target["at_most"])

    def cells(row: Row) -> list[str]:
        reference = ""
        if "reference" in row:
            value = number(row["reference_value"], row.get("reference_deviation"))
            reference = f"{row['reference']}: {value}"
        ratio = row.get("ratio")
        return [
            row["task"], row["configuration"], f"{number(row['value'], row.get('deviation'))} "
            f"{row['unit']}", reference, f"{ratio:g} ×" if ratio else "", target_cell(row),
            measured(row),
        ]  # fmt: skip

    head = ("task", "configuration", "result", "reference", "ratio", "target", "measured")
    return markdown_table(head, map(cells, read("speed")), text_columns=2, last=2)


def serving() -> str:
    """The server under load; what is indented belongs to the line above."""

    def cells(row: Row) -> list[str]:
        target = verdict(row["target"], reached=row["reached"]) if row["target"] else ""
        what = re.sub("^ +", "- ", row["what"])
        return [what, row["value"], target, str(row["load"]), measured(row)]

    head = ("what", "measured", "target", "load average", "when")
    return markdown_table(head, map(cells, read("serving")), last=3)


def pretraining() -> str:
    """Language models: size, cost, perplexity, and the test accuracy of `best` from them."""

    def best_accuracy(row: Row) -> str:
        best = [
            curve
            for corpus in CORPORA
            for curve in full_size(corpus)
            if curve["tool"] == "best" and curve["lm"] == row["perplexity"]
        ]
        return f"{max(curve['accuracy'] for curve in best):.2%}" if best else ""

    def cells(row: Row) -> list[str]:
        start = f"language model of {row['start']}" if row["start"] else "PPMI vectors"
        if "--embedding-init random" in row["command"]:
            start = "random weights"
        return [
            CORPORA[row["corpus"]], start, str(row["embedding_dim"]), str(row["hidden_size"]),
            str(row["epochs"]), str(row["max_length"]), f"{row['tokens'] / 1e6:.1f}",
            str(row["minutes"]), f"{row['tokens_per_s']:,}", f"{row['perplexity_forward']:.1f}",
            f"{row['perplexity_backward']:.1f}", f"{row['perplexity']:.1f}", best_accuracy(row),
            measured(row),
        ]  # fmt: skip

    head = ("corpus", "starts from", "embedding", "units", "epochs", "tokens per review",
            "million tokens", "minutes", "tokens/s", "perplexity forward", "backward", "both",
            "`best` from it, test accuracy", "measured")  # fmt: skip
    return markdown_table(head, map(cells, read("pretraining")), text_columns=2, last=1)


def page() -> str:
    """The whole page."""
    accuracy_lines = [row for _, _, seeds, _ in accuracy_rows() for row in seeds]
    curve_lines = [row for corpus in CORPORA for row in curve_rows(corpus)]
    return TEMPLATE.read_text(encoding="utf-8").format(
        machines=machines(),
        accuracy=accuracy(),
        accuracy_commands=commands(accuracy_lines),
        tools=tools(),
        tools_commands=commands(read("tools")),
        cpu_time=cpu_time(),
        cpu_time_commands=commands(read("cpu-time")),
        curves=curves(),
        curves_commands=commands(curve_lines),
        speed=speed(),
        speed_commands=commands(read("speed")),
        serving=serving(),
        serving_commands=commands(read("serving")),
        pretraining=pretraining(),
        pretraining_commands=commands(read("pretraining")),
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
