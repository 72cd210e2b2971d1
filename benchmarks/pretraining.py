"""Pre-train a language model on real reviews, then train with it and without it.

    python benchmarks/pretraining.py [--corpus imdb] [--preset best] [--seeds 0] [--test]
        [--lm-set max_length=200 ...] [--set batch_size=32 ...] [--lm DIR] [--data DIR]

The language model reads the corpus' unlabelled reviews, where it has any, and its training reviews;
with --lm one that is finished is taken instead. Both classifiers read the same labelled reviews and
have the same settings but for the tuning of what was learnt before. Printed is a Markdown table;
choose settings by the validation reviews, a slice of train, and add --test once for the last row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from reviews import add_data_option, reviews_file
from rich.console import Console
from settings import changes

from sentir import Config, train
from sentir.bundle import LanguageBundle, load_language_model
from sentir.config import PRESETS, PretrainConfig
from sentir.training.callbacks import ProgressBar
from sentir.training.pretrain import pretrain
from sentir.training.transfer import preset_for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", default="imdb")
    parser.add_argument("--preset", default="best", choices=PRESETS)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--test", action="store_true", help="measure on the test file too")
    parser.add_argument("--lm-set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--lm", type=Path, help="a finished run of sentir pretrain")
    parser.add_argument("--only", choices=["with", "without"], help="train only so")
    add_data_option(parser)
    given = parser.parse_args()
    train_file = reviews_file(given.data, given.corpus)
    test_file = reviews_file(given.data, given.corpus, "test") if given.test else None
    with tempfile.TemporaryDirectory() as made:
        lm = given.lm or language_model(train_file, Path(made), changes(given.lm_set))
        bundle = load_language_model(lm)
        tell_of(bundle)
        print("\n| corpus | preset | begins with | seed | minutes | validation | test | "
              "calibration error |\n" + "|---" * 8 + "|", flush=True)  # fmt: skip
        for seed in map(int, given.seeds.split(",")):
            for start in ("without", "with"):
                if given.only in (None, start):
                    config = preset_for(bundle, given.preset).override(
                        {**changes(given.set), "seed": seed}
                    )
                    from_lm = lm if start == "with" else None
                    row = measure(train_file, test_file, config, from_lm)
                    name = "language model" if from_lm else "random weights"
                    print(f"| {given.corpus} | {given.preset} | {name} | {seed} | {row} |",
                          flush=True)  # fmt: skip


def language_model(train_file: Path, output: Path, settings: dict[str, Any]) -> Path:
    """Pre-train on all the text there is but for the test file."""
    unlabelled = train_file.with_name("unsup.txt.bz2")
    sources = [str(path) for path in (unlabelled, train_file) if path.exists()]
    bar = ProgressBar(Console(stderr=True))
    config = PretrainConfig().override(settings)
    pretrain(sources, output / "lm", config=config, callbacks=[bar])
    return output / "lm"


def tell_of(lm: LanguageBundle) -> None:
    """The size of the language model, how long it took and what it came to."""
    found, made = lm.metrics["validation"], lm.metrics["training"]
    print(
        f"language model: {len(lm.tokenizer.vocabulary):,} words, embedding "
        f"{lm.config.model.embedding}, hidden {lm.config.model.hidden}; {made['tokens']:,} tokens "
        f"in {made['seconds'] / 60:.0f} minutes ({made['stopped']}); perplexity "
        f"{found['perplexity']:.1f} (ahead {found['perplexity_forward']:.1f}, back "
        f"{found['perplexity_backward']:.1f})",
        flush=True,
    )


def measure(train_file: Path, test_file: Path | None, config: Config, from_lm: Path | None) -> str:
    """Train a classifier and tell how good it is, as the cells of a table."""
    inputs = {"train": (str(train_file),), "test": (str(test_file),) if test_file else ()}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as output:
        run = train(
            **inputs,
            output=output,
            config=config,
            from_lm=from_lm,
            callbacks=[ProgressBar(Console(stderr=True))],
        )
    minutes = (time.perf_counter() - began) / 60
    measured = run.test or run.validation
    on_test = f"{run.test.accuracy:.2%}" if run.test else ""
    return (
        f"{minutes:.1f} | {run.validation.accuracy:.2%} | {on_test} | "
        f"{measured.calibration_error:.2%}"
    )


if __name__ == "__main__":
    main()
