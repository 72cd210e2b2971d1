"""A trained model uploaded to the Hugging Face Hub with its card.

Only the files of the bundle and the card leave the machine: neither the report, which quotes
reviews, nor the cache. The card of a model is replaced only if Sentir wrote it and nobody changed
it since.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentir.bundle import (
    LANGUAGE_MODEL,
    Bundle,
    LanguageBundle,
    find_bundle,
    is_language_model,
    load_bundle,
    load_language_model,
    save_bundle,
)
from sentir.errors import HubError, SentirWarning, UsageError
from sentir.extras import require
from sentir.inference.predictor import Predictor
from sentir.io.hub_model import HubAddress, check_names, report_hub
from sentir.sharing.card import CardFacts, model_card

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CARD = "README.md"
#: The last line of a card, with a digest of the lines before it.
_SIGNATURE = re.compile(r"<!-- written by sentir push: ([0-9a-f]{64}) -->\n?\Z")
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}|multilingual")


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What `push` did.

    Attributes:
        address: the model, as `sentir.load` takes it, with the commit as its revision.
        commit: its commit; empty after a dry run.
        url: the page of the commit; empty after a dry run.
        private: whether only its owner can read it; None after a dry run.
        card: the model card; where the Hub has one that was changed by hand, that one stayed.
    """

    address: str
    commit: str
    url: str
    private: bool | None
    card: str


def push(
    model: str | Path,
    repository: str,
    *,
    license: str,
    language: str | Sequence[str] = (),
    dataset: str | None = None,
    examples: Sequence[str] = (),
    private: bool | None = None,
    revision: str | None = None,
    message: str | None = None,
    dry_run: bool = False,
) -> Pushed:
    """Upload a model to the Hugging Face Hub, with a card of its measured figures.

    >>> import sentir
    >>> sentir.push("runs/shop", "user/shop", license="mit").commit  # doctest: +SKIP
    '8d1f...'

    The token is that of ``HF_TOKEN`` or of ``hf auth login``. The model's words are uploaded, as
    they are part of its tokenizer; reviews are not.

    Args:
        model: folder of a run or a model: a classifier or a language model.
        repository: ``user/model``; it is made if there is none.
        license: the Hub's name of the licence, such as ``mit``, ``apache-2.0``, ``cc-by-4.0`` or
            ``other``.
        language: one code of ISO 639 or several, such as ``en``.
        dataset: what the reviews are called in the card.
        examples: texts to show in the card, with the model's answers.
        private: whether only its owner can read a new repository; unset: as the owner's settings
            say, usually not. One that is there must be so.
        revision: the branch, which is made if there is none; unset: ``main``.
        message: of the commit.
        dry_run: only make the card; nothing is uploaded, and the Hub not asked.

    Raises:
        BundleError: there is no model in the folder, or a damaged one.
        DataError: it has no figures of a finished run.
        HubError: the Hub cannot be reached, or refuses.
        MissingExtraError: the hub's client is not installed.
        UsageError: a name, a licence or a language that cannot be; `private`, and the repository
            is public; or examples for a language model.
    """
    require("push", "huggingface_hub")
    facts = _facts(license, language, dataset, examples)
    check_names(repository, revision, where="push")
    bundle = _load(model)
    if isinstance(bundle, LanguageBundle) and facts.examples:
        raise UsageError("examples for a language model", todo="leave them out")
    answers = (
        Predictor(bundle).predict(facts.examples) if isinstance(bundle, Bundle) and examples else ()
    )
    card = signed(model_card(bundle, repository, facts, answers))
    branch = revision or "main"
    if dry_run:
        address = HubAddress(repository=repository, revision=branch)
        return Pushed(address=str(address), commit="", url="", private=None, card=card)
    with report_hub(f"hf://{repository}"):
        return _upload(bundle, repository, card, private, branch, message)


