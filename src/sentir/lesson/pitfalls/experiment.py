"""The table of pitfalls: the same reviews, one run per pitfall and seed."""

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
from sentir.io.label_tally import LabelTally
from sentir.io.reader import BadRows, Review, read_reviews
from sentir.lesson.pitfalls.recipes import PITFALLS, Curve, Recipe, Reviews, steps_of, train_with
from sentir.synthetic.reviews import sample_reviews

#: Test reviews; enough for a standard error of at most one point.
TEST_REVIEWS = 2500
#: The synthetic reviews have a small vocabulary and their label depends on word order: many of them
#: are read, once each.
SAMPLE = Recipe(
    embedding_dim=48, hidden_size=48, num_layers=1, dropout=0.0, max_length=80, epochs=1
)  # fmt: skip
SAMPLE_COUNT = 30_000
REAL_COUNT, REAL = 8_000, Recipe(num_layers=1, dropout=0.0, max_length=100)
_DEFAULT = ReadOptions()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The runs of all pitfalls.

    Attributes:
        recipe: sizes and steps.
        reviews: how many ``train``, ``valid`` and ``test`` hold.
        curves: one per pitfall and seed.
    """

    recipe: Recipe
    reviews: dict[str, int]
    curves: list[Curve]

    def of(self, pitfall: str) -> list[Curve]:
        """The curves of a pitfall, one per seed."""
        return [curve for curve in self.curves if curve.pitfall == pitfall]

    @property
    def pitfalls(self) -> list[str]:
        """The pitfalls that were compared, in the order of the table."""
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
    """Encode the first reviews of the sources; words seen once are unknown, as in the lesson.

    Args:
        train: files or built-in corpora to train on, a tenth of them held out for validation.
            ``sample`` and ``sample_es`` give as many reviews as asked for.
        test: files or built-in corpora to test on.
        folder: an empty folder for the encoded reviews.
        count: reviews to take from `train`.
        max_length: tokens of a review.
        labels: how labels become the two classes, as in ``sentir train``.
        read: how files are read.
        advance: called with the number of reviews read.

    Raises:
        DataError: reviews that cannot be read, or too few.
        UsageError: more or fewer than two classes.
    """
    bad_rows = BadRows(read.on_error)
    corpora = encode_training(
        islice(_reviews(train, read, bad_rows, count, seed=0), count),
        folder,
        text=TextConfig(min_count=2, max_length=max_length),
        train=TrainConfig(valid_fraction=0.1, max_valid_examples=1000),
        labels=labels,
        bad_rows=bad_rows,
        advance=advance,
        processes=1,
    )
    if len(corpora.labels.names) != 2:
        raise UsageError(
            f"{len(corpora.labels.names)} classes", todo="the lesson's network tells two apart"
        )
    test_reviews = encode_reviews(
        islice(_reviews(test, read, bad_rows, TEST_REVIEWS, seed=1), TEST_REVIEWS),
        folder / "test.arrow",
        corpora.tokenizer,
        LabelTally(corpora.labels, is_given=labels != "auto"),
        bad_rows=bad_rows,
        advance=advance,
        processes=1,
    )
    return Reviews(corpora.train, corpora.valid, test_reviews, len(corpora.tokenizer.vocabulary))


def _reviews(
    sources: Sequence[str], read: ReadOptions, bad_rows: BadRows, count: int, *, seed: int
) -> Iterator[Review]:
    """The reviews of the sources; of a built-in corpus, `count` newly generated ones."""
    name = sources[0].removesuffix(":test") if len(sources) == 1 else ""
    if name not in SAMPLES or Path(sources[0]).exists():
        return read_reviews(sources, read, bad_rows=bad_rows)
    rows = enumerate(sample_reviews(count, language=SAMPLES[name], seed=seed), start=1)
    return (Review(text, label, name, row, None) for row, (label, text) in rows)


def compare(
    reviews: Reviews,
    *,
    pitfalls: Sequence[str] = PITFALLS,
    seeds: Sequence[int] = (0,),
    recipe: Recipe | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Comparison:
    """Train once per pitfall and seed.

    Args:
        reviews: the same for all.
        pitfalls: of `PITFALLS`.
        seeds: of initial weights and orders.
        recipe: sizes and steps.
        advance: called with 1 after every step, `count_total_steps` times.

    Raises:
        UsageError: no such pitfall.
    """
    recipe = recipe or Recipe()
    return Comparison(
        recipe=recipe,
        reviews={
            "train": len(reviews.train), "valid": len(reviews.valid), "test": len(reviews.test)
        },
        curves=[
            train_with(pitfall, reviews, recipe=recipe, seed=seed, advance=advance)
            for pitfall, seed in product(pitfalls, seeds)
        ],
    )  # fmt: skip


def count_total_steps(
    reviews: Reviews, pitfalls: Sequence[str], seeds: Sequence[int], recipe: Recipe
) -> int:
    """How many steps `compare` takes."""
    return steps_of(reviews.train, recipe) * len(pitfalls) * len(seeds)
