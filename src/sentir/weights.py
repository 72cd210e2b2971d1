"""The weights of a network: what its settings ask for, and what a file holds.

The names and shapes follow from the settings alone, without PyTorch, and a safetensors file says in
its header what it holds. So a bundle is checked before anything is allocated or built from it. A
test holds the names and shapes equal to those of `sentir.nn`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from sentir.config import LanguageModelConfig, ModelConfig
from sentir.errors import BundleError

#: Gates of each cell, whose weights are stacked in one matrix.
GATES = {"rnn": 1, "gru": 3, "lstm": 4, "qrnn": 3}
#: Cells that carry a cell state beside the hidden state.
WITH_CELL_STATE = ("lstm", "qrnn")
#: Names of a recurrent layer's directions, and of its weights in each of them, as PyTorch's.
DIRECTIONS = ("forward_rnn", "backward_rnn")
RNN_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
#: Those of the QRNN, which reads the token before instead of the hidden state.
QRNN_WEIGHTS = ("weight_ih_l0", "weight_ph_l0", "bias_ih_l0")
#: A header of a thousand layers has under one million bytes.
MAX_HEADER_BYTES = 2**21
#: Of a number, by the name that safetensors gives its format.
_NUMBER_BYTES = {"F16": 2, "F32": 4, "I32": 4}
#: The owners of the rows of the table of n-grams, and what finds an n-gram's row. Bundles of format
#: 3 and less have no displacements, which is the same as a single 0.
NGRAM_FINGERPRINTS, DISPLACEMENTS = (
    f"ngram_linear.ngram_{part}" for part in ("fingerprints", "displacements")
)


class WeightSpec(NamedTuple):
    """Name, shape and number format (as safetensors calls it) of one array."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "F32"


class NgramTableSize(NamedTuple):
    """The size of the table of the n-gram linear model, which depends on the training reviews.

    Attributes:
        rows: of bigrams and trigrams.
        displacements: by which these are found.
    """

    rows: int
    displacements: int

    @classmethod
    def of(cls, rows_of: Callable[[str], int]) -> NgramTableSize:
        """The size, at least 1, given how many rows the array of a name has."""
        return cls(*(max(1, rows_of(name)) for name in (NGRAM_FINGERPRINTS, DISPLACEMENTS)))


#: Of a model that is not fitted: one row, which no n-gram owns.
EMPTY_TABLE = NgramTableSize(1, 1)


class Header(NamedTuple):
    """The header of a safetensors file.

    Attributes:
        arrays: the entry of each array by its name: ``dtype``, ``shape`` and ``data_offsets``. Not
            checked: a damaged or forged file may say anything here.
        data_bytes: the size of the file without its header.
    """

    arrays: dict[str, Any]
    data_bytes: int

    def rows(self, name: str) -> int:
        """The first dimension of an array; 0 if the header says none."""
        entry = self.arrays.get(name)
        shape = entry.get("shape") if isinstance(entry, dict) else None
        return shape[0] if isinstance(shape, list) and shape and type(shape[0]) is int else 0


def classifier_weights(
    config: ModelConfig,
    *,
    vocabulary: int,
    classes: int,
    ngram_table: NgramTableSize = EMPTY_TABLE,
) -> Iterator[WeightSpec]:
    """The weights of `sentir.nn.classifier.SentimentClassifier`, in the order of its state.

    Args:
        config: the settings of the network.
        vocabulary: number of ids.
        classes: number of classes, at least 2.
        ngram_table: the size of the table of n-grams, if there is one.
    """
    outputs = 1 if classes == 2 else classes
    features = config.hidden_size * (2 if config.bidirectional else 1)
    yield WeightSpec("embedding.weight", (vocabulary, config.embedding_dim))
    if config.bigram_buckets:
        rows = config.bigram_buckets + 1
        yield WeightSpec("bigrams.vectors.weight", (rows, config.embedding_dim))
    for layer in range(config.num_layers):
        inputs = features if layer else config.embedding_dim
        yield from _recurrent_weights(
            f"layers.{layer}", config.cell, inputs, config.hidden_size, config.bidirectional
        )
    if config.pooling == "attention":
        yield WeightSpec("pooling.score.weight", (1, features))
    head_inputs = features + (config.embedding_dim if config.embedding_skip else 0)
    yield WeightSpec("head.weight", (outputs, head_inputs))
    yield WeightSpec("head.bias", (outputs,))
    if config.ngram_buckets:
        for part, rows in (("word", vocabulary), ("ngram", ngram_table.rows)):
            yield WeightSpec(f"ngram_linear.{part}_weights", (rows, outputs))
            yield WeightSpec(f"ngram_linear.{part}_squared_scales", (rows, outputs))
        yield WeightSpec(NGRAM_FINGERPRINTS, (ngram_table.rows,), "I32")
        yield WeightSpec(DISPLACEMENTS, (ngram_table.displacements,), "I32")


