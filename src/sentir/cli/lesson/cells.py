"""What a cell keeps and how: ``sentir lesson memory``, ``step`` and ``exercise``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from sentir.cli.app import out, plain
from sentir.cli.lesson.app import (
    JSON,
    LANGUAGE,
    PICTURE,
    check_picture,
    going_on,
    keep,
    lesson,
    numbers,
    print_json,
)


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
    ] = 3100,
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
    from sentir.lesson.language import tr
    from sentir.lesson.memory.experiment import experiment, runs

    tasks = [part.strip() for part in task.split(",") if part.strip()]
    which_gaps, which_seeds = numbers(gaps, "--gaps"), numbers(seeds, "--seeds")
    which_rates = numbers(rates, "--rates", float)
    what = tr({"en": "training", "es": "entrenando"}, language)
    check_picture(picture)
    with going_on(what, runs(tasks, which_gaps, which_seeds, len(which_rates))) as advance:
        found = experiment(
            tasks=tasks, gaps=which_gaps, seeds=which_seeds, steps=steps, rates=which_rates,
            parameters=parameters, advance=advance,
        )  # fmt: skip
    if as_json:
        print_json(found.to_dict())
    else:
        from sentir.lesson.memory.picture import tables

        for table in tables(found, language):
            out.print(table, "")
    if picture:
        from sentir.lesson.memory.picture import figure

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
    from sentir.lesson.step.step import DEFAULT, gate_weights
    from sentir.lesson.step.step import step as take_step
    from sentir.lesson.step.text import lines

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
        plain(out, line, bold)


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
    from sentir.lesson.exercises.catalogue import check, exercises, find
    from sentir.lesson.language import tr

    emit = partial(plain, out)
    if name is None:
        for number in [chapter] if chapter else [2, 3, 4]:
            for one in exercises(number):
                emit(f"{number}  {one.id:12} {tr(one.question, language).splitlines()[0][:90]}…")
        return
    one = find(name)
    if answer is None or solution:
        emit(tr(one.question, language))
    if solution:
        emit(one.answer(language), "bold")
    elif answer is not None:
        verdict = check(name, answer, language)
        emit(verdict.message, "green" if verdict.right else "yellow")
        raise typer.Exit(0 if verdict.right else 1)
