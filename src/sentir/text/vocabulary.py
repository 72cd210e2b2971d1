"""Counting words while reading, so that every review is cut into words only once.

Which words get an id is known when all reviews are counted, but the reviews should not be read
twice for it. So each word gets a provisional id as it comes, reviews are kept as provisional ids,
and in the end one table turns those into the final ones.
"""

from __future__ import annotations

from array import array
from itertools import repeat

import numpy as np
import numpy.typing as npt

from sentir.config import TextConfig
from sentir.text.batch import TokenizedBatch
from sentir.text.tokenizer import SPECIAL, UNK, WordTokenizer

#: Distinct words held while counting (about 300 MB); beyond, the rarer half is let go.
MAX_WORDS = 2_000_000


class StreamingVocabulary:
    """Provisional ids for words as they come."""

    def __init__(self, config: TextConfig, *, max_words: int = MAX_WORDS) -> None:
        self._config = config
        self.steps = config.clean
        self._max_words = max_words
        self._id_of: dict[str, int] = {}
        self._counts = array("q")

    def encode(self, cut: TokenizedBatch) -> npt.NDArray[np.int32]:
        """The provisional ids of all words of some reviews, as they follow each other.

        The words are counted, and rare ones are let go if there are too many of them.
        A word that was let go and comes again gets another id and a count that begins anew (the
        lossy counting of Manku and Motwani 2002). So memory stays bounded on any corpus, but for
        the 8 bytes of each id's count.
        """
        words = cut.words
        ids_N = np.fromiter(map(self._id_of.get, words, repeat(-1)), np.int32, len(words))
        new = np.flatnonzero(ids_N < 0)
        ids_N[new] = np.arange(len(new)) + len(self._counts)
        self._id_of.update((words[place], int(ids_N[place])) for place in new)
        self._counts.extend(repeat(0, len(new)))
        counts = np.frombuffer(self._counts, dtype=np.int64)
        counts[ids_N] += np.bincount(cut.flat, minlength=len(ids_N))
        if len(self._id_of) > self._max_words:
            ids = np.fromiter(self._id_of.values(), dtype=np.int64, count=len(self._id_of))
            rare = int(np.median(counts[ids]))  # of most corpora: once
            self._id_of = {word: at for word, at in self._id_of.items() if counts[at] > rare}
        return ids_N[cut.flat]

    def finalize(
        self, counts_N: npt.NDArray[np.int64]
    ) -> tuple[WordTokenizer, npt.NDArray[np.int32]]:
        """The tokenizer of the words seen often enough, and the table to its ids.

        Args:
            counts_N: how often each provisional id stands in the training reviews.

        Returns:
            The tokenizer, its words by falling frequency (then by first appearance), and an array
            of shape (N,) that holds the final id of each provisional one.
        """
        word_of = {at: word for word, at in self._id_of.items() if word not in SPECIAL}
        ids = np.fromiter(word_of, dtype=np.int64, count=len(word_of))
        ids = ids[counts_N[ids] >= self._config.min_count]
        ids = ids[np.lexsort((ids, -counts_N[ids]))]
        limit = self._config.max_vocab_size
        ids = ids[: None if limit is None else limit - len(SPECIAL)]
        table = np.full(len(self._counts), UNK, dtype=np.int32)
        table[ids] = np.arange(len(SPECIAL), len(SPECIAL) + len(ids), dtype=np.int32)
        return WordTokenizer([word_of[at] for at in ids], self._config.clean), table

    def __len__(self) -> int:
        """Provisional ids handed out so far."""
        return len(self._counts)
