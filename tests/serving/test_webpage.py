"""The page in a real browser: its answers are Python's, in two languages, without a mouse."""

from __future__ import annotations

import csv
import io
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from fixtures.served import Served, serving
from sentir import explain
from sentir.inference.predictor import Predictor, load
from sentir.serving.options import ServerOptions

TEXT = "the film was not bad, xyzzy"
KEY = "a key"


@pytest.fixture(scope="module")
def predictor(folder: Path, served: Served) -> Predictor:
    return load(folder / "hotels")


def until(browser: WebDriver, condition: str, *arguments: Any) -> Any:
    """Wait for a script to return something true."""
    return WebDriverWait(browser, 30, poll_frequency=0.02).until(
        lambda driver: driver.execute_script(condition, *arguments)
    )


def opened(browser: WebDriver, served: Served, language: str = "en") -> None:
    browser.get(served.url)
    until(browser, "return document.getElementById('model').options.length")
    Select(browser.find_element(By.ID, "language")).select_by_value(language)


def typed(browser: WebDriver, text: str) -> list[str]:
    """The words of the answer to a review."""
    field = browser.find_element(By.ID, "text")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text)
    words = text.replace(",", "").split()
    until(
        browser,
        "return [...document.querySelectorAll('.word')].some((word) => "
        "word.firstChild.textContent === arguments[0])",
        words[-1],
    )
    script = "return [...document.querySelectorAll('.answer')[0].querySelectorAll('.word')]" \
             ".map((word) => word.firstChild.textContent)"  # fmt: skip
    found: list[str] = browser.execute_script(script)
    return found


def text_of(browser: WebDriver, id: str) -> str:
    return browser.find_element(By.ID, id).get_property("textContent") or ""


def test_a_review_is_answered_as_by_python(
    browser: WebDriver, served: Served, predictor: Predictor
) -> None:
    opened(browser, served)
    Select(browser.find_element(By.ID, "model")).select_by_value("hotels")
    words = typed(browser, TEXT)
    expected = explain(predictor, TEXT)
    assert words == expected.tokens
    label, probability = predictor.predict_one(TEXT)
    assert text_of(browser, "spoken") == f"hotels: {label}, {probability:.0%}"
    assert browser.find_element(By.CLASS_NAME, "verdict").text == f"{label}, {probability:.0%}"
    shares = [one.text for one in browser.find_elements(By.CSS_SELECTOR, ".bars dd:last-of-type")]
    assert len(shares) == 1
    column = expected.labels.index(label)
    for item, word in zip(browser.find_elements(By.CSS_SELECTOR, ".words li"),
                          expected.words, strict=True):  # fmt: skip
        shown = item.find_element(By.CLASS_NAME, "effect").text.replace("\u2212", "-")
        assert float(re.sub("[^0-9.-]", "", shown)) == pytest.approx(word.effect, abs=0.0051)
        after = item.find_element(By.CLASS_NAME, "after").text
        share = float(re.sub("[^0-9.]", "", after)) / 100
        assert share == pytest.approx(expected.answer_TC[word.end - 1, column], abs=0.0051)
        gates = item.find_elements(By.CSS_SELECTOR, ".gate .visually-hidden")
        names = [gate.get_property("textContent").split()[0] for gate in gates]
        assert names == [name for gates in expected.gates.values() for name in gates]
    assert len(browser.find_elements(By.CLASS_NAME, "unknown")) == expected.known.count(False)


def test_two_models_on_one_text(browser: WebDriver, served: Served) -> None:
    opened(browser, served)
    Select(browser.find_element(By.ID, "compare")).select_by_value("hotels")
    until(browser, "return document.querySelectorAll('.answer').length === 2")
    panels = browser.find_elements(By.CLASS_NAME, "answer")
    assert [panel.get_attribute("aria-label") for panel in panels] == ["shop", "hotels"]
    assert [len(panel.find_elements(By.CLASS_NAME, "fill")) >= n for panel, n in
            zip(panels, (2, 3), strict=True)] == [True, True]  # fmt: skip


def test_a_text_is_no_markup(browser: WebDriver, served: Served) -> None:
    opened(browser, served)
    words = typed(browser, "2 < 3 <u >bold</u > <img src=x > good end")
    assert "<" in words
    assert not browser.find_elements(By.CSS_SELECTOR, "main u, main img")


