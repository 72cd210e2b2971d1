"""Every setting, once: how text becomes ids, what the network is, how it is trained.

A configuration is frozen data. It is checked when it is made, saved in the bundle, and the command
line's options are drawn from the fields below, so that a field's description stands here only.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sentir.errors import ConfigError

CleanStep = Literal["nfc", "html", "quotes", "url", "lower", "digits"]
CLEAN_STEPS: tuple[CleanStep, ...] = get_args(CleanStep)

Initialisation = Literal["orthogonal", "pytorch"]

_frozen = ConfigDict(extra="forbid", allow_inf_nan=False)

#: The preset unless another is named, and with a language model to begin with.
DEFAULT_PRESET, LM_PRESET = "base", "best"


@dataclass(frozen=True, kw_only=True, config=_frozen)
class ReadOptions:
    """How files are read; of no concern to a trained model, so not part of `Config`."""

    format: Literal["auto", "fasttext", "csv", "tsv", "jsonl", "parquet", "text"] = Field(
        default="auto",
        description="what the files are (auto: by their name, else by their first line)",
    )
    text_column: tuple[str, ...] = Field(
        default=(),
        description="column of the text; several, with commas between, are joined with ': '",
    )
    label_column: str | None = Field(default=None, description="column of the label")
    columns: tuple[str, ...] = Field(
        default=(),
        description="names of all columns, in their order, of CSV or TSV whose first line is a row "
        "and no header",
    )
    encoding: str = Field(default="utf-8", description="of text files")
    on_error: Literal["raise", "skip"] = Field(
        default="raise", description="stop at a row that cannot be read, or count, list and skip it"
    )
    max_line_bytes: int = Field(default=1_000_000, ge=1, description="longest line read (bytes)")


@dataclass(frozen=True, kw_only=True, config=_frozen)
class TextConfig:
    """How text becomes ids."""

    tokenizer: Literal["word", "bpe", "unigram"] = Field(
        default="word",
        description="whole words (Treebank rules), or subwords learnt from the reviews",
    )
    clean: tuple[CleanStep, ...] = Field(
        default=CLEAN_STEPS, description="cleaning steps, carried out in their fixed order"
    )
    min_count: int = Field(
        default=2, ge=1, description="times a word must be seen to get an id (words)"
    )
    max_vocabulary: int | None = Field(
        default=None,
        ge=4,
        description="most ids; rarer words get none (unset: no limit; subwords: 16000)",
    )
    max_tokens: int = Field(
        default=200,
        ge=1,
        description="tokens of a review that are read; a longer one loses its middle (tokens)",
    )


@dataclass(frozen=True, kw_only=True, config=_frozen)
class ModelConfig:
    """What the network is."""

    cell: Literal["lstm", "gru", "rnn"] = Field(default="lstm", description="the recurrent cell")
    embedding: int = Field(default=100, ge=1, description="size of a word's vector (units)")
    bigrams: int = Field(
        default=0, ge=0, description="rows shared by the vectors of word pairs (0: no pairs)"
    )
    bigram_dropout: float = Field(
        default=0.5, ge=0, lt=1, description="share of the pairs' features dropped in training"
    )
    hidden: int = Field(
        default=64, ge=1, description="size of the hidden state, a direction (units)"
    )
    layers: int = Field(default=1, ge=1, description="recurrent layers, one upon the other")
    bidirectional: bool = Field(default=True, description="read from both ends")
    pooling: Literal["last", "max", "mean", "attention"] = Field(
        default="max", description="how the states of all tokens become one vector"
    )
    embedding_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="share of the embedded features dropped in training"
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of the states dropped between layers in training",
    )
    head_dropout: float = Field(
        default=0.2, ge=0, lt=1, description="share of the pooled features dropped in training"
    )
    skip: bool = Field(
        default=False, description="let the head read the sum of the embedded words too"
    )
    skip_dropout: float = Field(
        default=0.2, ge=0, lt=1, description="share of that sum's features dropped in training"
    )
    terms: int = Field(
        default=0,
        ge=0,
        description="rows for pairs and triples of words in a linear part that is mixed in after "
        "training (0: no linear part)",
    )
    vectors: str | None = Field(
        default=None,
        description="GloVe, fastText or word2vec text file that initialises the embedding",
    )
    own_vectors: bool = Field(
        default=False,
        description="begin the embedding with which words stand near which in the training reviews",
    )
    freeze_embedding: bool = Field(
        default=False, description="keep the embedding as it was initialised"
    )
    initialisation: Initialisation = Field(
        default="orthogonal",
        description="how the weights begin: small words' vectors, orthogonal memory and open "
        "forget gates, or as PyTorch draws them",
    )


@dataclass(frozen=True, kw_only=True, config=_frozen)
class TrainConfig:
    """How the network is trained."""

    epochs: int = Field(
        default=0,
        ge=0,
        description="passes over the training reviews (0: 2, or as many as make 1,000 steps)",
    )
    batch_size: int = Field(default=64, ge=1, description="reviews a step")
    learning_rate: float = Field(
        default=0.001, gt=0, description="Adam's step size, at its highest"
    )
    schedule: Literal["constant", "linear", "cosine"] = Field(
        default="cosine", description="how the learning rate falls to zero, if it does"
    )
    warmup: float = Field(
        default=0.05, ge=0, lt=1, description="share of all steps in which the learning rate rises"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay (AdamW)")
    averaging: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of the past in the running mean of the weights, which is what is "
        "validated and kept (0: the weights as they are)",
    )
    clip: float = Field(default=1.0, gt=0, description="largest norm of the gradient")
    valid_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="share of train set aside for validation"
    )
    valid_max: int = Field(default=5000, ge=1, description="most reviews set aside (reviews)")
    valid_every: int = Field(
        default=0,
        ge=0,
        description="steps between validations (0: four times an epoch, at most 40 in all)",
    )
    patience: int = Field(
        default=12,
        ge=0,
        description="validations without a better loss before stopping (0: never stop)",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="how much a review counts in the loss: all alike, or those of a rare class "
        "more, so that all classes weigh the same",
    )
    seed: int = Field(
        default=0,
        ge=0,
        lt=2**64,
        description="of the split, the weights, the order and the dropout",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="where to train"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="number format of the recurrent layers in training (auto: bfloat16 where that "
        "is faster)",
    )

    def split(self) -> dict[str, float]:
        """The settings by which reviews are set aside for validation."""
        return {name: getattr(self, name) for name in ("valid_fraction", "valid_max", "seed")}


@dataclass(frozen=True, kw_only=True, config=_frozen)
class TuneConfig:
    """How weights that a language model has learnt are fitted to labels, and noise against them."""

    layer_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="learning rate of the recurrent layer as a share of the head's, and of the "
        "embedding as a share of the layer's",
    )
    unfreeze: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="share of an epoch in which the head learns alone; after as much again the "
        "embedding joins the recurrent layer (0: all learn from the start)",
    )
    adversarial: float = Field(
        default=0.0,
        ge=0,
        description="length of the worst step that each review's embedded words are moved by in "
        "training, as a share of their own length (0: none; twice the time)",
    )


@dataclass(frozen=True, kw_only=True, config=_frozen)
class LanguageModelConfig:
    """What a language model is."""

    cell: Literal["lstm", "gru", "rnn"] = Field(default="lstm", description="the recurrent cell")
    embedding: int = Field(default=200, ge=1, description="size of a word's vector (units)")
    hidden: int = Field(
        default=512, ge=1, description="size of the hidden state, a direction (units)"
    )
    own_vectors: bool = Field(
        default=True,
        description="begin the embedding with which words stand near which in the reviews",
    )
    word_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="share of the words read as unknown in training"
    )
    embedding_dropout: float = Field(
        default=0.1, ge=0, lt=1, description="share of the embedded features dropped in training"
    )
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="share of the states dropped in training"
    )
    negatives: int = Field(
        default=1000,
        ge=100,
        description="words a step that the right one is told from (words; as many as the "
        "vocabulary: all of them, slow and exact)",
    )

    def classifier(self) -> dict[str, Any]:
        """What a classifier's network must have in common with it."""
        return {
            "cell": self.cell,
            "embedding": self.embedding,
            "hidden": self.hidden,
            "layers": 1,
            "bidirectional": True,
        }


