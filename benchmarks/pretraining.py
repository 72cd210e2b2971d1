"""Pre-train a language model on real reviews, then train with it and without it.

    python benchmarks/pretraining.py [--corpus imdb] [--preset best] [--seeds 0] [--test]
        [--lm-set max_tokens=200 ...] [--set batch_size=32 ...] [--lm DIR] [--data DIR]

The language model reads the corpus' unlabelled reviews, where it has any, and its training reviews;
with --lm one that is finished is taken instead. Both classifiers read the same labelled reviews and
have the same settings but for the tuning of what was learnt before. Printed is a Markdown table;
choose settings by the validation reviews, a slice of train, and add --test once for the last row.
The reviews are looked for in $SENTIR_DATA, else in ../shared/data.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from sentir import Config, train
from sentir.bundle import LanguageBundle, load_language_model
from sentir.config import PRESETS, PretrainConfig
from sentir.training.pretrain import pretrain
from sentir.training.run import Inputs
from sentir.training.transfer import settings_from, shared_settings
from sentir.training.watch import ProgressBar

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


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
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SENTIR_DATA", BESIDE)))
    given = parser.parse_args()
    folder = given.data / given.corpus
    if not folder.is_dir():
        sys.exit(f"no real reviews in {folder}; set SENTIR_DATA to where they are")
    with tempfile.TemporaryDirectory() as made:
        lm = given.lm or language_model(folder, Path(made), changes(given.lm_set))
        tell_of(load_language_model(lm))
        print("\n| corpus | preset | begins with | seed | minutes | validation | test | "
              "calibration error |\n" + "|---" * 8 + "|", flush=True)  # fmt: skip
        for seed in map(int, given.seeds.split(",")):
            for start in ("without", "with"):
                if given.only in (None, start):
                    config = Config.preset(given.preset)
                    row = measure(folder, config, lm, start == "with", given.test,
                                  {**changes(given.set), "seed": seed})  # fmt: skip
                    name = "language model" if start == "with" else "random weights"
                    print(f"| {given.corpus} | {given.preset} | {name} | {seed} | {row} |",
                          flush=True)  # fmt: skip


def changes(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings given as NAME=VALUE; a value that is no TOML is a string."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = value
    return found


def language_model(folder: Path, output: Path, settings: dict[str, Any]) -> Path:
    """Pre-train on all the text there is but for the test file."""
    names = ("unsup.txt.bz2", "train.ft.txt.bz2")
    sources = [str(folder / name) for name in names if (folder / name).exists()]
    bar = ProgressBar(Console(stderr=True))
    config = PretrainConfig().override(settings)
    pretrain(sources, output / "lm", config=config, watchers=[bar])
    return output / "lm"


def tell_of(lm: LanguageBundle) -> None:
    """The size of the language model, how long it took and what it came to."""
    found, made = lm.metrics["validation"], lm.metrics["training"]
    print(
        f"language model: {len(lm.tokenizer.vocabulary):,} words, embedding "
        f"{lm.config.model.embedding}, hidden {lm.config.model.hidden}; {made['tokens']:,} tokens "
        f"in {made['seconds'] / 60:.0f} minutes ({made['stopped']}); perplexity "
        f"{found['perplexity']:.1f} (ahead {found['perplexity_ahead']:.1f}, back "
        f"{found['perplexity_back']:.1f})",
        flush=True,
    )


def measure(
    folder: Path,
    config: Config,
    lm: Path,
    begin_with_lm: bool,
    test: bool,
    settings: dict[str, Any],
) -> str:
    """Train a classifier and tell how good it is, as the cells of a table."""
    bundle = load_language_model(lm)
    of_lm = settings_from(bundle) if begin_with_lm else shared_settings(bundle)
    inputs = Inputs(
        train=(str(folder / "train.ft.txt.bz2"),),
        test=(str(folder / "test.ft.txt.bz2"),) if test else (),
    )
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as output:
        run = train(
            inputs,
            output,
            config=config.override(of_lm).override(settings),
            from_lm=lm if begin_with_lm else None,
            watchers=[ProgressBar(Console(stderr=True))],
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
