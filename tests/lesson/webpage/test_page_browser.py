"""The page in a real browser: its numbers are Python's, and it can be used without a mouse."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from fixtures.awkward_texts import variations
from fixtures.toy_bundle import toy
from sentir.bundle import Bundle
from sentir.inference.predictor import Predictor
from sentir.io.atomic import write_page
from sentir.lesson.webpage.network import small_network
from sentir.lesson.webpage.page import EXAMPLES, EXPERIMENTS, render_page
from sentir.nn.cells import State, lstm_step, weights_of
from sentir.nn.restore import restore_classifier
from sentir.synthetic.reviews import LANGUAGES

#: What the page must agree with Python to.
TOLERANCE = 1e-5
GATES = ("forget", "input", "output")
TYPED = {
    "en": "The MOVIE wasn't bad; I didn't like xyzzy, though… (9.99 at www.shop.com)!",
    "es": "¡La PELÍCULA no me pareció buena! El xyzzy fue «genial», pero… pésimo.",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    networks = {name: small_network(name) for name in LANGUAGES}
    write_page(render_page(networks, "en", experiments=True), path)
    return path


@pytest.fixture(scope="module")
def networks() -> dict[str, Bundle]:
    return {name: small_network(name) for name in LANGUAGES}


def opened(browser: WebDriver, page: Path, language: str = "en", text: str = "") -> None:
    browser.get("about:blank")
    browser.get(f"{page.as_uri()}#{language}")
    if text:
        browser.execute_script(
            "const field = document.getElementById('text'); field.value = arguments[0];"
            "field.dispatchEvent(new Event('input', {bubbles: true}));",
            text,
        )


#: Every number of the table and the answer, and the place, as they stand in the page.
SHOWN = """
    const values = {
        answer: Number(document.querySelector("#answer strong").dataset.value),
        place: document.getElementById("place").textContent,
    };
    for (const cell of document.querySelectorAll("#table td")) {
        (values[cell.dataset.column] ??= []).push(Number(cell.dataset.value));
    }
    return values;
"""


def shown(browser: WebDriver) -> dict[str, Any]:
    values: dict[str, Any] = browser.execute_script(SHOWN)
    return values


Forced = dict[tuple[int, str, int], float]


def course(bundle: Bundle, text: str, forced: Forced | None = None) -> list[dict[str, Any]]:
    """What Python computes at each token; gates of a token and a unit may be held at a value."""
    model = restore_classifier(bundle)
    weights = weights_of(model.layers[0].forward_rnn)
    zero_BH = torch.zeros(1, bundle.config.model.hidden_size)
    before = State(zero_BH, zero_BH)
    steps = []
    with torch.inference_mode():
        for at, token in enumerate(bundle.tokenizer.encode([text])[0]):
            step = lstm_step(model.embedding.weight[token][None], before, weights)
            gates = {name: gate_BH.clone() for name, gate_BH in step.gates.items()}
            for (where, gate, unit), value in (forced or {}).items():
                if where == at:
                    gates[gate][0, unit] = value
            cell_BH = gates["forget"] * before.cell_BH + gates["input"] * gates["candidate"]
            hidden_BH = gates["output"] * torch.tanh(cell_BH)
            values = {**gates, "before": before.cell_BH, "after": cell_BH, "hidden": hidden_BH}
            values["votes"] = model.head.weight[-1] * hidden_BH
            before = State(hidden_BH, cell_BH)
            answer_BC = model.probabilities(model.head(hidden_BH))
            steps.append({name: value_BH[0].numpy() for name, value_BH in values.items()})
            steps[-1]["answer"] = float(answer_BC[0, -1])
    return steps


def check(values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set(values) == {*expected, "place"}
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=0, atol=TOLERANCE, err_msg=name)


def walk(browser: WebDriver, steps: list[dict[str, Any]], start: int = 0) -> None:
    """From `start` to the last token, all numbers compared at each."""
    shown_at = browser.execute_script(
        f"const shown = () => {{ {SHOWN} }};"
        "return Array.from({length: arguments[0]}, () => {"
        "  const values = shown(); document.getElementById('next').click(); return values; });",
        len(steps) - start,
    )
    for at, (values, expected) in enumerate(zip(shown_at, steps[start:], strict=True), start):
        assert values["place"].startswith(f"{at + 1} ")
        check(values, expected)


def resize(browser: WebDriver, width: int, height: int) -> None:
    """The size of the page's view (pixels)."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def press(browser: WebDriver, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