class Settings:
    """What `Config` and `PretrainConfig`, sections of settings, have in common."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: str = "configuration") -> Self:
        """The configuration that `to_dict` or a TOML file holds.

        Raises:
            ConfigError: an unknown key (the nearest known one is named) or a value out of range.
        """
        return cls().override(data, where=where)

    def override(self, changes: Mapping[str, Any], *, where: str = "configuration") -> Self:
        """A copy with other values.

        Args:
            changes: ``{"hidden": 64}`` or, by section, ``{"model": {"hidden": 64}}``.
            where: what to call the source of the changes in an error.

        Raises:
            ConfigError: an unknown key (the nearest known one is named) or a value out of range.
        """
        merged = self.to_dict()
        section_of = sections(type(self))
        for key, value in changes.items():
            if key in merged:
                if not isinstance(value, Mapping):
                    raise ConfigError(f"{key} = {value!r}", where=where, todo="make it a table")
                for name, inner in value.items():
                    if name not in merged[key]:
                        raise _unknown(f"{key}.{name}", [f"{key}.{n}" for n in merged[key]], where)
                    merged[key][name] = inner
            elif key in section_of:
                merged[section_of[key]][key] = value
            else:
                raise _unknown(key, [*merged, *section_of], where)
        try:
            return TypeAdapter(type(self)).validate_python(merged)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise ConfigError(
                f"{name} = {first['input']!r}: {first['msg'][:1].lower()}{first['msg'][1:]}",
                where=where,
                todo="choose another value",
            ) from None

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Plain data, as JSON holds it."""
        plain: dict[str, dict[str, Any]] = dataclasses.asdict(self)  # type: ignore[call-overload]
        plain["text"]["clean"] = list(plain["text"]["clean"])
        return plain


