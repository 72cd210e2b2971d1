"""Reviews a second, and the time of one answer, of every engine beside the lesson's own loop.

    python benchmarks/answers.py [--presets lecture,base] [--reviews 2000] [--rounds 5]

Networks have random weights, which take the same time as trained ones. Reviews are made up: words
drawn from a vocabulary of 20,000 by Zipf's law, lengths log-normal with a mean of about 108 tokens,
cut at the preset's `max_length`. All of it is from text to probability, on all cores; the lesson's
loop (see `lesson_loop.py`) is given ready ids, as it had them. Rounds go through all of them in
turn, so that a busy machine slows them all; printed are medians, in Markdown.

GFLOP/s are those of the layers' matrix products alone, two operations a multiply-add, of the whole
time from text to probability; fused has fewer of them, as it looks the first layer's input product
up. Beside them stands what the same threads reach in a plain product of float32 matrices.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from lesson_loop import BATCH, LENGTH, LessonNet

from sentir.bundle import Bundle
from sentir.config import Config, ModelConfig
from sentir.inference.engines import INT8_CELLS
from sentir.inference.predictor import Predictor
from sentir.io.labels import LabelScheme
from sentir.nn.classifier import SentimentClassifier
from sentir.text.tokenizer import WordTokenizer

VOCABULARY = 20_000
ENGINES = ("torch", "onnx", "fused", "int8")
#: Products with a matrix of its own that a unit takes, of the input and of the memory.
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
LESSON = "the lesson's loop"
#: Rows, inner and columns of the product that shows what the machine can do.
PRODUCT = (1024, 512, 2048)


def builtin_reviews(count: int) -> list[str]:
    random = np.random.default_rng(0)
    lengths = np.maximum(random.lognormal(np.log(90), 0.6, count).astype(int), 5)
    chances = 1 / np.arange(1, VOCABULARY - 1)
    chances /= chances.sum()
    words = np.array([f"w{at}" for at in range(VOCABULARY - 2)])
    return [" ".join(random.choice(words, length, p=chances)) for length in lengths]


def bundle_of(preset: str) -> Bundle:
    config = Config.preset(preset)
    torch.manual_seed(0)
    return Bundle(
        model=SentimentClassifier(config.model, vocabulary=VOCABULARY, classes=2).eval(),
        tokenizer=WordTokenizer([f"w{at}" for at in range(VOCABULARY - 2)], config.text.clean),
        labels=LabelScheme(("negative", "positive"), {"0": 0, "1": 1}),
        config=config,
        metrics={},
    )


def lesson_answers(model: LessonNet, ids: Sequence[Sequence[int]]) -> None:
    """As in `lesson_loop.answers`, from ids in memory."""
    with torch.no_grad():
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            ids_BT = np.zeros((len(part), LENGTH), dtype=np.int64)
            for row, review in enumerate(part):
                ids_BT[row, LENGTH - len(review[:LENGTH]) :] = review[:LENGTH]
            model(torch.from_numpy(ids_BT)).numpy()


def operations_a_token(model: ModelConfig, *, looked_up: bool) -> int:
    """Of the layers' matrix products; without the first input product if that is looked up."""
    directions = 2 if model.bidirectional else 1
    inputs, total = 0 if looked_up else model.embedding, 0
    for _ in range(model.layers):
        total += (
            2 * directions * GATES[model.cell] * model.hidden_size * (inputs + model.hidden_size)
        )
        inputs = directions * model.hidden_size
    return total


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def row(*cells: object) -> None:
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="lecture,base")
    parser.add_argument("--reviews", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    texts = builtin_reviews(given.reviews)
    lesson = LessonNet(VOCABULARY).eval()
    row(
        "preset",
        "engine",
        "reviews/s",
        "times the lesson's loop",
        "one review: median ms",
        "p99 ms",
        "GFLOP/s",
        "of the peak",
    )
    row(*["---"] * 8)
    left, right = torch.randn(PRODUCT[:2]), torch.randn(PRODUCT[1:])
    for preset in given.presets.split(","):
        bundle = bundle_of(preset)
        ids = bundle.tokenizer.encode(texts)
        int8_too = bundle.config.model.cell in INT8_CELLS
        engines = [engine for engine in ENGINES if engine != "int8" or int8_too]
        predictors = {engine: Predictor(bundle, engine, bulk=True) for engine in engines}
        for_one = {engine: Predictor(bundle, engine) for engine in engines}
        took: dict[str, list[float]] = {name: [] for name in (LESSON, *engines)}
        one: dict[str, list[float]] = {name: [] for name in engines}
        product: list[float] = []
        tokens = sum(min(len(review), bundle.config.text.max_length) for review in ids)
        for predictor in (*predictors.values(), *for_one.values()):
            predictor.predict_proba(texts[:200])  # threads, caches and kernels are made
        # At least one whole batch of the lesson's, and the same reviews for all.
        for _ in range(given.rounds):
            took[LESSON].append(seconds(lambda ids=ids: lesson_answers(lesson, ids[:BATCH])))
            product += [seconds(lambda: left @ right) for _ in range(10)]
            for name, predictor in predictors.items():
                took[name].append(seconds(lambda p=predictor: p.predict_proba(texts)))
                one[name] += [
                    seconds(lambda p=for_one[name], text=text: p.predict_one(text))
                    for text in texts[:100]
                ]
        lesson_speed = BATCH / np.median(took[LESSON])
        peak = 2 * np.prod(PRODUCT) / np.median(product) / 1e9
        for name in engines:
            speed = len(texts) / np.median(took[name])
            median, p99 = np.percentile(np.array(one[name]) * 1000, [50, 99])
            operations = operations_a_token(bundle.config.model, looked_up=name == "fused")
            rate = tokens * operations / np.median(took[name]) / 1e9
            row(preset, name, f"{speed:,.0f}", f"{speed / lesson_speed:.1f}", f"{median:.2f}",
                f"{p99:.2f}", f"{rate:.1f}", f"{rate / peak:.0%}")  # fmt: skip
        row(preset, LESSON, f"{lesson_speed:,.0f}", "1", "", "", "", "")
        row(preset, "a product of matrices", "", "", "", "", f"{peak:.1f}", "100%")


if __name__ == "__main__":
    main()
