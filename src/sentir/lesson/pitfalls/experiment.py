"""The table of faults: the same reviews, every fault by itself, some seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

from sentir.config import ReadOptions, TextConfig, TrainConfig
from sentir.data.encoding import encode_reviews, encode_training
from sentir.errors import UsageError
from sentir.io.builtin import SAMPLES
from sentir.io.reader import BadRows as BadRows
from sentir.io.reader import Review, read_reviews
from sentir.lesson.pitfalls.recipes import PITFALLS, Curve, Recipe, Reviews, learn_with, steps_of
from sentir.synthetic.reviews import sample_reviews

#: Reviews to test on; enough that the standard error is 1 point at most.
TESTED = 2500
#: The made-up reviews have few words and cannot be told by them: many are read, each once.
SAMPLE_COUNT, SAMPLE = (
    30_000, Recipe(embedding_dim=48, hidden_size=48, num_layers=1, dropout=0.0, max_length=80, epochs=1)
)  # fmt: skip
REAL_COUNT, REAL = 8_000, Recipe(num_layers=1, dropout=0.0, max_length=100)
_DEFAULT = ReadOptions()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What every fault does.

    Attributes:
        reviews: how many were learnt from, validated on and tested on.
        curves: one a fault and seed.
    """

    recipe: Recipe
    reviews: dict[str, int]
    curves: list[Curve]

    def of(self, pitfall: str) -> list[Curve]:
        """Its curves, one a seed."""
        return [curve for curve in self.curves if curve.pitfall == pitfall]

    @property
    def pitfalls(self) -> list[str]:
        """Those that were compared, in the order of the table."""
        return list(dict.fromkeys(curve.pitfall for curve in self.curves))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return asdict(self)


def gather(
    train: Sequence[str],
    test: Sequence[str],
    folder: Path,
    *,
    count: int,
    max_length: int,
    labels: str = "auto",
    read: ReadOptions = _DEFAULT,
    advance: Callable[[int], None] = lambda count: None,
) -> Reviews:
    """The first reviews of these sources as ids; words seen once have none, as in the lesson.

    Args:
        train: files or named corpora to learn from, a tenth of which is set aside for validation.
            ``sample`` and ``sample_es`` have no end here.
        test: the same, to measure on.
        folder: an empty folder to keep the ids in.
        count: reviews to take of `train`.
        max_length: of a review.
        labels: how labels become the two classes.
        read: how files are read.
        advance: told of reviews read.

    Raises:
        DataError: reviews that cannot be read, or too few.
        UsageError: more or fewer than two classes.
    """
    bad = BadRows(read.on_error)
    corpora = encode_training(
        islice(_reviews(train, read, bad, count, seed=0), count),
        folder,
        text=TextConfig(min_count=2, max_length=max_length),
        train=TrainConfig(valid_fraction=0.1, max_valid_examples=1000),
        labels=labels,
        bad_rows=bad,
        advance=advance,
        processes=1,
    )
    if len(corpora.labels.names) != 2:
        raise UsageError(
            f"{len(corpora.labels.names)} classes", todo="the lesson's network tells two apart"
        )
    tested = encode_reviews(
        islice(_reviews(test, read, bad, TESTED, seed=1), TESTED),
        folder / "test.arrow",
        corpora.tokenizer,
        corpora.labels,
        bad_rows=bad,
        advance=advance,
        processes=1,
    )
    return Reviews(corpora.train, corpora.valid, tested, len(corpora.tokenizer.vocabulary))


def _reviews(
    sources: Sequence[str], read: ReadOptions, bad: BadRows, count: int, *, seed: int
) -> Iterator[Review]:
    """The sources' reviews; a made-up corpus goes on for as many as are wanted."""
    name = sources[0].removesuffix(":test") if len(sources) == 1 else ""
    if name not in SAMPLES or Path(sources[0]).exists():
        return read_reviews(sources, read, bad_rows=bad)
    made = sample_reviews(count, language=SAMPLES[name], seed=seed)
    return (Review(text, label, name, at, None) for at, (label, text) in enumerate(made, start=1))


def compare(
    reviews: Reviews,
    *,
    pitfalls: Sequence[str] = PITFALLS,
    seeds: Sequence[int] = (0,),
    recipe: Recipe | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Comparison:
    """Every fault once for each seed.

    Args:
        reviews: the same for all.
        faults: of `PITFALLS`.
        seeds: of starts and orders.
        recipe: sizes and steps.
        advance: told of every step, `steps_in_all` of them.

    Raises:
        UsageError: no such fault.
    """
    recipe = recipe or Recipe()
    return Comparison(
        recipe=recipe,
        reviews={
            "train": len(reviews.train), "valid": len(reviews.valid), "test": len(reviews.test)
        },
        curves=[
            learn_with(pitfall, reviews, recipe=recipe, seed=seed, advance=advance)
            for pitfall, seed in product(pitfalls, seeds)
        ],
    )  # fmt: skip


def steps_in_all(
    reviews: Reviews, pitfalls: Sequence[str], seeds: Sequence[int], recipe: Recipe
) -> int:
    """How many steps `compare` takes."""
    return steps_of(reviews.train, recipe) * len(pitfalls) * len(seeds)
