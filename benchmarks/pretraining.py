"""Pre-train a language model on real reviews, then train a classifier with and without it.

    python benchmarks/pretraining.py [--corpus imdb] [--preset best] [--seeds 0] [--test]
        [--lm-set max_length=200 ...] [--set batch_size=32 ...] [--lm DIR] [--data DIR]

The language model is trained on the unlabelled reviews of the corpus, where there are any, and on
its training reviews; --lm takes a finished one instead. Both classifiers have the same labelled
reviews and the same settings. Prints a Markdown table. Choose settings by the validation reviews, a
part of train, and add --test once for the last row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from reviews import add_data_option, reviews_file
from rich.console import Console
from settings import parse_settings

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
    parser.add_argument("--only", choices=["with", "without"], help="train only this one")
    add_data_option(parser)
    args = parser.parse_args()
    train_file = reviews_file(args.data, args.corpus)
    test_file = reviews_file(args.data, args.corpus, "test") if args.test else None
    with tempfile.TemporaryDirectory() as temporary:
        lm = args.lm or language_model(train_file, Path(temporary), parse_settings(args.lm_set))
        bundle = load_language_model(lm)
        print_language_model(bundle)
        print("\n| corpus | preset | initial weights | seed | minutes | validation | test | "
              "calibration error |\n" + "|---" * 8 + "|", flush=True)  # fmt: skip
        for seed in map(int, args.seeds.split(",")):
            for start in ("without", "with"):
                if args.only in (None, start):
                    config = preset_for(bundle, args.preset).override(
                        {**parse_settings(args.set), "seed": seed}
                    )
                    from_lm = lm if start == "with" else None
                    row = measure(train_file, test_file, config, from_lm)
                    name = "language model" if from_lm else "random weights"
                    print(f"| {args.corpus} | {args.preset} | {name} | {seed} | {row} |",
                          flush=True)  # fmt: skip


def language_model(train_file: Path, output: Path, settings: dict[str, Any]) -> Path:
    """Pre-train on all text of the corpus except the test file."""
    unlabelled = train_file.with_name("unsup.txt.bz2")
    sources = [str(path) for path in (unlabelled, train_file) if path.exists()]
    bar = ProgressBar(Console(stderr=True))
    config = PretrainConfig().override(settings)
    pretrain(texts=sources, output=output / "lm", config=config, callbacks=[bar])
    return output / "lm"


def print_language_model(lm: LanguageBundle) -> None:
    """Print the language model's size, training time and perplexity."""
    validation, training = lm.metrics["validation"], lm.metrics["training"]
    print(
        f"language model: {len(lm.tokenizer.vocabulary):,} words, embedding "
        f"{lm.config.model.embedding_dim}, {lm.config.model.hidden_size} units; "
        f"{training['tokens']:,} tokens in {training['seconds'] / 60:.0f} minutes "
        f"({training['stopped']}); perplexity {validation['perplexity']:.1f} "
        f"(forward {validation['perplexity_forward']:.1f}, "
        f"backward {validation['perplexity_backward']:.1f})",
        flush=True,
    )


def measure(train_file: Path, test_file: Path | None, config: Config, from_lm: Path | None) -> str:
    """Train a classifier; its metrics as the cells of a table."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as output:
        run = train(
            train=str(train_file),
            test=str(test_file) if test_file else (),
            output=output,
            config=config,
            from_lm=from_lm,
            callbacks=[ProgressBar(Console(stderr=True))],
        )
    minutes = (time.perf_counter() - began) / 60
    metrics = run.test or run.validation
    on_test = f"{run.test.accuracy:.2%}" if run.test else ""
    return (
        f"{minutes:.1f} | {run.validation.accuracy:.2%} | {on_test} | "
        f"{metrics.calibration_error:.2%}"
    )


if __name__ == "__main__":
    main()