def choose(browser: WebDriver, name: str, value: str) -> None:
    browser.find_element(By.CSS_SELECTOR, f"[name={name}][value='{value}']").click()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("which", [0, 1, "typed"])
def test_every_number_at_every_token_is_pythons(
    browser: WebDriver, page: Path, networks: dict[str, Bundle], language: str, which: int | str
) -> None:
    text = TYPED[language] if which == "typed" else EXAMPLES[language][int(which)]
    opened(browser, page, language, text)
    tokens = networks[language].tokenizer.tokens(text)
    buttons = browser.find_elements(By.CSS_SELECTOR, "#tokens button")
    assert [button.text.removesuffix("?") for button in buttons] == tokens
    steps = course(networks[language], text)
    walk(browser, steps)
    predictor = Predictor(networks[language], engine="torch")
    assert steps[-1]["answer"] == pytest.approx(
        predictor.predict_proba([text])[0, -1], abs=TOLERANCE
    )
    if which == "typed":
        unknown = [each.text for each in buttons if "unknown" in each.get_attribute("class")]
        assert "xyzzy?" in unknown


def test_numbers_are_written_as_the_language_does(browser: WebDriver, page: Path) -> None:
    for language, mark in (("en", "."), ("es", ",")):
        opened(browser, page, language)
        values = shown(browser)
        cell = browser.find_element(By.CSS_SELECTOR, "#table [data-column=forget]")
        assert cell.text == f"{values['forget'][0]:.2f}".replace(".", mark)
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_tokenizer_is_pythons(
    browser: WebDriver, page: Path, networks: dict[str, Bundle], language: str
) -> None:
    opened(browser, page, language)
    texts = variations(language)
    assert len(texts) > 300
    tokenized = browser.execute_script(
        "return arguments[0].map((text) => { const tokens = state.tokenizer.tokens(text);"
        " return [tokens, tokens.map((word) => state.tokenizer.id(word))]; });",
        texts,
    )
    tokenizer = networks[language].tokenizer
    for text, (tokens, ids) in zip(texts, tokenized, strict=True):
        assert tokens == tokenizer.tokens(text), text
        assert ids == tokenizer.encode([text])[0], text


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_set_by_keyboard(
    browser: WebDriver, page: Path, networks: dict[str, Bundle], gate: str
) -> None:
    text = EXAMPLES["en"][0]
    opened(browser, page)
    press(browser, *[Keys.ARROW_RIGHT] * 2)
    choose(browser, "unit", "4")
    before = shown(browser)["answer"]
    slider = browser.find_element(By.ID, f"slide-{gate}")
    slider.send_keys(Keys.HOME)
    slider.send_keys(*[Keys.ARROW_RIGHT] * 7)
    assert "0.07" in slider.get_attribute("aria-valuetext")
    changed = "original" in browser.find_element(By.ID, "answer").text
    assert changed == (abs(shown(browser)["answer"] - before) > 5e-4)
    walk(browser, course(networks["en"], text, {(2, gate, 4): 0.07}), start=2)
    held = browser.find_elements(By.CSS_SELECTOR, "#tokens .has-held")
    assert [button.text for button in held] == ["n't"]
    browser.find_element(By.CSS_SELECTOR, f"[data-let-go={gate}]").click()
    check(shown(browser), course(networks["en"], text)[-1])
    assert not browser.find_elements(By.CSS_SELECTOR, "#tokens .has-held")


def test_all_units_from_a_word_on(
    browser: WebDriver, page: Path, networks: dict[str, Bundle]
) -> None:
    text = EXAMPLES["es"][1]
    opened(browser, page, "es", text)
    for _ in range(4):
        browser.find_element(By.ID, "next").click()
    choose(browser, "scope-units", "all")
    choose(browser, "scope-words", "on")
    browser.find_element(By.ID, "slide-forget").send_keys(Keys.END)
    browser.find_element(By.ID, "slide-input").send_keys(Keys.HOME)
    tokens = len(networks["es"].tokenizer.tokens(text))
    forced: Forced = {}
    for at, unit in itertools.product(range(4, tokens), range(6)):
        forced |= {(at, "forget", unit): 1.0, (at, "input", unit): 0.0}
    walk(browser, course(networks["es"], text, forced), start=4)
    browser.find_element(By.ID, "let-all-go").click()
    check(shown(browser), course(networks["es"], text)[-1])


