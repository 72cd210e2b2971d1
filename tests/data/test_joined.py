from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.data.joined import JoinedCorpora
from sentir.data.spool import flat_ids, offsets

reviews = st.lists(st.lists(st.integers(1, 99), max_size=6), max_size=5)


def written(path: Path, texts: list[list[int]], label: int) -> EncodedCorpus:
    flat, lengths = flat_ids(texts)
    count = len(texts)
    with CorpusWriter(path, texts=False) as writer:
        labels = np.full(count, label, np.int32)
        writer.write(flat, offsets(lengths), labels, np.zeros(count, np.uint64))
    return EncodedCorpus(path)


@given(st.lists(reviews, min_size=1, max_size=3))
@settings(deadline=None)
def test_all_reviews_are_there_in_their_order(parts: list[list[list[int]]]) -> None:
    with tempfile.TemporaryDirectory() as made:
        corpora = [written(Path(made) / f"{at}.arrow", part, at) for at, part in enumerate(parts)]
        joined = JoinedCorpora(corpora, np.concatenate([corpus.labels_N for corpus in corpora]))
        expected = [ids for part in parts for ids in part]
        assert len(joined) == len(expected)
        assert [joined[row].tolist() for row in range(len(joined))] == expected
        assert joined.lengths_N.tolist() == [len(ids) for ids in expected]
        assert joined.targets.tolist() == [at for at, part in enumerate(parts) for _ in part]