def rows_of(count: int) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["date", "review", "note"])
    for number in range(count):
        text = "" if number == 3 else f'the film was, "{"good" if number % 3 else "bad"}" {number}'
        writer.writerow([f"2025-{1 + number % 12:02d}-05", text, "line\nbreak"])
    return buffer.getvalue()


def test_a_file_is_labelled(
    browser: WebDriver, served: Served, predictor: Predictor, tmp_path: Path
) -> None:
    opened(browser, served)
    Select(browser.find_element(By.ID, "model")).select_by_value("hotels")
    (tmp_path / "reviews.csv").write_text(rows_of(40), encoding="utf-8")
    browser.find_element(By.ID, "file").send_keys(str(tmp_path / "reviews.csv"))
    until(browser, "return document.querySelectorAll('#movers table').length === 3")
    assert text_of(browser, "progress") == (
        "39 reviews labelled. 1 rows without text are kept and have no label."
    )
    link = browser.find_element(By.CSS_SELECTOR, "#report a")
    assert link.get_attribute("download") == "reviews-labelled.csv"
    content = browser.execute_script("return labelled.file.text()")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["note"] for row in rows] == ["line\nbreak"] * 40
    expected = predictor.predict([row["review"] for row in rows if row["review"]])
    assert [row["prediction"] for row in rows if row["review"]] == [one.label for one in expected]
    counts = browser.find_elements(By.CSS_SELECTOR, "#report > table tbody tr")
    for row, label in zip(counts, predictor.labels, strict=True):
        cells = [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
        assert cells[:2] == [label, str(sum(one.label == label for one in expected))]
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg.trend circle")) == 12
    surest = browser.find_element(By.CSS_SELECTOR, "#report .columns td:last-child").text
    best = max(expected, key=lambda one: one.probability)
    assert surest.startswith(best.label)


def test_pasted_rows_and_dates_that_can_be_read_two_ways(
    browser: WebDriver, served: Served
) -> None:
    opened(browser, served)
    browser.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
    browser.find_element(By.ID, "rows").send_keys("when,text\n1/2/2025,good\n3/4/2025,bad")
    browser.find_element(By.ID, "label-rows").click()
    until(browser, "return document.querySelector('#report .note')")
    assert text_of(browser, "progress") == "2 reviews labelled."
    assert "The dates in when could be day/month or month/day" in text_of(browser, "report")


def test_a_table_of_another_form(browser: WebDriver, served: Served, tmp_path: Path) -> None:
    """A spreadsheet's CSV: semicolons, a byte-order mark, the title and the text in two columns."""
    opened(browser, served)
    text = '\ufefftitle;text;stars\r\nGood;"fine; really";5\r\nBad;dull;1\r\n'
    (tmp_path / "sheet.csv").write_text(text, encoding="utf-8", newline="")
    browser.find_element(By.ID, "column").send_keys("title,text")
    browser.find_element(By.ID, "file").send_keys(str(tmp_path / "sheet.csv"))
    until(browser, "return document.querySelector('#report .answer-cell')")
    rows = browser.execute_script("return labelled.rows")
    assert [(row["title"], row["text"]) for row in rows] == [
        ("Good", "fine; really"),
        ("Bad", "dull"),
    ]
    shown = browser.execute_script("return labelled.rows.map(textOf)")
    assert shown == ["Good: fine; really", "Bad: dull"]
    start = browser.execute_script(
        "return labelled.file.arrayBuffer().then((bytes) => [...new Uint8Array(bytes, 0, 3)])"
    )
    assert bytes(start) == b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["2025-01-02", "2025-03-04"], {"column": "d", "order": "dmy", "ambiguous": False}),
        (["13/2/2025", "3/4/2025"], {"column": "d", "order": "dmy", "ambiguous": False}),
        (["2/13/2025", "3/4/2025"], {"column": "d", "order": "mdy", "ambiguous": False}),
        (["1/2/2025", "3/4/2025"], {"column": "d", "order": "dmy", "ambiguous": True}),
        (["3/3/2025"], {"column": "d", "order": "dmy", "ambiguous": False}),
        (["good", "2025-01-02"], None),
        (["13/13/2025"], None),
    ],
)
def test_dates(browser: WebDriver, served: Served, values: list[str], found: Any) -> None:
    opened(browser, served)
    rows = [{"d": value, "prediction": "x"} for value in values]
    assert browser.execute_script("return dateColumnOf(arguments[0])", rows) == found


