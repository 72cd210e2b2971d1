"""What annotation tools export, as rows of a text and a label.

Label Studio writes tasks: the data that was shown, and the annotations of each annotator. Argilla
writes records: fields, and responses to questions. Prodigy writes rows whose label was accepted or
not. Doccano writes lists of labels. (The columns of Label Studio's CSV and JSON_MIN are rows
already.)

A row that nobody has labelled has no label, as in other files. Where annotators differ, the label
is not known: the row is an error, unless one annotation is marked as the ground truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sentir.errors import DataError
from sentir.io.column_names import LABEL_NAMES, normalize_name

#: The column of the label where a record asks one question only.
LABEL = "label"
#: Prodigy's answers that leave a row without the label that it shows.
_NOT_ACCEPTED = ("reject", "ignore")


def is_annotated(record: Mapping[str, Any]) -> bool:
    """Whether a record is what an annotation tool exports, and not a row of columns."""
    return _is_task(record) or _is_argilla(record) or _is_prodigy(record)


def labelled_row(
    record: Mapping[str, Any], question: str | None = None, *, labelled: bool = True
) -> dict[str, Any]:
    """The row of columns that an annotation tool's record stands for.

    The columns of a task's data, and of its labels: `LABEL` where one question was asked, else a
    column for each question, by its name. Stars and the like in the data are not the label.

    Args:
        record: for which `is_annotated` holds.
        question: the name of the question whose answers are the labels; None: the only one.
        labelled: whether the labels are wanted.

    Raises:
        DataError: annotators differ, or one has chosen several labels.
    """
    if _is_prodigy(record):
        return _prodigy_row(record) if labelled else dict(record)
    is_task = _is_task(record)
    row = dict(record["data"] if is_task else record["fields"])
    if not labelled:
        return row
    answers: dict[str, list[str]] = {}
    for name, labels in _choices(record) if is_task else _responses(record):
        answers.setdefault(name, []).append(_one(name, labels))
    if question is not None:
        if question in answers or question not in row:
            row[question] = _agreed(answers.get(question, []))
        return row
    row = {name: row[name] for name in row if normalize_name(name) not in LABEL_NAMES}
    if len(answers) > 1:
        return row | {name: _agreed(given) for name, given in answers.items()}
    return {**row, LABEL: _agreed([label for given in answers.values() for label in given])}


def _is_task(record: Mapping[str, Any]) -> bool:
    """Whether it is a task of Label Studio; before version 1.0 annotations were completions."""
    annotations = record.get("annotations", record.get("completions"))
    return (
        isinstance(record.get("data"), dict)
        and isinstance(annotations, list)
        and all(
            isinstance(one, dict) and isinstance(one.get("result"), list) for one in annotations
        )
    )


def _choices(task: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The question and the chosen labels of each annotation that counts."""
    annotations = [
        one
        for one in task.get("annotations", task.get("completions"))
        if not one.get("was_cancelled")
    ]
    truth = [one for one in annotations if one.get("ground_truth")]
    for annotation in truth or annotations:
        for region in annotation["result"]:
            value = region.get("value") if isinstance(region, dict) else None
            choices = value.get("choices") if isinstance(value, dict) else None
            if isinstance(choices, list):
                yield str(region.get("from_name")), choices


def _is_argilla(record: Mapping[str, Any]) -> bool:
    """Whether it is a record of Argilla 2."""
    return isinstance(record.get("fields"), dict) and isinstance(record.get("responses"), dict)


def _responses(record: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for question, responses in record["responses"].items():
        for response in responses if isinstance(responses, list) else ():
            if isinstance(response, dict) and response.get("status", "submitted") == "submitted":
                value = response.get("value")
                yield question, value if isinstance(value, list) else [value]


def _is_prodigy(record: Mapping[str, Any]) -> bool:
    return "_task_hash" in record and isinstance(record.get("answer"), str)


def _prodigy_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The row; without a label if it was rejected or ignored."""
    row = {name: value for name, value in record.items() if name not in ("accept", "answer")}
    if record["answer"] in _NOT_ACCEPTED:
        return {**row, LABEL: None}
    if isinstance(record.get("accept"), list):
        return {**row, LABEL: _one("accept", record["accept"]) if record["accept"] else None}
    return row


def _one(question: str, labels: Iterable[Any]) -> str:
    """The one label that was chosen.

    Raises:
        DataError: there are several, or none.
    """
    labels = list(labels)
    if len(labels) != 1:
        shown = ", ".join(map(repr, labels))[:60]
        raise DataError(
            f"{len(labels)} answers to {question!r} ({shown})",
            todo="choose one label, or leave the row out",
        )
    return str(labels[0])


def _agreed(labels: list[str]) -> str | None:
    """The label that all annotators gave; None if there is none.

    Raises:
        DataError: they differ.
    """
    counts = Counter(labels).most_common()
    if len(counts) > 1:
        shown = ", ".join(f"{label!r} {count}" for label, count in counts)[:100]
        raise DataError(
            f"annotators differ ({shown})",
            todo="settle it (in Label Studio, mark one annotation as ground truth), or pass "
            "--on-error skip",
        )
    return counts[0][0] if counts else None
