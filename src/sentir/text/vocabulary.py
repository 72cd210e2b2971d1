"""Count words while reading, so that every review is tokenised only once.

Which words get an id is known when all reviews are counted, but the reviews should not be read
twice. So each word gets a provisional id when it first appears, reviews are stored as provisional
ids, and in the end one table maps those to the final ids. Shapes: N words, P provisional ids,
T words of all reviews one after the other.
"""

from __future__ import annotations

from array import array
from itertools import repeat

import numpy as np
import numpy.typing as npt

from sentir.config import TextConfig
from sentir.text.batch import TokenizedBatch
from sentir.text.suitability import unsuitable_words
from sentir.text.tokenizer import SPECIAL, UNK, WordTokenizer
from sentir.text.treebank import strings_bytes

#: Memory of the distinct words while counting (bytes), some 2 million words; beyond, the rarer half
#: is dropped.
MAX_WORDS_BYTES = 320_000_000


class StreamingVocabulary:
    """Provisional ids for a stream of words, and their final ids at its end.

    Args:
        config: how text becomes ids.
        known: a final tokenizer to extend, whose words keep their ids.
        max_bytes: memory of the distinct words while counting.
    """

    def __init__(
        self,
        config: TextConfig,
        known: WordTokenizer | None = None,
        *,
        max_bytes: int = MAX_WORDS_BYTES,
    ) -> None:
        self._config = config
        self._known = known or WordTokenizer((), config.clean)
        self.steps = config.clean
        self._max_bytes = max_bytes
        self._bytes = 0
        self._id_of: dict[str, int] = {}
        self._counts_P = array("q")

    def encode(self, batch: TokenizedBatch) -> npt.NDArray[np.int32]:
        """The provisional ids (T,) of the batch's words, which are counted.

        If the distinct words take too much memory, the rarer half is dropped. A dropped word that
        comes again gets a new id and is counted from zero (lossy counting, Manku and Motwani 2002,
        4.2). So memory is bounded for any corpus, but for 8 bytes per provisional id.
        """
        words = batch.words
        ids_N = np.fromiter(map(self._id_of.get, words, repeat(-1)), np.int32, len(words))
        new = np.flatnonzero(ids_N < 0)
        ids_N[new] = np.arange(len(new)) + len(self._counts_P)
        new_words = [words[index] for index in new.tolist()]
        self._id_of.update(zip(new_words, ids_N[new].tolist(), strict=True))
        self._bytes += strings_bytes(new_words)
        self._counts_P.extend(repeat(0, len(new)))
        counts_P = np.frombuffer(self._counts_P, dtype=np.int64)
        counts_P[ids_N] += np.bincount(batch.indices_T, minlength=len(ids_N))
        if self._bytes > self._max_bytes:
            ids = np.fromiter(self._id_of.values(), dtype=np.int64, count=len(self._id_of))
            median = int(np.median(counts_P[ids]))  # of most corpora: 1
            self._id_of = {word: id for word, id in self._id_of.items() if counts_P[id] > median}
            self._bytes = strings_bytes(self._id_of)
        return ids_N[batch.indices_T]

    def finalize(
        self, counts_P: npt.NDArray[np.int64]
    ) -> tuple[WordTokenizer, npt.NDArray[np.int32]]:
        """The tokenizer of the words seen often enough, and the table to its ids.

        Args:
            counts_P: how often each provisional id occurs in the training reviews.

        Returns:
            The tokenizer, its words by falling frequency (then by first appearance) after those
            that are known, and the final id of each provisional one (P,).
        """
        known = self._known.vocabulary
        word_of = {id: word for word, id in self._id_of.items() if word not in SPECIAL}
        all_ids = np.fromiter(word_of, dtype=np.int64, count=len(word_of))
        known_ids = np.fromiter(map(self._known.id_of, word_of.values()), np.int32, len(word_of))
        table_P = np.full(len(self._counts_P), UNK, dtype=np.int32)
        table_P[all_ids] = known_ids
        ids = all_ids[(known_ids == UNK) & (counts_P[all_ids] >= self._config.min_count)]
        ids = ids[np.lexsort((ids, -counts_P[ids]))]
        limit = self._config.max_vocab_size
        ids = ids[: None if limit is None else max(limit - len(known), 0)]
        table_P[ids] = np.arange(len(known), len(known) + len(ids), dtype=np.int32)
        words = [*known[len(SPECIAL) :], *(word_of[id] for id in ids)]
        return WordTokenizer(words, self._config.clean), table_P

    def unsuitable(self, counts_P: npt.NDArray[np.int64]) -> str | None:
        """Why words do not suit the training reviews, see `unsuitable_words`; None if they do.

        Args:
            counts_P: how often each provisional id occurs in the training reviews.
        """
        counts = ((word, int(counts_P[id])) for word, id in self._id_of.items())
        once = int((counts_P == 1).sum())
        return unsuitable_words(counts, total=int(counts_P.sum()), once=once)

    @property
    def size_bytes(self) -> int:
        """Memory of the distinct words."""
        return self._bytes

    def words(self) -> list[str]:
        """The word of each provisional id, if none was dropped."""
        return list(self._id_of)

    def __len__(self) -> int:
        """Provisional ids given so far."""
        return len(self._counts_P)
