"""Models go to the Hub and come back: a stand-in on loopback, and the Hub's own client."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from huggingface_hub import ModelCard, constants

import sentir
from conftest import Messages
from fixtures.command import sentir as command
from fixtures.local_hub import free_address
from fixtures.model_hub import TOKEN, Hub, Repository
from fixtures.toy_bundle import toy
from fixtures.toy_language_model import toy_language_model
from sentir.bundle import FILES, Bundle, find_bundle, load_language_model, save_bundle
from sentir.cli.serve import named_folders
from sentir.errors import BundleError, HubError, SentirError, SentirWarning, UsageError
from sentir.evaluation.metrics import measure
from sentir.serving.models import Models
from sentir.sharing.push import CARD, Pushed
from sentir.training.run import Run

#: Of the hub's client, which uploads in a way that its HTTP client calls old.
pytestmark = pytest.mark.filterwarnings("ignore:Use .content:DeprecationWarning")
NAME = "user/shop"


def push(run: Run, **given: object) -> Pushed:
    return sentir.push(run.folder, NAME, license="mit", **given)  # type: ignore[arg-type]


@pytest.fixture
def published(model_hub: Hub) -> Hub:
    """The stand-in with a model of random weights, which was not pushed."""
    return publish(model_hub)


def publish(hub: Hub, seed: int = 0) -> Hub:
    hub.repositories.setdefault(NAME, Repository()).commit(bundle_files(seed))
    return hub


def bundle_files(seed: int = 0) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        save_bundle(toy(seed=seed), Path(folder) / "model")
        return {file.name: file.read_bytes() for file in (Path(folder) / "model").iterdir()}


def test_a_model_that_was_pushed_is_the_same(tiny_run: Run, model_hub: Hub) -> None:
    pushed = push(tiny_run, language=["en", "es"], message="First")
    assert sorted(model_hub.files(NAME)) == sorted([*FILES, CARD, ".gitattributes"])
    assert model_hub.messages == ["First"]
    assert pushed.address == f"hf://{NAME}@{model_hub.repositories[NAME].branches['main']}"
    assert pushed.url.endswith(pushed.commit)
    assert not pushed.private
    there, here = sentir.load(f"hf://{NAME}"), sentir.load(tiny_run.folder)
    assert there.identity == here.identity
    texts = ["The room was filthy.", "A joy."]
    assert np.array_equal(there.predict_proba(texts), here.predict_proba(texts))


def test_the_same_again_makes_no_commit(tiny_run: Run, model_hub: Hub) -> None:
    assert push(tiny_run).commit == push(tiny_run).commit
    assert len(model_hub.messages) == 1


def test_the_card_says_what_was_measured(tiny_run: Run, model_hub: Hub) -> None:
    card = ModelCard(push(tiny_run, language="en", dataset="Sample").card).data
    assert (card.license, card.language, card.library_name) == ("mit", ["en"], "sentir")
    assert tiny_run.test is not None
    figures = {(r.dataset_split, r.metric_type): r.metric_value for r in card.eval_results}
    assert figures["test", "accuracy"] == pytest.approx(tiny_run.test.accuracy, abs=1e-6)
    assert figures["test", "calibration_error"] == pytest.approx(
        tiny_run.test.calibration_error, abs=1e-6
    )
    assert figures["validation", "f1"] == pytest.approx(tiny_run.validation.macro_f1, abs=1e-6)
    assert {result.dataset_name for result in card.eval_results} == {"Sample"}


def test_a_dry_run_asks_nobody(
    tiny_run: Run, model_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    dry = push(tiny_run, dry_run=True)
    assert (dry.commit, dry.url, dry.private) == ("", "", None)
    assert model_hub.requested == []
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert push(tiny_run).card == dry.card
    assert model_hub.files(NAME)[CARD].decode() == dry.card


def test_only_the_model_and_its_card_are_uploaded(tmp_path: Path, model_hub: Hub) -> None:
    save_bundle(measured(), tmp_path / "model")
    for name in ("notes.json", "other.safetensors", "reviews.csv", "README.md", "code.py"):
        (tmp_path / "model" / name).write_text("secret")
    sentir.push(tmp_path / "model", NAME, license="mit")
    assert sorted(model_hub.files(NAME)) == sorted([*FILES, CARD, ".gitattributes"])
    assert b"secret" not in b"".join(model_hub.files(NAME).values())


def measured() -> Bundle:
    """A toy model with figures."""
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    metrics = measure(probabilities, np.array([0, 1, 1]), ("negative", "positive"))
    return dataclasses.replace(toy(), metrics={"validation": metrics.to_dict()})


def test_a_language_model(tmp_path: Path, model_hub: Hub) -> None:
    lm = dataclasses.replace(
        toy_language_model(), metrics={"validation": {"perplexity": 12.5, "accuracy": 0.25}}
    )
    save_bundle(lm, tmp_path / "lm")
    pushed = sentir.push(tmp_path / "lm", "user/lm", license="other")
    (result,) = ModelCard(pushed.card).data.eval_results
    assert (result.metric_type, result.metric_value) == ("perplexity", 12.5)
    again = load_language_model("hf://user/lm")
    assert np.array_equal(again.weights["embedding.weight"], lm.weights["embedding.weight"])
    with pytest.raises(UsageError, match="examples for a language model"):
        sentir.push(tmp_path / "lm", "user/lm", license="other", examples=["a"])


def test_revisions(tiny_run: Run, published: Hub) -> None:
    first = published.repositories[NAME].branches["main"]
    second = push(tiny_run, revision="v2").commit
    assert published.repositories[NAME].branches == {"main": first, "v2": second}
    identity = sentir.load(tiny_run.folder).identity
    assert sentir.load(f"hf://{NAME}@v2").identity == identity
    assert sentir.load(f"hf://{NAME}@{second}").identity == identity
    assert sentir.load(f"hf://{NAME}").identity != identity
    assert sentir.load(Path(f"hf://{NAME}@{second}")).identity == identity


def test_a_commit_in_the_cache_needs_no_hub(published: Hub, messages: Messages) -> None:
    commit = published.repositories[NAME].branches["main"]
    expected = sentir.load(f"hf://{NAME}@{commit}").identity
    publish(published, seed=1)
    published.requested.clear()
    assert sentir.load(f"hf://{NAME}@{commit}").identity == expected
    assert published.requested == []
    assert sentir.load(f"hf://{NAME}").identity != expected
    assert commit in messages.logged()
    assert messages.warned() == ""


def test_without_a_network_the_copy_is_taken_with_a_warning(
    published: Hub, use_hub: Callable[[str], None]
) -> None:
    expected = sentir.load(f"hf://{NAME}").identity
    for failure in (lambda: setattr(published, "fails", 503), lambda: use_hub(free_address())):
        failure()
        with pytest.warns(SentirWarning, match="may not be the latest"):
            assert sentir.load(f"hf://{NAME}").identity == expected
    with pytest.raises(SentirWarning, match="may not be the latest"):  # warnings are errors here
        sentir.load(f"hf://{NAME}")
    with pytest.raises(HubError, match=r"cannot be reached \(.*check the network"):
        sentir.load("hf://user/other")


def test_a_part_of_a_commit_in_the_cache(published: Hub) -> None:
    address = f"hf://{NAME}@{published.repositories[NAME].branches['main']}"
    expected = sentir.load(address).identity
    (find_bundle(address) / "metrics.json").unlink()
    assert sentir.load(address).identity == expected


def test_offline_the_cache_alone(published: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = sentir.load(f"hf://{NAME}").identity
    published.requested.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert sentir.load(f"hf://{NAME}").identity == expected
    with pytest.raises(HubError, match="not in the cache, and HF_HUB_OFFLINE is set"):
        sentir.load("hf://user/other")
    assert published.requested == []


def test_a_part_of_a_model_in_the_cache(published: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    (find_bundle(f"hf://{NAME}") / "model.safetensors").unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match=r"not in the cache|lacks model\.safetensors"):
        sentir.load(f"hf://{NAME}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    sentir.load(f"hf://{NAME}")


def test_a_private_model(tiny_run: Run, model_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert push(tiny_run, private=True).private
    sentir.load(f"hf://{NAME}")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", constants.HF_HUB_CACHE + "2")
    with pytest.raises(HubError, match=r"no such model on the Hub, or a private one; .*HF_TOKEN"):
        sentir.load(f"hf://{NAME}")


@pytest.mark.parametrize("is_private", [False, True])
def test_a_repository_that_is_not_as_private_as_asked(
    tiny_run: Run, published: Hub, is_private: bool
) -> None:
    published.repositories[NAME].private = is_private
    before = published.files(NAME)
    with pytest.raises(UsageError, match=r"the repository is .*, and --.* was asked"):
        push(tiny_run, private=not is_private)
    assert published.files(NAME) == before


def test_a_card_that_somebody_wrote_stays(tiny_run: Run, model_hub: Hub) -> None:
    push(tiny_run)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SentirWarning)
        push(tiny_run, language="en")  # its own card is replaced
    card = model_hub.files(NAME)[CARD]
    assert b"- en\n" in card
    changed = card.replace(b"# shop", b"# My shop")
    model_hub.repositories[NAME].commit({CARD: changed})
    with pytest.warns(SentirWarning, match="not written by sentir push, or changed since"):
        push(tiny_run, language="es")
    assert model_hub.files(NAME)[CARD] == changed


@pytest.mark.parametrize("status", [400, 403, 418, 429, 500, 503])
def test_the_hub_refuses(tiny_run: Run, model_hub: Hub, status: int) -> None:
    model_hub.fails = status
    with pytest.raises(HubError, match=r"hf://user/shop: (the Hub|too many)"):
        push(tiny_run)


def test_what_does_not_answer_as_the_hub(model_hub: Hub) -> None:
    """Such as the page of a network that wants a password first."""
    model_hub.fails = 200
    with pytest.raises(HubError, match=r"the Hub's client failed \(KeyError"):
        sentir.load(f"hf://{NAME}")


def test_nothing_is_pushed_offline(
    tiny_run: Run, model_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set; unset it to reach the Hub"):
        push(tiny_run)
    assert model_hub.requested == []


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "not logged in to the Hub; log in with 'hf auth login', or set HF_TOKEN"),
        ("hf_wrong", "the Hub does not know this token"),
    ],
)
def test_who_is_not_logged_in(
    tiny_run: Run, model_hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str, message: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "/nowhere/token")
    with pytest.raises(HubError, match=message) as caught:
        push(tiny_run)
    assert not token or token not in str(caught.value)


def test_a_repository_of_somebody_else(tiny_run: Run, model_hub: Hub) -> None:
    with pytest.raises(HubError, match=r"the Hub refuses .*use a token that may"):
        sentir.push(tiny_run.folder, "other/shop", license="mit")


def test_a_card_that_the_hub_refuses(tiny_run: Run, model_hub: Hub) -> None:
    model_hub.card_errors = ['"license" must be one of those'] * 2
    with pytest.raises(HubError, match="license"):
        push(tiny_run)
    assert model_hub.messages == []


def test_what_cannot_be_loaded(published: Hub) -> None:
    hub = published.repositories
    hub["user/bert"] = Repository()
    hub["user/bert"].commit({"config.json": b"{}", "model.safetensors": b"", "model.bin": b"x"})
    hub["user/gated"] = Repository(gated=True)
    hub["user/gated"].commit({})
    for address, message in (
        ("user/bert", "no model of Sentir, as it lacks metrics.json"),
        ("user/gated", "gated: its owner decides"),
        ("user/none", "no such model on the Hub"),
        (f"{NAME}@v9", "no such revision"),
        (f"{NAME}@{'0' * 40}", "no such revision"),
    ):
        with pytest.raises(HubError, match=f"hf://{address}: {message}"):
            sentir.load(f"hf://{address}")
    assert not any("/resolve/" in request for request in published.requested)


def test_a_server_that_never_answers(
    use_hub: Callable[[str], None], silent: str, monkeypatch: pytest.MonkeyPatch, tiny_run: Run
) -> None:
    use_hub(silent)
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.1)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(HubError, match="did not answer in time; try again later"):
        sentir.load(f"hf://{NAME}")
    with pytest.raises(HubError, match="did not answer in time"):
        push(tiny_run)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "given",
    ["hf://", "hf://model", "hf://a/b/c", "hf://datasets/a/b", "hf://user/../x", "hf://u/m@",
     "hf://u/m@a..b", "hf://u/m@a b", "hf:/u", "hf://ü/m", "hf://u/m@-/../../x"],
)  # fmt: skip
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(SentirError, match=r"hf:/.*(repository|revision|refuses|failed)"):
        sentir.load(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"license": "Apache 2.0"}, "take the Hub's name of it"),
        ({"language": "English"}, "take a code of ISO 639"),
        ({"examples": "one"}, "pass a list of texts"),
        ({"revision": "a b"}, "no revision can be called"),
    ],
)
def test_what_cannot_be_pushed(tiny_run: Run, given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sentir.push(tiny_run.folder, NAME, **{"license": "mit", **given})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no repository of a model"):
        sentir.push(tiny_run.folder, "shop", license="mit")


def test_a_hostile_model_is_refused_as_a_local_one(published: Hub) -> None:
    files = bundle_files()
    files["model.safetensors"] = b"\xff" * 8 + files["model.safetensors"][8:]
    published.repositories[NAME].commit(files)
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        sentir.load(f"hf://{NAME}")


def test_a_server_of_a_model_of_the_hub(published: Hub) -> None:
    paths = named_folders(
        [f"hf://{NAME}", f"old=hf://{NAME}@{published.repositories[NAME].branches['main']}"]
    )
    models = Models(paths)
    before = models.get("shop").checksum
    publish(published, seed=1)
    assert asyncio.run(models.reload("shop"))
    assert not asyncio.run(models.reload("old"))
    assert models.get("shop").checksum != before == models.get("old").checksum


def test_the_commands(
    tiny_run: Run, model_hub: Hub, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, card, _ = command("push", tiny_run.folder, NAME, "--license", "mit", "--dry-run",
                            "--example", "A joy.", capfd=capfd)  # fmt: skip
    assert code == 0
    assert "| A joy. |" in card.replace("\\", "")
    code, out, err = command("push", tiny_run.folder, NAME, "--license", "mit", "--private",
                             "--branch", "v1", capfd=capfd)  # fmt: skip
    assert code == 0
    address = out.strip()
    assert address.startswith(f"hf://{NAME}@")
    assert "private" in err
    assert TOKEN not in out + err
    (tmp_path / "test.csv").write_text("label,text\nnegative,bad\npositive,good\n")
    for arguments in (
        ("predict", address, "A joy."),
        ("evaluate", address, "test.csv", "--label-column", "label"),
        ("explain", address, "A joy."),
        ("export", address, "--to", "onnx", "--output", "model.onnx"),
        ("compare", address, tiny_run.folder),
        ("config", address),
    ):
        code, out, err = command(*arguments, capfd=capfd)
        if arguments[0] == "compare":  # one and the same model
            assert "copies of one model" in " ".join(err.split())
        assert code == 0, err
        assert out
        assert address.partition("@")[0] in err
    assert (tmp_path / "model.onnx").exists()
    code, _, err = command("export", address, "--to", "onnx", capfd=capfd)
    assert (code, "--output" in err) == (2, True)
    code, _, err = command("push", tiny_run.folder, NAME, capfd=capfd)
    assert (code, "add --license" in err) == (2, True)
    code, _, err = command("predict", "hf://user/none", "A joy.", capfd=capfd)
    assert code == 2
    assert err.startswith("error: hf://user/none: no such model on the Hub")
    assert len(err.splitlines()) == 1


def test_a_lone_address_is_still_no_text(published: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    published.requested.clear()
    code, _, err = command("predict", f"hf://{NAME}", f"hf://{NAME}/reviews.csv", capfd=capfd)
    assert code == 2
    assert "an address" in err
    assert not any("reviews.csv" in request for request in published.requested)
