"""Pre-trained word vectors: GloVe, fastText and word2vec text files into the embedding.

Each line is a word and its numbers. word2vec and fastText files start with a line "words size"
(Mikolov et al. 2013; Bojanowski et al. 2017), GloVe does not (Pennington et al. 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from sentir.errors import DataError
from sentir.io.lines import read_lines
from sentir.text.tokenizer import SPECIAL


def load_vectors(path: str, vocabulary: Sequence[str], embedding: nn.Embedding) -> int:
    """Copy the vectors of the vocabulary's words into the embedding; the others stay.

    Args:
        path: the text file, plain or compressed.
        vocabulary: the word of each row of the embedding.
        embedding: of shape (V, E).

    Returns:
        How many rows were set.

    Raises:
        DataError: the file cannot be read, its vectors have another size than the embedding, or
            none of its words is in the vocabulary.
    """
    size = embedding.embedding_dim
    check_vectors(path, size)
    rows = {word: row for row, word in enumerate(vocabulary) if row >= len(SPECIAL)}
    vectors: dict[int, np.ndarray] = {}
    for line_number, line in read_lines(path):
        where = f"{path}:{line_number}"
        # A word may hold spaces (GloVe's 840B has ". . ."), so the numbers are taken from the end.
        parts = line.rstrip().split(b" ")
        if line_number == 1 and len(parts) == 2:
            continue
        word = b" ".join(parts[:-size]).decode("utf-8", "replace")
        row = rows.get(word)
        if row is None or row in vectors:
            continue
        try:
            with np.errstate(over="ignore"):  # 1e63 becomes infinite, which is refused
                vector = np.array(parts[-size:], dtype=np.float32)
        except ValueError:
            vector = np.array(np.nan)
        if not np.isfinite(vector).all():
            raise DataError(
                f"{word!r} is not followed by {size} numbers", where=where, todo="fix the line"
            )
        vectors[row] = vector
    if not vectors:
        raise DataError(
            "no word of the vocabulary is in this file",
            where=path,
            todo="give vectors of the reviews' language, in text form",
        )
    with torch.no_grad():
        vectors_NE = torch.from_numpy(np.stack(list(vectors.values())))
        embedding.weight[torch.tensor(list(vectors))] = vectors_NE
    return len(vectors)


def check_vectors(path: str, size: int) -> None:
    """Compare the size of a file's vectors with the embedding's, by its first line.

    Raises:
        DataError: the file cannot be read, or its vectors have another size.
    """
    number, line = next(read_lines(path), (1, b""))
    parts = line.rstrip().split(b" ")
    got = len(parts) - 1
    if len(parts) == 2:  # the number of words and the size
        got = int(parts[1]) if parts[1].isdigit() and len(parts[1]) < 10 else 0
    _check_size(got, size, f"{path}:{number}")


def _check_size(got: int, expected: int, where: str) -> None:
    if got != expected:
        raise DataError(
            f"vectors of {got} numbers for an embedding of {expected}",
            where=where,
            todo=f"pass --embedding-dim {got}" if got > 1 else "give a text file of word vectors",
        )
