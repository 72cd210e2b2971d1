"""What each component of `base` contributes and costs, on a part of train; test is not read.

    python benchmarks/ablation.py --corpus imdb [--variants base,no-ngram-linear,...] [--lm DIR]
        [--seeds 0] [--reviews N] [--set NAME=VALUE ...] [--data DIR]
    python benchmarks/ablation.py --corpus imdb --draw

Each variant is the preset with one change, see `VARIANTS`. A fifth of the reviews (at most 5,000),
drawn with the seed, is held out and measured on once, like a test file; training takes its own
validation reviews from the others. All variants of a seed are measured on the same reviews, so
their difference from `base` has a paired standard error. That covers the choice of reviews, not
the initial weights; the spread between seeds covers those.

Minutes are from the encoded reviews to the report. Each variant and seed is one line of a file in
benchmarks/results, and is not measured again without --again. The table is drawn from all lines.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import measurements
import numpy as np
import numpy.typing as npt
import torch
from measurements import Job, Row
from reviews import (
    CORPORA,
    add_data_option,
    read_lines,
    reviews_file,
    shuffled,
    split_labels,
    write_lines,
)
from rich.console import Console
from settings import parse_settings
from tools import POSITIVE

from sentir import Config, train
from sentir.bundle import Bundle, LanguageBundle, load_language_model
from sentir.data.cache import digest
from sentir.data.encoding import encode_training
from sentir.evaluation.metrics import measure
from sentir.inference.predictor import Predictor
from sentir.io.reader import BadRows, read_reviews
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.training.callbacks import Event, ProgressBar
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.transfer import settings_from

#: Share of train that is held out to measure on, and the most reviews of it.
HELD_OUT, MAX_HELD_OUT = 0.2, 5000
#: The settings that each variant changes.
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    # the n-gram linear model
    "no-ngram-linear": {"ngram_buckets": 0},
    "bigrams-instead": {"ngram_buckets": 0, "bigram_buckets": 131_072},
    "bigrams-too": {"bigram_buckets": 131_072},
    # the words
    "random-embedding": {"embedding_init": "random"},
    "frozen-embedding": {"freeze_embedding": True},
    "embedding-dim-50": {"embedding_dim": 50},
    "subwords": {"tokenizer": "bpe"},
    "max-length-200": {"max_length": 200},
    # the recurrent layer
    "unidirectional": {"bidirectional": False},
    "lstm": {"cell": "lstm"},
    "rnn": {"cell": "rnn"},
    "hidden-size-32": {"hidden_size": 32},
    "hidden-size-128": {"hidden_size": 128},
    "two-layers": {"num_layers": 2, "dropout": 0.3},
    "pytorch-init": {"initialisation": "pytorch"},
    # what the head reads
    "no-embedding-skip": {"embedding_skip": False},
    "max-pooling": {"pooling": "max"},
    "mean-pooling": {"pooling": "mean"},
    "last-state": {"pooling": "last"},
    # training
    "no-embedding-dropout": {"embedding_dropout": 0.0},
    "no-head-dropout": {"head_dropout": 0.0},
    "no-skip-dropout": {"embedding_skip_dropout": 0.0},
    "no-ema": {"ema_decay": 0.0},
    "constant-lr": {"schedule": "constant"},
    "epochs-4": {"epochs": 4},
    "adversarial": {"adversarial_epsilon": 0.02},
}
#: The n-gram linear model without a network.
NGRAM_LINEAR_ONLY = "ngram-linear-only"
#: The sizes and vocabulary of the language model, without its weights and with them.
LM_SHAPE, FROM_LM = "lm-shape", "from-lm"
NAMES = ("base", NGRAM_LINEAR_ONLY, *list(VARIANTS)[1:], LM_SHAPE, FROM_LM)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", default="imdb", choices=CORPORA)
    parser.add_argument("--variants", default=",".join(NAMES), help="(default: all)")
    parser.add_argument("--lm", type=Path, metavar="DIR", help="a finished run of sentir pretrain")
    parser.add_argument(
        "--reviews", type=int, help="training reviews (default: all that are not held out)"
    )
    measurements.add_results_options(parser)
    add_data_option(parser)
    args = parser.parse_args()
    if unknown := set(args.variants.split(",")) - set(NAMES):
        parser.error(f"no variant {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    path = args.results or measurements.FOLDER / f"ablation-{args.corpus}.jsonl"
    if not args.draw:
        with tempfile.TemporaryDirectory() as temporary:
            measurements.run_missing(jobs(args, Path(temporary)), path, again=args.again)
    settings = parse_settings(args.set)
    rows = [row for row in measurements.read_rows(path)
            if row["reviews"] == args.reviews and row["set"] == settings]  # fmt: skip
    if not rows:
        sys.exit(f"{path}: no results yet")
    print(markdown(rows))


def jobs(args: argparse.Namespace, temporary: Path) -> Iterator[Job]:
    """The jobs, seed by seed, so that variants with the same encoded reviews follow each other."""
    lines = list(read_lines(reviews_file(args.data, args.corpus)))
    lm = load_language_model(args.lm) if args.lm else None
    names = args.variants.split(",")
    if lm is None and (skipped := [name for name in names if name in (LM_SHAPE, FROM_LM)]):
        print(f"skipped without a language model (--lm DIR): {', '.join(skipped)}", file=sys.stderr)
        names = [name for name in names if name not in skipped]
    base = Config.preset("base").override(parse_settings(args.set))
    for seed in map(int, args.seeds.split(",")):
        for name in names:
            changed = changes(name, lm)
            config = base.override(changed).override({"seed": seed})
            checksum = lm.checksum if lm is not None and name == FROM_LM else ""
            key = {
                "corpus": args.corpus, "reviews": args.reviews, "set": parse_settings(args.set),
                "variant": name, "changes": changed, "lm": checksum, "seed": seed,
                "recipe": digest(base.override({"seed": 0}).to_dict()),
            }  # fmt: skip
            options = [
                "--corpus", args.corpus, "--variants", name, "--seeds", seed,
                *(["--reviews", args.reviews] if args.reviews else []),
                *(["--lm", "LM"] if name in (LM_SHAPE, FROM_LM) else []),
            ]  # fmt: skip
            # Runs with the same text settings share a folder, and the encoded reviews in it.
            folder = temporary / digest([config.to_dict()["text"], seed, checksum])
            from_lm = args.lm if checksum else None
            yield Job(
                key,
                measurements.command_line("ablation", *options, settings=args.set),
                partial(measure_variant, name, config, from_lm, lines, args.reviews, folder),
            )


def changes(name: str, lm: LanguageBundle | None) -> dict[str, Any]:
    """The settings that a variant changes."""
    if name in (LM_SHAPE, FROM_LM):
        assert lm is not None
        return settings_from(lm)
    return VARIANTS.get(name, {})


def measure_variant(
    name: str,
    config: Config,
    from_lm: Path | None,
    lines: list[str],
    reviews: int | None,
    folder: Path,
) -> Row:
    """Train a variant and measure it on the held-out reviews."""
    count = min(round(HELD_OUT * len(lines)), MAX_HELD_OUT)
    mixed = shuffled(lines, config.train.seed)
    held_out, part = mixed[:count], folder / "part.ft.txt"
    if not part.exists():  # a new time stamp would make the cache of encoded reviews invalid
        folder.mkdir()
        write_lines(mixed[count:][:reviews], part)
    if name == NGRAM_LINEAR_ONLY:
        bundle, minutes = fit_ngram_linear_only(config, part)
    else:
        stopwatch = Stopwatch()
        run = train(
            train=str(part),
            output=folder / "run",
            config=config,
            from_lm=from_lm,
            overwrite=True,
            callbacks=[stopwatch, ProgressBar(Console(stderr=True))],
        )
        bundle, minutes = run.bundle, stopwatch.minutes()
    return {"minutes": round(minutes, 2), **metrics_of(bundle, held_out)}


class Stopwatch:
    """A callback that measures the minutes since the reviews were encoded."""

    def __init__(self) -> None:
        self._began, self._encoding = time.perf_counter(), True

    def __call__(self, event: Event) -> None:
        if event["event"] == "start":
            self._encoding = False
        elif event["event"] == "progress" and self._encoding:
            self._began = time.perf_counter()

    def minutes(self) -> float:
        return (time.perf_counter() - self._began) / 60


def fit_ngram_linear_only(config: Config, train_file: Path) -> tuple[Bundle, float]:
    """The n-gram linear model beside a network whose logits are zero, and its minutes."""
    config = config.override({"embedding_dim": 1, "hidden_size": 1})
    bad_rows = BadRows()
    with tempfile.TemporaryDirectory() as temporary:
        corpora = encode_training(
            read_reviews([str(train_file)], bad_rows=bad_rows),
            Path(temporary),
            text=config.text,
            train=config.train,
            bad_rows=bad_rows,
        )
        began = time.perf_counter()
        model = SentimentClassifier(
            config.model,
            vocabulary=len(corpora.tokenizer.vocabulary),
            classes=len(corpora.labels.names),
        )
        for parameter in model.head.parameters():
            torch.nn.init.zeros_(parameter)
        logits_NO = np.zeros((len(corpora.valid), model.head.out_features))
        max_length = config.text.max_length
        fit_ngram_linear(
            model, corpora.train, corpora.valid, logits_NO, max_length,
            folder=Path(temporary), refit=True,
        )  # fmt: skip
    bundle = Bundle(
        weights=to_arrays(model),
        tokenizer=corpora.tokenizer,
        labels=corpora.labels,
        config=config,
        metrics={},
    )
    return bundle, (time.perf_counter() - began) / 60


def metrics_of(bundle: Bundle, held_out: list[str]) -> Row:
    """Metrics of a model on the held-out reviews, and which of them it classifies correctly."""
    labels, texts = split_labels(held_out)
    probabilities_NC = Predictor(bundle).predict_proba(texts)
    names = bundle.labels.names
    negative, positive = names.index("negative"), names.index("positive")
    labels_N = np.array([positive if label == POSITIVE else negative for label in labels])
    metrics = measure(probabilities_NC, labels_N, names)
    correct_N = probabilities_NC.argmax(axis=1) == labels_N
    return {
        "accuracy": round(metrics.accuracy, 5),
        "loss": round(metrics.loss, 5),
        "calibration_error": round(metrics.calibration_error, 5),
        "measured": digest(held_out),
        "measured_on": len(held_out),
        "correct": base64.b64encode(np.packbits(correct_N).tobytes()).decode(),
    }


def correct(row: Row) -> npt.NDArray[np.float64]:
    """1 for each review that was classified correctly, else 0."""
    packed = np.frombuffer(base64.b64decode(row["correct"]), np.uint8)
    return np.unpackbits(packed, count=row["measured_on"]).astype(np.float64)


def differences(rows: Sequence[Row], base: Sequence[Row]) -> list[npt.NDArray[np.float64]]:
    """For each seed that `base` has too: 1 per review gained, -1 per review lost, else 0."""
    base_of = {(row["seed"], row["measured"]): row for row in base}
    pairs = [(row, base_of.get((row["seed"], row["measured"]))) for row in rows]
    return [correct(row) - correct(other) for row, other in pairs if other is not None]


def markdown(rows: Sequence[Row]) -> str:
    """A row per variant: means over the seeds, and the difference from `base` in points."""
    shown = measurements.latest(rows, series=("corpus",), job=("variant", "seed"))
    by_variant = {name: [row for row in shown if row["variant"] == name] for name in NAMES}
    head = ("variant", "changed", "seeds", "minutes", "accuracy", "loss (nats)",
            "points from `base`", "by seed")  # fmt: skip
    base = by_variant["base"]
    body = (variant_cells(name, seeds, base) for name, seeds in by_variant.items() if seeds)
    return measurements.markdown_table(head, body, text_columns=2)


def variant_cells(name: str, seeds: Sequence[Row], base: Sequence[Row]) -> list[str]:
    """The cells of one variant."""
    minutes, accuracy, loss = (
        statistics.mean(row[metric] for row in seeds) for metric in ("minutes", "accuracy", "loss")
    )
    by_seed = [] if name == "base" else differences(seeds, base)
    points = ""
    if by_seed:
        points_N = 100 * np.concatenate(by_seed)
        error = points_N.std(ddof=1) / len(points_N) ** 0.5
        points = f"{points_N.mean():+.2f} ± {error:.2f}"
    return [
        name, format_changes(seeds[-1]), str(len(seeds)), f"{minutes:.1f}", f"{accuracy:.2%}",
        f"{loss:.4f}", points, ", ".join(f"{100 * seed_N.mean():+.2f}" for seed_N in by_seed),
    ]  # fmt: skip


def format_changes(row: Row) -> str:
    """The settings that a variant changes, as a cell of the table."""
    if row["variant"] == NGRAM_LINEAR_ONLY:
        return "no network"
    flat: dict[str, Any] = {}
    for name, value in row["changes"].items():
        flat.update(value if isinstance(value, dict) else {name: value})
    # Settings that a language model shares with the preset are not changed.
    defaults = {
        name: value
        for section in Config.preset("base").to_dict().values()
        for name, value in section.items()
    }
    changed = [f"`{name}` {value}" for name, value in flat.items() if defaults[name] != value]
    return ", ".join(changed + (["weights of the language model"] if row["lm"] else []))


if __name__ == "__main__":
    main()