def test_tables_are_read_as_python_reads_them(browser: WebDriver, served: Served) -> None:
    opened(browser, served)
    rows = [{"a": 'x, "y"', "b": "two\nlines", "ñ": ""}, {"a": "", "b": '"', "ñ": "😀"}]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    read = browser.execute_script("return parseTable(arguments[0], ',')", buffer.getvalue())
    assert read == rows


def test_an_error_is_shown(browser: WebDriver, served: Served, tmp_path: Path) -> None:
    opened(browser, served)
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    browser.find_element(By.ID, "file").send_keys(str(tmp_path / "odd.csv"))
    until(browser, "return !document.getElementById('error').hidden")
    assert "none of the columns 'a', 'b' has a usual name" in text_of(browser, "error")
    (log,) = browser.get_log("browser")  # of the browser's own
    assert "422" in log["message"]


def test_spanish(browser: WebDriver, served: Served) -> None:
    opened(browser, served, "es")
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "es"
    assert browser.find_element(By.ID, "review-title").text == "Prueba una reseña"
    example = browser.find_element(By.ID, "text").get_property("value")
    assert example == "La trama es aburrida, pero me encantó."
    until(browser, "return document.querySelector('.verdict')?.textContent.endsWith('\\u00a0%')")


def test_both_languages_say_the_same_things() -> None:
    page = resources.files("sentir.serving").joinpath("page")
    english, spanish = json.loads(page.joinpath("texts.json").read_text("utf-8")).values()
    assert english.keys() == spanish.keys()
    assert english["gate"].keys() == spanish["gate"].keys()
    source = "".join(page.joinpath(name).read_text("utf-8")
                     for name in ("index.html", "page.js", "answer.js", "file.js"))  # fmt: skip
    used = set(re.findall(r'say\("(\w+)"', source)) | set(re.findall(r'data-text="(\w+)"', source))
    assert used | {"gate"} == english.keys()
    for name in english.keys() - {"gate"}:
        assert re.findall(r"\{\w+\}", english[name]) == re.findall(r"\{\w+\}", spanish[name])


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_it_fits(browser: WebDriver, served: Served, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    opened(browser, served)
    typed(browser, "the " + "x" * 300 + " end")
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(wide) == 0


def test_by_keyboard(browser: WebDriver, served: Served) -> None:
    """Every control is reached by the tab key, in the order of the page, and has a name."""
    opened(browser, served)
    until(browser, "return document.querySelector('.verdict')")
    browser.execute_script("document.activeElement.blur()")
    reached = []
    for _ in range(12):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.switch_to.active_element.get_attribute("id"))
    for id in ("language", "model", "compare", "text", "file", "column"):
        assert id in reached
    unnamed = browser.execute_script(
        "return [...document.querySelectorAll('input, select, textarea, button')]"
        ".filter((one) => !(one.labels?.length || one.textContent.trim())).map((one) => one.id)"
    )
    assert unnamed == []


def test_a_key_is_asked_for(browser: WebDriver, folder: Path, served: Served) -> None:
    with serving({"shop": folder / "shop"}, ServerOptions(api_keys=(KEY,))) as keyed:
        browser.get(keyed.url)
        until(browser, "return !document.getElementById('key-form').hidden")
        field = browser.find_element(By.ID, "key")
        field.send_keys(KEY, Keys.ENTER)
        until(browser, "return document.querySelector('.verdict')")
        assert not field.is_displayed()
        assert not browser.find_element(By.ID, "error").is_displayed()
        assert all("401" in entry["message"] for entry in browser.get_log("browser"))


def test_nothing_comes_from_elsewhere(served: Served) -> None:
    reply = served.ask("GET", "/")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(rb"(?:src|href)=\"(?!/openapi.json|data:,)", reply.body)
    assert served.ask("HEAD", "/").body == b""
