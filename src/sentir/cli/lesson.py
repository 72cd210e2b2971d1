"""``sentir lesson``: the lesson's ideas, each as a run that the reader can repeat."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from sentir.cli.app import MODEL, app, counting, err, out
from sentir.errors import UsageError

lesson = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The lesson's ideas about recurrent networks, each as a run to repeat.",
)
app.add_typer(lesson, name="lesson")

LANGUAGE = Annotated[str, typer.Option("--language", "-l", help="en or es")]
PICTURE = Annotated[
    Path | None, typer.Option(help="draw it as well: a name ending in .svg, .png or .pdf")
]
JSON = Annotated[bool, typer.Option("--json", help="print JSON")]


@contextmanager
def going_on(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while something long goes on."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_interactive) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def numbers(given: str, option: str, kind: type[int] | type[float] = int) -> list[Any]:
    """Numbers with commas between them.

    Raises:
        UsageError: something else.
    """
    try:
        return [kind(part) for part in given.split(",") if part.strip()]
    except ValueError:
        raise UsageError(
            f"{given!r} are no numbers", where=option, todo="part them by commas: 5,10,20"
        ) from None


def print_json(told: Any) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")


def present(found: Any, faces: Any, language: str, *, picture: Path | None, as_json: bool) -> None:
    """Print what an experiment found, and draw it if a picture is asked for.

    Args:
        found: the outcome, which has `to_dict`.
        faces: the module with its ``table`` and ``figure``.
    """
    if as_json:
        print_json(found.to_dict())
    else:
        out.print(faces.table(found, language))
    if picture:
        keep(faces.figure(found, language), picture)


def check_picture(path: Path | None) -> None:
    """Refuse a name that tells no format before the work begins.

    Raises:
        UsageError: it is one.
    """
    if path is not None:
        from sentir.explain.picture import picture_format

        picture_format(path)


def keep(figure: Any, path: Path) -> None:
    """Write a picture, and say so."""
    from sentir.lesson.drawing import save

    save(figure, path)
    err.print(f"picture {path}", highlight=False, soft_wrap=True)


@lesson.command()
def memory(
    *,
    task: Annotated[str, typer.Option(help="recall, adding, or both with a comma")] = (
        "recall,adding"
    ),
    gaps: Annotated[str, typer.Option(help="steps to be bridged")] = "5,10,20,50",
    seeds: Annotated[str, typer.Option(help="one network of each kind a seed")] = "0,1",
    steps: Annotated[int, typer.Option(min=1, help="of the optimiser, for each network")] = 500,
    rates: Annotated[
        str, typer.Option(help="learning rates; each cell gets the one that is best for it")
    ] = "0.02",
    parameters: Annotated[
        int, typer.Option(min=100, help="weights of each network, nearly")
    ] = 3000,
    language: LANGUAGE = "en",
    picture: PICTURE = None,
    as_json: JSON = False,
) -> None:
    """How far back a plain RNN, a GRU and an LSTM remember, all with as many weights.

    Small networks learn to bridge a gap, on two tasks: to name a symbol that was marked at the
    start, and to add two numbers far apart. Beside it: how the gradient fades on its way back.

    [bold]Examples[/bold]

      sentir lesson memory --picture memory.svg
      sentir lesson memory --task recall --gaps 5,50 --seeds 0 --language es
      sentir lesson memory --gaps 5,10,20,50,100,200,500 --seeds 0,1,2 --steps 1500
    """
    from sentir.lesson.language import said
    from sentir.lesson.memory import experiment, runs

    tasks = [part.strip() for part in task.split(",") if part.strip()]
    which_gaps, which_seeds = numbers(gaps, "--gaps"), numbers(seeds, "--seeds")
    which_rates = numbers(rates, "--rates", float)
    what = said({"en": "training", "es": "entrenando"}, language)
    check_picture(picture)
    with going_on(what, runs(tasks, which_gaps, which_seeds, len(which_rates))) as advance:
        found = experiment(
            tasks=tasks, gaps=which_gaps, seeds=which_seeds, steps=steps, rates=which_rates,
            parameters=parameters, advance=advance,
        )  # fmt: skip
    if as_json:
        print_json(found.to_dict())
    else:
        from sentir.lesson.memory_picture import tables

        for table in tables(found, language):
            out.print(table, "")
    if picture:
        from sentir.lesson.memory_picture import figure

        keep(figure(found, language), picture)


@lesson.command()
def step(
    *,
    x: Annotated[str, typer.Option("--x", help="the two inputs")] = "1,0.5",
    hidden: Annotated[float, typer.Option(help="the hidden state before the step")] = 0.5,
    cell: Annotated[float, typer.Option(help="the cell state before the step")] = -0.5,
    forget: Annotated[
        str | None, typer.Option(help="the gate's weights of x1, x2 and h, and its bias")
    ] = None,
    input: Annotated[str | None, typer.Option(help="likewise")] = None,
    candidate: Annotated[str | None, typer.Option(help="likewise")] = None,
    output: Annotated[str | None, typer.Option(help="likewise")] = None,
    language: LANGUAGE = "en",
    as_json: JSON = False,
) -> None:
    """One LSTM step written out: each product, sum and squashing, to be checked by hand.

    [bold]Examples[/bold]

      sentir lesson step
      sentir lesson step --x 0,1 --hidden 0 --cell 2 --language es
      sentir lesson step --forget=-10,0,0,5
    """
    from sentir.lesson.step import DEFAULT, gate_weights
    from sentir.lesson.step import step as take_step
    from sentir.lesson.step_text import lines

    given = {"forget": forget, "input": input, "candidate": candidate, "output": output}
    weights = dict(DEFAULT)
    for name, written in given.items():
        if written is not None:
            weights[name] = gate_weights(numbers(written, f"--{name}", float))
    done = take_step(numbers(x, "--x", float), hidden=hidden, cell=cell, weights=weights)
    if as_json:
        print_json(done.to_dict())
        return
    for line in lines(done, language):
        bold = None if line.startswith("  ") else "bold"
        out.print(line, style=bold, markup=False, highlight=False, soft_wrap=True)


@lesson.command()
def exercise(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="an exercise; unset: list them")
    ] = None,
    *,
    answer: Annotated[
        str | None, typer.Option("--answer", "-a", help="a number, a letter or weights")
    ] = None,
    solution: Annotated[bool, typer.Option("--solution", help="show a right answer")] = False,
    chapter: Annotated[int | None, typer.Option(help="list those of one chapter")] = None,
    language: LANGUAGE = "en",
) -> None:
    """Questions on chapters 2 to 4 of the course; the cells themselves judge the answers.

    A wrong answer gets a hint and ends the command with 1.

    [bold]Examples[/bold]

      sentir lesson exercise --chapter 4
      sentir lesson exercise forget-gate --language es
      sentir lesson exercise forget-gate --answer 0.5
      sentir lesson exercise counter --solution
    """
    from sentir.lesson.exercises import check, exercises, find
    from sentir.lesson.language import said

    def tell(text: str, style: str | None = None) -> None:
        out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    if name is None:
        for number in [chapter] if chapter else [2, 3, 4]:
            for one in exercises(number):
                tell(f"{number}  {one.id:12} {said(one.question, language).splitlines()[0][:90]}…")
        return
    one = find(name)
    if answer is None or solution:
        tell(said(one.question, language))
    if solution:
        tell(one.answer(language), "bold")
    elif answer is not None:
        verdict = check(name, answer, language)
        tell(verdict.said, "green" if verdict.right else "yellow")
        raise typer.Exit(0 if verdict.right else 1)


@lesson.command()
def faults(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...", help="reviews to learn from (if nothing is given: sample)"
        ),
    ] = None,
    *,
    test: Annotated[list[str] | None, typer.Option(help="reviews to measure on, once")] = None,
    count: Annotated[
        int | None,
        typer.Option(min=200, help="reviews to learn from (unset: 8,000; made up: 30,000)"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="passes over them (unset: 3; made up: 1)")
    ] = None,
    hidden: Annotated[
        int | None,
        typer.Option(min=1, help="units of the embedding and a layer (unset: 64; made up: 48)"),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="mended, carried, left padding, ... (unset: all)"),
    ] = None,
    seeds: Annotated[str, typer.Option(help="one network a seed and fault")] = "0",
    labels: Annotated[str, typer.Option(help="how labels become classes, as in 'train'")] = "auto",
    language: LANGUAGE = "en",
    picture: PICTURE = None,
    as_json: JSON = False,
) -> None:
    """What each fault of the lesson's program does by itself, beside the recipe done right.

    [bold]Examples[/bold]

      sentir lesson faults --picture faults.svg
      sentir lesson faults --only "mended, carried" --seeds 0,1,2
      sentir lesson faults train.ft.txt.bz2 --test test.ft.txt.bz2 --count 8000
    """
    import tempfile
    from dataclasses import replace

    from sentir.cli.training import own_test
    from sentir.data.named import SAMPLES
    from sentir.lesson import faults_picture
    from sentir.lesson.faults import FAULTS
    from sentir.lesson.faults_run import (
        REAL,
        REAL_COUNT,
        SAMPLE,
        SAMPLE_COUNT,
        compare,
        gather,
        steps_in_all,
    )
    from sentir.lesson.language import said

    what = said({"en": "training", "es": "entrenando"}, language)
    check_picture(picture)
    chosen = [name.strip() for name in only.split(",")] if only else list(FAULTS)
    which_seeds = numbers(seeds, "--seeds")
    sources = files or ["sample_es" if language == "es" else "sample"]
    measured = test or own_test(sources)
    if not measured:
        raise UsageError("no reviews to measure on", todo="give some with --test")
    made_up = sources[0] in SAMPLES
    recipe = SAMPLE if made_up else REAL
    changed = {"embedding": hidden, "hidden": hidden, "epochs": epochs}
    recipe = replace(recipe, **{name: value for name, value in changed.items() if value})
    count = count or (SAMPLE_COUNT if made_up else REAL_COUNT)
    with tempfile.TemporaryDirectory() as folder:
        with counting("reading") as advance:
            reviews = gather(
                sources, measured, Path(folder), count=count, max_tokens=recipe.max_tokens,
                labels=labels, advance=advance,
            )  # fmt: skip
        with going_on(what, steps_in_all(reviews, chosen, which_seeds, recipe)) as advance:
            found = compare(
                reviews, faults=chosen, seeds=which_seeds, recipe=recipe, advance=advance
            )
    present(found, faults_picture, language, picture=picture, as_json=as_json)


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
    """How far back a model's answers depend on the text: all but one end of it is hidden.

    [bold]Examples[/bold]

      sentir lesson horizon runs/shop reviews.csv
      sentir lesson horizon runs/shop sample:test --picture horizon.svg --language es
    """
    from itertools import islice

    from sentir.bundle import load_bundle
    from sentir.data.corpus import read_reviews
    from sentir.lesson import horizon as looking_back
    from sentir.lesson.language import said

    what = said({"en": "reading", "es": "leyendo"}, language)
    check_picture(picture)
    texts = [review.text for review in islice(read_reviews([file], labelled=False), count)]
    with going_on(what, 2 * len(looking_back.KEPT)) as advance:
        found = looking_back.horizon(load_bundle(model), texts, advance=advance)
    present(found, looking_back, language, picture=picture, as_json=as_json)


@lesson.command()
def page(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="folder that 'sentir train' wrote, of an LSTM of one layer that reads ahead and "
            "answers from its last state (unset: two networks of six units that come along)",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write")] = Path(
        "page.html"
    ),
    language: Annotated[str, typer.Option(help="in which the page opens: en or es")] = "en",
    example: Annotated[
        list[str] | None, typer.Option(help="sentence to begin with; may be repeated")
    ] = None,
) -> None:
    """Make a page on which to step an LSTM through a sentence and to turn its gates by hand.

    One HTML file with the network inside: it is computed in the browser, from the file system,
    without a connection. In English and Spanish.

    [bold]Examples[/bold]

      sentir lesson page --output page.html
      sentir lesson page --language es -o pagina.html
      sentir lesson page runs/small -o mine.html --example "The soup was cold."
    """
    from sentir.bundle import load_bundle
    from sentir.data.sample import LANGUAGES
    from sentir.lesson.network import small_network
    from sentir.lesson.page import render_page, write_page

    if model is None:
        networks = {name: small_network(name) for name in LANGUAGES}
    else:
        networks = {language: load_bundle(model)}
    made = render_page(
        networks,
        language,
        examples=example or (),
        experiments=model is None,
        where=model or "page",
    )
    write_page(made, output)
    out.print(f"page  {output} ({output.stat().st_size:,} bytes)", highlight=False, soft_wrap=True)


@lesson.command()
def units(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="reviews to learn from, labelled or not (unset: made up)",
            show_default=False,
        ),
    ] = None,
    *,
    language: LANGUAGE = "en",
    seed: Annotated[int, typer.Option(min=0, help="of text, weights and order")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="steps of training")] = 800,
    picture: PICTURE = None,
    as_json: JSON = False,
) -> None:
    """Find units that mean something: which cell of a network of characters holds what.

    [bold]Examples[/bold]

      sentir lesson units
      sentir lesson units --language es --picture units.svg
      sentir lesson units reviews.csv --steps 3000
    """
    from sentir.data.corpus import read_reviews
    from sentir.lesson import units_picture
    from sentir.lesson.language import said
    from sentir.lesson.units import find_units

    what = said({"en": "learning", "es": "aprendiendo"}, language)
    check_picture(picture)
    texts = (review.text for review in read_reviews([file], labelled=False)) if file else ()
    with going_on(what, steps) as advance:
        found = find_units(language, texts=texts, seed=seed, steps=steps, advance=advance)
    present(found, units_picture, language, picture=picture, as_json=as_json)
