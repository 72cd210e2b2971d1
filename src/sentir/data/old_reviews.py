"""Test reviews of a model that goes on learning: what its run's cache still holds of them.

A bundle keeps no reviews, but a run's folder keeps its encoded reviews, those of test with their
texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sentir.bundle import FOLDER, Bundle
from sentir.data.dataset import EncodedCorpus, identity, read_batches
from sentir.errors import DataError
from sentir.io.reader import Review

#: What a run measures its finished model on, by the names in its metrics.
MEASURED = ("test", "old_test")


def find_old_tests(model: str | Path, bundle: Bundle) -> list[EncodedCorpus]:
    """The test reviews that the old run's cache holds, as far as they are those of its figures.

    Those of the old run itself, and if it went on learning too those of the run before it.

    Args:
        model: the folder of the run, or of its model.
        bundle: the old model.
    """
    data = bundle.metrics.get("data")
    known = [data.get(part) for part in MEASURED] if isinstance(data, Mapping) else []
    wanted = [one for one in known if one]
    folder = Path(model)
    run = folder.parent if folder.name == FOLDER else folder
    found = []
    for path in sorted(run.glob("cache/*/*test-*/test.arrow")) if wanted else ():
        try:
            corpus = EncodedCorpus(path)
        except DataError:  # of another version, or damaged: as if it were gone
            continue
        if (one := identity(bundle.labels.names, [corpus])) in wanted:
            found.append(corpus)
            wanted.remove(one)
    return found


def reviews_of(corpora: Iterable[EncodedCorpus], bundle: Bundle) -> Iterator[Review]:
    """The reviews of corpora that keep their texts, labelled with the names of their classes."""
    for corpus in corpora:
        number = 0
        for batch in read_batches(corpus.path):
            columns = (batch.column(name).to_pylist() for name in ("text", "label", "weight"))
            for text, label, weight in zip(*columns, strict=True):
                number += 1
                name = bundle.labels.names[label]
                yield Review(text, name, str(corpus.path), number, None, weight)
