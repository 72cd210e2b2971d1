"""Pre-trained word vectors: GloVe, fastText and word2vec text files into the embedding.

Each line is a word and its numbers. word2vec and fastText put a line "words size" before them
(Mikolov et al. 2013; Bojanowski et al. 2017), GloVe does not (Pennington et al. 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from sentir.errors import DataError
from sentir.io.paths import read_lines
from sentir.text.tokenizer import SPECIAL


def load_vectors(path: str, vocabulary: Sequence[str], embedding: nn.Embedding) -> int:
    """Copy the vectors of the vocabulary's words into the embedding; others stay as they are.

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
    rows = {word: row for row, word in enumerate(vocabulary) if row >= len(SPECIAL)}
    found: dict[int, np.ndarray] = {}
    for number, raw in read_lines(path):
        where = f"{path}:{number}"
        # A word may hold blanks (GloVe's 840B has ". . ."), so the numbers are taken from the end.
        parts = raw.rstrip().split(b" ")
        if number == 1 and len(parts) == 2:
            _check_size(int(parts[1]) if parts[1].isdigit() else 0, size, where)
            continue
        if number == 1:
            _check_size(len(parts) - 1, size, where)
        word = b" ".join(parts[:-size]).decode("utf-8", "replace")
        row = rows.get(word)
        if row is None or row in found:
            continue
        try:
            vector = np.array(parts[-size:], dtype=np.float32)
        except ValueError:
            vector = np.array(np.nan)
        if not np.isfinite(vector).all():
            raise DataError(
                f"{word!r} is not followed by {size} numbers", where=where, todo="mend the line"
            )
        found[row] = vector
    if not found:
        raise DataError(
            "no word of the vocabulary is in this file",
            where=path,
            todo="give vectors of the reviews' language, in text form",
        )
    with torch.no_grad():
        chosen = torch.tensor(list(found))
        embedding.weight[chosen] = torch.from_numpy(np.stack(list(found.values())))
    return len(found)


def _check_size(got: int, wanted: int, where: str) -> None:
    if got != wanted:
        raise DataError(
            f"vectors of {got} numbers for an embedding of {wanted}",
            where=where,
            todo=f"pass --embedding-dim {got}" if got > 1 else "give a text file of word vectors",
        )
