"""The report is one well-formed page that shows the given metrics and loads nothing."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from sentir.config import Config
from sentir.errors import UsageError
from sentir.evaluation.metrics import measure
from sentir.evaluation.mistakes import Mistake
from sentir.evaluation.occlusion import WordEffect
from sentir.evaluation.report import (
    ClassNgrams,
    Evaluation,
    Ngram,
    Report,
    render,
    write_report,
)

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Checks that every element is closed in order, and collects what tests ask about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def an_evaluation(names: list[str], examples: int = 60, *, mistakes: int = 3) -> Evaluation:
    random = np.random.default_rng(0)
    labels = np.arange(examples) % len(names)
    logits = random.normal(0, 1, (examples, len(names)))
    logits[np.arange(examples), labels] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Evaluation(
        metrics=measure(probabilities, labels, names),
        probabilities=probabilities,
        labels=labels,
        mistakes=[Mistake(f"review {i}", 0, 1, 0.9 - i / 10) for i in range(mistakes)],
    )


def a_report(names: list[str] | None = None, **changes) -> Report:
    names = names or ["negative", "positive"]
    test = an_evaluation(names)
    history = [
        {"event": "step", "step": s, "epoch": s / 50, "loss": 0.7 / s, "learning_rate": 0.001}
        for s in range(1, 101)
    ] + [
        {"event": "validation", "step": s, "loss": 0.5 / s, "accuracy": 0.8, "best": True}
        for s in (25, 50, 75, 100)
    ]
    report = Report(
        title="a run",
        synthetic=False,
        history=history,
        evaluations={"validation": an_evaluation(names, 30), "test": test},
        baseline=test.metrics,
        lengths=np.arange(1, 301),
        max_length=200,
        config=Config().to_dict(),
        facts={"vocabulary": "41,020 words"},
    )
    return dataclasses.replace(report, **changes)


@pytest.fixture(scope="module")
def html() -> str:
    return render(a_report())


def test_the_page_is_whole(html: str) -> None:
    page = Page(html)
    assert html.startswith("<!doctype html>")
    assert page.tags.count("svg") >= 5
    assert len(page.ids) == len(set(page.ids))
    text = " ".join(page.text)
    for expected in ("a run", "41,020 words", "bag of words", "max_length", "review 2", "ROC"):
        assert expected in text
    assert "33.3\N{NO-BREAK SPACE}% are longer than the 200 tokens" in text
    assert "Synthetic data" not in text


def test_referenced_ids_exist(html: str) -> None:
    referenced = set(re.findall(r'(?:url\(|href=")#([^)"]+)', html))
    assert referenced
    assert referenced <= set(Page(html).ids)


def test_nothing_comes_from_outside(html: str) -> None:
    without_names = re.sub(r'xmlns(:xlink)?="[^"]*"', "", html)
    assert not re.search(r"https?://|@import|src=|<script|<link|url\((?!#)", without_names)


def test_no_placeholder_colour_is_left(html: str) -> None:
    assert not re.search(r"#0[0-9]0[0-9]0[0-9]", html)


def test_the_same_report_is_the_same_page(html: str) -> None:
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 30, "axes.grid": False, "svg.fonttype": "path"}):
        assert render(a_report()) == html


def test_every_figure_has_a_description(html: str) -> None:
    descriptions = re.findall(r'role="img" aria-label="([^"]*)"', html)
    assert len(descriptions) == html.count("<figure")
    assert all(descriptions)
    assert "best at step 100 with 0.005" in descriptions[0]
    assert any("33.3% are longer than 200" in description for description in descriptions)


def test_what_users_wrote_is_escaped() -> None:
    evil = "<script>alert('x')</script>"
    test = an_evaluation([evil, "$\\frac$ & 好"])
    long = Mistake(evil + " and on " * 200, 0, 1, 0.99)
    report = a_report(
        title=evil,
        evaluations={evil: dataclasses.replace(test, mistakes=[Mistake(evil, 0, 1, 0.9), long])},
        baseline=None,
        facts={evil: evil},
        config={evil: {evil: evil}},
    )
    html = render(report)
    page = Page(html)
    assert "script" not in page.tags
    assert "alert('x')" in "".join(page.text)
    assert "$\\frac$ & 好" in "".join(page.text)
    assert page.tags.count("details") == 1


def test_synthetic_data_are_marked_by_a_banner() -> None:
    assert "Synthetic data" in " ".join(Page(render(a_report(synthetic=True))).text)


def test_the_largest_class_stands_beside_the_accuracy() -> None:
    names = ["negative", "positive"]
    predicted = np.eye(2)[np.ones(20, int)]
    labels = np.array([1] * 19 + [0])
    rare = Evaluation(
        metrics=measure(predicted, labels, names), probabilities=predicted, labels=labels
    )
    html = render(a_report(evaluations={"test": rare}, baseline=None))
    assert "Always predicting the largest class would reach 95.0\N{NO-BREAK SPACE}%" in html
    assert html.count('<div class="beside">largest class 95.00\N{NO-BREAK SPACE}%') == 1


def test_ordered_classes_have_a_card_and_a_row_of_their_metrics(html: str) -> None:
    ordered = Page(render(a_report(["1", "2", "3"]))).text
    for name in ("mean absolute error (classes)", "quadratic weighted kappa"):
        assert ordered.count(name) == 2
        assert name not in html


def test_three_classes_have_three_curves() -> None:
    html = render(a_report(["bad", "so so", "good"]))
    Page(html)
    for name in ("bad", "so so", "good"):
        assert re.search(rf"<bdi>{name}: area 0\.\d{{4}}</bdi>", html)


def test_a_report_with_missing_parts() -> None:
    validation = an_evaluation(["no", "yes"], mistakes=0)
    html = render(
        a_report(
            history=[], evaluations={"validation": validation}, baseline=None, config={}, facts={}
        )
    )
    text = " ".join(Page(html).text)
    assert "validation reviews correctly" in text
    assert "selected on these reviews" in text
    for absent in ("Training</h2>", "confident mistakes", "bag of words", "Configuration"):
        assert absent not in html
    html = render(a_report(history=[], evaluations={}, baseline=None))
    assert "There are no metrics yet" in " ".join(Page(html).text)
    Page(render(a_report(evaluations={}, baseline=None, lengths=np.array([]))))


@pytest.mark.parametrize("kept", ["step", "validation"])
def test_a_history_of_one_kind(kept: str) -> None:
    report = a_report()
    rows = [row for row in report.history if row["event"] == kept]
    html = render(dataclasses.replace(report, history=[*rows, {"event": "end"}]))
    assert ("running mean" in html) == (kept == "step")
    assert ("Learning rate" in html) == (kept == "step")
    Page(html)


def test_a_loss_that_is_not_finite_is_left_out() -> None:
    history = [
        {"event": "step", "step": 1, "loss": float("nan"), "learning_rate": 0.0},
        {"event": "step", "step": 2, "loss": 0.5},
    ]
    assert "from 0.500 to 0.500" in render(a_report(history=history))


def test_one_class_in_the_labels_draws_no_roc() -> None:
    test = an_evaluation(["no", "yes"])
    labels = np.zeros(len(test.labels), dtype=int)
    test = dataclasses.replace(
        test, labels=labels, metrics=measure(test.probabilities, labels, ["no", "yes"])
    )
    html = render(a_report(evaluations={"test": test}, baseline=None))
    assert "<h3>ROC</h3>" not in html
    assert "–" in html


@pytest.mark.parametrize("max_length", [1, 50, 10_000])
def test_any_maximum_length(max_length: int) -> None:
    Page(render(a_report(max_length=max_length, lengths=np.array([3, 4, 5, 60]))))


def test_a_baseline_of_other_rows_is_refused() -> None:
    other = an_evaluation(["negative", "positive"], 10).metrics
    with pytest.raises(UsageError, match="a baseline of 10 examples"):
        render(a_report(baseline=other))
    with pytest.raises(UsageError, match="a baseline of 10 examples"):
        render(a_report(baseline=other, evaluations={}))


def test_writing_leaves_the_page_only(tmp_path: Path, html: str) -> None:
    path = tmp_path / "new" / "report.html"
    write_report(a_report(), path)
    assert path.read_text(encoding="utf-8") == html
    assert list(path.parent.iterdir()) == [path]


def test_the_drawings_are_xml_whatever_users_wrote(tmp_path: Path) -> None:
    """Control characters, a half surrogate pair and characters that XML forbids become �."""
    hostile = "a\0\x1b[31m\x7f\x85\ud83d\uffff<b>&"
    path = tmp_path / "report.html"
    write_report(a_report([hostile, "b"], title=hostile, facts={hostile: hostile}), path)
    html = path.read_text(encoding="utf-8")
    assert "a��[31m����&lt;b&gt;&amp;" in html
    drawings = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) >= 4
    for drawing in drawings:
        assert ET.fromstring(drawing).tag.endswith("svg")
    assert "a��[31m����<b>&" in "".join(Page(html).text)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"report\.html: cannot be written"):
        write_report(a_report(), tmp_path / "file" / "report.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="folder: cannot be written"):
        write_report(a_report(), tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_mistakes_are_listed_by_class_with_what_they_were_taken_for() -> None:
    names = ["bad", "so so", "good"]
    labels = np.array([0] * 6 + [1] * 3 + [2] * 3)
    predicted = np.array([0, 0, 0, 1, 2, 2, 1, 1, 0, 2, 2, 2])
    answers = np.eye(3)[predicted]
    word = WordEffect(text="<b>dull", start=0, end=1, effect=-1.25)
    mistakes = [Mistake("a", 1, 0, 0.9), Mistake("b", 0, 2, 0.8, [word])]
    test = Evaluation(
        metrics=measure(answers, labels, names), probabilities=answers, labels=labels,
        mistakes=mistakes,
    )  # fmt: skip
    html = render(a_report(evaluations={"test": test}, baseline=None))
    text = " ".join(" ".join(Page(html).text).split())
    assert "Labelled bad : 3 of 6 are mistaken (50.0 %), as good 2, so so 1" in text
    assert "Labelled so so : 1 of 3 are mistaken" in text
    assert "Labelled good" not in text
    assert text.index("Labelled bad") < text.index("Labelled so so")
    assert "<b>dull −1.25" in text
    assert html.count('<ul class="effects"') == 1
    assert '<li class="against">' in html


def test_what_speaks_for_each_class() -> None:
    words = [Ngram(text="<i>dull", weight=3.25, reviews=1200)]
    phrases = [Ngram(text="not good", weight=2.0, reviews=7)]
    html = render(
        a_report(
            ngrams=[
                ClassNgrams(name="negative", words=words, phrases=phrases),
                ClassNgrams(name="positive", words=[], phrases=phrases),
            ]
        )
    )
    text = " ".join(" ".join(Page(html).text).split())
    assert "<i>dull +3.2 1,200" in text
    assert text.count("not good +2.0 7") == 2
    assert html.count('<th scope="col">words</th>') == 1
    assert "What speaks for each class" not in render(a_report())


def test_accuracy_by_coverage_is_drawn(html: str) -> None:
    assert "<h3>Accuracy by coverage</h3>" in html
    assert "correct of the most confident 50%" in html


def test_importing_the_report_does_not_load_the_drawing_library() -> None:
    code = (
        "import sys, sentir.evaluation.report, sentir.evaluation.baseline;"
        "assert not {'matplotlib', 'sklearn', 'jinja2', 'rich', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