@dataclass(frozen=True, kw_only=True, config=_frozen)
class Config(Settings):
    """The parts of a classifier together; `preset` and `override` make one."""

    text: TextConfig = TextConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    tune: TuneConfig = TuneConfig()

    @classmethod
    def preset(cls, name: str) -> Config:
        """The configuration of that name, one of `PRESETS`.

        Raises:
            ConfigError: no preset has that name.
        """
        if name not in list(PRESETS):  # a file may give a table, which a dictionary cannot look up
            raise ConfigError(f"no preset {name!r}", todo=f"take one of {', '.join(PRESETS)}")
        return PRESETS[name]


@dataclass(frozen=True, kw_only=True, config=_frozen)
class PretrainConfig(Settings):
    """The parts of a language model together."""

    text: TextConfig = TextConfig(max_vocabulary=30_000, max_tokens=400)
    model: LanguageModelConfig = LanguageModelConfig()
    train: TrainConfig = TrainConfig(batch_size=32, learning_rate=0.003)


def read_toml(path: str | Path) -> dict[str, Any]:
    """What a TOML file changes: settings, by section or not, and perhaps ``preset``.

    Raises:
        ConfigError: the file cannot be read or is not TOML.
    """
    path = Path(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("no such file", where=str(path), todo="check --config") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"cannot be read ({reason})", where=str(path), todo="check --config"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML ({error})", where=str(path), todo="mend it") from None


def _unknown(key: str, known: list[str], where: str) -> ConfigError:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
    return ConfigError(f"no setting {key!r}", where=where, todo=f"did you mean {near!r}?")


def sections(kind: type[Settings]) -> dict[str, str]:
    """The section that holds each setting: no two sections share a name."""
    parts: Any = kind()
    return {
        field.name: section.name
        for section in dataclasses.fields(kind)  # type: ignore[arg-type]
        for field in dataclasses.fields(getattr(parts, section.name))
    }


_READING = TextConfig(max_tokens=1000)
_FITTING = TrainConfig(learning_rate=0.004, averaging=0.99)
_BASE = ModelConfig(
    cell="gru",
    embedding=100,
    hidden=64,
    pooling="attention",
    embedding_dropout=0.3,
    head_dropout=0.4,
    skip=True,
    skip_dropout=0.5,
    terms=2_097_152,
    own_vectors=True,
)

PRESETS: dict[str, Config] = {
    # The lesson's network and recipe, its faults mended.
    "lecture": Config(
        model=ModelConfig(
            embedding=400,
            hidden=512,
            layers=2,
            bidirectional=False,
            pooling="last",
            dropout=0.5,
            head_dropout=0.2,
            initialisation="pytorch",
        ),
        train=TrainConfig(
            epochs=2, batch_size=400, learning_rate=0.005, schedule="constant", warmup=0, clip=5
        ),
    ),
    "fast": Config(
        text=TextConfig(max_tokens=300),
        model=dataclasses.replace(_BASE, embedding=64, hidden=32),
        train=_FITTING,
    ),
    "base": Config(text=_READING, model=_BASE, train=_FITTING),
    # What a language model is by default (`LanguageModelConfig`), for --from-lm.
    "best": Config(
        text=_READING,
        model=dataclasses.replace(_BASE, **LanguageModelConfig().classifier()),
        train=dataclasses.replace(_FITTING, learning_rate=0.002),
    ),
}
