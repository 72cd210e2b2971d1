"""The tokenizer: the one way from a review to ids, saved whole in ``sentir_tokenizer.json``.

Two kinds. `WordTokenizer` gives each word of its vocabulary an id, and all others ``_UNK``.
`SubwordTokenizer` splits rare words into subwords learnt from the reviews (byte-pair encoding,
Sennrich et al. 2016; unigram language model, Kudo 2018), by Hugging Face's ``tokenizers``. In both,
id 0 is padding and id 1 the unknown word, and no text produces id 0.

The file is not called ``tokenizer.json``: by that name other programs expect the form of
``tokenizers``, which can hold neither the Treebank's rules nor the cleaning.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from sentir.config import CleanStep, TextConfig
from sentir.errors import BundleError
from sentir.text.cleaning import URL_TOKEN, cleaner
from sentir.text.subword_check import check_subword
from sentir.text.treebank import WordSplitter

if TYPE_CHECKING:
    import tokenizers

#: The file that a tokenizer is saved as, and the form that it says it has.
FILE, FORM = "sentir_tokenizer.json", "sentir tokenizer"
PAD, UNK = 0, 1
SPECIAL = ("_PAD", "_UNK")
FORMAT = 1
DEFAULT_SUBWORDS = 16_000
#: The sign that `tokenizers` puts before a word.
WORD_START = "▁"
_INNER_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Tokenizer(ABC):
    """From texts to ids; `load_tokenizer` reads what `save` writes."""

    def __init__(self, steps: Sequence[CleanStep]) -> None:
        self.steps = tuple(steps)

    @property
    @abstractmethod
    def vocabulary(self) -> Sequence[str]:
        """The word or subword of each id."""

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, neither padded nor truncated; an empty text gives an empty list."""

    @abstractmethod
    def tokens(self, text: str) -> list[str]:
        """The tokens of one text as they are written, one per id of `encode`."""

    @abstractmethod
    def words(self, text: str) -> list[int]:
        """The word, counted from 0, that each token of `tokens` belongs to."""

    @abstractmethod
    def join(self, ids: Iterable[int]) -> str:
        """Neighbouring tokens as text, from their ids."""

    @abstractmethod
    def _to_dict(self) -> dict[str, Any]: ...

    def save(self, path: Path) -> None:
        """Write the whole tokenizer as JSON."""
        data = {"form": FORM, "format": FORMAT, "clean": self.steps, **self._to_dict()}
        path.write_text(json.dumps(data, ensure_ascii=False, indent=0), encoding="utf-8")


class WordTokenizer(Tokenizer):
    """Words by the Penn Treebank's rules, see `sentir.text.treebank`.

    Args:
        words: the vocabulary after `SPECIAL`, by falling frequency.
        steps: cleaning steps.
    """

    def __init__(self, words: Iterable[str], steps: Sequence[CleanStep]) -> None:
        super().__init__(steps)
        self._vocabulary = [*SPECIAL, *words]
        # The names of the special ids are not words: a review that holds "_PAD" pads nothing.
        ids = {word: id for id, word in enumerate(self._vocabulary) if id >= len(SPECIAL)}

        def id_of(word: str) -> int:
            return ids.get(word, UNK)

        #: The id of one word.
        self.id_of = id_of
        self._ids = WordSplitter(steps, lambda words: tuple(map(ids.get, words, repeat(UNK))))
        self._words = WordSplitter(steps, tuple)

    def __reduce__(self) -> tuple[Any, ...]:
        return WordTokenizer, (self._vocabulary[len(SPECIAL) :], self.steps)

    @property
    def vocabulary(self) -> Sequence[str]:
        return self._vocabulary

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._ids(text) for text in texts]

    def tokens(self, text: str) -> list[str]:
        return self._words(text)

    def words(self, text: str) -> list[int]:
        return list(range(len(self._words(text))))

    def join(self, ids: Iterable[int]) -> str:
        return " ".join(self._vocabulary[id] for id in ids)

    def _to_dict(self) -> dict[str, Any]:
        return {"kind": "word", "vocabulary": self._vocabulary}


