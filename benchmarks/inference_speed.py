"""Inference speed and latency of every engine, relative to the lesson's own loop.

    python benchmarks/inference_speed.py [--presets lecture,base] [--reviews 2000] [--rounds 5]

Networks have random weights, which take the same time as trained ones. Reviews are synthetic: words
drawn from a vocabulary of 20,000 by Zipf's law, lengths log-normal with a mean of about 108 tokens,
truncated to the preset's `max_length`. Times are from text to probability, on all cores; the
lesson's loop (`lesson_loop.py`) gets ready ids, as it had them. Rounds alternate between all
engines, so that other work on the machine slows all of them. Prints medians, as a Markdown table.

GFLOP/s count the layers' matrix products only, two operations per multiply-add, over the whole time
from text to probability. The engine numba computes fewer of them: it looks the input product of the
first layer up. The last row has the peak, a product of float32 matrices on the same threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from lesson_loop import BATCH, LENGTH, LessonNet

from sentir.bundle import Bundle
from sentir.config import Config, ModelConfig
from sentir.errors import SentirError
from sentir.inference.predictor import Predictor
from sentir.io.labels import LabelScheme
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import to_arrays
from sentir.text.tokenizer import WordTokenizer

VOCABULARY = 20_000
#: Engine and precision.
ENGINES = (
    ("torch", "float32"),
    ("onnx", "float32"),
    ("numba", "float32"),
    ("onnx", "int8"),
    ("numba", "int8"),
)
#: Gates of a cell: matrix products with the input and with the state, per unit.
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
LESSON = "lesson's loop"
#: Rows, inner size and columns of the matrix product that measures the peak.
PRODUCT = (1024, 512, 2048)
HEAD = ("preset", "engine", "reviews/s", "times the lesson's loop", "one review: median ms",
        "p99 ms", "GFLOP/s", "of the peak")  # fmt: skip


def random_reviews(count: int) -> list[str]:
    """Texts of random words by Zipf's law, as long as real reviews."""
    random = np.random.default_rng(0)
    lengths = np.maximum(random.lognormal(np.log(90), 0.6, count).astype(int), 5)
    shares = 1 / np.arange(1, VOCABULARY - 1)
    shares /= shares.sum()
    words = np.array([f"w{rank}" for rank in range(VOCABULARY - 2)])
    return [" ".join(random.choice(words, length, p=shares)) for length in lengths]


def random_bundle(preset: str) -> Bundle:
    """A preset with random weights."""
    config = Config.preset(preset)
    torch.manual_seed(0)
    return Bundle(
        weights=to_arrays(SentimentClassifier(config.model, vocabulary=VOCABULARY, classes=2)),
        tokenizer=WordTokenizer([f"w{rank}" for rank in range(VOCABULARY - 2)], config.text.clean),
        labels=LabelScheme(("negative", "positive"), {"0": 0, "1": 1}),
        config=config,
        metrics={},
    )


def predictors_of(bundle: Bundle, *, bulk: bool) -> dict[str, Predictor]:
    """A predictor of each engine that can compute the model, by a name to print."""
    predictors = {}
    for engine, precision in ENGINES:
        try:
            predictor = Predictor(bundle, engine, precision, bulk=bulk)
        except SentirError:  # no kernel for this cell, or Numba is not installed
            continue
        predictors[f"{engine}, {precision}"] = predictor
    return predictors


def lesson_inference(model: LessonNet, ids: Sequence[Sequence[int]]) -> None:
    """As in `lesson_loop.predict`, from ids in memory."""
    with torch.no_grad():
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            ids_BT = np.zeros((len(part), LENGTH), dtype=np.int64)
            for row, review in enumerate(part):
                ids_BT[row, LENGTH - len(review[:LENGTH]) :] = review[:LENGTH]
            model(torch.from_numpy(ids_BT)).numpy()


def operations_per_token(model: ModelConfig, *, looked_up: bool) -> int:
    """Operations of the layers' matrix products; `looked_up`: without the first input product."""
    directions = 2 if model.bidirectional else 1
    inputs, total = 0 if looked_up else model.embedding_dim, 0
    for _ in range(model.num_layers):
        units = GATES[model.cell] * model.hidden_size
        total += 2 * directions * units * (inputs + model.hidden_size)
        inputs = directions * model.hidden_size
    return total


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def print_row(*cells: object) -> None:
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def measure(preset: str, texts: list[str], lesson: LessonNet, rounds: int) -> None:
    """Print the rows of one preset."""
    bundle = random_bundle(preset)
    ids = bundle.tokenizer.encode(texts)
    bulk, single = (predictors_of(bundle, bulk=bulk) for bulk in (True, False))
    bulk_s: dict[str, list[float]] = {name: [] for name in (LESSON, *bulk)}
    single_s: dict[str, list[float]] = {name: [] for name in bulk}
    product_s: list[float] = []
    left, right = torch.randn(PRODUCT[:2]), torch.randn(PRODUCT[1:])
    for predictor in (*bulk.values(), *single.values()):
        predictor.predict_proba(texts[:200])  # starts threads, fills caches, compiles kernels
    for _ in range(rounds):
        # A whole batch of the lesson's, the same reviews in each round.
        bulk_s[LESSON].append(seconds(lambda: lesson_inference(lesson, ids[:BATCH])))
        product_s += [seconds(lambda: left @ right) for _ in range(10)]
        for name, predictor in bulk.items():
            bulk_s[name].append(seconds(partial(predictor.predict_proba, texts)))
            single_s[name] += [
                seconds(partial(single[name].predict_one, text)) for text in texts[:100]
            ]
    lesson_rate = BATCH / np.median(bulk_s[LESSON])
    peak = 2 * np.prod(PRODUCT) / np.median(product_s) / 1e9
    tokens = sum(min(len(review), bundle.config.text.max_length) for review in ids)
    for name in bulk:
        took_s = np.median(bulk_s[name])
        rate = len(texts) / took_s
        median, p99 = np.percentile(np.array(single_s[name]) * 1000, [50, 99])
        operations = operations_per_token(bundle.config.model, looked_up=name.startswith("numba"))
        gflops = tokens * operations / took_s / 1e9
        print_row(preset, name, f"{rate:,.0f}", f"{rate / lesson_rate:.1f}", f"{median:.2f}",
                  f"{p99:.2f}", f"{gflops:.1f}", f"{gflops / peak:.0%}")  # fmt: skip
    print_row(preset, LESSON, f"{lesson_rate:,.0f}", "1", "", "", "", "")
    print_row(preset, "product of float32 matrices", "", "", "", "", f"{peak:.1f}", "100%")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="lecture,base")
    parser.add_argument("--reviews", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    texts = random_reviews(args.reviews)
    lesson = LessonNet(VOCABULARY).eval()
    print_row(*HEAD)
    print_row(*["---"] * len(HEAD))
    for preset in args.presets.split(","):
        measure(preset, texts, lesson, args.rounds)


if __name__ == "__main__":
    main()
