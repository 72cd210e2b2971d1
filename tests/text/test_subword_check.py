"""Of a subword tokenizer's JSON only what Sentir writes is read."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sentir.config import TextConfig
from sentir.errors import BundleError
from sentir.text.subword_check import check_subword
from sentir.text.tokenizer import SPECIAL, SubwordTokenizer, load_tokenizer

TEXTS = ["the film was good, see www.a.org", "hotel muy sucio y la habitación"] * 50
FIXED_PADDING = {"strategy": {"Fixed": 10**12}, "direction": "Right", "pad_to_multiple_of": None,
                 "pad_id": 0, "pad_type_id": 0, "pad_token": "_PAD"}  # fmt: skip


@pytest.fixture(scope="module")
def trained() -> dict[str, dict[str, Any]]:
    """The JSON of a tokenizer of each kind."""
    tables = {}
    for kind in ("bpe", "unigram"):
        config = TextConfig(tokenizer=kind, max_vocab_size=60)  # type: ignore[arg-type]
        tables[kind] = SubwordTokenizer.train(TEXTS, config)._to_dict()["subword"]
    return tables


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_what_sentir_writes_passes(trained: dict[str, dict[str, Any]], kind: str) -> None:
    check_subword(trained[kind], SPECIAL)


def entry(index: int, content: str) -> dict[str, Any]:
    return {"id": index, "content": content, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False, "special": False}  # fmt: skip


#: Kind, path of the part that is replaced, what it becomes, and what the message says.
HOSTILE: list[tuple[str, tuple[str, ...], Any, str]] = [
    ("bpe", ("padding",), FIXED_PADDING, "a padding"),  # aborts the process when it encodes
    ("bpe", ("truncation",), {"max_length": 0}, "a truncation"),
    ("bpe", ("normalizer",), {"type": "Precompiled", "precompiled_charsmap": "AAAA"}, "normalizer"),
    ("bpe", ("post_processor",), {"type": "TemplateProcessing"}, "a post_processor"),
    ("bpe", ("decoder",), {"type": "Fuse"}, "a decoder"),
    ("bpe", ("pre_tokenizer", "pretokenizers"), [{"type": "Split"}], "a pre_tokenizer"),
    ("bpe", ("model", "type"), "WordLevel", "a model of type 'WordLevel'"),
    ("bpe", ("model", "dropout"), 0.5, "a dropout"),
    ("bpe", ("model", "continuing_subword_prefix"), "##########", "a continuing_subword_prefix"),
    ("bpe", ("model", "byte_fallback"), True, "a byte_fallback"),
    ("bpe", ("model", "unk_token"), "nobody", "no unknown token"),
    ("bpe", ("model", "vocab", "a"), 10**9, "ids beyond the vocabulary"),
    ("bpe", ("model", "vocab", "a"), 1, "ids beyond the vocabulary, or one id twice"),
    ("bpe", ("model", "vocab", "a"), "4", "not a whole number"),
    ("bpe", ("model", "vocab", "_UNK"), True, "not a whole number"),
    ("bpe", ("model", "vocab", "_UNK"), 10**6, "no _PAD and _UNK in front"),
    ("bpe", ("model", "merges"), [["a", "_PAD"]], "a merge into 'a_PAD', which has no id"),
    ("bpe", ("model", "merges"), ["a b"], "too many values|not enough values"),
    ("bpe", ("model", "vocab"), {}, "which has no id|no _PAD"),
    ("bpe", ("added_tokens",), [entry(10**6, "word")], "ids beyond the vocabulary"),
    ("bpe", ("added_tokens",), [entry(9, "_PAD")], "two ids for '_PAD'"),
    ("unigram", ("model", "unk_id"), 7, "no unknown token"),
    ("unigram", ("model", "unk_id"), None, "no unknown token"),
    ("unigram", ("model", "vocab"), [["_PAD", 0.0], ["_UNK", float("nan")]], "not finite"),
    ("unigram", ("model", "vocab"), [["a", 0.0], ["a", 0.0]], "a piece twice"),
    ("unigram", ("model", "vocab"), [["a", 0.0], ["b", 0.0]], "no _PAD and _UNK in front"),
]


@pytest.mark.parametrize(("kind", "path", "value", "message"), HOSTILE)
def test_another_part_is_refused(
    trained: dict[str, dict[str, Any]],
    tmp_path: Path,
    kind: str,
    path: tuple[str, ...],
    value: Any,
    message: str,
) -> None:
    data = copy.deepcopy(trained[kind])
    *parents, name = path
    table = data
    for parent in parents:
        table = table[parent]
    table[name] = value
    with pytest.raises((ValueError, TypeError), match=message):
        check_subword(data, SPECIAL)
    file = tmp_path / "sentir_tokenizer.json"
    file.write_text(json.dumps({"format": 1, "clean": [], "kind": "subword", "subword": data}))
    with pytest.raises(BundleError, match=r"tokenizer\.json: not a tokenizer of sentir"):
        load_tokenizer(file)
