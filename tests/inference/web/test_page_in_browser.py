"""The exported page in a real browser: its answers are Python's, and nothing leaves it."""

from __future__ import annotations

import bz2
import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from fixtures.awkward_texts import variations
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import Bundle
from sentir.inference.export import export
from sentir.inference.predictor import Predictor
from sentir.lesson.webpage.network import small_network
from sentir.training.run import train

TOLERANCE = 1e-5
#: A review with three of them is Spanish.
SPANISH = (" que ", " los ", " muy ", " para ", " pero ", " una ")


class Served(NamedTuple):
    """Where folders are served, and what was requested."""

    root: Path
    address: str
    requests: list[str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root, requests = tmp_path_factory.mktemp("served"), []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            requests.append(self.requestline)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Served(root, f"http://127.0.0.1:{server.server_port}", requests)
    server.shutdown()
    server.server_close()
    thread.join()


def wide() -> Bundle:
    """A network with every part that a graph can have."""
    return toy(
        classes=3, pooling="attention", embedding_skip=True, bigram_buckets=50, ngram_buckets=64
    )


BUNDLES = {
    "en": lambda: small_network("en"),
    "es": lambda: small_network("es"),
    "three classes": wide,
}


@pytest.fixture(scope="module")
def pages(served: Served, onnxruntime_web: Path) -> dict[str, Bundle]:
    """The model of each page."""
    bundles = {name: make() for name, make in BUNDLES.items()}
    for name, bundle in bundles.items():
        export(bundle, served.root / name, to="web", runtime=onnxruntime_web)
    return bundles


def opened(browser: WebDriver, served: Served, name: str, language: str = "en") -> None:
    browser.get("about:blank")
    browser.get(f"{served.address}/{name}/index.html")
    wait(browser, lambda: browser.find_element(By.ID, "about").text)
    browser.find_element(By.CSS_SELECTOR, f"#languages [lang={language}]").click()


def wait(browser: WebDriver, ready: Any) -> None:
    WebDriverWait(browser, 60, poll_frequency=0.05).until(lambda _: ready())


def typed(browser: WebDriver, text: str) -> None:
    """Type a text, and wait until its words are explained."""
    field = browser.find_element(By.ID, "text")
    field.clear()
    field.send_keys(text)
    wait(browser, lambda: "effect" in status(browser) or "efecto" in status(browser))


def status(browser: WebDriver) -> str:
    return browser.find_element(By.ID, "status").text


def answered(
    browser: WebDriver, texts: list[str]
) -> list[tuple[list[str], list[int], list[float]]]:
    """The tokens and ids that the page reads, and its probabilities."""
    answers: list[tuple[list[str], list[int], list[float]]] = browser.execute_async_script(
        """
        const [texts, done] = arguments;
        (async () => {
          const { Model } = await import(new URL("model.js", location.href));
          const read = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
          const model = await Model.load(read);
          const found = [];
          for (let start = 0; start < texts.length; start += 32) {
            const reviews = texts.slice(start, start + 32).map((text) => model.read(text));
            const shares = await model.probabilities(reviews.map(({ ids }) => ids));
            reviews.forEach(({ tokens, ids }, at) => found.push([tokens, ids, shares[at]]));
          }
          return found;
        })().then(done, (error) => done(String(error)));
        """,
        texts,
    )
    assert isinstance(answers, list), answers
    return answers


def check_answers(browser: WebDriver, bundle: Bundle, texts: list[str]) -> None:
    tokenizer, most = bundle.tokenizer, bundle.config.text.max_length
    wanted_NC = Predictor(bundle).predict_proba(texts)
    for text, (tokens, ids, shares), wanted_C in zip(
        texts, answered(browser, texts), wanted_NC, strict=True
    ):
        every, every_id = tokenizer.tokens(text), tokenizer.encode([text])[0]
        if len(every) > most:
            first, last = most // 4, len(every) - (most - most // 4)
            every, every_id = (each[:first] + each[last:] for each in (every, every_id))
        assert tokens == every, text
        assert ids == every_id, text
        np.testing.assert_allclose(shares, wanted_C, rtol=0, atol=TOLERANCE, err_msg=text)


@pytest.mark.parametrize("name", BUNDLES)
def test_answers_are_pythons(
    browser: WebDriver, served: Served, pages: dict[str, Bundle], name: str
) -> None:
    opened(browser, served, name)
    texts = [*variations("es" if name == "es" else "en"), *random_texts(40)]
    check_answers(browser, pages[name], texts)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of a short training
def test_answers_to_real_reviews_are_pythons(
    browser: WebDriver, served: Served, onnxruntime_web: Path, real_data: Path, tmp_path: Path
) -> None:
    texts, spanish = [], []
    for name, count in (("amazon", 3000), ("imdb", 1000)):
        with bz2.open(real_data / name / "train.ft.txt.bz2", "rt", encoding="utf-8") as lines:
            rows = [line.rstrip("\n") for line in lines]
        texts += rows[:count]
        spanish += [row for row in rows if sum(word in row for word in SPANISH) >= 3]
    assert len(spanish) >= 20
    file = tmp_path / "reviews.ft.txt"
    file.write_text("\n".join([*texts[:3000], *spanish]), "utf-8")
    run = train(file, tmp_path / "run", preset="fast", epochs=1, ngram_buckets=2**16)
    export(run.bundle, served.root / "real", to="web", runtime=onnxruntime_web)
    opened(browser, served, "real")
    reviews = [row.partition(" ")[2] for row in [*texts, *spanish]]
    check_answers(browser, run.bundle, reviews)


def test_a_typed_text_is_answered_and_explained(
    browser: WebDriver, served: Served, pages: dict[str, Bundle]
) -> None:
    opened(browser, served, "en")
    words = "the film was not good xyzzy .".split()
    typed(browser, " ".join(words))
    predictor = Predictor(pages["en"])
    whole_C = predictor.predict_proba([" ".join(words)])[0]
    shown_C = browser.find_element(By.ID, "answer").get_attribute("data-probabilities")
    np.testing.assert_allclose(json.loads(shown_C), whole_C, atol=TOLERANCE)
    best = int(whole_C.argmax())
    without = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))]
    effects = whole_C[best] - predictor.predict_proba(without)[:, best]
    items = browser.find_elements(By.CSS_SELECTOR, "#tokens li")
    assert [item.find_element(By.CLASS_NAME, "word").text for item in items] == words
    shown = [float(item.get_attribute("data-effect")) for item in items]
    np.testing.assert_allclose(shown, effects, atol=2 * TOLERANCE)
    for item, effect in zip(items, effects, strict=True):
        points = item.find_element(By.CLASS_NAME, "effect").text
        assert points == (f"{100 * effect:+.0f}" if abs(effect) >= 0.005 else "")
        assert ("against" in item.get_attribute("class")) == (effect <= -0.005)
    assert "unknown" in items[words.index("xyzzy")].get_attribute("class")
    assert browser.find_element(By.ID, "warnings").text.startswith("1 of 6 words are unknown")
    typed(browser, "xyzzy qwerty film")
    assert "Do not rely" in browser.find_element(By.ID, "warnings").text
    typed(browser, "film " * 250)
    assert "reads 200 of the 250 words" in browser.find_element(By.ID, "warnings").text
    browser.find_element(By.ID, "text").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    wait(browser, lambda: status(browser).startswith("Ready"))
    assert not browser.find_element(By.ID, "result").is_displayed()


