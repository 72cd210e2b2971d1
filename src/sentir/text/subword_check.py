"""Whether a subword tokenizer's JSON is one that `SubwordTokenizer.save` writes.

Hugging Face's ``tokenizers`` runs much that Sentir never asks of it: normalizers, templates that
add any ids, padding to any length. A file from a stranger could use these to end the process (a
failed allocation in Rust aborts it) or to give ids that the embedding has no row for. So only the
parts that Sentir writes are let through to it.
"""

from __future__ import annotations

import math
from typing import Any

#: Parts of the file that Sentir leaves empty.
_EMPTY = ("truncation", "padding", "normalizer", "post_processor", "decoder")
#: Settings of a model that Sentir leaves off.
_OFF = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
        "ignore_merges")  # fmt: skip
_PRE_TOKENIZERS = ["WhitespaceSplit", "Punctuation", "Metaspace"]


def check_subword(data: Any, special: tuple[str, ...]) -> None:
    """Check the JSON of a subword tokenizer before ``tokenizers`` reads it.

    Args:
        data: the parsed JSON.
        special: the tokens of the first ids.

    Raises:
        ValueError: it has a part that Sentir does not write, or ids with gaps; the message says
            which.
        KeyError, TypeError, AttributeError: it is no such JSON.
    """
    for name in _EMPTY:
        if data.get(name) is not None:
            raise ValueError(f"a {name} that sentir does not write")
    pre_tokenizers = data["pre_tokenizer"]["pretokenizers"]
    if [part["type"] for part in pre_tokenizers] != _PRE_TOKENIZERS:
        raise ValueError("a pre_tokenizer that sentir does not write")
    ids = _model_ids(data["model"], special.index("_UNK"))
    if any(ids.get(token) != index for index, token in enumerate(special)):
        raise ValueError(f"no {' and '.join(special)} in front")
    for token in data["added_tokens"]:
        if ids.setdefault(token["content"], token["id"]) != token["id"]:
            raise ValueError(f"two ids for {token['content']!r}")
    # JSON knows true and false, which Python takes for 1 and 0.
    if any(type(index) is not int for index in ids.values()):
        raise ValueError("an id that is not a whole number")
    if sorted(ids.values()) != list(range(len(ids))):
        raise ValueError("ids beyond the vocabulary, or one id twice")


def _model_ids(model: dict[str, Any], unknown: int) -> dict[str, int]:
    """The id of each piece of a BPE or unigram model."""
    vocabulary = model["vocab"]
    for name in _OFF:
        if model.get(name) not in (None, False):
            raise ValueError(f"a {name} that sentir does not write")
    if model["type"] == "BPE":
        if model["unk_token"] != "_UNK":
            raise ValueError("no unknown token")
        for left, right in model["merges"]:
            if not {left, right, left + right} <= vocabulary.keys():
                raise ValueError(f"a merge into {left + right!r}, which has no id")
        return dict(vocabulary)
    if model["type"] == "Unigram":
        if model["unk_id"] != unknown:
            raise ValueError("no unknown token")
        if not all(math.isfinite(score) for _, score in vocabulary):
            raise ValueError("a score that is not finite")
        ids = {piece: index for index, (piece, _) in enumerate(vocabulary)}
        if len(ids) != len(vocabulary):
            raise ValueError("a piece twice")
        return ids
    raise ValueError(f"a model of type {model['type']!r}")
