"""The hashed bigrams and the n-gram linear model as nodes of an ONNX graph.

Shapes: T time, B batch, V vocabulary, P hash buckets or rows of n-grams, M displacements, O
outputs.

Keys and rows are integers of 64 bits, as in `sentir.nn.bigrams` and `sentir.nn.ngram_linear`, and
equal to theirs bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto

from sentir.inference.network import NgramTables
from sentir.inference.onnx_builder import GraphBuilder
from sentir.nn.ngrams import (
    FINGERPRINTS,
    FIRST_MULTIPLIER,
    KEY_FOLD,
    MAX_FINGERPRINT,
    MIN_SQUARED_SCALE,
    PREVIOUS_MULTIPLIER,
    WORD_MULTIPLIER,
)
from sentir.text.tokenizer import PAD


def bigram_rows(graph: GraphBuilder, ids_TB: str, buckets: int) -> str:
    """`sentir.nn.bigrams.bigram_rows`, (T, B)."""
    pad, one = graph.constant(PAD, np.int64), graph.constant(1, np.int64)
    previous_TB = graph.shift(ids_TB)
    keys_TB = graph(
        "Add",
        graph("Mul", previous_TB, graph.constant(PREVIOUS_MULTIPLIER, np.int64)),
        graph("Mul", ids_TB, graph.constant(WORD_MULTIPLIER, np.int64)),
    )
    rows_TB = graph("Add", _hash_bucket(graph, keys_TB, buckets), one)
    is_none_TB = graph("Or", graph("Equal", previous_TB, pad), graph("Equal", ids_TB, pad))
    return graph("Where", is_none_TB, graph.constant(0, np.int64), rows_TB)


def ngram_linear(graph: GraphBuilder, tables: NgramTables, ids_TB: str) -> str:
    """`sentir.nn.ngram_linear.NgramLinear`, (B, O)."""
    fingerprints_P = graph.constant(tables.fingerprints_P, np.int32)
    # int64, as they are added to keys.
    displacements_M = graph.constant(tables.displacements_M, np.int64)
    rows, displacements = len(tables.fingerprints_P), len(tables.displacements_M)
    words_TB = without_repeats(graph, ids_TB)
    # What is to be added up: of the weights, and of the squared scales.
    sums_BO = [
        [graph.sum_over_time(graph.rows(graph.table(table_VO), words_TB))]
        for table_VO in (tables.word_weights_VO, tables.word_squared_scales_VO)
    ]
    tables_PO = [
        graph.table(table_PO)
        for table_PO in (tables.ngram_weights_PO, tables.ngram_squared_scales_PO)
    ]
    for repeated_TB in ngram_keys(graph, ids_TB):
        keys_TB = without_repeats(graph, repeated_TB)
        fingerprints_TB = _fingerprint(graph, keys_TB)
        index_TB = graph(
            "Div",
            graph("Mul", fingerprints_TB, graph.constant(displacements, np.int64)),
            graph.constant(FINGERPRINTS, np.int64),
        )
        displaced_TB = graph("Gather", displacements_M, index_TB)
        rows_TB = _hash_bucket(graph, keys_TB, rows, displaced_TB)
        owners_TB = graph("Cast", graph("Gather", fingerprints_P, rows_TB), to=TensorProto.INT64)
        owns_TB = graph(
            "And",
            graph("Equal", owners_TB, fingerprints_TB),
            graph("Greater", keys_TB, graph.constant(0, np.int64)),
        )
        owns_TB1 = graph("Unsqueeze", owns_TB, graph.integers(2))
        for table_PO, parts_BO in zip(tables_PO, sums_BO, strict=True):
            values_TBO = graph.rows(table_PO, rows_TB)
            owned_TBO = graph("Where", owns_TB1, values_TBO, graph.constant(0.0))
            parts_BO.append(graph.sum_over_time(owned_TBO))
    weights_BO, squared_scales_BO = (graph("Sum", *parts_BO) for parts_BO in sums_BO)
    norm_BO = graph("Sqrt", graph("Add", squared_scales_BO, graph.constant(MIN_SQUARED_SCALE)))
    return graph("Div", weights_BO, norm_BO)


def ngram_keys(graph: GraphBuilder, ids_TB: str) -> Iterator[str]:
    """`sentir.nn.ngram_linear.ngram_keys`: of bigrams, then of trigrams, (T, B)."""
    pad, zero = graph.constant(PAD, np.int64), graph.constant(0, np.int64)
    keys_TB, words_TB = graph("Mul", ids_TB, graph.constant(WORD_MULTIPLIER, np.int64)), ids_TB
    is_whole_TB = graph("Greater", ids_TB, pad)
    for multiplier in (PREVIOUS_MULTIPLIER, FIRST_MULTIPLIER):
        words_TB = graph.shift(words_TB)
        is_whole_TB = graph("And", is_whole_TB, graph("Greater", words_TB, pad))
        part_TB = graph("Mul", words_TB, graph.constant(multiplier, np.int64))
        keys_TB = graph("Add", keys_TB, part_TB)
        yield graph("Where", is_whole_TB, keys_TB, zero)


def without_repeats(graph: GraphBuilder, keys_TB: str) -> str:
    """`sentir.nn.ngram_linear.without_repeats`, but in falling order, (T, B)."""
    length = graph("Gather", graph("Shape", keys_TB), graph.integers(0))
    sorted_TB = graph("TopK", keys_TB, length, axis=0, outputs=2)
    is_repeat_TB = graph("Equal", sorted_TB, graph.shift(sorted_TB, fill=-1))  # no key is -1
    return graph("Where", is_repeat_TB, graph.constant(0, np.int64), sorted_TB)


def _hash_bucket(
    graph: GraphBuilder, keys_TB: str, buckets: int, displaced_TB: str | None = None
) -> str:
    """`sentir.nn.ngrams.hash_bucket`, or with displacements `sentir.nn.ngrams.table_rows`.

    Keys are not negative, so Div rounds down.
    """
    high_TB = graph("Div", keys_TB, graph.constant(KEY_FOLD, np.int64))
    hash_TB = graph("Add", keys_TB, high_TB)
    if displaced_TB is not None:
        hash_TB = graph("Add", hash_TB, displaced_TB)
    return graph("Mod", hash_TB, graph.constant(buckets, np.int64))


def _fingerprint(graph: GraphBuilder, keys_TB: str) -> str:
    """`sentir.nn.ngram_linear.fingerprint`, except that key 0 has one."""
    remainder_TB = graph("Mod", keys_TB, graph.constant(MAX_FINGERPRINT, np.int64))
    return graph("Add", remainder_TB, graph.constant(1, np.int64))
