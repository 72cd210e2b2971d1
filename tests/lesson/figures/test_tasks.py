"""The shapes of tasks."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from sentir.lesson.figures.tasks import Task, task_shapes


def test_a_task_shows_what_it_reads_and_writes_in_its_row() -> None:
    tasks = [Task("first", ["a", "b"], [None, "c"]), Task("second", ["d", None], ["e", None])]
    root = ET.fromstring(task_shapes(tasks, alt="described").svg)
    assert root.attrib["aria-label"] == "described"
    namespace = "{http://www.w3.org/2000/svg}"
    words = ["".join(text.itertext()).strip() for text in root.iter(f"{namespace}text")]
    assert words == ["first", "a", "b", "c", "second", "d", "e"]
    one = ET.fromstring(task_shapes(tasks[:1], alt="described").svg)
    assert float(root.attrib["height"]) > 1.9 * float(one.attrib["height"])
