"""`sentir.ray`, on Ray itself; run with ``python3 dev.py cluster``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import sentir
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import save_bundle
from sentir.ray import Answers

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default")]
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
pytest.importorskip("ray", reason="no Ray: pip install 'sentir[ray]'")


@pytest.fixture(scope="module")
def data() -> Iterator[Any]:
    import ray
    import ray.data

    # More than the actors take: else nothing is left for the tasks that write.
    ray.init(num_cpus=4, include_dashboard=False, object_store_memory=1 << 29)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray.data
    ray.shutdown()


def test_answers_are_those_of_sentir_predict(data: Any, tmp_path: Path) -> None:
    save_bundle(toy(ngram_buckets=64), tmp_path / "model")
    texts = [*random_texts(600), "", None]
    table = pa.table({"id": pa.array(range(len(texts)), pa.int16()), "text": texts})
    answer = sentir.answering(tmp_path / "model", probabilities=True)
    labelled = (
        data.from_arrow(table)
        .repartition(5)
        .map_batches(
            Answers,
            fn_constructor_args=[answer],
            batch_format="pyarrow",
            batch_size=100,
            compute=data.ActorPoolStrategy(size=2),
        )
    )
    labelled.write_parquet(str(tmp_path / "labelled"))
    rows = [row for batch in labelled.iter_batches(batch_format="pyarrow")
            for row in batch.to_pylist()]  # fmt: skip
    assert Counter(row["id"] for row in rows) == Counter(range(len(texts)))
    given = [row for row in rows if row["text"]]
    model = sentir.load(tmp_path / "model")
    expected = model.predict_proba([row["text"] for row in given])
    for row, (negative, positive) in zip(given, expected, strict=True):
        assert row["probability_negative"] == pytest.approx(negative, abs=1e-5)
        assert row["probability_positive"] == pytest.approx(positive, abs=1e-5)
        assert row["prediction"] == model.labels[int(positive > negative)]
    assert {row["prediction"] for row in rows if not row["text"]} == {None}
    assert labelled.schema().base_schema.field("id").type == pa.int16()
    files = sorted((tmp_path / "labelled").glob("*.parquet"))
    assert sum(pa.parquet.read_metadata(file).num_rows for file in files) == len(texts)
    metadata = pa.parquet.read_schema(files[0]).metadata or {}
    assert metadata[b"sentir.model"] == answer.identity.encode()
