"""Every setting, once: how text becomes ids, what the network is, how it is trained.

A configuration is frozen data. It is checked when it is made, saved in the bundle, and the command
line's options are drawn from the fields below, so that a field's description stands here only.
"""

from __future__ import annotations

import codecs
import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from pydantic.dataclasses import dataclass

from sentir.decision import check_optimise
from sentir.errors import ConfigError

CleanStep = Literal["nfc", "html", "quotes", "url", "lower", "numbers", "digits"]
#: The steps unless others are named: all but digits, which would undo numbers.
CLEAN_STEPS: tuple[CleanStep, ...] = get_args(CleanStep)[:-1]

Initialisation = Literal["orthogonal", "pytorch"]


def _names(value: Any) -> Any:
    """A single name stands for a list of one; several may have commas between."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


def _none(value: Any) -> Any:
    """TOML has no word for a setting that is unset."""
    return None if value == "none" else value


#: Names of columns: a list of them, or a string.
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]

_frozen = ConfigDict(extra="forbid", allow_inf_nan=False)

#: The preset unless another is named, and with a language model to begin with.
DEFAULT_PRESET, LM_PRESET = "base", "best"


@dataclass(frozen=True, kw_only=True, config=_frozen)
class ReadOptions:
    """How files are read; of no concern to a trained model, so not part of `Config`."""

    format: Literal[
        "auto", "fasttext", "csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx", "text"
    ] = Field(
        default="auto",
        description="what the files are (auto: by their first bytes, name and first line)",
    )
    text_column: Names = Field(
        default=(),
        description="column of the text; several, with commas between, are joined with ': '",
    )
    label_column: str | None = Field(default=None, description="column of the label")
    weight_column: str | None = Field(
        default=None,
        description="column of how much a review counts in training (a number of 0 or more; "
        "unset: all count the same)",
    )
    columns: Names = Field(
        default=(),
        description="names of all columns, in their order, of a table whose first line is a row "
        "and no header (CSV, TSV, .xlsx, JSON arrays)",
    )
    delimiter: str | None = Field(
        default=None,
        description="character between the fields of CSV (tab for a tab; unset: the one that fits "
        "the first lines)",
    )
    quoting: Literal["auto", "standard", "none", "backslash"] = Field(
        default="auto",
        description='quotes in CSV and TSV: standard (a quote in quotes is ""), backslash (it is '
        '\\"), none (quotes are text), or auto: what fits the first lines; in TSV auto never joins '
        "lines",
    )
    encoding: str = Field(default="utf-8", description="of text files")
    on_error: Literal["raise", "skip"] = Field(
        default="raise", description="stop at a row that cannot be read, or count, list and skip it"
    )
    max_line_bytes: int = Field(
        default=1_000_000, ge=1, description="longest line, cell or JSON object read (bytes)"
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str | None) -> str | None:
        if delimiter in ("tab", r"\t"):
            return "\t"
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\\'):
            raise ValueError(f"--delimiter {delimiter!r} is not one character, nor tab")
        return delimiter


@dataclass(frozen=True, kw_only=True, config=_frozen)
class TextConfig:
    """How text becomes ids."""

    tokenizer: Literal["word", "bpe", "unigram"] = Field(
        default="word",
        description="word (Penn Treebank rules), or subwords of the reviews (bpe, unigram)",
    )
    clean: tuple[CleanStep, ...] = Field(
        default=CLEAN_STEPS, description="cleaning steps, applied in their fixed order"
    )
    min_count: int = Field(
        default=2, ge=1, description="occurrences a word needs to enter the vocabulary"
    )
    max_vocab_size: Annotated[int | None, BeforeValidator(_none)] = Field(
        default=None,
        ge=4,
        description="largest vocabulary (ids); unset: no limit for words, 16000 for subwords",
    )
    max_length: int = Field(
        default=1000,
        ge=1,
        description="tokens read per review; a longer review loses its middle (tokens)",
    )


@dataclass(frozen=True, kw_only=True, config=_frozen)
class ModelConfig:
    """What the classifier network is."""

    cell: Literal["lstm", "gru", "rnn", "qrnn"] = Field(
        default="gru",
        description="recurrent cell (qrnn: gates from words alone, several times as fast)",
    )
    embedding_dim: int = Field(default=100, ge=1, description="size of a word vector (units)")
    bigram_buckets: int = Field(
        default=0, ge=0, description="rows of hashed word-pair embeddings (0: none)"
    )
    bigram_dropout: float = Field(
        default=0.5, ge=0, lt=1, description="dropout on the word-pair embeddings"
    )
    hidden_size: int = Field(
        default=64, ge=1, description="size of the hidden state per direction (units)"
    )
    num_layers: int = Field(default=1, ge=1, description="stacked recurrent layers")
    bidirectional: bool = Field(default=True, description="read the text in both directions")
    pooling: Literal["last", "max", "mean", "attention"] = Field(
        default="attention", description="how the hidden states of all tokens become one vector"
    )
    embedding_dropout: float = Field(
        default=0.2, ge=0, lt=1, description="dropout on the embedded tokens"
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout between recurrent layers")
    head_dropout: float = Field(
        default=0.4, ge=0, lt=1, description="dropout on the pooled features"
    )
    embedding_skip: bool = Field(
        default=True, description="skip connection: the head also reads the sum of word vectors"
    )
    embedding_skip_dropout: float = Field(
        default=0.5, ge=0, lt=1, description="dropout on the skip connection"
    )
    ngram_buckets: int = Field(
        default=262_144,
        ge=0,
        description="most pairs and triples of words, those of most weight, in the n-gram linear "
        "model that is fitted after the network and combined with it (0: none)",
    )
    embedding_init: str = Field(
        default="ppmi",
        min_length=1,
        description="initial word vectors: random, ppmi (co-occurrence in the training reviews), "
        "or the path of a GloVe, fastText or word2vec text file",
    )
    freeze_embedding: bool = Field(default=False, description="do not train the word vectors")
    initialisation: Initialisation = Field(
        default="orthogonal",
        description="initial weights: orthogonal recurrent weights with a forget-gate bias of 1, "
        "or PyTorch's own",
    )


@dataclass(frozen=True, kw_only=True, config=_frozen)
class TrainConfig:
    """How the network is trained."""

    epochs: int = Field(
        default=0,
        ge=0,
        description="passes over the training reviews (0: 2, or as many as make 1,000 steps)",
    )
    batch_size: int = Field(default=64, ge=1, description="reviews per step")
    learning_rate: float = Field(default=0.004, gt=0, description="peak learning rate (AdamW)")
    schedule: Literal["constant", "linear", "cosine"] = Field(
        default="cosine", description="learning-rate schedule after warm-up"
    )
    warmup_ratio: float = Field(
        default=0.05, ge=0, lt=1, description="share of all steps spent on learning-rate warm-up"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay (AdamW)")
    ema_decay: float = Field(
        default=0.99,
        ge=0,
        lt=1,
        description="decay of the exponential moving average (EMA) of the weights, which is what "
        "is validated and saved (0: no EMA)",
    )
    max_grad_norm: float = Field(default=1.0, gt=0, description="gradient clipping: largest norm")
    valid_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="share of train held out for validation"
    )
    max_valid_examples: int = Field(
        default=5000, ge=1, description="most reviews held out for validation (reviews)"
    )
    eval_steps: int = Field(
        default=0,
        ge=0,
        description="steps between validations (0: four per epoch, at most 40 in all)",
    )
    patience: int = Field(
        default=4,
        ge=0,
        description="early stopping: validations without a better loss, over 100 steps at least "
        "(0: never stop)",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="weights of the classes in the loss: none, or balanced (inverse frequency)",
    )
    ordinal: bool = Field(
        default=True,
        description="learn the order of ordered classes, which are three or more whose names are "
        "numbers in ascending order, such as stars",
    )
    optimise: str = Field(
        default="likeliest",
        description="how the predicted class follows from the probabilities: likeliest; by "
        "weights of the classes found on validation for accuracy, macro-f1 or recall:CLASS (the "
        "most at no lower macro F1); or the median of ordered classes, for the least mae (mean "
        "absolute error)",
    )
    seed: int = Field(
        default=0,
        ge=0,
        lt=2**64,
        description="random seed of split, weights, order and dropout",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="device to train on"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="number format of the recurrent layers in training (auto: bfloat16 where it "
        "is faster)",
    )

    @field_validator("optimise")
    @classmethod
    def _is_aim(cls, optimise: str) -> str:
        try:
            check_optimise(optimise)
        except ConfigError as error:
            raise ValueError(f"no aim; {error.todo}") from None
        return optimise

    def split(self) -> dict[str, float]:
        """The settings that decide which reviews are held out for validation."""
        return {
            name: getattr(self, name) for name in ("valid_fraction", "max_valid_examples", "seed")
        }


@dataclass(frozen=True, kw_only=True, config=_frozen)
class FineTuneConfig:
    """How a pre-trained network is fine-tuned, and what else than reviews is learnt from."""

    layerwise_lr_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="learning rate of the recurrent layer relative to the head's, and of the "
        "embedding relative to the layer's",
    )
    gradual_unfreezing: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="share of an epoch in which only the head is trained; after the same again "
        "the embedding is unfrozen too (0: train all from the start)",
    )
    adversarial_epsilon: float = Field(
        default=0.0,
        ge=0,
        description="adversarial training: size of the perturbation of the embedded tokens, as a "
        "share of their norm (0: off; doubles the time)",
    )
    virtual_adversarial_epsilon: float = Field(
        default=0.0,
        ge=0,
        description="virtual adversarial training on --unlabelled reviews: size of the "
        "perturbation, as above (0: off; four times the time)",
    )
    entropy_weight: float = Field(
        default=0.0,
        ge=0,
        description="entropy minimisation on --unlabelled reviews: weight of the entropy of the "
        "answers in the loss (0: off)",
    )
    negation_examples: float = Field(
        default=0.5,
        ge=0,
        description="short texts that are made from the reviews' own words so that negation is "
        "learnt, per review (0: none); English and Spanish, classes negative and positive",
    )


@dataclass(frozen=True, kw_only=True, config=_frozen)
class LanguageModelConfig:
    """What a language model is."""

    cell: Literal["lstm", "gru", "rnn"] = Field(default="lstm", description="recurrent cell")
    embedding_dim: int = Field(default=200, ge=1, description="size of a word vector (units)")
    hidden_size: int = Field(
        default=512, ge=1, description="size of the hidden state per direction (units)"
    )
    embedding_init: Literal["random", "ppmi"] = Field(
        default="ppmi", description="initial word vectors: random, or ppmi (co-occurrence)"
    )
    word_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="share of input words replaced by _UNK in training"
    )
    embedding_dropout: float = Field(
        default=0.1, ge=0, lt=1, description="dropout on the embedded tokens"
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout on the hidden states")
    num_sampled: int = Field(
        default=1000,
        ge=100,
        description="sampled softmax: negative words per step (at least the vocabulary's size: "
        "the full softmax, slow and exact)",
    )

    def classifier(self) -> dict[str, Any]:
        """The settings that a classifier must share with it."""
        return {
            "cell": self.cell,
            "embedding_dim": self.embedding_dim,
            "hidden_size": self.hidden_size,
            "num_layers": 1,
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
            changes: ``{"hidden_size": 64}`` or, by section, ``{"model": {"hidden_size": 64}}``.
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
            raise _out_of_range(error, where) from None

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Plain data, as JSON holds it."""
        plain: dict[str, dict[str, Any]] = dataclasses.asdict(self)  # type: ignore[call-overload]
        plain["text"]["clean"] = list(plain["text"]["clean"])
        return plain