class SubwordTokenizer(Tokenizer):
    """Subwords learnt from the reviews.

    Args:
        inner: Hugging Face's tokenizer; its first two ids are `SPECIAL`.
        steps: cleaning steps, which come before it.
    """

    def __init__(self, inner: tokenizers.Tokenizer, steps: Sequence[CleanStep]) -> None:
        super().__init__(steps)
        self._inner = inner
        self._clean = cleaner(steps)
        self._vocabulary = [inner.id_to_token(id) or "" for id in range(inner.get_vocab_size())]

    def __reduce__(self) -> tuple[Any, ...]:
        return SubwordTokenizer.from_json, (self._inner.to_str(), self.steps)

    @classmethod
    def from_json(cls, text: str, steps: Sequence[CleanStep]) -> SubwordTokenizer:
        """The tokenizer whose Hugging Face part is that JSON."""
        import tokenizers

        inner = tokenizers.Tokenizer.from_str(text)
        inner.encode_special_tokens = True
        return cls(inner, steps)

    @classmethod
    def train(cls, texts: Iterable[str], config: TextConfig) -> SubwordTokenizer:
        """Learn `config.max_vocab_size` subwords (16,000 if unset) from the texts."""
        import tokenizers
        from tokenizers import AddedToken, models, pre_tokenizers, trainers

        clean = cleaner(config.clean)
        size = config.max_vocab_size or DEFAULT_SUBWORDS
        settings: dict[str, Any] = {
            "vocab_size": size,
            "special_tokens": list(SPECIAL),
            "show_progress": False,
        }
        model: models.Model
        trainer: trainers.Trainer
        if config.tokenizer == "bpe":
            model = models.BPE(unk_token="_UNK")
            trainer = trainers.BpeTrainer(min_frequency=config.min_count, **settings)
        else:
            model = models.Unigram()
            trainer = trainers.UnigramTrainer(unk_token="_UNK", **settings)
        inner = tokenizers.Tokenizer(model)
        inner.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.WhitespaceSplit(),
                pre_tokenizers.Punctuation(),
                pre_tokenizers.Metaspace(),
            ]
        )
        inner.train_from_iterator((clean(text) for text in texts), trainer)
        # Added after training, so that the URL token is one subword. It is no special token: those
        # would be matched inside reviews, and "_PAD" in a review is text.
        if URL_TOKEN in map(clean, ("www.sentir.org",)):
            inner.add_tokens([AddedToken(URL_TOKEN)])
        inner.encode_special_tokens = True
        return cls(inner, config.clean)

    @property
    def vocabulary(self) -> Sequence[str]:
        return self._vocabulary

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        encodings = self._inner.encode_batch_fast([self._cleaned(text) for text in texts])
        return [encoding.ids for encoding in encodings]

    def tokens(self, text: str) -> list[str]:
        cleaned = self._cleaned(text)
        encoding = self._inner.encode(cleaned)
        # Where the sign of a word's start is a subword, its offsets are those of the next letter.
        return [
            WORD_START if subword == WORD_START else cleaned[start:end]
            for subword, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True)
        ]

    def words(self, text: str) -> list[int]:
        cleaned = self._cleaned(text)
        encoding = self._inner.encode(cleaned)
        # Subwords are learnt in what stands between spaces and punctuation: didn, ', t.
        inner = {match.start() for match in _INNER_APOSTROPHE.finditer(cleaned)}
        words, word, previous = [], -1, None
        for part, (start, _) in zip(encoding.word_ids, encoding.offsets, strict=True):
            if previous is None or part != previous:
                word += not inner & {start, start - 1}
                previous = part
            words.append(word)
        return words

    def join(self, ids: Iterable[int]) -> str:
        subwords = "".join(self._vocabulary[id] for id in ids)
        return subwords.replace(WORD_START, " ").strip()

    def _cleaned(self, text: str) -> str:
        """The cleaned text; U+FFFD stands for half of a surrogate pair, which no UTF-8 holds."""
        return self._clean(_SURROGATE.sub("\ufffd", text))

    def _to_dict(self) -> dict[str, Any]:
        return {"kind": "subword", "subword": json.loads(self._inner.to_str())}


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a tokenizer that `Tokenizer.save` wrote.

    Raises:
        BundleError: the file is missing, is no tokenizer, or has an unknown format version.
    """
    where = str(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("form", FORM) != FORM:  # files of bundles of format 2 do not say it
            raise BundleError(
                f"form {data['form']!r}, not {FORM!r}", where=where, todo="copy the folder again"
            )
        version = data["format"]
        if version != FORMAT:
            raise BundleError(
                f"format {version!r}, this version reads {FORMAT}",
                where=where,
                todo="upgrade sentir",
            )
        steps = [step for step in data["clean"] if step in get_args(CleanStep)]
        if steps != data["clean"]:
            raise BundleError(
                f"unknown cleaning in {data['clean']}",
                where=where,
                todo="upgrade sentir, or copy the folder again",
            )
        if data["kind"] == "word":
            words = data["vocabulary"]
            special, own = tuple(words[: len(SPECIAL)]), words[len(SPECIAL) :]
            if special != SPECIAL or len(set(own)) != len(own) or not all(map(_is_text, own)):
                raise BundleError("not a vocabulary", where=where, todo="copy the folder again")
            return WordTokenizer(own, steps)
        check_subword(data["subword"], SPECIAL)
        return SubwordTokenizer.from_json(json.dumps(data["subword"]), steps)
    except BundleError:
        raise
    except FileNotFoundError:
        raise BundleError("no such file", where=where, todo="copy the whole folder") from None
    except BaseException as error:  # tokenizers raises nothing more precise, and panics
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise BundleError(
            f"not a tokenizer of sentir ({error!r})", where=where, todo="copy the folder again"
        ) from None


def _is_text(word: object) -> bool:
    return isinstance(word, str)