def test_nothing_leaves_the_page(
    browser: WebDriver, served: Served, pages: dict[str, Bundle]
) -> None:
    served.requests.clear()
    opened(browser, served, "en")
    loaded = list(served.requests)
    assert loaded
    files = {f"GET /en/{path.relative_to(served.root / 'en').as_posix()} HTTP/1.1"
             for path in (served.root / "en").rglob("*")}  # fmt: skip
    assert set(loaded) <= files
    typed(browser, "the film was wonderful")
    assert served.requests == loaded
    refused = browser.execute_async_script(
        "const done = arguments[0];"
        "fetch('http://localhost:9/').then(() => done('sent'), () => done('refused'));"
    )
    assert refused == "refused"
    assert "Content Security Policy" in str(browser.get_log("browser"))
    assert not browser.execute_script(
        "const made = document.createElement('script'); made.textContent = 'window.ran = 1';"
        "document.body.append(made); return window.ran === 1"
    )
    assert "Content Security Policy" in str(browser.get_log("browser"))


def test_keyboard_language_width_and_darkness(
    browser: WebDriver, served: Served, pages: dict[str, Bundle]
) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, served, "es", "es")
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "es"
    assert browser.find_element(By.ID, "status").get_attribute("aria-live") == "polite"
    browser.find_element(By.ID, "text").click()
    reached = []
    for _ in range(4):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.switch_to.active_element.text)
        if len(reached) == 2:
            ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert reached[1] == "Dejó de funcionar a los dos días."
    wait(browser, lambda: "efecto" in status(browser))
    typed(browser, "a" * 300 + " la película no fue buena")
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    looks = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        looks.append(
            browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
        )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert looks[0] != looks[1]


def test_a_page_opened_as_a_file_says_what_to_do(
    browser: WebDriver, served: Served, pages: dict[str, Bundle]
) -> None:
    browser.get((served.root / "en" / "index.html").as_uri())
    assert "python3 -m http.server" in status(browser)
    assert "CORS" in str(browser.get_log("browser"))


def test_a_model_that_cannot_be_loaded_is_reported(
    browser: WebDriver, served: Served, pages: dict[str, Bundle], onnxruntime_web: Path
) -> None:
    folder = served.root / "broken"
    export(pages["en"], folder, to="web", runtime=onnxruntime_web)
    (folder / "model.onnx").unlink()
    browser.get(f"{served.address}/broken/index.html")
    wait(browser, lambda: "model.onnx: 404" in status(browser))
    assert "404" in str(browser.get_log("browser"))