@dataclass(frozen=True, kw_only=True, config=_frozen)
class Config(Settings):
    """All settings of a classifier; the defaults are the preset ``base``."""

    text: TextConfig = TextConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    finetune: FineTuneConfig = FineTuneConfig()

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
    """All settings of a language model."""

    text: TextConfig = TextConfig(max_vocab_size=30_000, max_length=400)
    model: LanguageModelConfig = LanguageModelConfig()
    train: TrainConfig = TrainConfig(batch_size=32, learning_rate=0.003, ema_decay=0.0, patience=12)


def read_toml(path: str | Path) -> dict[str, Any]:
    """What a TOML file changes: settings, by section or not, and perhaps ``preset``.

    Raises:
        ConfigError: the file cannot be read or is not TOML.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        # As editors and shells of Windows write it.
        is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return tomllib.loads(content.decode("utf-16" if is_utf16 else "utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError("no such file", where=str(path), todo="check --config") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"cannot be read ({reason})", where=str(path), todo="check --config"
        ) from None
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits
        raise ConfigError(f"not TOML ({error})", where=str(path), todo="fix it") from None


def read_settings(
    settings: Mapping[str, Any], kind: type[Settings] | None = None
) -> tuple[ReadOptions, dict[str, Any]]:
    """Settings given by name, as how files are read and as changes of a configuration.

    Args:
        settings: fields of `ReadOptions` and of the sections of `kind`.
        kind: `Config` or `PretrainConfig`; None: only how files are read can be set.

    Raises:
        ConfigError: an unknown name (the nearest known one is named), or a value out of range.
    """
    reading = {field.name for field in dataclasses.fields(ReadOptions)}
    known = [*reading, *(sections(kind) if kind else ())]
    for name in settings:
        if name not in known:
            raise _unknown(name, known, "settings")
    try:
        read = TypeAdapter(ReadOptions).validate_python(
            {name: value for name, value in settings.items() if name in reading}
        )
    except ValidationError as error:
        raise _out_of_range(error, "settings") from None
    return read, {name: value for name, value in settings.items() if name not in reading}


def _out_of_range(error: ValidationError, where: str) -> ConfigError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return ConfigError(
        f"{name} = {first['input']!r}: {first['msg'][:1].lower()}{first['msg'][1:]}",
        where=where,
        todo="choose another value",
    )


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


#: The defaults of the classes above are `base`; the others say what differs from it.
PRESETS: dict[str, Config] = {
    # The lesson's network and recipe, with its pitfalls fixed.
    "lecture": Config(
        text=TextConfig(max_length=200),
        model=ModelConfig(
            cell="lstm",
            embedding_dim=400,
            hidden_size=512,
            num_layers=2,
            bidirectional=False,
            pooling="last",
            embedding_dropout=0.0,
            dropout=0.5,
            head_dropout=0.2,
            embedding_skip=False,
            ngram_buckets=0,
            embedding_init="random",
            initialisation="pytorch",
        ),
        train=TrainConfig(
            epochs=2,
            batch_size=400,
            learning_rate=0.005,
            schedule="constant",
            warmup_ratio=0,
            ema_decay=0.0,
            max_grad_norm=5,
            patience=12,
        ),
        finetune=FineTuneConfig(negation_examples=0.0),
    ),
    "fast": Config(
        text=TextConfig(max_length=300),
        model=ModelConfig(cell="qrnn", embedding_dim=64, hidden_size=32, embedding_dropout=0.3),
    ),
    "base": Config(),
    # What a language model is by default (`LanguageModelConfig`), for --from-lm.
    "best": Config(
        model=dataclasses.replace(
            ModelConfig(embedding_dropout=0.3), **LanguageModelConfig().classifier()
        ),
        train=TrainConfig(learning_rate=0.002, patience=12),  # a shorter one was not measured
    ),
}