def language_model_weights(config: LanguageModelConfig, *, vocabulary: int) -> Iterator[WeightSpec]:
    """The weights of `sentir.nn.language_model.LanguageModel`, in the order of its state.

    Args:
        config: the settings of the network.
        vocabulary: number of ids.
    """
    size = config.embedding_dim
    yield WeightSpec("embedding.weight", (vocabulary, size))
    yield from _recurrent_weights("layer", config.cell, size, config.hidden_size, True)
    for direction in range(2):
        yield WeightSpec(f"outputs.{direction}.weight", (size, config.hidden_size))
        yield WeightSpec(f"outputs.{direction}.bias", (size,))
    yield WeightSpec("softmax.bias_V", (vocabulary,))


def _recurrent_weights(
    name: str, cell: str, inputs: int, hidden_size: int, bidirectional: bool
) -> Iterator[WeightSpec]:
    rows = GATES[cell] * hidden_size
    parts: dict[str, tuple[int, ...]]
    if cell == "qrnn":
        parts = dict(zip(QRNN_WEIGHTS, ((rows, inputs), (rows, inputs), (rows,)), strict=True))
    else:
        shapes = ((rows, inputs), (rows, hidden_size), (rows,), (rows,))
        parts = dict(zip(RNN_WEIGHTS, shapes, strict=True))
    for direction in DIRECTIONS[: 1 + bidirectional]:
        for part, shape in parts.items():
            yield WeightSpec(f"{name}.{direction}.{part}", shape)


def read_header(file: BinaryIO, file_bytes: int) -> Header:
    """The header of an open safetensors file of that size.

    Raises:
        BundleError: the file has no such header.
    """
    header_bytes = int.from_bytes(file.read(8), "little")
    if header_bytes > min(file_bytes - 8, MAX_HEADER_BYTES):
        raise BundleError(f"no safetensors file (a header of {header_bytes:,} bytes)")
    try:
        arrays = json.loads(file.read(header_bytes))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"no safetensors file ({error})") from None
    if not isinstance(arrays, dict):
        raise BundleError("no safetensors file (its header is no object)")
    arrays.pop("__metadata__", None)
    return Header(arrays, file_bytes - 8 - header_bytes)


def check_header(header: Header, specs: Iterable[WeightSpec]) -> None:
    """Check that a file has exactly these weights, by its header and its size.

    What is F32 may be stored as F16.

    Raises:
        BundleError: it has others; the first that differs is named.
    """
    names, wanted_bytes = set(header.arrays), 0
    for spec in specs:  # the settings may ask for any number: stop at the first that is absent
        entry, shape = header.arrays.get(spec.name), list(spec.shape)
        if not isinstance(entry, dict):
            raise BundleError(
                f"{spec.name} is absent, and the settings ask for {spec.dtype} {shape}"
            )
        dtype = "F16" if spec.dtype == "F32" and entry.get("dtype") == "F16" else spec.dtype
        if entry.get("shape") != shape or entry.get("dtype") != dtype:
            held = f"{entry.get('dtype')} {entry.get('shape')}"[:80]
            raise BundleError(
                f"{spec.name} is {held}, and the settings ask for {spec.dtype} {shape}"
            )
        names.discard(spec.name)
        wanted_bytes += _NUMBER_BYTES[dtype] * math.prod(spec.shape)
    if names:
        raise BundleError(f"{min(names)[:80]!r} is no weight of this network")
    if header.data_bytes != wanted_bytes:
        raise BundleError(
            f"it holds {header.data_bytes:,} bytes of weights, and its header says {wanted_bytes:,}"
        )