def _facts(
    license: str, language: str | Sequence[str], dataset: str | None, examples: Sequence[str]
) -> CardFacts:
    """What the author says, checked before any work.

    Raises:
        UsageError: a licence or a language that cannot be, or one text where a list is expected.
    """
    if not _LICENSE.fullmatch(license):
        raise UsageError(
            f"license {license!r}",
            todo="take the Hub's name of it: mit, apache-2.0, cc-by-4.0, other, ...",
        )
    languages = (language,) if isinstance(language, str) else tuple(language)
    for code in languages:
        if not _LANGUAGE.fullmatch(code):
            raise UsageError(f"language {code!r}", todo="take a code of ISO 639, such as en or es")
    if isinstance(examples, str):
        raise UsageError("examples is one string", todo="pass a list of texts")
    return CardFacts(license=license, language=languages, dataset=dataset, examples=tuple(examples))


def _load(model: str | Path) -> Bundle | LanguageBundle:
    folder = find_bundle(model)
    return load_language_model(folder) if is_language_model(folder) else load_bundle(folder)


def _upload(
    bundle: Bundle | LanguageBundle,
    repository: str,
    card: str,
    private: bool | None,
    branch: str,
    message: str | None,
) -> Pushed:
    from huggingface_hub import HfApi

    api = HfApi()
    is_private = _prepare_repository(api, repository, private, branch)
    with tempfile.TemporaryDirectory(prefix="sentir-push-") as temporary:
        folder = Path(temporary) / "model"
        save_bundle(bundle, folder)  # anew, so that nothing else that lies beside it is uploaded
        if _may_replace_card(api, repository, branch):
            (folder / CARD).write_text(card, encoding="utf-8")
        commit = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=["*.safetensors", "*.json", CARD],
            commit_message=message or f"A model of Sentir ({_summary(bundle)})",
            revision=branch,
        )
    address = HubAddress(repository=repository, revision=commit.oid)
    return Pushed(
        address=str(address), commit=commit.oid, url=commit.commit_url, private=is_private,
        card=card,
    )  # fmt: skip


def _summary(bundle: Bundle | LanguageBundle) -> str:
    kind = LANGUAGE_MODEL if isinstance(bundle, LanguageBundle) else "classifier"
    return f"{kind}, {bundle.config.model.cell}" + (", synthetic" if bundle.synthetic else "")


def _prepare_repository(api: HfApi, repository: str, private: bool | None, branch: str) -> bool:
    """Make the repository and the branch unless they are there; whether it is private.

    Raises:
        HubError: nobody is logged in.
        UsageError: it shall be private and is public, or the reverse.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import RepositoryNotFoundError

    if get_token() is None:
        raise HubError(
            "not logged in to the Hub",
            where=f"hf://{repository}",
            todo="log in with 'hf auth login', or set HF_TOKEN to a token that may write",
        )

    def is_private() -> bool:
        info = api.model_info(repository, timeout=constants.HF_HUB_ETAG_TIMEOUT)
        return bool(info.private)

    try:
        found = is_private()
    except RepositoryNotFoundError:
        api.create_repo(repository, private=private, exist_ok=True)
        found = is_private()
    if private is not None and private != found:
        kinds = ("public", "private")
        raise UsageError(
            f"the repository is {kinds[found]}, and --{kinds[private]} was asked",
            where=f"hf://{repository}",
            todo="change it on its page, or leave the option out",
        )
    if branch != "main":
        api.create_branch(repository, branch=branch, exist_ok=True)
    return found


def _may_replace_card(api: HfApi, repository: str, branch: str) -> bool:
    """Whether there is no card, or one that is as `push` wrote it; else a warning is given."""
    from huggingface_hub.errors import EntryNotFoundError

    try:
        path = api.hf_hub_download(repository, CARD, revision=branch)
    except EntryNotFoundError:
        return True
    if is_signed(Path(path).read_text(encoding="utf-8", errors="replace")):
        return True
    warnings.warn(
        f"hf://{repository}: its {CARD} was not written by sentir push, or changed since, and "
        "stays; compare its figures with those of --dry-run",
        SentirWarning,
        stacklevel=2,
    )
    return False


def signed(card: str) -> str:
    """The card with a last line by which `is_signed` knows it."""
    digest = hashlib.sha256(card.encode()).hexdigest()
    return f"{card}\n<!-- written by sentir push: {digest} -->\n"


def is_signed(card: str) -> bool:
    """Whether a card is as `push` wrote it."""
    match = _SIGNATURE.search(card)
    return match is not None and signed(card[: match.start() - 1]) == card