@pytest.mark.parametrize("gate", GATES)
def test_a_valve_dragged_in_the_drawing(
    browser: WebDriver, page: Path, networks: dict[str, Bundle], gate: str
) -> None:
    text = EXAMPLES["en"][0]
    opened(browser, page)
    browser.find_element(By.ID, "last").click()
    browser.find_element(By.ID, "previous").click()
    at = len(networks["en"].tokenizer.tokens(text)) - 2
    frame = browser.find_element(By.CSS_SELECTOR, f".valve[data-gate={gate}] .frame")
    across = (0, 9) if gate == "forget" else (9, 0)
    drag = ActionChains(browser).move_to_element(frame).click_and_hold()
    drag.move_by_offset(*across).release().perform()
    value = float(browser.find_element(By.ID, f"slide-{gate}").get_attribute("value"))
    assert value == pytest.approx(0.5 - 9 / (44 if gate == "forget" else 40), abs=0.03)
    unit = int(browser.find_element(By.CSS_SELECTOR, "[name=unit]:checked").get_attribute("value"))
    walk(browser, course(networks["en"], text, {(at, gate, unit): value}), start=at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("which", [0, 1])
def test_the_experiments_change_the_answer(
    browser: WebDriver, page: Path, networks: dict[str, Bundle], language: str, which: int
) -> None:
    tried = EXPERIMENTS[language][which]
    opened(browser, page, language)
    browser.find_element(By.CSS_SELECTOR, f"[data-try='{which}']").click()
    at = networks[language].tokenizer.tokens(tried["text"]).index(tried["word"])
    forced = {(at, tried["gate"], unit): 0.0 for unit in range(6)}
    plain, moved = (course(networks[language], tried["text"], held) for held in (None, forced))
    check(shown(browser), moved[at])
    browser.find_element(By.ID, "last").click()
    check(shown(browser), moved[-1])
    low, high = sorted((plain[-1]["answer"], moved[-1]["answer"]))
    assert low < 0.2
    assert high > 0.8


def test_the_keyboard_reaches_everything(browser: WebDriver, page: Path) -> None:
    opened(browser, page)
    browser.execute_script("document.activeElement.blur()")
    reached: list[str] = []
    for _ in range(60):
        press(browser, Keys.TAB)
        name, outline = browser.execute_script("""
            const one = document.activeElement;
            const ring = one.matches(".chips label input") ? one.nextSibling : one;
            return [one.id || one.name || one.dataset.language || one.dataset.go
                    || one.dataset.choose || one.dataset.letGo || one.dataset.try || one.className
                    || one.tagName, getComputedStyle(ring).outlineStyle];
        """)
        if name == "BODY":
            break
        assert outline != "none", name
        reached.append(name)
    wanted = "text en es example first previous play next last unit slide-forget slide-input"
    wanted += " slide-output scope-units scope-words course 0 5"
    assert set(wanted.split()) <= set(reached)
    # Unit and language by keys alone, and the word's button follows the arrows.
    token = browser.find_element(By.CSS_SELECTOR, "#tokens [aria-current]")
    browser.execute_script("arguments[0].focus()", token)
    press(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert browser.switch_to.active_element.text == "n't"
    press(browser, Keys.END)
    assert browser.switch_to.active_element.text == "."
    press(browser, Keys.HOME)
    assert browser.switch_to.active_element.text == "i"
    unit = browser.find_element(By.CSS_SELECTOR, "[name=unit]:checked")
    before = int(unit.get_attribute("value"))
    unit.send_keys(Keys.ARROW_RIGHT)
    chosen = browser.find_element(By.CSS_SELECTOR, "tr.chosen").get_attribute("data-unit")
    assert int(chosen) == (before + 1) % 6
    browser.find_element(By.CSS_SELECTOR, "[data-language=es]").send_keys(Keys.ENTER)
    assert browser.find_element(By.TAG_NAME, "h1").text.startswith("Una LSTM por dentro")
    assert browser.find_element(By.CSS_SELECTOR, "#tokens button").text == "no"


def test_it_plays_and_stops(browser: WebDriver, page: Path) -> None:
    opened(browser, page, text="not good")
    browser.execute_script("document.activeElement.blur()")
    button = browser.find_element(By.ID, "play")
    button.click()
    assert button.get_attribute("aria-label") == "Pause"
    browser.execute_async_script("setTimeout(arguments[0], 1300)")
    assert button.get_attribute("aria-label") == "Play"
    assert browser.find_element(By.ID, "place").text == "2 of 2: “good”"
    assert "2 of 2" in browser.find_element(By.ID, "status").get_attribute("textContent")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phones_width(browser: WebDriver, page: Path, language: str) -> None:
    resize(browser, 390, 844)
    opened(browser, page, language)
    browser.find_elements(By.CSS_SELECTOR, ".example")[2].click()
    browser.find_element(By.ID, "slide-output").send_keys(Keys.HOME)
    for _ in range(9):
        browser.find_element(By.ID, "next").click()
    width = "return document.documentElement.scrollWidth"
    assert browser.execute_script(width) == 390
    now, place = browser.execute_script("""
        const box = (name) => document.querySelector(name).getBoundingClientRect().toJSON();
        return [box(".now-column"), box("#course")];
    """)
    assert place["left"] <= now["left"] < now["right"] <= place["right"]


def test_dark_and_still(browser: WebDriver, page: Path) -> None:
    looks = {}
    for scheme, motion in (("light", "no-preference"), ("dark", "reduce")):
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme},
                          {"name": "prefers-reduced-motion", "value": motion}]},
        )  # fmt: skip
        opened(browser, page)
        browser.find_element(By.ID, "next").click()
        looks[scheme] = browser.execute_script("""
            const style = (name) => getComputedStyle(document.querySelector(name));
            return [style("body").backgroundColor, style("#scene .tread").animationName];
        """)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert looks["light"][0] != looks["dark"][0]
    assert looks["light"][1] == "ride"
    assert looks["dark"][1] == "none"


