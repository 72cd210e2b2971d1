"""What annotation tools export, read as rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.review_files import message, read, skipping, written

HEADER = {"id": 7, "completed_by": 1, "lead_time": 4.2, "result_count": 0, "task": 1}


def annotation(*choices: str, name: str = "sentiment", **others: Any) -> dict[str, Any]:
    """An annotation of Label Studio; each question is a region of its own."""
    region = {
        "value": {"choices": [*choices]}, "id": "Dx", "from_name": name, "to_name": "text",
        "type": "choices", "origin": "manual",
    }  # fmt: skip
    return {**HEADER, "result": [region], "was_cancelled": False, "ground_truth": False, **others}


def task(number: int, *annotations: dict[str, Any]) -> dict[str, Any]:
    """A task of Label Studio's JSON export."""
    return {
        "id": number, "annotations": [*annotations], "file_upload": "a.csv", "drafts": [],
        "predictions": [{"result": annotation("neutral")["result"], "score": 0.9}],
        "data": {"text": f"text {number}", "stars": 3}, "meta": {}, "inner_id": number,
        "total_annotations": len(annotations), "comment_authors": [],
    }  # fmt: skip


TASKS = [
    task(1, annotation("pos")),
    task(2, annotation("neg"), annotation("neg")),
    task(3, annotation("pos", was_cancelled=True)),
    task(4, annotation("pos"), annotation("neg"), annotation("pos")),
    task(5, annotation("pos"), annotation("neg", ground_truth=True)),
    task(6, annotation("neg", "pos")),
    task(7),
    task(8, annotation("pos"), annotation("neg", was_cancelled=True)),
    task(9, {**HEADER, "result": [], "was_cancelled": False}),
]


@pytest.mark.parametrize(
    "content",
    [json.dumps(TASKS), json.dumps(TASKS, indent=2), "\n".join(map(json.dumps, TASKS))],
    ids=["array", "indented", "lines"],
)
def test_tasks_of_label_studio(content: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", content)
    rows, bad_rows = skipping(path)
    assert rows == ["text 1", "text 2", "text 5", "text 8"]
    assert bad_rows == [
        "a.json:3: no label in column 'label'; add it or remove the row",
        "a.json:4: annotators differ ('pos' 2, 'neg' 1); settle it (in Label Studio, mark one "
        "annotation as ground truth), or pass --on-error skip",
        "a.json:6: 2 answers to 'sentiment' ('neg', 'pos'); choose one label, or leave the row out",
        "a.json:7: no label in column 'label'; add it or remove the row",
        "a.json:9: no label in column 'label'; add it or remove the row",
    ]
    labels = [review.label for review in read(path, on_error="skip")]
    assert labels == ["pos", "neg", "neg", "pos"]
    assert message(path).startswith("a.json:4: annotators differ")
    unlabelled = read(path, labelled=False)
    assert [review.text for review in unlabelled] == [f"text {n}" for n in range(1, 10)]


def test_completions_of_early_label_studio(tmp_path: Path) -> None:
    old = {"id": 1, "completions": [annotation("pos")], "data": {"text": "a"}}
    (review,) = read(written(tmp_path / "a.json", json.dumps([old])))
    assert (review.text, review.label) == ("a", "pos")


def test_a_task_of_several_questions(tmp_path: Path) -> None:
    both = annotation("pos")
    both["result"] += annotation("delivery", name="topic")["result"]
    both["result"] += [{"value": {"text": ["a note"]}, "from_name": "note", "type": "textarea"}]
    path = written(tmp_path / "a.json", json.dumps([task(1, both)]))
    assert [row.label for row in read(path, label_column="topic")] == ["delivery"]
    assert [row.label for row in read(path, label_column="sentiment")] == ["pos"]
    data = {**task(1, both), "data": {"text": "a"}}
    data["annotations"][0]["result"][0]["from_name"] = "mood"
    path = written(tmp_path / "b.json", json.dumps([data]))
    assert message(path).startswith("b.json:1: none of the columns 'text', 'mood', 'topic' has a")


def test_rows_of_label_studios_json_min_and_csv(tmp_path: Path) -> None:
    row = {"text": "a", "id": 1, "sentiment": "pos", "annotator": 1, "annotation_id": 1,
           "created_at": "2021-03-09T22:16:08.728353Z", "lead_time": 4.2}  # fmt: skip
    table = ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n"
    for name, content in (("a.json", json.dumps([row])), ("a.csv", table)):
        (review,) = read(written(tmp_path / name, content))
        assert (review.text, review.label) == ("a", "pos")


def test_records_of_argilla(tmp_path: Path) -> None:
    def record(*given: tuple[str, Any, str]) -> dict[str, Any]:
        responses = [{"value": value, "user_id": user, "status": status}
                     for user, value, status in given]  # fmt: skip
        return {"id": "1", "fields": {"text": "a"}, "metadata": {}, "suggestions": {},
                "responses": {"mood": responses}, "vectors": {}}  # fmt: skip

    records = [
        record(("ana", "pos", "submitted"), ("eva", "neg", "discarded")),
        record(("ana", ["neg"], "submitted")),
        record(),
        record(("ana", "pos", "submitted"), ("eva", "neg", "submitted")),
        {**record(), "responses": {"mood": None}},
    ]
    path = written(tmp_path / "a.json", json.dumps(records))
    assert [row.label for row in read(path, on_error="skip")] == ["pos", "neg"]
    assert len(skipping(path)[1]) == 3


def test_rows_of_prodigy(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "_input_hash": 1, "_task_hash": 2, **others}
            for n, others in enumerate([
                {"label": "pos", "answer": "accept"},
                {"label": "pos", "answer": "reject"},
                {"label": "pos", "answer": "ignore"},
                {"options": [{"id": "pos"}, {"id": "neg"}], "accept": ["neg"], "answer": "accept"},
                {"options": [{"id": "pos"}, {"id": "neg"}], "accept": [], "answer": "accept"},
                {"options": [], "accept": ["pos", "neg"], "answer": "accept"},
            ])]  # fmt: skip
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert [(row.text, row.label) for row in read(path, on_error="skip")] == [
        ("t0", "pos"),
        ("t3", "neg"),
    ]
    assert message(path).startswith("a.jsonl:6: 2 answers to 'accept'")
    assert len(read(path, labelled=False)) == 6


def test_lists_of_labels_of_doccano(tmp_path: Path) -> None:
    labels: list[Any] = [["pos"], ["neg"], [], ["pos", "neg"], [3]]
    rows = [{"id": n, "text": f"t{n}", "label": label} for n, label in enumerate(labels)]
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert [row.label for row in read(path, on_error="skip")] == ["pos", "neg"]
    assert message(path) == "a.jsonl:4: the label is ['pos', 'neg']; give one text or number"


def test_records_that_only_look_like_annotations(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "label": "pos", "annotations": ["x"], "data": {"text": "b"}},
        {"text": "a", "label": "pos", "annotations": None, "fields": {"x": 1}, "answer": "reject"},
        {"text": "a", "label": "pos", "responses": {"label": "neg"}},
    ]
    for row in rows:
        (review,) = read(written(tmp_path / "a.jsonl", json.dumps(row)))
        assert (review.text, review.label) == ("a", "pos")
