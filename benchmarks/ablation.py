"""What each ingredient of `base` gives and costs, on a slice of train; the test file is not read.

    python benchmarks/ablation.py --corpus imdb [--variants base,no-linear,...] [--lm DIR]
        [--seeds 0] [--reviews N] [--set NAME=VALUE ...] [--data DIR]
    python benchmarks/ablation.py --corpus imdb --draw

Each variant is the preset with one change, see `VARIANTS`. A fifth of the reviews (at most 5,000),
drawn by the seed, is kept back and measured on once, as a test file would be; a run sets its own
validation reviews aside from the others. All variants of a seed are measured on the same reviews,
so their difference from `base` has a paired standard error: what other reviews might have said.
What another start of the network might have done is not in it; that the seeds tell.

Minutes are from the encoded reviews to the report. Each variant and seed is a line in
benchmarks/results, and is not measured again unless --again. All lines together make the table.
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

import numpy as np
import numpy.typing as npt
import results
import torch
from results import Job, Row
from reviews import CORPORA, add_data_option, lines_of, reviews_file, shuffled, split, write
from rich.console import Console
from settings import changes
from tools import POSITIVE

from sentir import Config, train
from sentir.bundle import Bundle, LanguageBundle, load_language_model
from sentir.data.cache import digest
from sentir.data.encoding import encode_training
from sentir.evaluation.metrics import measure
from sentir.inference.predictor import Predictor
from sentir.io.reader import BadRows, read_reviews
from sentir.nn.classifier import SentimentClassifier
from sentir.training.callbacks import Event, ProgressBar
from sentir.training.ngram_linear import fit_ngram_linear
from sentir.training.transfer import settings_from

#: What is kept back of train to measure on: this share, so many reviews at most.
KEPT_BACK, MOST_KEPT_BACK = 0.2, 5000
#: What each changes in the preset.
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    # the linear part
    "no-linear": {"ngram_buckets": 0},
    "pairs-instead": {"ngram_buckets": 0, "bigram_buckets": 131_072},
    "pairs-beside": {"bigram_buckets": 131_072},
    # the words
    "no-own-vectors": {"own_vectors": False},
    "frozen-embedding": {"freeze_embedding": True},
    "embedding-50": {"embedding_dim": 50},
    "subwords": {"tokenizer": "bpe"},
    "tokens-200": {"max_length": 200},
    # the recurrent layer
    "one-direction": {"bidirectional": False},
    "lstm": {"cell": "lstm"},
    "rnn": {"cell": "rnn"},
    "hidden-32": {"hidden_size": 32},
    "hidden-128": {"hidden_size": 128},
    "two-layers": {"num_layers": 2, "dropout": 0.3},
    "pytorch-start": {"initialisation": "pytorch"},
    # what the head reads
    "no-skip": {"embedding_skip": False},
    "max": {"pooling": "max"},
    "mean": {"pooling": "mean"},
    "last": {"pooling": "last"},
    # the training
    "no-embedding-dropout": {"embedding_dropout": 0.0},
    "no-head-dropout": {"head_dropout": 0.0},
    "no-skip-dropout": {"embedding_skip_dropout": 0.0},
    "no-averaging": {"ema_decay": 0.0},
    "constant-rate": {"schedule": "constant"},
    "four-passes": {"epochs": 4},
    "noise": {"adversarial_epsilon": 0.02},
}
#: The linear part by itself.
ALONE = "linear-alone"
#: With the sizes and words of the language model: from a start of its own, and from the model's.
LM_SHAPE, FROM_LM = "lm-shape", "from-lm"
NAMES = ("base", ALONE, *list(VARIANTS)[1:], LM_SHAPE, FROM_LM)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", default="imdb", choices=CORPORA)
    parser.add_argument("--variants", default=",".join(NAMES), help="(unset: all)")
    parser.add_argument("--lm", type=Path, metavar="DIR", help="a finished run of sentir pretrain")
    parser.add_argument(
        "--reviews", type=int, help="to learn from (unset: all but those kept back)"
    )
    results.add_results_options(parser)
    add_data_option(parser)
    given = parser.parse_args()
    if unknown := set(given.variants.split(",")) - set(NAMES):
        parser.error(f"no variant {', '.join(sorted(unknown))}; take of {', '.join(NAMES)}")
    path = given.results or results.FOLDER / f"ablation-{given.corpus}.jsonl"
    if not given.draw:
        with tempfile.TemporaryDirectory() as made:
            results.run_missing(jobs(given, Path(made)), path, again=given.again)
    rows = [row for row in results.read_rows(path)
            if (row["reviews"], row["set"]) == (given.reviews, changes(given.set))]  # fmt: skip
    if not rows:
        sys.exit(f"{path}: nothing measured yet")
    print(markdown(rows))


def jobs(given: argparse.Namespace, made: Path) -> Iterator[Job]:
    """What was asked for, seed by seed, so that variants that read alike follow each other."""
    lines = list(lines_of(reviews_file(given.data, given.corpus)))
    lm = load_language_model(given.lm) if given.lm else None
    asked = given.variants.split(",")
    if lm is None and (needing := [name for name in asked if name in (LM_SHAPE, FROM_LM)]):
        print(f"left out without a language model, --lm DIR: {', '.join(needing)}", file=sys.stderr)
        asked = [name for name in asked if name not in needing]
    base = Config.preset("base").override(changes(given.set))
    for seed in map(int, given.seeds.split(",")):
        for name in asked:
            changed = changes_of(name, lm)
            config = base.override(changed).override({"seed": seed})
            of_lm = lm.checksum if lm is not None and name == FROM_LM else ""
            mark = {
                "corpus": given.corpus, "reviews": given.reviews, "set": changes(given.set),
                "variant": name, "changes": changed, "lm": of_lm, "seed": seed,
                "recipe": digest(base.override({"seed": 0}).to_dict()),
            }  # fmt: skip
            options = [
                "--corpus", given.corpus, "--variants", name, "--seeds", seed,
                *(["--reviews", given.reviews] if given.reviews else []),
                *(["--lm", "LM"] if name in (LM_SHAPE, FROM_LM) else []),
            ]  # fmt: skip
            # Runs that read alike share a folder, and the reviews as ids in it.
            folder = made / digest([config.to_dict()["text"], seed, of_lm])
            from_lm = given.lm if of_lm else None
            yield Job(
                mark,
                results.command("ablation", *options, settings=given.set),
                partial(result, name, config, from_lm, lines, given.reviews, folder),
            )


def changes_of(name: str, lm: LanguageBundle | None) -> dict[str, Any]:
    """What a variant changes in the preset."""
    if name in (LM_SHAPE, FROM_LM):
        assert lm is not None
        return settings_from(lm)
    return VARIANTS.get(name, {})


def result(
    name: str,
    config: Config,
    from_lm: Path | None,
    lines: list[str],
    reviews: int | None,
    folder: Path,
) -> Row:
    """Train a variant and measure it on the reviews that were kept back."""
    count = min(round(KEPT_BACK * len(lines)), MOST_KEPT_BACK)
    mixed = shuffled(lines, config.train.seed)
    kept_back, part = mixed[:count], folder / "part.ft.txt"
    if not part.exists():  # a file of another time would be encoded anew
        folder.mkdir()
        write(mixed[count:][:reviews], part)
    if name == ALONE:
        bundle, minutes = linear_alone(config, part)
    else:
        watch = Stopwatch()
        run = train(
            train=(str(part),),
            output=folder,
            config=config,
            from_lm=from_lm,
            overwrite=True,
            callbacks=[watch, ProgressBar(Console(stderr=True))],
        )
        bundle, minutes = run.bundle, watch.minutes()
    return {"minutes": round(minutes, 2), **figures(bundle, kept_back)}


class Stopwatch:
    """Minutes since the reviews were read, as a callback of a run."""

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self, event: Event) -> None:
        if event["event"] != "reading" and self._began is None:
            self._began = time.perf_counter()

    def minutes(self) -> float:
        assert self._began is not None
        return (time.perf_counter() - self._began) / 60


def linear_alone(config: Config, train_file: Path) -> tuple[Bundle, float]:
    """The linear part beside a network that says nothing, and the minutes that it took."""
    config = config.override({"embedding_dim": 1, "hidden_size": 1})
    bad_rows = BadRows()
    with tempfile.TemporaryDirectory() as made:
        corpora = encode_training(
            read_reviews([str(train_file)], bad_rows=bad_rows),
            Path(made),
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
        for silent in model.head.parameters():
            torch.nn.init.zeros_(silent)
        silence_NO = np.zeros((len(corpora.valid), model.head.out_features))
        limit = config.text.max_length
        fit_ngram_linear(model, corpora.train, corpora.valid, silence_NO, limit, refit=True)
    bundle = Bundle(
        model=model.eval(),
        tokenizer=corpora.tokenizer,
        labels=corpora.labels,
        config=config,
        metrics={},
    )
    return bundle, (time.perf_counter() - began) / 60


def figures(bundle: Bundle, kept_back: list[str]) -> Row:
    """How good a model is on the reviews kept back, and which of them it answers rightly."""
    labels, texts = split(kept_back)
    answers_NC = Predictor(bundle).predict_proba(texts)
    names = bundle.labels.names
    other, positive = names.index("negative"), names.index("positive")
    labels_N = np.array([positive if label == POSITIVE else other for label in labels])
    found = measure(answers_NC, labels_N, names)
    right_N = answers_NC.argmax(axis=1) == labels_N
    return {
        "accuracy": round(found.accuracy, 5),
        "loss": round(found.loss, 5),
        "calibration_error": round(found.calibration_error, 5),
        "measured": digest(kept_back),
        "measured_on": len(kept_back),
        "right": base64.b64encode(np.packbits(right_N).tobytes()).decode(),
    }


def rights(row: Row) -> npt.NDArray[np.float64]:
    """1 for each review that was answered rightly, else 0."""
    packed = np.frombuffer(base64.b64decode(row["right"]), np.uint8)
    return np.unpackbits(packed, count=row["measured_on"]).astype(np.float64)


def differences(rows: Sequence[Row], base: Sequence[Row]) -> list[npt.NDArray[np.float64]]:
    """For each seed that `base` has too, review by review: 1 gained, -1 lost, else 0."""
    of_seed = {(row["seed"], row["measured"]): row for row in base}
    pairs = [(row, of_seed.get((row["seed"], row["measured"]))) for row in rows]
    return [rights(row) - rights(beside) for row, beside in pairs if beside is not None]


def markdown(rows: Sequence[Row]) -> str:
    """A row a variant: means over the seeds, and the points it has more or less than `base`."""
    kept = results.newest(rows, line=("corpus",), job=("variant", "seed"))
    of_name = {name: [row for row in kept if row["variant"] == name] for name in NAMES}

    def cells(name: str, found: Sequence[Row]) -> list[str]:
        minutes, accuracy, loss = (
            statistics.mean(row[figure] for row in found)
            for figure in ("minutes", "accuracy", "loss")
        )
        apart = [] if name == "base" else differences(found, of_name["base"])
        points = by_seed = ""
        if apart:
            every_N = 100 * np.concatenate(apart)
            error = every_N.std(ddof=1) / len(every_N) ** 0.5
            points = f"{every_N.mean():+.2f} ± {error:.2f}"
            by_seed = ", ".join(f"{100 * one.mean():+.2f}" for one in apart)
        return [name, told(found[-1]), str(len(found)), f"{minutes:.1f}", f"{accuracy:.2%}",
                f"{loss:.4f}", points, by_seed]  # fmt: skip

    head = ("variant", "changed", "seeds", "minutes", "accuracy", "loss (nats)",
            "points from `base`", "by seed")  # fmt: skip
    body = (cells(name, found) for name, found in of_name.items() if found)
    return results.table(head, body, words=2)


def told(row: Row) -> str:
    """What a variant changes, as a cell of the table."""
    if row["variant"] == ALONE:
        return "no network"
    flat: dict[str, Any] = {}
    for name, value in row["changes"].items():
        flat.update(value if isinstance(value, dict) else {name: value})
    # Settings that a language model shares with the preset are no change.
    usual = {
        name: value
        for section in Config.preset("base").to_dict().values()
        for name, value in section.items()
    }
    changed = [f"`{name}` {value}" for name, value in flat.items() if usual[name] != value]
    return ", ".join(changed + (["its weights"] if row["lm"] else []))


if __name__ == "__main__":
    main()
