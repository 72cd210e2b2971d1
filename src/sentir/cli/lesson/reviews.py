"""``sentir lesson pitfalls``, ``horizon`` and ``units``: experiments on reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentir.cli.app import MODEL, counting
from sentir.cli.lesson.app import (
    JSON,
    LANGUAGE,
    PICTURE,
    check_picture,
    lesson,
    numbers,
    present,
    progress_bar,
)
from sentir.errors import UsageError


@lesson.command()
def pitfalls(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="reviews to train on (unset: the built-in sample)"),
    ] = None,
    *,
    test: Annotated[list[str] | None, typer.Option(help="test reviews")] = None,
    count: Annotated[
        int | None,
        typer.Option(min=200, help="reviews to train on (unset: 8,000; built-in: 30,000)"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="passes over the reviews (unset: 3; built-in: 1)")
    ] = None,
    hidden: Annotated[
        int | None,
        typer.Option(min=1, help="units of the embedding and of a layer (unset: 64; built-in: 48)"),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="fixed, carried, left padding, ... (unset: all)"),
    ] = None,
    seeds: Annotated[str, typer.Option(help="one network per pitfall and seed")] = "0",
    labels: Annotated[str, typer.Option(help="how labels become classes, as in 'train'")] = "auto",
    language: LANGUAGE = "en",
    picture: PICTURE = None,
    as_json: JSON = False,
) -> None:
    """Train the lesson's network with one pitfall at a time, and compare the accuracies.

    [bold]Examples[/bold]

      sentir lesson pitfalls --picture pitfalls.svg
      sentir lesson pitfalls --only "fixed, carried" --seeds 0,1,2
      sentir lesson pitfalls train.ft.txt.bz2 --test test.ft.txt.bz2 --count 8000
    """
    import tempfile
    from dataclasses import replace

    from sentir.cli.train import own_test
    from sentir.io.builtin import SAMPLES
    from sentir.lesson.language import tr
    from sentir.lesson.pitfalls import picture as pitfalls_picture
    from sentir.lesson.pitfalls.experiment import (
        REAL,
        REAL_COUNT,
        SAMPLE,
        SAMPLE_COUNT,
        compare,
        count_total_steps,
        gather,
    )
    from sentir.lesson.pitfalls.recipes import PITFALLS

    what = tr({"en": "training", "es": "entrenando"}, language)
    check_picture(picture)
    chosen = [name.strip() for name in only.split(",")] if only else list(PITFALLS)
    which_seeds = numbers(seeds, "--seeds")
    sources = files or ["sample_es" if language == "es" else "sample"]
    test_sources = test or own_test(sources)
    if not test_sources:
        raise UsageError("no test reviews", todo="give some with --test")
    builtin = sources[0] in SAMPLES
    recipe = SAMPLE if builtin else REAL
    changed = {"embedding_dim": hidden, "hidden_size": hidden, "epochs": epochs}
    recipe = replace(recipe, **{name: value for name, value in changed.items() if value})
    count = count or (SAMPLE_COUNT if builtin else REAL_COUNT)
    with tempfile.TemporaryDirectory() as folder:
        with counting("reading") as advance:
            reviews = gather(
                sources, test_sources, Path(folder), count=count, max_length=recipe.max_length,
                labels=labels, advance=advance,
            )  # fmt: skip
        with progress_bar(what, count_total_steps(reviews, chosen, which_seeds, recipe)) as advance:
            comparison = compare(
                reviews, pitfalls=chosen, seeds=which_seeds, recipe=recipe, advance=advance
            )
    present(comparison, pitfalls_picture, language, picture=picture, as_json=as_json)


@lesson.command()
def horizon(
    model: MODEL,
    file: Annotated[str, typer.Argument(metavar="FILE", help="reviews to read, labelled or not")],
    *,
    count: Annotated[int, typer.Option(min=1, help="reviews to read, at most")] = 300,
    language: LANGUAGE = "en",
    picture: PICTURE = None,
    as_json: JSON = False,
) -> None:
    """Measure how far back a model's answers depend on the text, by hiding all but one end.

    [bold]Examples[/bold]

      sentir lesson horizon runs/shop reviews.csv
      sentir lesson horizon runs/shop sample:test --picture horizon.svg
    """
    from itertools import islice

    from sentir.bundle import load_bundle
    from sentir.io.reader import read_reviews
    from sentir.lesson.language import tr
    from sentir.lesson.memory import horizon as horizon_views

    what = tr({"en": "reading", "es": "leyendo"}, language)
    check_picture(picture)
    texts = [review.text for review in islice(read_reviews([file], labelled=False), count)]
    with progress_bar(what, 2 * len(horizon_views.KEPT)) as advance:
        result = horizon_views.horizon(load_bundle(model), texts, advance=advance)
    present(result, horizon_views, language, picture=picture, as_json=as_json)


@lesson.command()
def units(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="reviews to train on, labelled or not (unset: synthetic ones)",
            show_default=False,
        ),
    ] = None,
    *,
    language: LANGUAGE = "en",
    seed: Annotated[int, typer.Option(min=0, help="of the text, the weights and the order")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="steps of training")] = 800,
    picture: PICTURE = None,
    as_json: JSON = False,
) -> None:
    """Find interpretable units of a character model: which unit tracks which property.

    [bold]Examples[/bold]

      sentir lesson units
      sentir lesson units --language es --picture units.svg
      sentir lesson units reviews.csv --steps 3000
    """
    from sentir.io.reader import read_reviews
    from sentir.lesson.language import tr
    from sentir.lesson.units import picture as units_picture
    from sentir.lesson.units.experiment import find_units

    what = tr({"en": "training", "es": "entrenando"}, language)
    check_picture(picture)
    texts = (review.text for review in read_reviews([file], labelled=False)) if file else ()
    with progress_bar(what, steps) as advance:
        units_found = find_units(language, texts=texts, seed=seed, steps=steps, advance=advance)
    present(units_found, units_picture, language, picture=picture, as_json=as_json)