def test_an_empty_sentence_is_reported(browser: WebDriver, page: Path) -> None:
    opened(browser, page)
    field = browser.find_element(By.ID, "text")
    field.clear()
    field.send_keys(" ")
    assert browser.find_element(By.ID, "unknown").text == "There are no words yet. Type some."
    assert not browser.find_element(By.ID, "bar").is_displayed()
    press(browser, Keys.TAB, Keys.ARROW_RIGHT)
    field.send_keys("good")
    assert browser.find_element(By.ID, "place").text == "1 of 1: “good”"


def test_a_network_of_three_classes_that_truncates(browser: WebDriver, tmp_path: Path) -> None:
    bundle = toy(classes=3, bidirectional=False, pooling="last", max_length=9)
    text = "the film was not good , the hotel was dull <script> a </script> wonderful ."
    path = tmp_path / "toy.html"
    write_page(render_page({"en": bundle}, "en", examples=[text]), path)
    opened(browser, path)
    assert browser.find_element(By.ID, "truncated").is_displayed()
    browser.find_element(By.ID, "last").click()
    wanted_C = Predictor(bundle, engine="torch").predict_proba([text])[0]
    for at, label in enumerate(("negative", "neutral", "positive")):
        option = browser.find_elements(By.CSS_SELECTOR, "#watched option")[at]
        assert option.text == label
        option.click()
        assert shown(browser)["answer"] == pytest.approx(wanted_C[at], abs=TOLERANCE)
    browser.find_element(By.CSS_SELECTOR, "[data-language=es]").click()
    assert browser.find_element(By.CSS_SELECTOR, "#watched option").text == "negativa"


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("The film was not good.", False),
        ("Xyzzy qwerty, the!", True),
        ("Xyzzy film.", False),
        ("!!!", False),
    ],
)
def test_an_answer_to_mostly_unknown_words_says_so(
    browser: WebDriver, page: Path, text: str, doubtful: bool
) -> None:
    opened(browser, page, "en", text)
    browser.find_element(By.ID, "last").click()
    assert ("mostly unknown words" in browser.find_element(By.ID, "answer").text) == doubtful


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_needs_no_sideways_scrolling_on_a_phone(
    browser: WebDriver, page: Path, language: str
) -> None:
    resize(browser, 390, 844)
    opened(browser, page, language)
    box = browser.find_element(By.CSS_SELECTOR, ".scroll:has(#table)")
    inside, width = (box.get_property(name) for name in ("scrollWidth", "clientWidth"))
    assert inside <= width
    names = browser.execute_script(
        "return Array.from(document.querySelectorAll('#table tbody tr:first-child td'),"
        "  (cell) => getComputedStyle(cell, '::before').content)"
    )
    assert len({*names}) == 8
    assert "none" not in names
