"""``sentir lesson memory``, ``step``, ``exercise`` and ``grade``: cells, and questions on them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sentir.cli.app import out, plain
from sentir.cli.lesson.app import (
    JSON,
    LANGUAGE,
    PICTURE,
    check_picture,
    lesson,
    numbers,
    print_json,
    progress_bar,
    save_picture,
)


@lesson.command()
def memory(
    *,
    task: Annotated[str, typer.Option(help="recall, adding, or both separated by a comma")] = (
        "recall,adding"
    ),
    gaps: Annotated[
        str, typer.Option(help="steps between the input to remember and the answer")
    ] = "5,10,20,50",
    seeds: Annotated[str, typer.Option(help="one network per cell and seed")] = "0,1",
    steps: Annotated[int, typer.Option(min=1, help="optimiser steps per network")] = 500,
    rates: Annotated[str, typer.Option(help="learning rates; each cell uses its best")] = "0.02",
    parameters: Annotated[
        int, typer.Option(min=100, help="approximate number of weights per network")
    ] = 3100,
    language: LANGUAGE = "en",
    picture: PICTURE = None,
    as_json: JSON = False,
) -> None:
    """Measure how far a plain RNN, a GRU and an LSTM of equal size remember.

    Small networks learn to bridge a gap in two tasks: to name a symbol that was marked at the
    start, and to add two numbers that are far apart. The second table shows how the gradient
    fades on its way back.

    [bold]Examples[/bold]

      sentir lesson memory --picture memory.svg
      sentir lesson memory --task recall --gaps 5,50 --seeds 0 --language es
      sentir lesson memory --gaps 5,20,100,500 --seeds 0,1,2 --steps 1500
    """
    from sentir.lesson.language import tr
    from sentir.lesson.memory.experiment import count_networks, experiment

    tasks = [part.strip() for part in task.split(",") if part.strip()]
    which_gaps, which_seeds = numbers(gaps, "--gaps"), numbers(seeds, "--seeds")
    which_rates = numbers(rates, "--rates", float)
    what = tr({"en": "training", "es": "entrenando"}, language)
    check_picture(picture)
    with progress_bar(
        what, count_networks(tasks, which_gaps, which_seeds, len(which_rates))
    ) as advance:
        result = experiment(
            tasks=tasks, gaps=which_gaps, seeds=which_seeds, steps=steps, rates=which_rates,
            parameters=parameters, advance=advance,
        )  # fmt: skip
    if as_json:
        print_json(result.to_dict())
    else:
        from sentir.lesson.memory.picture import tables

        for table in tables(result, language):
            out.print(table, "")
    if picture:
        from sentir.lesson.memory.picture import figure

        save_picture(figure(result, language), picture)


@lesson.command()
def step(
    *,
    x: Annotated[str, typer.Option("--x", help="the two inputs")] = "1,0.5",
    hidden: Annotated[float, typer.Option(help="the hidden state before the step")] = 0.5,
    cell: Annotated[float, typer.Option(help="the cell state before the step")] = -0.5,
    forget: Annotated[
        str | None, typer.Option(help="weights of x1, x2 and h, and the bias, of the forget gate")
    ] = None,
    input: Annotated[str | None, typer.Option(help="the same of the input gate")] = None,
    candidate: Annotated[str | None, typer.Option(help="the same of the candidate")] = None,
    output: Annotated[str | None, typer.Option(help="the same of the output gate")] = None,
    language: LANGUAGE = "en",
    as_json: JSON = False,
) -> None:
    """Write out one LSTM step: every product, sum and activation, to check by hand.

    [bold]Examples[/bold]

      sentir lesson step
      sentir lesson step --x 0,1 --hidden 0 --cell 2 --language es
      sentir lesson step --forget=-10,0,0,5
    """
    from sentir.lesson.step.step import DEFAULT, gate_weights
    from sentir.lesson.step.step import step as take_step
    from sentir.lesson.step.text import lines

    texts = {"forget": forget, "input": input, "candidate": candidate, "output": output}
    weights = dict(DEFAULT)
    for name, text in texts.items():
        if text is not None:
            weights[name] = gate_weights(numbers(text, f"--{name}", float))
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
        str | None, typer.Argument(metavar="NAME", help="an exercise (unset: list them)")
    ] = None,
    *,
    answer: Annotated[
        str | None, typer.Option("--answer", "-a", help="a number, a letter or weights")
    ] = None,
    solution: Annotated[bool, typer.Option("--solution", help="show a right answer")] = False,
    chapter: Annotated[int | None, typer.Option(help="list those of one chapter")] = None,
    language: LANGUAGE = "en",
) -> None:
    """List, ask and check the exercises at the end of the course's chapters.

    Answers are checked by running the cells. A wrong answer gets a hint and exit code 1.

    [bold]Examples[/bold]

      sentir lesson exercise --chapter 4
      sentir lesson exercise forget-gate --language es
      sentir lesson exercise forget-gate --answer 0.5
      sentir lesson exercise counter --solution
    """
    from sentir.lesson.exercises.catalogue import chapters, check, exercises, find
    from sentir.lesson.language import tr

    write = partial(plain, out)
    if name is None:
        for number in [chapter] if chapter else chapters():
            for listed in exercises(number):
                question = tr(listed.question, language).splitlines()[0]
                write(f"{number:2}  {listed.id:14} {question[:90]}…")
        return
    chosen = find(name)
    if answer is None or solution:
        write(tr(chosen.question, language))
    if solution:
        write(chosen.answer(language), "bold")
    elif answer is not None:
        verdict = check(name, answer, language)
        write(verdict.message, "green" if verdict.right else "yellow")
        raise typer.Exit(0 if verdict.right else 1)


@lesson.command()
def grade(
    notebooks: Annotated[
        list[Path], typer.Argument(metavar="NOTEBOOK...", help="notebooks of the course, answered")
    ],
    *,
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="en or es (unset: the notebook's)")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Judge the answers in students' notebooks: a sheet for each, and how many are right.

    The answers are those of the cell that assigns [bold]answers[/bold] at the end of a chapter.
    The notebook's code is read, not run.

    [bold]Examples[/bold]

      sentir lesson grade 04-lstm.ipynb
      sentir lesson grade class/*.ipynb --json
    """
    from sentir.lesson.exercises.grading import read_sheet

    sheets = {path: read_sheet(path, language) for path in notebooks}
    if as_json:
        print_json([{"notebook": str(path), **sheet.to_dict()} for path, sheet in sheets.items()])
        return
    for path, sheet in sheets.items():
        plain(out, f"{path}: {sheet.total}", "bold")
        for row in sheet.rows:
            style = "green" if row.right else "yellow"
            plain(out, f"  {row.exercise:14}  {row.answer:12}  {row.message}", style)
